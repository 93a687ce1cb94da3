//! Owns studies: many trainings over one experiment. Which trials a study file means, which of them are trained side by
//! side, what is kept of each, and what can be said of all of them together. Trains nothing and prints nothing.

mod comparison;
mod file;
mod folder;
mod summary;
mod times;
mod trials;
mod units;
mod values;

pub use crate::statistics::wilson;
pub use comparison::{Basis, Comparison, Difference, Instability, Standing, Verdict};
pub use file::Study;
pub(crate) use folder::{CSV, JSON, PAGE, changes};
pub use folder::{Journal, StudyFolder, TrialEnd, TrialRecord};
pub use summary::{SettingResult, Summary};
pub(crate) use times::trial_seconds;
pub use times::{EpochSeconds, Faster};
pub use trials::{Plan, Trial};
pub use units::{Means, Unit, parameters, remaining, turns, units};
pub use values::Setting;
