//! Owns the `[tracking]` section: the trackers that a training writes files for. Depends on nothing.
//! Must not know the files.

use serde::{Deserialize, Serialize};

/// A tracker, or the kind of file that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Tracker {
    /// Event files of TensorBoard: curves, hyperparameters, pictures
    Tensorboard,
    /// `metrics.csv`, with the columns of Keras' CSVLogger
    Csv,
}

impl Tracker {
    /// Returns the word in an experiment file and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tensorboard => "tensorboard",
            Self::Csv => "csv",
        }
    }
}

/// The `[tracking]` section. It changes no result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrackingConfig {
    /// Trackers that the training writes files for. None by default.
    pub kinds: Vec<Tracker>,
}

impl TrackingConfig {
    /// Returns whether every value is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether files of this tracker are to be written.
    pub fn has(&self, tracker: Tracker) -> bool {
        self.kinds.contains(&tracker)
    }

    /// Adds the trackers that are not there yet.
    pub fn add(&mut self, trackers: &[Tracker]) {
        for &tracker in trackers {
            if !self.has(tracker) {
                self.kinds.push(tracker);
            }
        }
    }
}
