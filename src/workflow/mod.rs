//! Owns the order of the work: from an experiment to a finished run folder, and from a run folder back to a network,
//! its answers, pictures and pages; from an experiment to a learning rate; from nothing to the whole
//! exercise, answered. Every other room does its part; none of them knows the order. Prints nothing.

mod answers;
mod compare;
mod earlier;
mod lab;
mod lr_find;
mod pictures;
mod report;
mod resume;
mod saved;
mod splits;
mod start;
mod study;
mod train;

pub use answers::{Answer, Asked};
pub use compare::{Compared, compare};
pub use lab::{Lab, LabEnd, LabWatcher};
pub use lr_find::RateFinder;
pub use pictures::{AnswerPictures, MAX_DRAWN, NeuronInfo, draw_image, draw_samples};
pub use report::report;
pub use resume::{Resume, resume};
pub use saved::{SavedModel, Subject};
pub use splits::{SplitName, Splits};
pub use start::GIT_COMMIT;
pub use study::{OpenedStudy, Options, PlannedStudy, Progress, Winner, WinnerTraining, Written};
pub use train::{Outcome, Prepared, prepare};
