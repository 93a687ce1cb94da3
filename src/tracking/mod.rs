//! Owns the files that a training writes for trackers: the `[tracking]` section, one file or folder
//! per tracker, and the callbacks that write them. Depends on the records and callbacks of
//! `training`, and on `util`. Must not know run folders, studies, networks or printing: paths and
//! texts come in as arguments.
//!
//! A tracker shows or compares trainings. smallnet opens no connection, so each tracker gets a file
//! that it reads itself. `docs/tracking.md` shows what a user sees.

mod config;
mod csv_log;
pub(crate) mod tensorboard;

pub use config::{Tracker, TrackingConfig};
pub(crate) use csv_log::CsvLog;
