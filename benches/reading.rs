//! Seconds that the reading of a data set takes, once it is in the system's file cache.
//!
//! `cargo bench --bench reading -- PATH` prints the seconds, the number of images and the sum of
//! the pixels, as `benches/reading.py` needs them to compare with the peers. The time is that of
//! both parts from the files to bytes and labels, without the start of the process.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Instant;

use smallnet::data::{DataConfig, RawData, Source};

fn main() {
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        return println!("name a data set: cargo bench --bench reading -- PATH");
    };
    let config = DataConfig { source: path, ..DataConfig::default() };
    smallnet::backend::start_threads(None).unwrap();
    let start = Instant::now();
    let raw = RawData::read(&Source::parse(&config.source), &config).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let loaded = raw.into_new(&config).unwrap();
    let parts: Vec<_> = [loaded.train, loaded.test].into_iter().flatten().collect();
    let images: usize = parts.iter().map(smallnet::data::ImageDataset::len).sum();
    let mut bytes = Vec::new();
    for part in &parts {
        (0..part.len())
            .for_each(|index| part.pixels.image(index, part.height * part.width).append_to(&mut bytes));
    }
    let sum: u64 = bytes.iter().map(|&pixel| u64::from(pixel)).sum();
    println!("{seconds:.6} {images} {sum}");
}
