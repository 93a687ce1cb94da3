//! Owns studies, which are many trainings over one base experiment: the study file, its trials,
//! their schedule, the trial log, the statistics over all trials and the page. Depends on
//! `pipeline`, `report` and the modules that these depend on. Must not know the exercise or the
//! terminal: it prints nothing.
//!
//! The order of a study: `file` reads it with its `search_space`, `grid` lists its configurations (or
//! `sampling` draws them from a `range`), `trials` lists its trainings, `halving` chooses those that go on,
//! `scheduling` groups them into jobs, `shard` cuts them into parts for several processes, `runner` trains them
//! and writes the `trial_log` in the study's `folder`,
//! `statistics`, `comparison` and `times` summarize the records, and `page` shows the summary.
//! `journal` writes them for Optuna, and `script` writes a script that distributes the shards.

mod choice;
mod comparison;
mod file;
mod folder;
mod grid;
mod halving;
mod journal;
pub mod page;
mod range;
pub mod runner;
mod sampling;
mod scheduling;
mod script;
mod search_space;
mod shard;
mod sobol;
mod statistics;
mod times;
mod top_level;
mod trial_log;
mod trials;

pub use choice::{EpochChoice, Measure};
pub use comparison::{Basis, Comparison, Difference, Instability, Ranking, Verdict};
pub use file::Study;
pub use folder::StudyFolder;
#[cfg(feature = "exercise")]
pub(crate) use folder::diff;
pub(crate) use folder::{CSV, JSON, PAGE};
pub use halving::{Halving, RungResult, Rungs};
pub use scheduling::{Job, Resources, TrialFacts, count_parameters, filter_jobs, jobs, round_robin, units};
pub use script::{ScriptKind, ScriptRequest, script};
pub use search_space::Configuration;
pub use shard::{MAX_SHARDS, Shard, Unit, cut};
pub use statistics::{ConfigurationResult, StudySummary};
pub(crate) use times::median_epoch_seconds;
pub use times::{EpochSeconds, Faster};
pub use trial_log::{Conflict, TrialEnd, TrialLog, TrialRecord};
pub use trials::{Trial, TrialPlan};
