use super::*;

/// Position of a label that must be beside its mark.
fn beside(space: &mut LabelSpace, mark: Position, text: &str) -> Position {
    let label = space.label(mark, text).unwrap().unwrap();
    assert_eq!(label.line_to, None);
    label.at
}

#[test]
fn a_label_is_right_of_its_mark_where_there_is_room() {
    let mut space = LabelSpace::new((1600, 800));
    let (x, y) = beside(&mut space, (800, 400), "a");
    assert!(x > 800 && y == 400);
    // At the right border, the label is left of its mark and ends before it.
    let (x, y) = beside(&mut space, (1590, 400), "label");
    let width = (LABEL.measure("label").unwrap() * f64::from(SUBPIXELS)) as i32;
    assert!(x + width < 1590 && x > 800 && y == 400);
}

#[test]
fn a_label_keeps_off_lines_and_other_marks() {
    let mut space = LabelSpace::new((1600, 800));
    space.add_line((800, 400), (1600, 400));
    assert!(beside(&mut space, (800, 400), "a").0 < 800, "a line goes to the right");
    let mut space = LabelSpace::new((1600, 800));
    space.add_mark((800, 400));
    space.add_mark((860, 400));
    assert!(beside(&mut space, (800, 400), "a").0 < 800, "another mark is at the right");
}

/// With equal marks, every label has its own position, and those that are not beside their mark
/// have a line to it.
#[test]
fn no_label_is_left_out() {
    let mut space = LabelSpace::new((1600, 1200));
    let all: Vec<Label> = (0..20).map(|_| space.label((800, 600), "label").unwrap().unwrap()).collect();
    for (i, first) in all.iter().enumerate() {
        for second in &all[i + 1..] {
            let (first, second) = (first.at, second.at);
            let apart = (first.1 - second.1).abs() >= 4 * 17 || (first.0 - second.0).abs() >= 4 * 30;
            assert!(apart, "{first:?} {second:?}");
        }
    }
    let (with, without): (Vec<_>, Vec<_>) = all.iter().partition(|label| label.line_to.is_some());
    assert!(with.len() >= 12 && (2..=8).contains(&without.len()), "{all:?}");
    let width = (LABEL.measure("label").unwrap() * f64::from(SUBPIXELS)).ceil() as i32;
    for Label { at, line_to } in with {
        let end = line_to.unwrap();
        assert!((at.0..=at.0 + width).contains(&end.0) && (end.1 - at.1).abs() <= 4 * 9, "{at:?} {end:?}");
    }
}

#[test]
fn a_text_that_is_wider_than_the_plot_has_no_place() {
    assert_eq!(LabelSpace::new((100, 800)).label((50, 400), "a long label").unwrap(), None);
}
