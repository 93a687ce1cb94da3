use super::*;
use crate::data::check::CheckedPart;
use crate::data::pixels::BlockPixels;
use crate::data::{Pixels, ValueRange};

/// Finds images of two pixels. The forms in which the parts are kept change nothing, and neither do equal hashes of all
/// images.
fn find(train: (&[u8], &[u16]), test: (&[u8], &[u16])) -> Duplicates {
    let bytes = |bytes: &[u8]| Pixels::Bytes(bytes.to_vec());
    let blocks = |bytes: &[u8]| Pixels::Blocks(BlockPixels::of_bytes(bytes.to_vec(), 2));
    let found = find_in((bytes(train.0), train.1), (bytes(test.0), test.1), hash);
    for (train_pixels, test_pixels) in [
        (blocks(train.0), blocks(test.0)),
        (blocks(train.0), bytes(test.0)),
        (bytes(train.0), blocks(test.0)),
    ] {
        assert_eq!(found, find_in((train_pixels, train.1), (test_pixels, test.1), hash));
    }
    assert_eq!(found, find_in((bytes(train.0), train.1), (bytes(test.0), test.1), |_| 7));
    found
}

fn find_in(train: (Pixels, &[u16]), test: (Pixels, &[u16]), hash: fn(ImagePixels<'_>) -> u64) -> Duplicates {
    let data = CheckedData {
        train: CheckedPart { pixels: &train.0, labels: train.1 },
        test: Some(CheckedPart { pixels: &test.0, labels: test.1 }),
        height: 1,
        width: 2,
        class_names: &[],
        value_range: ValueRange::BYTES,
    };
    Duplicates::find_with(&data, hash)
}

fn pairs(count: usize, examples: &[(usize, usize)]) -> Pairs {
    let examples = examples.iter().map(|&(image, same_as)| ImagePair { image, same_as }).collect();
    Pairs { count, examples }
}

#[test]
fn equal_images_are_found_within_and_between_the_parts() {
    let found = find(
        (&[1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 5, 6], &[0, 1, 0, 2, 0, 3]),
        (&[9, 9, 1, 2, 3, 4, 5, 6, 9, 9, 3, 4], &[0, 1, 2, 3, 1, 1]),
    );
    assert_eq!(found.within_training, pairs(3, &[(2, 0), (3, 1), (4, 0)]));
    assert_eq!(found.test_in_training, pairs(4, &[(1, 0), (2, 1), (3, 5), (5, 1)]));
    assert_eq!(found.two_labels_in_training, pairs(2, &[(1, 3), (3, 1)]));
    // Test images 2 and 5 equal the training images 1, with label 1, and 3, with label 2.
    assert_eq!(found.two_labels_in_test, pairs(3, &[(1, 0), (2, 1), (5, 3)]));
}

#[test]
fn images_without_labels_have_no_two_labels() {
    let found = find((&[1, 2, 1, 2], &[0, 0]), (&[1, 2], &[]));
    assert_eq!((found.test_in_training.count, found.two_labels_in_test.count), (1, 0));
    assert_eq!(found.two_labels_in_training.count, 0);
}

#[test]
fn the_first_examples_are_kept() {
    let found = find((&[7; 40], &[0; 20]), (&[7; 2000], &[0; 1000]));
    assert_eq!(found.within_training, pairs(19, &[(1, 0), (2, 0), (3, 0), (4, 0), (5, 0)]));
    assert_eq!(found.test_in_training, pairs(1000, &[(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]));
}

/// 70,000 equal images: quadratic time would be minutes.
#[test]
fn many_equal_images_take_linear_time() {
    let start = std::time::Instant::now();
    let found = find((&[7; 140_000], &[]), (&[], &[]));
    assert_eq!(found.within_training.count, 69_999);
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn every_byte_counts_in_the_hash() {
    for length in [1, 7, 8, 31, 32, 49, 784] {
        let mut hashes: Vec<u64> = (0..length)
            .map(|index| {
                let mut image = vec![0; length];
                image[index] = 1;
                hash(ImagePixels::Bytes(&image))
            })
            .chain([hash(ImagePixels::Bytes(&vec![0; length]))])
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), length + 1);
    }
}
