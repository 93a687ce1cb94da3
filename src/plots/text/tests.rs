use super::*;

/// Pixels of a text: distance right of its start, distance below its baseline.
fn inked(font: Font, text: &str) -> Vec<(f64, f64)> {
    let pixels = font.rasterize(text, Anchor::Start).unwrap();
    pixels.filter(|p| p.2 > 0.3).map(|p| (p.0, p.1)).collect()
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

#[test]
fn capitals_stand_on_the_baseline() {
    for size in [13.0, 14.0, 15.0, 24.0, 40.0] {
        for bold in [false, true] {
            let (top, bottom) = ends(inked(Font { size, bold }, "H").iter().map(|p| p.1));
            assert_eq!(bottom, -1.0, "size {size}");
            assert!((-top - 0.729 * size).abs() <= 1.0, "size {size}: {} high", -top);
        }
    }
}

/// plotters draws every glyph without the space before it. The font files compensate for that.
#[test]
fn glyphs_keep_the_space_before_them() {
    let (left, right) = ends(inked(Font { size: 100.0, bold: false }, "l").iter().map(|p| p.0));
    assert!((8.0..=11.0).contains(&left), "the stem of an l begins at {left}");
    assert!((17.0..=19.0).contains(&right), "the stem of an l ends at {right}");
}

#[test]
fn every_promised_character_is_in_the_fonts() {
    let missing = inked(BODY, "\u{4e00}");
    for bold in [false, true] {
        for c in "Aä×→−–—·…±²³≤≥≈√∞•✓✗Σλ".chars() {
            let glyph = inked(Font { bold, ..BODY }, &c.to_string());
            assert!(!glyph.is_empty() && glyph != missing, "{c}");
        }
    }
}

#[test]
fn text_hangs_on_its_anchor() {
    let middle_of = |anchor| {
        let (left, right) = ends(BODY.rasterize("mmmm", anchor).unwrap().map(|p| p.0));
        (left + right) / 2.0
    };
    let half = BODY.measure("mmmm").unwrap() / 2.0;
    assert!((middle_of(Anchor::Start) - half).abs() < 1.5);
    assert!(middle_of(Anchor::Middle).abs() < 1.5);
    assert!((middle_of(Anchor::End) + half).abs() < 1.5);
}

#[test]
fn long_text_is_cut_to_its_width() {
    assert_eq!(BODY.fit("short", 100.0).unwrap(), "short");
    for text in ["a rather long caption", &"W".repeat(100_000), "ééééééééééééééééééé"] {
        let cut = BODY.fit(text, 60.0).unwrap();
        assert!(cut.ends_with('…') && BODY.measure(&cut).unwrap() <= 60.0, "{cut}");
        assert!(BODY.measure(&cut).unwrap() > 40.0, "{cut} is shorter than needed");
    }
    assert_eq!(BODY.fit("long", 0.0).unwrap(), "…");
    assert_eq!(BODY.fit("two\nlines\t", 100.0).unwrap(), "two lines ");
}

#[test]
fn wrapping_keeps_all_words_or_ends_in_an_ellipsis() {
    let text = "one two three four five six seven";
    let lines = BODY.wrap(text, 90.0, 9).unwrap();
    assert!(lines.len() > 1);
    assert_eq!(lines.join(" "), text);
    let cut = BODY.wrap(text, 90.0, 2).unwrap();
    assert_eq!((cut.len(), &cut[0]), (2, &lines[0]));
    assert!(cut[1].ends_with('…'));
    assert!(BODY.wrap("", 90.0, 2).unwrap().is_empty());
    // A word that is longer than a line loses no letters.
    let name = "2026-11-25-softmax-learning-rate-cross-validation-2";
    let lines = BODY.wrap(name, 90.0, 9).unwrap();
    assert!(lines.len() > 3 && lines.iter().all(|line| BODY.measure(line).unwrap() <= 90.0), "{lines:?}");
    assert_eq!(lines.concat(), name);
    assert_eq!(BODY.wrap("abc", 0.0, 9).unwrap().len(), 3);
}
