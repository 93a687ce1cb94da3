//! The folder of a training's checkpoints: names, digests, and which of them stay.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::parts::Records;
use super::{Checkpoint, FORMAT, State};
use crate::digest::hex;
use crate::error::{Error, Result};
use crate::files;

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const SCHEDULER: &str = "scheduler.bpk";
const STATE: &str = "state.json";
const SUMS: &str = "SHA256SUMS";

/// Checkpoints that stay beside the best one: the last, and the one before, should the last be damaged.
const LATEST: usize = 2;

/// How far a training is. Positions sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Epochs trained to their end.
    pub epochs: usize,
    /// Steps done in the next one.
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
    /// The position that a checkpoint's folder is called by; none where it is no checkpoint's.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("epoch-")?;
        let (epochs, steps) = rest.split_once("-step-").unwrap_or((rest, "0"));
        let position = Self { epochs: epochs.parse().ok()?, steps: steps.parse().ok()? };
        // `epoch-03` and `epoch-+3` are other people's.
        (position.to_string() == name).then_some(position)
    }
}

/// The folder of a training's checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// The checkpoints in the folder at `path`, which need not be there yet.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where the checkpoint of a position is.
    pub fn folder(&self, position: Position) -> PathBuf {
        self.path.join(position.to_string())
    }

    /// Where the weights of the checkpoint taken after `epoch` are.
    pub fn weights_path(&self, epoch: usize) -> PathBuf {
        self.folder(Position { epochs: epoch, steps: 0 }).join(MODEL)
    }

    /// The positions that there are checkpoints of, damaged ones included, first to last.
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
            // A link to a folder is none.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            positions.extend(Position::parse(&entry.file_name().to_string_lossy()).filter(|_| is_folder));
        }
        positions.sort_unstable();
        Ok(positions)
    }

    /// Clears away checkpoints that a killed process had not finished.
    ///
    /// # Errors
    /// A folder that cannot be written in.
    pub(crate) fn remove_leftovers(&self) -> Result<()> {
        if self.path.exists() { files::remove_leftovers(&self.path) } else { Ok(()) }
    }

    /// Reads the checkpoint of a position.
    ///
    /// # Errors
    /// A file that is missing or not what was saved, or a format of the future.
    pub fn read(&self, position: Position) -> Result<Checkpoint> {
        let folder = self.folder(position);
        let [model, optimizer, scheduler, state] = read_verified(&folder)?;
        let path = folder.join(STATE);
        let text = String::from_utf8(state).map_err(|error| files::damaged(&path, &error))?;
        let state = parse_state(&text, &path)?;
        if state.position != position {
            let error = format!("it is of {}", state.position);
            return Err(files::damaged(&path, &error));
        }
        Ok(Checkpoint { state, records: Records { model, optimizer, scheduler } })
    }

    /// Saves a checkpoint and removes those that are no longer needed: all up to it but itself, the one before and the
    /// best one.
    pub(in crate::training) fn save(&self, state: &State, records: &Records) -> Result<()> {
        files::make_folder(&self.path)?;
        let json = files::to_pretty_json(state)?;
        let named: [(&str, &[u8]); 4] = [
            (MODEL, &records.model),
            (OPTIMIZER, &records.optimizer),
            (SCHEDULER, &records.scheduler),
            (STATE, json.as_bytes()),
        ];
        let sums: String =
            named.iter().map(|(name, bytes)| format!("{}  {name}\n", hex(&Sha256::digest(bytes)))).collect();
        let all = [named.as_slice(), &[(SUMS, sums.as_bytes())]].concat();
        files::write_folder(&self.folder(state.position), &all)?;
        self.prune(state)
    }

    fn prune(&self, state: &State) -> Result<()> {
        let best = state.best.map(|best| Position { epochs: best.epoch, steps: 0 });
        let positions = self.positions()?.into_iter().rev();
        let past = positions.filter(|&position| position <= state.position);
        for position in past.skip(LATEST).filter(|&position| Some(position) != best) {
            files::remove_folder(&self.folder(position))?;
        }
        Ok(())
    }
}

