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

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const SCHEDULER: &str = "scheduler.bpk";
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
        Ok(Checkpoint { state, records: CheckpointBytes { model, optimizer, scheduler } })
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
        let named: [(&str, &[u8], u64); 4] = [
            (MODEL, &records.model, limits.model),
            (OPTIMIZER, &records.optimizer, limits.optimizer),
            (SCHEDULER, &records.scheduler, MAX_SMALL_FILE_BYTES),
            (STATE, json.as_bytes(), MAX_SMALL_FILE_BYTES),
        ];
        let folder = self.folder(state.position);
        for (name, bytes, limit) in named {
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
    files::check_file_types(folder, &[MODEL, OPTIMIZER, SCHEDULER, STATE, SUMS], &[])?;
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
    // A line has the format of `sha256sum`: the digest, two spaces, the name.
    match sums.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix("  ")) {
        Some(noted) if noted == found => Ok(bytes),
        noted => {
            let noted = noted.unwrap_or("none");
            Err(files::corrupt(&path, &format!("its digest is {found}, expected {noted}")))
        }
    }
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
mod tests {
    use super::*;
    use crate::engine::MetricSums;
    use crate::training::early_stopping::BestEpoch;

    const LIMITS: SizeLimits = SizeLimits { model: 100, optimizer: 10 };

    fn state(epochs: usize, steps: usize, best: usize) -> State {
        State {
            format: FORMAT,
            metrics_sha256: Some("0".repeat(64)),
            position: Position { epochs, steps },
            metrics: MetricSums { loss: 0.1 + 0.2, correct: 3, num_images: 5 },
            seconds: 0.25,
            best: Some(BestEpoch { epoch: best, loss: 1.0 / 3.0 }),
            reference: None,
        }
    }

    fn records() -> CheckpointBytes {
        CheckpointBytes { model: vec![1; 100], optimizer: vec![2; 10], scheduler: vec![3; 10] }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let place = tempfile::tempdir().unwrap();
        let store = Store::at(place.path().join("checkpoint"));
        (place, store)
    }

    fn names(store: &Store) -> Vec<String> {
        store.positions().unwrap().iter().map(Position::to_string).collect()
    }

    #[test]
    fn what_is_saved_is_read_again_to_the_last_bit() {
        let (_place, store) = store();
        assert_eq!(names(&store), [""; 0]);
        let state = state(3, 120, 2);
        store.save(&state, &records(), &LIMITS).unwrap();
        assert_eq!(names(&store), ["epoch-3-step-120"]);
        let checkpoint = store.read(state.position, &LIMITS).unwrap();
        assert_eq!(checkpoint, Checkpoint { state, records: records() });
    }

    #[test]
    fn the_last_two_and_the_best_stay() {
        let (_place, store) = store();
        for (epochs, best) in [(1, 1), (2, 2), (3, 2), (4, 2)] {
            store.save(&state(epochs, 0, best), &records(), &LIMITS).unwrap();
        }
        assert_eq!(names(&store), ["epoch-2", "epoch-3", "epoch-4"]);
        store.save(&state(4, 10, 2), &records(), &LIMITS).unwrap();
        store.save(&state(4, 20, 2), &records(), &LIMITS).unwrap();
        assert_eq!(names(&store), ["epoch-2", "epoch-4", "epoch-4-step-10", "epoch-4-step-20"]);
        store.save(&state(4, 30, 2), &records(), &LIMITS).unwrap();
        assert_eq!(names(&store), ["epoch-2", "epoch-4", "epoch-4-step-20", "epoch-4-step-30"]);
        // A training that is resumed from an earlier checkpoint does not remove later ones.
        store.save(&state(4, 10, 2), &records(), &LIMITS).unwrap();
        let names = names(&store);
        assert_eq!(names, ["epoch-2", "epoch-4", "epoch-4-step-10", "epoch-4-step-20", "epoch-4-step-30"]);
    }

