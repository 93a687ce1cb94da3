//! Images a second through the network of `mlp.toml`, one at a time and 1,024 at a time.
//!
//! `cargo bench --bench inference`. Weights are as initialised; speed does not depend on them much, since half of all neurons are
//! silent after ReLU then as after training. As the peers' scripts do, it gives the best of several passes over the 10,000 test
//! images, from bytes to the class of each.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::Device;
use smallnet::data::{Batch, Source, Split, Subset};
use smallnet::evaluation::logits;
use smallnet::model::{Mlp, MlpConfig};

const PASSES: usize = 15;

fn main() {
    let device = Device::flex();
    let split = Split::whole(Source::mnist().load(Subset::Test).unwrap());
    let config = MlpConfig { hidden: vec![512, 256], ..MlpConfig::default() };
    let model = config.init(784, 10, 1, &device).unwrap();
    let _session = model.engine().session(&model, 1024);
    for batch_size in [1, 1024] {
        classify(&model, &split, batch_size, &device);
        let speed = (0..PASSES).map(|_| speed(&model, &split, batch_size, &device)).fold(0.0, f64::max);
        println!("batch {batch_size}: {speed:.0} images/s");
    }
}

fn speed(model: &Mlp, split: &Split, batch_size: usize, device: &Device) -> f64 {
    let start = Instant::now();
    black_box(classify(model, split, batch_size, device));
    split.len() as f64 / start.elapsed().as_secs_f64()
}

/// The class of each image.
fn classify(model: &Mlp, split: &Split, batch_size: usize, device: &Device) -> Vec<usize> {
    let positions: Vec<u32> = (0..split.len() as u32).collect();
    let mut classes = Vec::with_capacity(split.len());
    for positions in positions.chunks(batch_size) {
        let logits = logits(model, &Batch::new(split, positions, 0.0, device)).unwrap();
        let largest = |row: &[f32]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        classes.extend(logits.chunks(logits.len() / positions.len()).map(largest));
    }
    classes
}
