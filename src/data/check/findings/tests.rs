//! Tests of the words of a check.

use super::*;
use crate::data::Pixels;
use crate::data::check::{CheckedData, CheckedPart, ImagePair, Pairs};

/// Checks images of two pixels: each is `[index, 255 - index]`, and so differs from the others.
fn check(names: &[&str], train: &[u16], test: Option<&[u16]>) -> DataCheck {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let pixels: Vec<u8> = (0..=u8::MAX).flat_map(|index| [index, 255 - index]).collect();
    let (train_pixels, test_pixels) = pixels.split_at(2 * train.len());
    let train_pixels = Pixels::Bytes(train_pixels.to_vec());
    let test_pixels = Pixels::Bytes(test_pixels[..2 * test.map_or(0, <[u16]>::len)].to_vec());
    DataCheck::new(&CheckedData {
        train: CheckedPart { pixels: &train_pixels, labels: train },
        test: test.map(|labels| CheckedPart { pixels: &test_pixels, labels }),
        height: 1,
        width: 2,
        class_names: &names,
        value_range: ValueRange::BYTES,
    })
}

fn message(check: &DataCheck, kind: FindingKind) -> Option<String> {
    check.findings().into_iter().find(|finding| finding.kind == kind).map(|finding| finding.message)
}

fn expect(check: &DataCheck, kind: FindingKind, text: &str) {
    assert_eq!(message(check, kind).as_deref(), Some(text));
}

#[test]
fn classes_that_a_part_lacks() {
    let found = check(&["a", "b", "c"], &[0, 0, 1], Some(&[0, 2, 2]));
    let text = "no training image is of class `c`: all 2 test images of it will be wrong";
    expect(&found, FindingKind::ClassNotInTraining, text);
    let text = "no test image is of class `b`: the test accuracy says nothing about it";
    expect(&found, FindingKind::ClassNotInTest, text);

    let found = check(&["a", "b", "c", "d"], &[0, 0], Some(&[0, 1, 2]));
    let text = "no training image is of classes `b` and `c`: all 2 test images of them will be wrong";
    expect(&found, FindingKind::ClassNotInTraining, text);
    let text = "no image is of class `d`: the data set names it, and no network will learn it";
    expect(&found, FindingKind::EmptyClass, text);
    let text = "all training images are of class `a`: a network will always answer it";
    expect(&found, FindingKind::NothingToLearn, text);

    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let text = "no image is of classes `b`, `c`, `d`, `e`, `f` and 1 more: the data set names them, and no \
                network will learn them";
    expect(&check(&names, &[0, 0], None), FindingKind::EmptyClass, text);
    // Test images without labels say nothing about classes.
    assert_eq!(message(&check(&["a"], &[0, 0], Some(&[])), FindingKind::ClassNotInTest), None);
}

#[test]
fn a_class_of_one_image_is_probably_damaged() {
    let labels: Vec<u16> = (0..60).map(|index| if index == 59 { 3 } else { index % 3 }).collect();
    let found = check(&["a", "b", "c", "255"], &labels, Some(&[0, 1, 2]));
    expect(&found, FindingKind::RareClass, "class `255` has 1 of 60 training images: is its label damaged?");
    assert_eq!(found.lines(9).len(), 1);
    // The median class has 3 images.
    assert_eq!(message(&check(&["a", "b", "c"], &[0, 0, 0, 1, 1, 1, 2], None), FindingKind::RareClass), None);
}

#[test]
fn unbalanced_classes_state_the_accuracy_of_one_answer() {
    let labels: Vec<u16> = (0..22).map(|index| u16::from(index >= 20)).collect();
    let text = "class `a` has 20 training images, class `b` has 2: always answering `a` would be 75.0 % right on \
                the test images. Compare the accuracy with that, and look at the accuracy of each class";
    expect(&check(&["a", "b"], &labels, Some(&[0, 0, 0, 1])), FindingKind::UnbalancedClasses, text);
    let text =
        message(&check(&["a", "b"], &labels, None), FindingKind::UnbalancedClasses).unwrap_or_default();
    assert!(text.contains("90.9 % right on the training images"), "{text}");
    assert_eq!(message(&check(&["a", "b"], &labels[1..], None), FindingKind::UnbalancedClasses), None);
}

