use super::*;

/// Flags at fractions of a plot that is 400 pixels wide.
fn flags(marks: &[(f64, &str)]) -> Vec<Flag> {
    let axis = Axis::horizontal(Scale::Linear, [0.0, 1.0].into_iter(), 400.0, false).unwrap();
    Flags::new(marks, Scale::Linear, &axis, 400.0).unwrap().flags
}

/// Asserts that the labels are in the plot, do not overlap, and are crossed by no line.
fn assert_apart(flags: &[Flag]) {
    for flag in flags {
        let (start, end) = span(flag);
        assert!(start >= 0.0 && end <= 400.0, "{start} to {end}");
        for other in flags.iter().filter(|other| !std::ptr::eq(*other, flag)) {
            let (from, to) = span(other);
            assert!(other.row != flag.row || to <= start || end <= from, "{} {}", flag.text, other.text);
            // A line ends at its label, so it crosses no label in a higher row.
            let goes_through = start < other.x && other.x < end && other.row > flag.row;
            assert!(!goes_through, "{} goes through {}", other.text, flag.text);
        }
    }
}

#[test]
fn every_label_is_at_the_end_of_its_own_line() {
    let near = [(0.30, "steepest"), (0.34, "suggested"), (0.38, "lowest")];
    let rows = |marks: &[_]| flags(marks).iter().map(|flag| flag.row).collect::<Vec<_>>();
    assert_eq!(rows(&near), [2, 1, 0]);
    assert_eq!(rows(&[(0.1, "steepest"), (0.5, "suggested"), (0.8, "lowest")]), [0, 0, 0]);
    let at_the_end = [(0.90, "steepest"), (0.94, "suggested"), (0.99, "lowest")];
    assert_eq!(rows(&at_the_end), [0, 1, 2]);
    let both_ends = [(0.02, "steepest"), (0.85, "suggested"), (0.99, "lowest")];
    let apart = [(0.02, "steepest"), (0.5, "suggested"), (0.99, "lowest")];
    for marks in [near, at_the_end, both_ends, apart, [(0.5, "one"), (0.5, "two"), (0.5, "three")]] {
        assert_apart(&flags(&marks));
    }
    assert!(flags(&apart).iter().all(|flag| flag.row == 0));
}

#[test]
fn what_is_not_on_the_axis_is_left_out() {
    assert!(flags(&[(1.5, "beyond"), (f64::NAN, "nowhere")]).is_empty());
}
