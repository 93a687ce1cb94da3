//! Owns the digests that identify images and labels, whatever form their files have. Depends on
//! `sources` and `range`. Must not know how files are read.

use sha2::{Digest, Sha256};

use crate::data::sources::{RawImages, RawLabels, RawPixels};
use crate::data::{Classes, DataProperties, ValueRange};
use crate::util::hex::hex;

impl DataProperties {
    /// Returns a text that is the same for the same images read in the same way. `sha256` is
    /// the digest of the data set.
    ///
    /// It is the digest itself for bytes that are neither scaled nor transposed, with numbered
    /// classes. Earlier versions understood every data set so, and their trials are recognised.
    pub(crate) fn identity(&self, sha256: &str) -> String {
        let Self { classes, value_range, transposed } = self;
        let is_plain = *classes == Classes::numbered(classes.len());
        if is_plain && *value_range == ValueRange::BYTES && !transposed {
            return sha256.to_owned();
        }
        let text = format!("{value_range} {transposed} {:?} {:?}", classes.labels(), classes.names());
        format!("{sha256}-{}", hex(&Sha256::digest(text)))
    }
}

/// SHA-256 of the IDX file with these images as bytes.
pub(super) fn images_sha256(images: &RawImages, range: ValueRange) -> String {
    let mut digest = Sha256::new();
    digest.update(2051u32.to_be_bytes());
    for length in [images.count, images.height, images.width] {
        digest.update((length as u32).to_be_bytes());
    }
    match &images.pixels {
        RawPixels::Bytes(bytes) => digest.update(bytes),
        RawPixels::Blocks(blocks) => {
            blocks.images().for_each(|image| digest.update(image.to_bytes()));
        }
        RawPixels::Floats(blocks) => {
            for block in blocks {
                let bytes: Vec<u8> = block.iter().map(|&value| range.to_byte(value)).collect();
                digest.update(bytes);
            }
        }
    }
    hex(&digest.finalize())
}

/// SHA-256 of the IDX file with these labels as bytes, or of their texts.
pub(super) fn labels_sha256(labels: Option<&RawLabels>) -> String {
    let Some(labels) = labels else { return "-".to_owned() };
    let mut digest = Sha256::new();
    let bytes: Option<Vec<u8>> = labels.keys().iter().map(|label| label.parse().ok()).collect();
    match bytes {
        Some(bytes) => {
            digest.update(2049u32.to_be_bytes());
            digest.update((labels.len() as u32).to_be_bytes());
            let labels: Vec<u8> = labels.ids().iter().map(|&id| bytes[id as usize]).collect();
            digest.update(labels);
        }
        None => {
            for &id in labels.ids() {
                digest.update(format!("{}\n", labels.keys()[id as usize]));
            }
        }
    }
    hex(&digest.finalize())
}
