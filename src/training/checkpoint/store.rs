//! Owns the folder of a training's checkpoints: the names, the digests, and the choice of the
//! checkpoints that stay.
//! Depends on the files of `util`. Must not know the loop or Burn.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::training::checkpoint::channels::CheckpointBytes;
use crate::training::checkpoint::{Checkpoint, FORMAT, SizeLimits, State};
use crate::util::files;
use crate::util::hex::hex;

/// File of the network that predicts.
pub(crate) const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const SCHEDULER: &str = "scheduler.bpk";
/// File of the network that is trained, in a training with an average of the weights.
const TRAINED: &str = "trained.bpk";
const STATE: &str = "state.json";
const SUMS: &str = "SHA256SUMS";

/// Largest size, in bytes, of a file whose size does not depend on the network: scheduler, state
/// and digests. Each has less than 1 kB.
const MAX_SMALL_FILE_BYTES: u64 = 64 << 10;

/// Number of latest checkpoints that stay in addition to the best one: the last, and the one before
/// in case the last is damaged.
const NUM_LATEST: usize = 2;

/// Position of a training. Positions sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Epochs trained to their end.
    pub epochs: usize,
    /// Steps done in the next epoch.
    pub steps: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.steps {
            0 => write!(f, "epoch-{}", self.epochs),
            steps => write!(f, "epoch-{}-step-{steps}", self.epochs),
        }
    }
}

impl Position {
    /// Returns the position that gives a checkpoint's folder its name. Returns `None` for other
    /// names.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("epoch-")?;
        let (epochs, steps) = rest.split_once("-step-").unwrap_or((rest, "0"));
        let position = Self { epochs: epochs.parse().ok()?, steps: steps.parse().ok()? };
        // `epoch-03` and `epoch-+3` can be parsed, but smallnet gives no such names.
        (position.to_string() == name).then_some(position)
    }
}

/// Folder of a training's checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// Returns the store in the folder at `path`. The folder need not exist yet.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns the folder of the checkpoint at a position.
    pub fn folder(&self, position: Position) -> PathBuf {
        self.path.join(position.to_string())
    }

    /// Returns the path of the weights in the checkpoint at a position.
    pub fn weights_path(&self, position: Position) -> PathBuf {
        self.folder(position).join(MODEL)
    }

    /// Returns the positions of all checkpoints, first to last. Damaged checkpoints are included.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn positions(&self) -> Result<Vec<Position>> {
        let failed = |error| Error::io("list", &self.path, error);
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let mut positions = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A link to a folder is not a checkpoint.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            positions.extend(Position::parse(&entry.file_name().to_string_lossy()).filter(|_| is_folder));
        }
        positions.sort_unstable();
        Ok(positions)
    }

    /// Reads the checkpoint at a position and checks its digests. Each file has at most its size in
    /// `limits`.
    ///
    /// # Errors
    /// A file that is missing, too large or not as it was saved, or a format of a later version.
    pub fn read(&self, position: Position, limits: &SizeLimits) -> Result<Checkpoint> {
        let folder = self.folder(position);
        let sums = read_sums(&folder)?;
        let state = read_state(&folder, &sums)?;
        let read = |name, limit| read_verified(&folder, name, limit, &sums);
        let model = read(MODEL, limits.model)?;
        let optimizer = read(OPTIMIZER, limits.optimizer)?;
        let scheduler = read(SCHEDULER, MAX_SMALL_FILE_BYTES)?;
        let has_average = noted_digest(&sums, TRAINED).is_some() || folder.join(TRAINED).exists();
        let trained = has_average.then(|| read(TRAINED, limits.model)).transpose()?;
        Ok(Checkpoint { state, records: CheckpointBytes { model, optimizer, scheduler, trained } })
    }

    /// Saves a checkpoint and removes those before it that are no longer needed. At most four stay:
    /// the new one, the one before it, the one after the last whole epoch, and the best one.
    /// Checkpoints of later positions stay, too.
    ///
    /// # Errors
    /// A folder that cannot be written, or a file that is larger than its limit in `limits`, which
    /// no reader would accept.
    pub(crate) fn save(&self, state: &State, records: &CheckpointBytes, limits: &SizeLimits) -> Result<()> {
        files::make_folder(&self.path)?;
        let json = files::to_pretty_json(state)?;
        let mut named: Vec<(&str, &[u8], u64)> = vec![
            (MODEL, &records.model, limits.model),
            (OPTIMIZER, &records.optimizer, limits.optimizer),
            (SCHEDULER, &records.scheduler, MAX_SMALL_FILE_BYTES),
            (STATE, json.as_bytes(), MAX_SMALL_FILE_BYTES),
        ];
        named.extend(records.trained.as_ref().map(|trained| (TRAINED, trained.as_slice(), limits.model)));
        let folder = self.folder(state.position);
        for &(name, bytes, limit) in &named {
            check_size(&folder.join(name), bytes, limit)?;
        }
        let sums: String = named
            .iter()
            .map(|(name, bytes, _)| format!("{}  {name}\n", hex(&Sha256::digest(bytes))))
            .collect();
        let mut all: Vec<(&str, &[u8])> = named.iter().map(|&(name, bytes, _)| (name, bytes)).collect();
        all.push((SUMS, sums.as_bytes()));
        files::write_folder(&folder, &all)?;
        self.prune(state)
    }

    /// Removes the checkpoints that are no longer needed, see [`Store::save`].
    fn prune(&self, state: &State) -> Result<()> {
        let after_epoch = |epochs| Position { epochs, steps: 0 };
        let best = state.best.map(|best| after_epoch(best.epoch));
        // A training that is resumed to end after its last whole epoch needs the checkpoint there.
        let kept = [best, Some(after_epoch(state.position.epochs))];
        let positions = self.positions()?.into_iter().rev();
        let past = positions.filter(|&position| position <= state.position);
        for position in past.skip(NUM_LATEST).filter(|&position| !kept.contains(&Some(position))) {
            files::remove_folder(&self.folder(position))?;
        }
        Ok(())
    }
}

