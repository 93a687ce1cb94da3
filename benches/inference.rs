//! Images per second through the network of `mlp.toml`, one at a time and 1,024 at a time, with the
//! engine `cpu`. With the argument `autodiff`, with that engine.
//!
//! `cargo bench --bench inference`. The network is not trained. The speed hardly depends on the
//! weights, since ReLU sets half of all neurons to 0 before training as after it. Like the scripts
//! of the peers, this prints the best of several passes over the 10,000 test images, from bytes to
//! classes.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::Device;
use smallnet::Engine;
use smallnet::data::{Batch, Source, Split, Subset};
use smallnet::evaluation::logits;
use smallnet::model::{Mlp, MlpConfig};

const PASSES: usize = 15;

fn main() {
    let device = Device::flex();
    let split = Split::whole(Source::mnist().load(Subset::Test).unwrap());
    let config = MlpConfig { hidden: vec![512, 256], ..MlpConfig::default() };
    let is_autodiff = std::env::args().any(|argument| argument == "autodiff");
    let engine = if is_autodiff { Engine::Autodiff } else { Engine::Cpu };
    let model = config.init(784, 10, 1, &device).unwrap().with_engine(engine);
    let _session = model.engine().session(&model, 1024);
    for batch_size in [1, 1024] {
        classify(&model, &split, batch_size, &device);
        let speed = (0..PASSES).map(|_| speed(&model, &split, batch_size, &device)).fold(0.0, f64::max);
        println!("batch {batch_size}: {speed:.0} images/s");
    }
}

/// Measures one pass in images per second.
fn speed(model: &Mlp, split: &Split, batch_size: usize, device: &Device) -> f64 {
    let start = Instant::now();
    black_box(classify(model, split, batch_size, device));
    split.len() as f64 / start.elapsed().as_secs_f64()
}

/// Predicts the class of each image.
fn classify(model: &Mlp, split: &Split, batch_size: usize, device: &Device) -> Vec<usize> {
    let indices: Vec<u32> = (0..split.len() as u32).collect();
    let mut classes = Vec::with_capacity(split.len());
    for chunk in indices.chunks(batch_size) {
        let logits = logits(model, &Batch::new(split, chunk, 0.0, device)).unwrap();
        let largest = |row: &[f32]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        classes.extend(logits.chunks(logits.len() / chunk.len()).map(largest));
    }
    classes
}
