//! Seconds that threads take to augment the training images of MNIST once.
//!
//! `cargo bench --bench augmentation -- NAME THREADS` prints the seconds and the number of images, as
//! `benches/augmentation.py` needs them to compare with the peers. NAME is `affine` or `elastic`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use smallnet::data::{AugmentationConfig, Augmenter, ImageBuffer, Loader, Sampling, Source, Split, Subset};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let [name, num_threads] = arguments.as_slice() else {
        return println!("cargo bench --bench augmentation -- affine|elastic THREADS");
    };
    let affine =
        AugmentationConfig { shift: 2.0, rotation: 10.0, scale: 0.12, shear: 10.0, ..Default::default() };
    let config = match name.as_str() {
        "affine" => affine,
        _ => AugmentationConfig { elastic_alpha: 34.0, elastic_sigma: 4.0, ..affine },
    };
    let split = Split::whole(Source::mnist().load(Subset::Train).unwrap());
    let loader = Loader::new(split, 128, Sampling::Shuffled(1), &Device::flex())
        .with_augmentation(Augmenter::new(&config, 1, (28, 28)), num_threads.parse().unwrap());
    let (mut images, mut buffer) = (0, ImageBuffer::default());
    let start = Instant::now();
    for batch in loader.iter() {
        let batch = batch.unwrap();
        images += batch.pixels(0..batch.len(), &mut buffer).len();
    }
    println!("{:.6} {images}", start.elapsed().as_secs_f64());
}
