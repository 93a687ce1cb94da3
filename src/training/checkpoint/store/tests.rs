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
    CheckpointBytes { model: vec![1; 100], optimizer: vec![2; 10], scheduler: vec![3; 10], trained: None }
}

/// Records of a training with an average of the weights.
fn averaged_records() -> CheckpointBytes {
    records().with_average(vec![4; 90])
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
    assert_eq!(checkpoint, Checkpoint { state: state.clone(), records: records() });
    store.save(&state, &averaged_records(), &LIMITS).unwrap();
    let CheckpointBytes { model, trained, .. } = store.read(state.position, &LIMITS).unwrap().records;
    assert_eq!((model, trained), (vec![4; 90], Some(vec![1; 100])));
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
        for records in [records(), averaged_records()] {
            let error = store.save(&state(1, 0, 1), &records, &limits).unwrap_err().to_string();
            assert!(
                error.contains(" bytes, and at most ") && error.ends_with(" can be read again"),
                "{error}"
            );
            assert_eq!(names(&store), [""; 0]);
            store.save(&state(1, 0, 1), &records, &LIMITS).unwrap();
            let error = store.read(state(1, 0, 1).position, &limits).unwrap_err().to_string();
            assert!(error.contains("it is larger than "), "{error}");
            fs::remove_dir_all(&store.path).unwrap();
        }
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
    store.save(&state(1, 0, 1), &averaged_records(), &LIMITS).unwrap();
    assert_eq!(read_checkpointed_weights(&folder, 100).unwrap(), averaged_records().model);
}

#[test]
fn every_flipped_bit_is_found() {
    let (_place, store) = store();
    let state = state(1, 0, 1);
    store.save(&state, &averaged_records(), &LIMITS).unwrap();
    for name in [MODEL, OPTIMIZER, SCHEDULER, TRAINED, STATE, SUMS] {
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
