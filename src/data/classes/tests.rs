use super::*;
use crate::data::{RawLabels, RawPixels};

/// Images with these labels and stated names.
fn part(labels: &[&str], names: &[(&str, &str)]) -> RawImages {
    let mut raw = RawLabels::default();
    labels.iter().for_each(|label| raw.push(label).unwrap());
    RawImages {
        pixels: RawPixels::Bytes(vec![0; labels.len()]),
        count: labels.len(),
        height: 1,
        width: 1,
        labels: Some(raw),
        class_names: names.iter().map(|&(label, name)| (label.to_owned(), name.to_owned())).collect(),
        images_name: String::new(),
        labels_name: String::new(),
        transposed: false,
        notes: Vec::new(),
    }
}

#[test]
fn the_labels_of_all_parts_become_classes_in_natural_order() {
    let (train, test) = (part(&["10", "9", "9"], &[]), part(&["1", "9"], &[]));
    let classes = Classes::of(&[&train, &test]);
    assert_eq!(
        (classes.names(), classes.labels()),
        (&classes.labels[..], &["1", "9", "10"].map(str::to_owned)[..])
    );
    assert_eq!(classes.indices_by_label(&train), [Some(2), Some(1)]);
    assert_eq!(classes.indices_by_label(&part(&["7"], &[])), [None]);
}

#[test]
fn classes_have_the_names_that_the_files_state() {
    let letters = part(&["2", "1"], &[("1", "A"), ("2", "B"), ("3", "C")]);
    let classes = Classes::of(&[&letters]);
    assert_eq!(classes.names(), ["A", "B"]);
    assert_eq!(classes.labels(), ["1", "2"]);
    let folders = part(&["B", "C", "A"], &[]);
    assert_eq!(classes.indices_by_name(&folders), [Some(1), None, Some(0)]);
    let plain = part(&["2", "3"], &[]);
    assert_eq!(classes.indices_by_name(&plain), [Some(1), None]);
}

#[test]
fn classes_take_the_labels_of_another_data_set() {
    let letters = Classes::of(&[&part(&["2", "1", "3"], &[("1", "A"), ("2", "B"), ("3", "C")])]);
    let others = part(&["C", "1", "x"], &[]);
    let classes = letters.with_labels_of(&[&others]);
    assert_eq!(classes.names(), ["A", "B", "C"]);
    assert_eq!(classes.labels(), ["1", "2", "C"]);
    assert_eq!(classes.indices_by_label(&others), [Some(2), Some(0), None]);
}

/// The label 1 is the digit 1 in one data set, and the letter A in the other.
#[test]
fn a_label_of_two_meanings_goes_by_the_names() {
    let both = [("0", "0"), ("1", "1"), ("10", "A")];
    let classes = Classes::of(&[&part(&["0", "1", "10"], &both)]);
    let letters = part(&["1", "2"], &[("1", "A"), ("2", "B")]);
    assert_eq!(classes.indices_by_name(&letters), [Some(2), None]);
    let adapted = classes.with_labels_of(&[&letters]);
    assert_eq!(adapted.labels(), ["0", "1'", "1"]);
    assert_eq!(adapted.indices_by_label(&letters), [Some(2), None]);
    // Classes of earlier versions have numbers for names.
    assert_eq!(Classes::numbered(3).indices_by_name(&letters), [Some(1), Some(2)]);
}

#[test]
fn one_class_cannot_be_trained_on() {
    let error = |labels: &[&str]| Classes::of(&[&part(labels, &[])]).check_trainable("x").unwrap_err();
    assert_eq!(
        error(&["5", "5"]).message(),
        "all training images in `x` are of class 5, expected two classes"
    );
    Classes::of(&[&part(&["a", "b"], &[])]).check_trainable("x").unwrap();
    Classes::numbered(4096).check_trainable("x").unwrap();
    let error = Classes::numbered(4097).check_trainable("x").unwrap_err();
    assert_eq!(error.message(), "the images in `x` have 4,097 different labels, expected at most 4,096");
}
