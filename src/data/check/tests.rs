//! Tests of a whole check: MNIST, and data sets of extreme sizes.
#![allow(clippy::panic, clippy::unwrap_used)]

use super::*;
use crate::data::Subset;
use crate::data::sources::{RawPixels, ReadOptions, Source};

/// Checks `train` and `test` images with labels that repeat in the order of the classes.
fn check(train: &[u8], test: &[u8], size: (usize, usize), num_classes: u32) -> DataCheck {
    let [train, test] = [train, test].map(|bytes| Pixels::Bytes(bytes.to_vec()));
    check_pixels(&train, &test, size, num_classes)
}

fn check_pixels(
    train: &Pixels,
    test: &Pixels,
    (height, width): (usize, usize),
    num_classes: u32,
) -> DataCheck {
    let names: Vec<String> = (0..num_classes).map(|class| class.to_string()).collect();
    let labels = |pixels: &Pixels| -> Vec<u16> {
        let count = pixels.len() / (height * width);
        (0..num_classes).cycle().take(count).map(|label| label as u16).collect()
    };
    let (train_labels, test_labels) = (labels(train), labels(test));
    DataCheck::new(&CheckedData {
        train: CheckedPart { pixels: train, labels: &train_labels },
        test: Some(CheckedPart { pixels: test, labels: &test_labels }),
        height,
        width,
        class_names: &names,
        value_range: ValueRange::BYTES,
    })
}

#[test]
fn mnist_is_light_on_dark_and_its_inverse_dark_on_light() {
    let read = |subset| {
        let images = Source::mnist().read(subset, &ReadOptions::default()).unwrap().unwrap();
        let RawPixels::Blocks(blocks) = images.pixels else { panic!("MNIST is in blocks") };
        blocks
    };
    let (train, test) = (read(Subset::Train), read(Subset::Test));
    let (mut train_bytes, mut test_bytes) = (train.to_bytes().unwrap(), test.to_bytes().unwrap());
    let light = check_pixels(&Pixels::Blocks(train), &Pixels::Blocks(test), (28, 28), 10);
    assert_eq!(light, check(&train_bytes, &test_bytes, (28, 28), 10));
    train_bytes.iter_mut().chain(&mut test_bytes).for_each(|byte| *byte = 255 - *byte);
    let dark = check(&train_bytes, &test_bytes, (28, 28), 10);
    assert_eq!(light.appearance.polarity, Polarity::LightOnDark);
    assert_eq!(dark.appearance.polarity, Polarity::DarkOnLight);

    let ink = light.appearance.ink.unwrap();
    assert_eq!(Some(ink), dark.appearance.ink);
    assert!(ink.is_centred_by_mass() && ink.has_empty_border(), "{ink:?}");
    // The digits were fitted into 20×20 of 28×28 pixels.
    assert!((ink.longer_share - 20.0 / 28.0).abs() < 0.001 && ink.longer_share_std < 0.01, "{ink:?}");

    assert_eq!((light.constant_pixels, light.blank_train_images, light.byte_range), (67, 0, (0, 255)));
    assert_eq!(light.duplicates, Duplicates::default());
    assert_eq!(light.lines(3), [""; 0]);
    let kinds = |check: &DataCheck| check.findings().iter().map(|finding| finding.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&light), [FindingKind::ConstantPixels]);
    assert_eq!(kinds(&dark), [FindingKind::DarkOnLight, FindingKind::ConstantPixels]);
    let looks = "The images are light on dark; what they show fills 70.4 % of the height and 53.8 % of the width on \
                 average; its centre of mass is in the middle; the border is empty.";
    assert_eq!(light.sentences()[0], looks);
}

#[test]
fn any_size_is_checked() {
    // One image of one pixel and one class.
    let one = check(&[7], &[], (1, 1), 1);
    assert_eq!((one.train_images, one.test_images, one.classes.len()), (1, Some(0), 1));
    assert_eq!(one.appearance.ink, None);
    // As many classes as labels can name, most of them empty.
    let many = check(&[1, 2, 3], &[4], (1, 1), 1 << 16);
    assert_eq!(many.classes.iter().filter(|class| class.train == 1).count(), 3);
    assert!(many.findings().iter().any(|finding| finding.message.contains("and 65,528 more")));
    // No pixel at all.
    assert_eq!(check(&[], &[], (1, 1), 0).train_images, 0);
    for check in [one, many] {
        let json = serde_json::to_string(&check).unwrap();
        assert_eq!(serde_json::from_str::<DataCheck>(&json).unwrap(), check);
        assert!(!check.sentences().is_empty());
    }
}

#[test]
fn equal_images_are_reported_as_such() {
    let same = check(&[0; 4 * 40], &[0; 4 * 10], (2, 2), 10);
    assert_eq!(same.duplicates.within_training.count, 39);
    assert_eq!(same.duplicates.two_labels_in_training.count, 40);
    let first = "all 40 training images have the same pixels: a network can learn nothing from them";
    assert_eq!(same.lines(3)[0], first);
    let kinds = serde_json::to_string(&same.findings()[0].kind).unwrap();
    assert_eq!(kinds, "\"nothing-to-learn\"");
}
