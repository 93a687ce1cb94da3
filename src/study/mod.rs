//! Owns studies: many trainings over one experiment. Which trials a study file means, which of them are trained side by
//! side, what is kept of each, and what can be said of all of them together. Trains nothing and prints nothing.

mod file;
mod folder;
mod statistics;
mod trials;
mod units;
mod values;

pub use file::Study;
pub(crate) use folder::changes;
pub use folder::{Journal, StudyFolder, TrialEnd, TrialRecord};
pub use statistics::{Comparison, SettingResult, Standing, Summary, wilson};
pub use trials::{Plan, Trial};
pub use units::{Means, Unit, parameters, remaining, units};
pub use values::Setting;