/// Returns the weights in the folder of a checkpoint, at most `limit` bytes. Checks that they were
/// saved under the name of the folder.
///
/// # Errors
/// The same as those of [`Store::read`].
pub fn read_checkpointed_weights(folder: &Path, limit: u64) -> Result<Vec<u8>> {
    let sums = read_sums(folder)?;
    read_state(folder, &sums)?;
    read_verified(folder, MODEL, limit, &sums)
}

/// Checks that no file of the checkpoint is a link or a pipe, and returns the text of `SHA256SUMS`.
fn read_sums(folder: &Path) -> Result<String> {
    files::check_file_types(folder, &[MODEL, OPTIMIZER, SCHEDULER, TRAINED, STATE, SUMS], &[])?;
    let path = folder.join(SUMS);
    let bytes = files::read_bytes_up_to(&path, MAX_SMALL_FILE_BYTES)?;
    String::from_utf8(bytes).map_err(|error| files::corrupt(&path, &error).with_source(error))
}

/// Returns the state in the folder of a checkpoint. The folder must have the name of the state's
/// position.
fn read_state(folder: &Path, sums: &str) -> Result<State> {
    let path = folder.join(STATE);
    let bytes = read_verified(folder, STATE, MAX_SMALL_FILE_BYTES, sums)?;
    let text = String::from_utf8(bytes).map_err(|error| files::corrupt(&path, &error).with_source(error))?;
    let state = parse_state(&text, &path)?;
    if folder.file_name().is_some_and(|name| *name == *state.position.to_string()) {
        return Ok(state);
    }
    Err(files::corrupt(&path, &format!("it is of {}", state.position)))
}

/// Returns the bytes of one file of a checkpoint, at most `limit`. Their digest must be the one in
/// `sums`.
fn read_verified(folder: &Path, name: &str, limit: u64, sums: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    let bytes = files::read_bytes_up_to(&path, limit)?;
    let found = hex(&Sha256::digest(&bytes));
    match noted_digest(sums, name) {
        Some(noted) if noted == found => Ok(bytes),
        noted => {
            let noted = noted.unwrap_or("none");
            Err(files::corrupt(&path, &format!("its digest is {found}, expected {noted}")))
        }
    }
}

/// Returns the digest of a file in `sums`. A line has the format of `sha256sum`: the digest, two
/// spaces, the name.
fn noted_digest<'a>(sums: &'a str, name: &str) -> Option<&'a str> {
    sums.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix("  "))
}

/// Refuses to write what [`Store::read`] would refuse to read.
fn check_size(path: &Path, bytes: &[u8], limit: u64) -> Result<()> {
    let size = bytes.len() as u64;
    if size <= limit {
        return Ok(());
    }
    let path = path.display();
    Err(Error::new(format!("`{path}` would have {size} bytes, and at most {limit} can be read again")))
}

/// Parses the state from its JSON. The format is read first, so that a later format is reported as
/// such and not as damage.
fn parse_state(text: &str, path: &Path) -> Result<State> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = files::parse_json(text, path)?;
    files::check_format(path, format, FORMAT)?;
    files::parse_json(text, path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
