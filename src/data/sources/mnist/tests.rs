#![allow(clippy::unwrap_used)]

use sha2::{Digest, Sha256};

use super::*;
use crate::util::hex::hex;

/// The digest of an IDX file is that of its header, big-endian, and its numbers.
#[test]
fn every_file_unpacks_to_the_original() {
    for images in [TRAIN_IMAGES, TEST_IMAGES] {
        let pixels = images.pixels().unwrap();
        let mut digest = Sha256::new();
        for number in [2051, images.count as u32, 28, 28] {
            digest.update(number.to_be_bytes());
        }
        assert_eq!(pixels.num_images(), images.count);
        (0..images.count).for_each(|index| digest.update(pixels.image(index).to_bytes()));
        assert_eq!(hex(&digest.finalize()), images.sha256, "{}", images.name);
    }
    for labels in [TRAIN_LABELS, TEST_LABELS] {
        let bytes = unpack(labels.name, labels.compressed, labels.size).unwrap();
        assert_eq!((hex(&Sha256::digest(&bytes)).as_str(), bytes.len()), (labels.sha256, labels.size));
    }
}

#[test]
fn damaged_file_is_named() {
    let damaged = EmbeddedLabels { compressed: &TRAIN_LABELS.compressed[..9000], ..TRAIN_LABELS };
    let message = damaged.labels().unwrap_err().to_string();
    assert_eq!(message, "cannot unpack the embedded `train-labels-idx1-ubyte`: Src size is incorrect");
    let damaged = EmbeddedImages { blocks: &TEST_IMAGES.blocks[..9000], ..TEST_IMAGES };
    let message = damaged.pixels().unwrap_err().to_string();
    assert_eq!(message, "cannot unpack the embedded `t10k-images-idx3-ubyte`: Src size is incorrect");
}
