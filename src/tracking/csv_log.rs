//! Owns the file `metrics.csv`, with the columns of Keras' CSVLogger, and the callback that writes
//! it. Depends on the records of `training`. Must not know the other files of a run folder.

use std::path::Path;

use crate::error::Result;
use crate::training::{Callback, EpochRecord};
use crate::util::files::LineLog;

/// The open file `metrics.csv`: a line of names, then one line per epoch. The names are written with
/// the first epoch. Without validation images, there are no columns for them, as in Keras.
#[derive(Debug)]
pub(crate) struct CsvLog {
    lines: LineLog,
    has_names: bool,
}

impl CsvLog {
    /// Makes an empty file at `path`, or empties the one that is there.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        Ok(Self { lines: LineLog::create(path)?, has_names: false })
    }

    fn append(&mut self, records: &[EpochRecord]) -> Result<()> {
        let names = records.first().filter(|_| !self.has_names).map(names);
        let lines: String = names.into_iter().chain(records.iter().map(line)).collect();
        self.has_names |= !records.is_empty();
        self.lines.append(&lines)
    }
}

impl Callback for CsvLog {
    fn on_resume(&mut self, epochs: &[EpochRecord]) -> Result<()> {
        self.append(epochs)
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        self.append(std::slice::from_ref(record))
    }
}

/// Returns the line of names for records like `record`.
fn names(record: &EpochRecord) -> String {
    let validation = if record.validation_loss.is_some() { ",val_accuracy,val_loss" } else { "" };
    format!("epoch,accuracy,loss{validation},learning_rate\n")
}

/// Returns the line of `record`. Keras counts epochs from 0; smallnet counts them from 1 everywhere.
fn line(record: &EpochRecord) -> String {
    let EpochRecord { epoch, train_accuracy, train_loss, learning_rate, .. } = record;
    let validation = match (record.validation_accuracy, record.validation_loss) {
        (Some(accuracy), Some(loss)) => format!(",{accuracy},{loss}"),
        _ => String::new(),
    };
    format!("{epoch},{train_accuracy},{train_loss}{validation},{learning_rate}\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
