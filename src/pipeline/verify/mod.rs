//! Owns the verification of a run: each claim in its folder is computed again and compared. One
//! check is one function. Depends on `run`, `report`, `exchange` and the other files of `pipeline`.
//! Never changes the run, and prints nothing.

mod claims;
mod exports;
mod figures;
mod files;
mod page;
mod repeat;
mod subject;

use std::path::PathBuf;

use serde::Serialize;

use crate::backend::{Backend, Engine};
use crate::data::Source;
use crate::error::Result;
use crate::run::{RunFolder, Status};
use crate::training::Observers;

use subject::Subject;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Outcome {
    /// The claim is true.
    Ok {
        /// The value that was found.
        found: String,
    },
    /// The claim is false.
    Failed {
        /// The value that the run claims.
        claimed: String,
        /// The value that was found.
        found: String,
    },
    /// The claim cannot be judged.
    NotChecked {
        /// Why not.
        reason: String,
    },
}

/// One claim of a run, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The file or the thing that the claim is about.
    pub name: String,
    /// The result.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Check {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Ok { found: found.into() } }
    }

    fn failed(name: impl Into<String>, claimed: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Failed { claimed: claimed.into(), found: found.into() } }
    }

    fn not_checked(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::NotChecked { reason: reason.into() } }
    }

    /// Returns whether the claim is false.
    pub fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }
}

/// All checks of a run, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The folder of the run.
    pub folder: PathBuf,
    /// The checks.
    pub checks: Vec<Check>,
}

impl Verification {
    /// Returns whether no claim is false.
    pub fn is_ok(&self) -> bool {
        !self.checks.iter().any(Check::is_failed)
    }
}

/// Options of a verification.
pub struct VerifyOptions {
    /// The backend to compute on. `None` for the run's own.
    pub backend: Option<Backend>,
    /// The engine to compute with. `None` for the run's own.
    pub engine: Option<Engine>,
    /// The place of the run's data set, if it was moved.
    pub data: Option<Source>,
    /// The observers of another training of the run. `None` to train nothing.
    pub training: Option<Observers>,
}

/// Checks all claims of the run in `folder`, which stays as it is. Whatever is wrong with the run is a
/// failed check and no error.
///
/// # Errors
/// A backend that the user chose and that cannot be opened.
pub fn verify(folder: RunFolder, options: VerifyOptions) -> Result<Verification> {
    let VerifyOptions { backend, engine, data, training } = options;
    let path = folder.path().to_owned();
    let info = match folder.info() {
        Ok(info) => info,
        Err(error) => {
            let checks = vec![Check::failed(files::INFO, "a record of a run", error.message())];
            return Ok(Verification { folder: path, checks });
        }
    };
    // Its files change while they are read.
    if info.status == Status::Running {
        let checks = vec![Check::not_checked("run", "a process is training it: verify it when it has ended")];
        return Ok(Verification { folder: path, checks });
    }
    let (subject, mut checks) = Subject::read(folder, info, backend, engine, data)?;
    checks.extend(files::check_initial_weights(&subject));
    checks.extend(files::check_checkpoints(&subject));
    // A file that could not be read has its check already.
    let later = [figures::check_summary(&subject), figures::check_test_record(&subject)];
    let is_new = |check: &Check| !checks.iter().any(|earlier| earlier.name == check.name);
    let later: Vec<_> = later.into_iter().filter(is_new).collect();
    checks.extend(later);
    checks.push(figures::check_validation(&subject));
    checks.push(figures::check_test(&subject));
    checks.push(page::check_page(&subject));
    checks.extend(exports::check_exports(&subject));
    checks.push(repeat::check_training(&subject, training));
    Ok(Verification { folder: path, checks })
}
