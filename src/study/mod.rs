//! Owns studies, which are many trainings over one base experiment: the study file, its trials,
//! their schedule, the trial log and the statistics over all trials. Depends on `experiment`,
//! `training`, `statistics` and `pipeline`. Must not know the terminal: it prints nothing.

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

pub use comparison::{Basis, Comparison, Difference, Instability, Ranking, Verdict};
pub use file::Study;
pub use scheduling::{Job, Resources, count_parameters, filter_jobs, jobs, round_robin};
pub use search_space::Configuration;
pub use statistics::{ConfigurationResult, StudySummary};
pub(crate) use times::median_epoch_seconds;
pub use times::{EpochSeconds, Faster};
#[cfg(feature = "exercise")]
pub(crate) use trial_log::diff;
pub(crate) use trial_log::{CSV, JSON, PAGE};
pub use trial_log::{StudyFolder, TrialEnd, TrialLog, TrialRecord};
pub use trials::{Trial, TrialPlan};
