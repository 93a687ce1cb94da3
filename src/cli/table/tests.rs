use super::*;

fn table() -> Table {
    let mut table = Table::new(["image", "label", "second guess"], 1);
    table.add_row(["photos/of my/first-digit.png", "7", "0.125"]);
    table.add_row(["a", "10", "0.5"]);
    table
}

#[test]
fn a_table_that_fits_is_not_changed() {
    let expected = " image                         label  second guess\n photos/of my/first-digit.png      7         \
                    0.125\n a                                10           0.5";
    for width in [50, 80, usize::from(u16::MAX)] {
        assert_eq!(table().fit(width), expected);
    }
}

#[test]
fn texts_are_wrapped_and_numbers_are_not() {
    let text = table().fit(33);
    assert!(text.lines().all(|line| measure_text_width(line) <= 33), "{text}");
    let words: Vec<&str> = text.split_whitespace().collect();
    let expected = "image label second guess photos/of my/fir 7 0.125 st-digit.png a 10 0.5";
    assert_eq!(words, expected.split(' ').collect::<Vec<_>>(), "{text}");
}

#[test]
fn columns_without_room_are_moved_below_with_the_first_column() {
    let mut table = Table::new(["", "0", "1", "2"], 0);
    table.add_row(["0", "980", "1,135", "7"]);
    table.add_row(["1", "0", "1,000", "1,032"]);
    let expected = "      0      1\n 0  980  1,135\n 1    0  1,000\n\n        2\n 0      7\n 1  1,032";
    assert_eq!(table.fit(15), expected);
    // Every column is shown, however narrow the terminal is.
    assert_eq!(table.fit(1).lines().count(), 3 * 3 + 2);
}

#[test]
fn no_line_is_wider_than_there_is_room() {
    let mut table = Table::new((0..20).map(|class| class.to_string()), 0);
    table.add_row((0..20).map(|class| (class * 1000).to_string()));
    for width in [20, 40, 79, 80, 81, 100] {
        let text = table.fit(width);
        assert!(text.lines().all(|line| measure_text_width(line) <= width), "{width}:\n{text}");
        assert!((0..20).all(|class| text.contains(&(class * 1000).to_string())));
    }
}