    #[test]
    fn a_file_that_could_not_be_read_again_is_not_written() {
        let (_place, store) = store();
        for limits in [SizeLimits { model: 99, ..LIMITS }, SizeLimits { optimizer: 9, ..LIMITS }] {
            let error = store.save(&state(1, 0, 1), &records(), &limits).unwrap_err().to_string();
            assert!(
                error.contains(" bytes, and at most ") && error.ends_with(" can be read again"),
                "{error}"
            );
            assert_eq!(names(&store), [""; 0]);
            store.save(&state(1, 0, 1), &records(), &LIMITS).unwrap();
            let error = store.read(state(1, 0, 1).position, &limits).unwrap_err().to_string();
            assert!(error.contains("it is larger than "), "{error}");
            fs::remove_dir_all(&store.path).unwrap();
        }
    }

    #[test]
    fn a_checkpoint_under_the_name_of_another_is_refused() {
        let (_place, store) = store();
        store.save(&state(1, 0, 1), &records(), &LIMITS).unwrap();
        let (own, other) = (Position { epochs: 1, steps: 0 }, Position { epochs: 2, steps: 0 });
        assert_eq!(read_checkpointed_weights(&store.folder(own), 100).unwrap(), records().model);
        fs::rename(store.folder(own), store.folder(other)).unwrap();
        let errors = [
            store.read(other, &LIMITS).unwrap_err(),
            read_checkpointed_weights(&store.folder(other), 100).unwrap_err(),
        ];
        for error in errors {
            assert!(error.message().ends_with("state.json` is damaged: it is of epoch-1"), "{error}");
        }
    }

    #[test]
    fn weights_alone_need_no_other_record() {
        let (_place, store) = store();
        store.save(&state(1, 0, 1), &records(), &LIMITS).unwrap();
        let folder = store.folder(state(1, 0, 1).position);
        fs::remove_file(folder.join(OPTIMIZER)).unwrap();
        assert_eq!(read_checkpointed_weights(&folder, 100).unwrap(), records().model);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let (_place, store) = store();
        let state = state(1, 0, 1);
        store.save(&state, &records(), &LIMITS).unwrap();
        for name in [MODEL, OPTIMIZER, SCHEDULER, STATE, SUMS] {
            let path = store.folder(state.position).join(name);
            let whole = fs::read(&path).unwrap();
            for byte in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[byte] ^= 1;
                fs::write(&path, &damaged).unwrap();
                assert!(store.read(state.position, &LIMITS).is_err(), "{name}, byte {byte}");
            }
            fs::write(&path, &whole[..whole.len() / 2]).unwrap();
            assert!(store.read(state.position, &LIMITS).is_err(), "{name} cut in half");
            fs::remove_file(&path).unwrap();
            assert!(store.read(state.position, &LIMITS).is_err(), "{name} missing");
            fs::write(&path, whole).unwrap();
        }
        store.read(state.position, &LIMITS).unwrap();
    }

    #[test]
    fn a_format_of_the_future_is_refused_as_such() {
        let (_place, store) = store();
        let future = State { format: FORMAT + 1, ..state(1, 0, 1) };
        store.save(&future, &records(), &LIMITS).unwrap();
        let error = store.read(future.position, &LIMITS).unwrap_err().to_string();
        assert!(error.contains("has format 3, and this smallnet reads formats up to 2"), "{error}");
        assert!(error.ends_with("hint: a newer smallnet wrote it: use that one"), "{error}");
    }

    #[test]
    fn names_that_smallnet_does_not_give_are_no_checkpoints() {
        for name in ["epoch-1", "epoch-12-step-3"] {
            assert_eq!(Position::parse(name).unwrap().to_string(), name);
        }
        for name in
            ["epoch-01", "epoch-+1", "epoch-1-step-0", "epoch-1-step-", "epoch-", "1", "epoch-1/..", ".tmpX"]
        {
            assert_eq!(Position::parse(name), None, "{name}");
        }
    }
}
