#![allow(clippy::unwrap_used)]

use sha2::{Digest, Sha256};

use super::*;

#[test]
fn every_file_unpacks_to_the_original() {
    for file in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
        let bytes = file.unpack().unwrap();
        let digest = Sha256::digest(&bytes);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((hex.as_str(), bytes.len()), (file.sha256, file.size), "{}", file.name);
        assert_eq!(bytes.capacity(), file.size, "{}", file.name);
    }
}

#[test]
fn damaged_file_is_named() {
    let file = EmbeddedFile { compressed: &TRAIN_LABELS.compressed[..9000], ..TRAIN_LABELS };
    let message = file.labels().unwrap_err().to_string();
    assert_eq!(message, "cannot unpack the embedded `train-labels-idx1-ubyte`: Src size is incorrect");
}