/// The bytes of a weights file that stands in a checkpoint's folder, compared with its digest.
///
/// # Errors
/// As [`Store::read`]'s.
pub fn read_checkpointed_weights(folder: &Path) -> Result<Vec<u8>> {
    let [model, ..] = read_verified(folder)?;
    Ok(model)
}

/// Model, optimizer, scheduler and state of the checkpoint in `folder`, each with the digest that was noted.
fn read_verified(folder: &Path) -> Result<[Vec<u8>; 4]> {
    let names = [MODEL, OPTIMIZER, SCHEDULER, STATE];
    files::refuse_links(folder, &[names.as_slice(), &[SUMS]].concat())?;
    let sums = files::read(&folder.join(SUMS))?;
    let mut contents = [const { Vec::new() }; 4];
    for (name, bytes) in names.iter().zip(&mut contents) {
        let path = folder.join(name);
        *bytes = files::read_bytes(&path)?;
        let found = hex(&Sha256::digest(&*bytes));
        let noted = sums.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix("  "));
        if noted != Some(&found) {
            let noted = noted.unwrap_or("none");
            return Err(files::damaged(&path, &format!("its digest is {found}, expected {noted}")));
        }
    }
    Ok(contents)
}

/// A state out of its JSON; a later format is told from damage.
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
    use super::super::super::step::Totals;
    use super::super::Best;
    use super::*;

    fn state(epochs: usize, steps: usize, best: usize) -> State {
        State {
            format: FORMAT,
            position: Position { epochs, steps },
            measured: Totals { loss: 0.1 + 0.2, correct: 3, num_images: 5 },
            seconds: 0.25,
            best: Some(Best { epoch: best, loss: 1.0 / 3.0 }),
            to_beat: None,
        }
    }

    fn records() -> Records {
        Records { model: vec![1; 100], optimizer: vec![2; 10], scheduler: vec![3; 10] }
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
        store.save(&state, &records()).unwrap();
        assert_eq!(names(&store), ["epoch-3-step-120"]);
        let checkpoint = store.read(state.position).unwrap();
        assert_eq!(checkpoint, Checkpoint { state, records: records() });
    }

    #[test]
    fn the_last_two_and_the_best_stay() {
        let (_place, store) = store();
        for (epochs, best) in [(1, 1), (2, 2), (3, 2), (4, 2)] {
            store.save(&state(epochs, 0, best), &records()).unwrap();
        }
        assert_eq!(names(&store), ["epoch-2", "epoch-3", "epoch-4"]);
        store.save(&state(4, 10, 2), &records()).unwrap();
        store.save(&state(4, 20, 2), &records()).unwrap();
        assert_eq!(names(&store), ["epoch-2", "epoch-4-step-10", "epoch-4-step-20"]);
        // Going on from an earlier one leaves what is further on alone.
        store.save(&state(4, 10, 2), &records()).unwrap();
        assert_eq!(names(&store), ["epoch-2", "epoch-4-step-10", "epoch-4-step-20"]);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let (_place, store) = store();
        let state = state(1, 0, 1);
        store.save(&state, &records()).unwrap();
        for name in [MODEL, OPTIMIZER, SCHEDULER, STATE, SUMS] {
            let path = store.folder(state.position).join(name);
            let whole = fs::read(&path).unwrap();
            for byte in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[byte] ^= 1;
                fs::write(&path, &damaged).unwrap();
                assert!(store.read(state.position).is_err(), "{name}, byte {byte}");
            }
            fs::write(&path, &whole[..whole.len() / 2]).unwrap();
            assert!(store.read(state.position).is_err(), "{name} cut in half");
            fs::remove_file(&path).unwrap();
            assert!(store.read(state.position).is_err(), "{name} missing");
            fs::write(&path, whole).unwrap();
        }
        store.read(state.position).unwrap();
    }

    #[test]
    fn a_format_of_the_future_is_refused_as_such() {
        let (_place, store) = store();
        let future = State { format: FORMAT + 1, ..state(1, 0, 1) };
        store.save(&future, &records()).unwrap();
        let error = store.read(future.position).unwrap_err().to_string();
        assert!(error.contains("has format 2, and this smallnet reads formats up to 1"), "{error}");
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
