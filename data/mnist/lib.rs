//! Owns the compressed files of MNIST, as bytes of the binary. Must not know how they are unpacked or used: the crate
//! `smallnet` does that.
//!
//! The README describes the format of the files, and says where they come from and under which licence. The registry takes
//! packages of at most 10 MiB, and these files have 9.3 MB. So they are a package of their own, which changes only if
//! they do.

#![no_std]

/// One bit per block of four pixels of the 60,000 training images: 1 if the block is not all 0. Unpacked: 1,500,000 bytes.
pub static TRAIN_IMAGES_MASK: &[u8] = include_bytes!("train-images.mask.zst");
/// Pixels of those blocks of the training images that are not all 0. Unpacked: 13,341,024 bytes.
pub static TRAIN_IMAGES_BLOCKS: &[u8] = include_bytes!("train-images.blocks.zst");
/// Labels of the training images, 0 to 9, as an IDX file. Unpacked: 60,008 bytes.
pub static TRAIN_LABELS: &[u8] = include_bytes!("train-labels-idx1-ubyte.zst");
/// One bit per block of the 10,000 test images. Unpacked: 250,000 bytes.
pub static TEST_IMAGES_MASK: &[u8] = include_bytes!("t10k-images.mask.zst");
/// Pixels of those blocks of the test images that are not all 0. Unpacked: 2,233,824 bytes.
pub static TEST_IMAGES_BLOCKS: &[u8] = include_bytes!("t10k-images.blocks.zst");
/// Labels of the test images, as an IDX file. Unpacked: 10,008 bytes.
pub static TEST_LABELS: &[u8] = include_bytes!("t10k-labels-idx1-ubyte.zst");
