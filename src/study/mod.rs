//! Owns studies: many trainings over one experiment. Which trials a study file means, which of them are trained side by
//! side, what is kept of each, and what can be said of all of them together. Trains nothing and prints nothing.

mod comparison;
mod file;
pub mod page;
pub mod runner;
mod scheduling;
mod search_space;
mod statistics;
mod times;
mod trial_log;
mod trials;

pub use crate::statistics::wilson;
pub use comparison::{Basis, Comparison, Difference, Instability, Standing, Verdict};
pub use file::Study;
pub use scheduling::{Means, Unit, parameters, remaining, turns, units};
pub use search_space::Setting;
pub use statistics::{SettingResult, Summary};
pub(crate) use times::trial_seconds;
pub use times::{EpochSeconds, Faster};
pub(crate) use trial_log::{CSV, JSON, PAGE, changes};
pub use trial_log::{Journal, StudyFolder, TrialEnd, TrialRecord};
pub use trials::{Plan, Trial};
