use super::*;

fn cells(line: &str, separator: u8) -> Vec<String> {
    let cells = Cells::new(line.as_bytes(), separator);
    cells.map(|cell| String::from_utf8(cell.unwrap().into_owned()).unwrap()).collect()
}

#[test]
fn a_line_is_split_into_cells() {
    assert_eq!(cells("5,0, 255 ,cat", b','), ["5", "0", "255", "cat"]);
    assert_eq!(cells("1;2,5;", b';'), ["1", "2,5", ""]);
    assert_eq!(cells("1\t\t3", b'\t'), ["1", "", "3"]);
    assert_eq!(cells("", b','), [""]);
    assert_eq!(cells(r#""a,b" , "say ""x""","",7"#, b','), ["a,b", r#"say "x""#, "", "7"]);
}

#[test]
fn wrong_quotes_are_found() {
    for line in ["\"abc", "\"a\"b,1", "\"a\"\""] {
        assert_eq!(Cells::new(line.as_bytes(), b',').next(), Some(Err(WrongQuotes)), "{line}");
    }
}

#[test]
fn a_number_that_is_a_byte() {
    let byte = |text: &str| number(text.as_bytes()).and_then(as_byte);
    assert_eq!(["0", "255", "7.0", "007", "+3", "1e2"].map(byte), [0, 255, 7, 7, 3, 100].map(Some));
    assert_eq!(["256", "-1", "0.5", "nan", "1e39", "x", ""].map(byte), [None; 7]);
}

/// The fast path takes what it does not understand to the general one, and agrees with it on all
/// else.
#[test]
fn the_fast_path_agrees_with_the_general_one() {
    let characters = *b"0129-.e \"+x,";
    for index in 0..characters.len().pow(4) {
        let text: Vec<u8> =
            (0..4).map(|place| characters[index / characters.len().pow(place) % characters.len()]).collect();
        let line = [&text[..], b",7"].concat();
        let mut fast = Cells::new(&line, b',');
        let mut general = fast.clone();
        let value = fast.next_byte();
        if let Some(value) = value {
            let cell = general.next().unwrap().unwrap();
            assert_eq!(number(&cell).and_then(as_byte), Some(value), "{line:?}");
        }
        assert_eq!(fast.rest, general.rest, "{line:?}");
    }
    assert_eq!(Cells::new(b"255,1", b',').next_byte(), Some(255));
    assert_eq!(Cells::new(b"256,1", b',').next_byte(), None);
    assert_eq!(Cells::new(b"12", b',').next_byte(), None);
    // The whole line at once, up to a cell that is no such number, and never more than wanted.
    let line = b"0;0;0;0;7;0;0;0;0;0;0;0;0;255;0;0;0;0;1.5;0;0;0;0;";
    for count in 0..30 {
        let (mut cells, mut bytes) = (Cells::new(line, b';'), Vec::new());
        let done = cells.next_bytes(count, |byte| bytes.push(byte));
        let expected = [0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0];
        assert_eq!((done, &bytes[..]), (count.min(18), &expected[..count.min(18)]));
        assert_eq!(cells.count() + done, 24, "{count}");
    }
    let mut cells = Cells::new(b"0.0,0.0,0.05,0.0", b',');
    assert_eq!((cells.next_float_zeros(9), cells.count()), (2, 2));
    assert_eq!(Cells::new(b"0.0,0.0,0.0", b',').next_float_zeros(1), 1);
}
