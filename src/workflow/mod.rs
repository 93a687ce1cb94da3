//! Owns the order of the work: from an experiment to a finished run folder, and from a run folder back to a network,
//! its answers, pictures and pages. Every other room does its part; none of them knows the order. Prints nothing.

mod answers;
mod compare;
mod pictures;
mod report;
mod saved;
mod splits;
mod study;
mod train;

pub use answers::{Answer, Asked};
pub use compare::{Compared, compare};
pub use pictures::{AnswerPictures, MAX_DRAWN, NeuronInfo, draw_image, draw_samples};
pub use report::report;
pub use saved::{SavedModel, Subject};
pub use splits::{SplitName, Splits};
pub use study::{OpenedStudy, Options, PlannedStudy, Progress, Winner, WinnerTraining, Written};
pub use train::{GIT_COMMIT, Outcome, Prepared, prepare};
