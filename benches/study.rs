//! `configs/studies/learning-rate-cv.toml`, its 40 networks trained side by side and one after the other, in turns.
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
    let epochs = std::env::args().filter_map(|word| word.parse::<i64>().ok()).next().unwrap_or(10);
    let (mut stacked, mut separate) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        stacked.push(seconds(epochs, false)?);
        separate.push(seconds(epochs, true)?);
        let last = |times: &[f64]| times.last().copied().unwrap_or(f64::NAN);
        println!("round {round}: side by side {:.2} s, one by one {:.2} s", last(&stacked), last(&separate));
    }
    let (stacked, separate) = (median(stacked), median(separate));
    println!(
        "40 networks, {epochs} epochs: {stacked:.2} s against {separate:.2} s, {:.1} times as fast",
        separate / stacked
    );
    Ok(())
}

/// Trains all trials in a fresh folder; the winner is not trained.
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
