use super::*;

fn label(x: f64) -> String {
    format!("epoch {x}")
}

#[test]
fn a_rising_and_a_falling_curve_cross() {
    let rising = [(1.0, 0.5), (10.0, 1.0)];
    let falling = [(1.0, 1.0), (10.0, 0.5)];
    let curves = [Curve { name: "up", points: &rising }, Curve { name: "down", points: &falling }];
    let lines = chart(&curves, label, false);
    assert!(lines[0].starts_with("1.000 │•") && lines[0].ends_with('⠉'), "{lines:#?}");
    assert_eq!(lines.last().map(String::as_str), Some("⠒ up   • down"));
    assert!(!lines.concat().contains('\x1b'));
    assert!(chart(&curves, label, true).concat().contains("\x1b[38;5;214m"));
}

#[test]
fn every_curve_has_its_own_marker() {
    for (colors, count) in [(false, 36), (true, 60)] {
        let appearance = |index| (marker(index, colors).1, colors.then(|| color(index)));
        let all: Vec<_> = (0..count).map(appearance).collect();
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{one:?} occurs twice");
        }
    }
    let points = [(1.0, 0.5), (2.0, 0.6)];
    let names = ["a", "b", "c", "d", "e", "f"];
    let curves = names.map(|name| Curve { name, points: &points });
    assert_eq!(legend(&curves, false, 76), ["⠒ a   • b   x c   + d   o e   # f"]);
    assert_eq!(legend(&curves, false, 16), ["⠒ a   • b   x c", "+ d   o e   # f"]);
}

#[test]
fn one_point_is_drawn_and_none_are_not() {
    let point = [(1.0, 0.9)];
    let lines = chart(&[Curve { name: "one", points: &point }], label, false);
    assert!(
        lines.iter().any(|line| line.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c))),
        "{lines:#?}"
    );
    assert_eq!(chart(&[Curve { name: "none", points: &[] }], label, true), Vec::<String>::new());
}
