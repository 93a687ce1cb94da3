//! Peak memory of `smallnet train`, with a bound: the data set is in memory once, without its background.
//!
//!     cargo bench --bench memory
//!
//! Prints the peak and fails if it is above the bound. Only Linux reports the peak memory of a
//! process.

use std::fs;

use smallnet::backend::Backend;
use smallnet::error::{Error, Result};
use smallnet::experiment::{DEFAULT_EXPERIMENT, Experiment};
use smallnet::pipeline;
use smallnet::training::Observers;

/// Bound in megabytes. MNIST has 20 MB without its background, and a copy of the training images as bytes
/// would be 47 MB more.
const BOUND_MB: f64 = 90.0;

fn main() -> Result<()> {
    let artifacts = tempfile::tempdir().map_err(|error| Error::new(error.to_string()))?;
    let experiment = Experiment::from_toml(DEFAULT_EXPERIMENT, "softmax.toml", &[])?;
    let prepared = pipeline::prepare(experiment, Backend::Flex.into(), artifacts.path())?;
    prepared.train(Observers::silent())?;
    let Some(peak) = peak_mb() else {
        println!("this system does not report the peak memory of a process");
        return Ok(());
    };
    println!("peak memory {peak:.0} MB, at the most {BOUND_MB} MB");
    if peak <= BOUND_MB { Ok(()) } else { Err(Error::new("the peak is above its bound")) }
}

/// Returns the peak memory of this process in megabytes.
fn peak_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
