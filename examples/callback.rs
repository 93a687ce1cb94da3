//! Trains with a callback that this program defines. The callback writes a CSV file with one line
//! per epoch, and ends the training with an error if the training loss rises.
//!
//!     cargo run --release --example callback

use std::fs::File;
use std::io::Write;
use std::path::Path;

use smallnet::backend::Backend;
use smallnet::training::{EpochRecord, StopReason, TrainExtent};
use smallnet::{Callback, Error, Experiment, Observers, Result, train_with};

/// Callback that writes one line `epoch,loss,accuracy` per epoch.
struct CsvLog {
    file: File,
    previous_loss: f64,
}

impl CsvLog {
    fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: File::create(path)?, previous_loss: f64::INFINITY })
    }

    fn write(&mut self, line: &str) -> Result<()> {
        // An error of a callback ends the training. `train_with` returns it.
        writeln!(self.file, "{line}").map_err(|error| Error::new("cannot write the log").with_source(error))
    }
}

impl Callback for CsvLog {
    fn on_train_start(&mut self, extent: &TrainExtent) -> Result<()> {
        println!("{} epochs of {} steps", extent.num_epochs, extent.steps_per_epoch);
        self.write("epoch,loss,accuracy")
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        self.write(&format!("{},{},{}", record.epoch, record.train_loss, record.train_accuracy))?;
        if record.train_loss > self.previous_loss {
            return Err(Error::diverged("the training loss rises"));
        }
        self.previous_loss = record.train_loss;
        Ok(())
    }

    fn on_train_end(&mut self, reason: &StopReason, epochs: &[EpochRecord]) -> Result<()> {
        println!("ended after {} epochs: {reason:?}", epochs.len());
        Ok(())
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let artifacts = tempfile::tempdir()?;
    let path = artifacts.path().join("log.csv");
    let mut experiment = Experiment::default();
    experiment.training.num_epochs = 3;

    let observers = Observers { callbacks: vec![Box::new(CsvLog::create(&path)?)], ..Observers::silent() };
    train_with(experiment, &artifacts, Backend::Flex, observers)?;
    print!("{}", std::fs::read_to_string(&path)?);
    Ok(())
}
