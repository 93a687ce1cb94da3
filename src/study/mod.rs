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
pub use comparison::{Basis, Comparison, Difference, Instability, Ranking, Verdict};
pub use file::Study;
pub use scheduling::{Job, Resources, jobs, parameters, remaining, turns};
pub use search_space::Configuration;
pub use statistics::{ConfigurationResult, StudySummary};
pub(crate) use times::trial_seconds;
pub use times::{EpochSeconds, Faster};
#[cfg(feature = "exercise")]
pub(crate) use trial_log::diff;
pub(crate) use trial_log::{CSV, JSON, PAGE};
pub use trial_log::{StudyFolder, TrialEnd, TrialLog, TrialRecord};
pub use trials::{Trial, TrialPlan};
