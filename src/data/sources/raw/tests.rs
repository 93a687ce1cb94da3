use super::*;

#[test]
fn labels_in_natural_order() {
    let mut words = ["b", "img10", "10", "img9", "2", "-1", "a", "img09", "1", "B"];
    words.sort_by(|a, b| natural_order(a, b));
    assert_eq!(words, ["-1", "1", "2", "10", "B", "a", "b", "img09", "img9", "img10"]);
}

#[test]
fn the_same_label_is_one_label_however_it_is_written() {
    let mut labels = RawLabels::default();
    for text in ["7", "7.0", " 07 ", "cat", "7.5", "cat"] {
        labels.push(text).unwrap();
    }
    labels.push_int(7).unwrap();
    assert_eq!(labels.keys(), ["7", "cat", "7.5"]);
    assert_eq!(labels.ids(), [0, 0, 0, 1, 2, 1, 0]);
}

#[test]
fn too_many_labels_are_refused() {
    let mut labels = RawLabels::default();
    (0..1 << 16).for_each(|label| labels.push_int(label).unwrap());
    assert_eq!(
        labels.push_int(-1).unwrap_err().message(),
        "the labels have more than 65,536 different values"
    );
}

#[test]
fn smallest_and_largest_value() {
    assert_eq!(RawPixels::Bytes(vec![3, 200, 16]).min_max(), (3.0, 200.0));
    let mut blocks = RawPixels::to_floats(&[1, 2]);
    [f32::NAN, -1.5, f32::INFINITY].into_iter().for_each(|value| RawPixels::push_float(&mut blocks, value));
    let floats = RawPixels::Floats(blocks);
    assert_eq!((floats.min_max(), floats.len()), ((-1.5, 2.0), 5));
}
