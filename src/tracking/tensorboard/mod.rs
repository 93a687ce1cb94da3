//! Owns TensorBoard's event files: their messages (`event`, `hparams`), the frame around each
//! message (`record`), the contents that smallnet writes (`summary`), and the callback that writes
//! them while a network is trained (`log`). Depends on `training` and `util`. Must not know run
//! folders, studies or networks.
//!
//! An event file is a list of records, each a protobuf message with two checksums. The format is that
//! of TensorFlow's `tfrecord` and `event.proto`. TensorBoard reads each file whose name contains
//! `tfevents`, and takes its folder for a run.

mod event;
mod hparams;
mod log;
mod record;
mod summary;

pub(crate) use event::Event;
pub(crate) use hparams::{Session, SessionEnd};
pub(crate) use log::{EventLog, TensorBoard};
pub(crate) use record::encode;
pub(crate) use summary::{EpochTags, epoch_event, file_start, past_wall_times, picture, scalars, unix_time};
