use super::*;

#[test]
fn questions_are_numbers_and_ranges() {
    let read = |text: &str| text.parse::<Questions>();
    assert_eq!(read("1-9").unwrap().0, (1..=9).collect::<Vec<_>>());
    assert_eq!(read("8-10,0, 3,9").unwrap().0, [0, 3, 8, 9, 10]);
    for (text, expected) in [
        ("15", "`15` is not a question: expected numbers from 0 to 14, such as `1-9` or `0,3,8-10`"),
        ("", "`` is not a question: expected numbers from 0 to 14, such as `1-9` or `0,3,8-10`"),
        ("9-1", "`9-1` has no question in it: did you mean `1-9`?"),
    ] {
        assert_eq!(read(text).unwrap_err(), expected);
    }
}
