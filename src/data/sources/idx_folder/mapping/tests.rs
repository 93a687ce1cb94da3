use super::*;

#[test]
fn a_class_is_named_by_its_first_character() {
    let names = parse("1 65 97\n2 66\r\n\n10 48\n").unwrap();
    let expected = [("1", "A"), ("2", "B"), ("10", "0")];
    assert_eq!(names, expected.map(|(label, name)| (label.to_owned(), name.to_owned())));
}

#[test]
fn the_first_wrong_line_is_counted() {
    for text in ["1 65\n\n2\n3", "1 65\n\nx 66", "1 65\n\n2 300", "1 65\n\n2 10", "1 65\n\n2 B"] {
        assert_eq!(parse(text), Err(3), "{text:?}");
    }
}
