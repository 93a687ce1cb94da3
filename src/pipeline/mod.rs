//! Owns the order of the work: from an experiment to a finished run folder, and from a run folder back to a network,
//! its answers, pictures and pages; from an experiment to a learning rate; from nothing to the whole
//! exercise, answered. Every other room does its part; none of them knows the order. Prints nothing.

mod answers;
mod compare;
pub(crate) mod earlier;
pub(crate) mod inputs;
mod loaded_model;
mod lr_find;
mod pictures;
mod report;
pub(crate) mod resume;
pub(crate) mod splits;
pub(crate) mod train;

pub use answers::{ImagePrediction, ImageRef};
pub use compare::{RunComparison, compare};
pub use inputs::GIT_COMMIT;
pub use loaded_model::{EvalSet, LoadedModel};
pub use lr_find::LrFinder;
pub use pictures::{AnswerPictures, MAX_DRAWN, NeuronInfo, draw_image, draw_samples};
pub use report::report;
pub use resume::{Resume, resume};
pub use splits::{SplitName, Splits};
pub use train::{PreparedRun, RunOutcome, prepare};
