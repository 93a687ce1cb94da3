use super::*;

#[test]
fn blocks_and_pieces_end_with_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.csv");
    // 9 MB: three blocks, and a last line without an end.
    let text: String = (0..700_000).map(|number| format!("{number},abcdef\n")).collect();
    let text = text.trim_end();
    std::fs::write(&path, text).unwrap();
    let mut blocks = Blocks::open(&path).unwrap();
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    while let Some(block) = blocks.next().unwrap() {
        let pieces = pieces(&block, 1000);
        assert!(pieces.iter().all(|piece| piece.len() < 1020), "each piece is little more than 1000 bytes");
        let (_, whole) = pieces.split_last().unwrap();
        assert!(whole.iter().all(|piece| piece.ends_with(b"\n")));
        assert_eq!(pieces.concat(), block);
        sizes.push(block.len());
        all.extend(block);
    }
    assert_eq!(sizes.len(), text.len().div_ceil(BLOCK_BYTES));
    assert!(all == text.as_bytes());
}

#[test]
fn line_ends_are_no_part_of_a_line() {
    let split = |text: &'static str| lines(text.as_bytes()).collect::<Vec<_>>();
    assert_eq!(split("a\r\nb\n\nc"), [&b"a"[..], b"b", b"", b"c"]);
    assert_eq!(split("a\n"), [b"a"]);
    assert!(is_blank(b" \t") && !is_blank(b",") && is_blank(b""));
}

#[test]
fn a_line_without_an_end_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.csv");
    std::fs::write(&path, vec![b'1'; MAX_LINE_BYTES + BLOCK_BYTES + 1]).unwrap();
    let error = Blocks::open(&path).unwrap().next().unwrap_err();
    assert!(error.message().ends_with("has a line of more than 32 MB, expected a CSV file"), "{error}");
}
