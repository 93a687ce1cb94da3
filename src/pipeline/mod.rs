//! Owns the order of the work: train an experiment into a run folder, resume a run, import a network,
//! load a run's network, evaluate, predict, export, draw, report, verify and compare runs, and find a
//! learning rate. Depends on all modules that do one part of this work. Must not know `study`,
//! `exercise` or `cli`, and prints nothing.

mod answers;
mod augmented;
mod compare;
pub(crate) mod earlier;
mod ensemble;
mod eval_split;
mod export;
mod import;
pub(crate) mod inputs;
mod loaded_model;
mod lr_find;
mod pictures;
mod relocate;
mod report;
pub(crate) mod resume;
mod sheets;
pub(crate) mod splits;
mod start_from;
mod tracking;
pub(crate) mod train;
mod verify;

pub(crate) use export::check_free;

pub use answers::{Area, ImagePrediction, ImageRef, PictureAnswer, UnreadablePicture};
pub use augmented::draw_augmented;
pub use compare::{RunComparison, compare};
pub use ensemble::Ensemble;
pub use export::{Export, ExportCheck, ExportFormat, ExportOptions};
pub use import::{ImportRequest, ImportedRun, import};
pub use inputs::GIT_COMMIT;
pub use loaded_model::{EvalSet, LoadedModel};
pub use lr_find::LrFinder;
pub use pictures::{MAX_NEURONS, NeuronInfo, PredictionPictures, draw_image, draw_samples};
pub use relocate::relocate_data;
pub use report::report;
pub use resume::{Resume, resume};
pub use sheets::SheetPrediction;
pub use splits::{SplitName, Splits};
pub use start_from::{prepare_from, prepare_from_keeping_classes};
pub use train::{PreparedRun, RunOutcome, prepare};
pub use verify::{Check, Outcome, Verification, VerifyOptions, verify};