#[test]
fn images_that_stand_twice() {
    let mut found = check(&["a", "b"], &[0, 1], Some(&[0, 1]));
    let pairs = |count| Pairs { count, examples: vec![ImagePair { image: 4, same_as: 7 }] };
    found.duplicates.test_in_training = pairs(1);
    found.duplicates.two_labels_in_test = pairs(1);
    found.duplicates.within_training = pairs(2);
    let text = "1 of 2 test images is also a training image, for example test image 4 and training image 7: the \
                test accuracy will be too high";
    expect(&found, FindingKind::TestInTraining, text);
    let text = "1 of 2 test images has the same pixels as a training image with another label, for example test \
                image 4 and training image 7: one of both labels is wrong";
    expect(&found, FindingKind::TwoLabels, text);
    let text = "2 of 2 training images repeat earlier ones, for example training image 4 and training image 7: if \
                one of both becomes a validation image, the validation accuracy is too high";
    expect(&found, FindingKind::DuplicateImages, text);
    found.duplicates.two_labels_in_training = pairs(2);
    let text = message(&found, FindingKind::TwoLabels).unwrap_or_default();
    assert!(text.starts_with("2 of 2 training images have the same"), "{text}");
    assert!(text.ends_with("wrong. The same holds for 1 of 2 test images"), "{text}");
    // Few of many are a note.
    found.test_images = Some(1000);
    let findings = found.findings();
    let level =
        findings.iter().find(|finding| finding.kind == FindingKind::TestInTraining).map(|it| it.level);
    assert_eq!(level, Some(Level::Note));
    // It would be the first if it were a warning.
    assert_eq!(findings[0].level, Level::Warning);
}

#[test]
fn faint_pixels_name_the_setting() {
    let mut found = check(&["a", "b"], &[0, 1], None);
    (found.byte_range, found.value_range) = ((0, 51), ValueRange { black: 0.0, white: 5.0 });
    let text = "the training images use only the values 0 to 1 of 0 to 5: the network sees weak contrasts and \
                learns slowly. If 1 is white, set `data.scale = 1`";
    expect(&found, FindingKind::FaintPixels, text);
    found.byte_range = (0, 128);
    assert_eq!(message(&found, FindingKind::FaintPixels), None);
}

#[test]
fn warnings_are_cut_to_the_lines_of_a_training() {
    let mut found = check(&["a", "b", "c"], &[0, 0, 1], Some(&[0, 2, 2]));
    found.exchanged_sides = true;
    found.blank_train_images = 3;
    let lines = found.lines(9);
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("the images look sheared with 1 rows"), "{lines:?}");
    assert_eq!(found.lines(3), [&lines[..2], &["`smallnet data` says more".to_owned()]].concat());
    assert_eq!(found.lines(4), lines);
    assert_eq!(found.lines(1), ["`smallnet data` says more"]);
    assert_eq!(found.lines(0), [""; 0]);
}

#[test]
fn sentences_begin_with_capitals_and_end_with_points() {
    let mut found = check(&["a"], &[0, 0], None);
    let looks = "The images are neither light on dark nor dark on light, as photographs are.";
    assert_eq!(found.sentences()[0], looks, "bytes are usual");
    found.value_range = ValueRange { black: 0.0, white: 16.0 };
    let sentences = found.sentences();
    assert_eq!(sentences[0], "The pixel values 0 to 16 of the files become 0 to 1 at the network's inputs.");
    assert_eq!(sentences[1], looks);
    assert!(sentences.iter().all(|text| text.ends_with('.') && !text.starts_with(char::is_lowercase)));
}
