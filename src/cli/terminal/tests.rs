use super::*;

#[test]
fn bars_count_eighths() {
    for (share, text) in [(0.0, ""), (1.0, "████"), (0.5, "██"), (0.28, "█▏"), (7.0, "████")]
    {
        assert_eq!(bar(share, 4), text);
    }
}

#[test]
fn colours_take_no_room() {
    let left = ["\x1b[38;5;231;48;5;16m▀\x1b[0m".to_owned(), "ab".to_owned()];
    let right = ["1".to_owned()];
    assert_eq!(beside(&left, &right), [format!("{}    1", left[0]), "ab".to_owned()]);
    assert_eq!(beside(&right, &left)[1], "    ab");
}

#[test]
fn half_blocks_by_hand() {
    let pixels = [255, 0, 200, 255, 100, 0, 128, 255, 0];
    assert_eq!(image(&pixels, 3, 3, false), ["█ ▀", "▀▀"]);
    assert_eq!(image(&[0; 4], 2, 2, false), [""]);
}

#[test]
fn shades_by_hand() {
    assert_eq!(image(&[255, 0], 2, 1, true), ["\x1b[38;5;231;48;5;16m▀\x1b[0m"]);
    assert_eq!([0, 3, 4, 13, 14, 128, 243, 244].map(shade), [16, 16, 232, 232, 233, 244, 255, 231]);
}

#[test]
fn a_large_image_is_shrunk() {
    let lines = image(&vec![255; 200 * 300], 300, 200, false);
    assert_eq!((lines.len(), lines[0].chars().count()), (32, 43));
}
