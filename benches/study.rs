//! The 40 networks of `configs/studies/learning-rate-cv.toml`, trained in batches and one after the
//! other, in turns.
//!
//!     cargo bench --bench study [-- EPOCHS]
//!
//! Prints the seconds of each round and the ratio of the medians.

use std::path::Path;
use std::time::Instant;

use burn::train::Interrupter;
use smallnet::backend::Backend;
use smallnet::error::Result;
use smallnet::experiment::Override;
use smallnet::study::Study;
use smallnet::study::runner::{PlannedStudy, RunOptions};

const ROUNDS: usize = 3;

fn main() -> Result<()> {
    let epochs = std::env::args().filter_map(|argument| argument.parse::<i64>().ok()).next().unwrap_or(10);
    let (mut batched, mut separate) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        batched.push(seconds(epochs, false)?);
        separate.push(seconds(epochs, true)?);
        let last = |times: &[f64]| times.last().copied().unwrap_or(f64::NAN);
        println!("round {round}: in batches {:.2} s, one by one {:.2} s", last(&batched), last(&separate));
    }
    let (batched, separate) = (median(batched), median(separate));
    println!(
        "40 networks, {epochs} epochs: {batched:.2} s against {separate:.2} s, {:.1} times as fast",
        separate / batched
    );
    Ok(())
}

/// Measures the training of all trials in a temporary folder, in seconds. The best model is not
/// trained.
fn seconds(epochs: i64, separate: bool) -> Result<f64> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/studies/learning-rate-cv.toml");
    let study = Study::read(&file, &[Override::new("training.num_epochs", epochs)])?;
    let artifacts = tempfile::tempdir().map_err(|error| smallnet::error::Error::new(error.to_string()))?;
    let mut study =
        PlannedStudy::new(study, Backend::Flex, RunOptions { separate, ..RunOptions::default() })?
            .open(artifacts.path())?;
    let start = Instant::now();
    study.run(&Interrupter::new(), |_, _| ())?;
    Ok(start.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
