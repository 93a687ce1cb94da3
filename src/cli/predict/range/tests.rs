use super::*;

#[test]
fn numbers_and_ranges() {
    assert_eq!(IndexRange::parse("7"), Ok(IndexRange { first: 7, last: 7 }));
    assert_eq!(IndexRange::parse("0-99"), Ok(IndexRange { first: 0, last: 99 }));
    for text in ["-1", "", "a", "1-", "1-2-3", "1..3", "99999999999999999999"] {
        assert_eq!(IndexRange::parse(text), Err(EXPECTED), "{text}");
    }
    assert_eq!(IndexRange::parse("9-0"), Err("expected the smaller number first"));
}
