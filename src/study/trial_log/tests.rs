use std::fs;
use std::sync::Arc;

use super::*;

fn record(id: &str, end: TrialEnd) -> TrialRecord {
    TrialRecord {
        id: id.to_owned(),
        configuration: Configuration { values: [("a.b".into(), "1".into())].into() },
        seed: 1,
        fold: Some(0),
        end,
        message: None,
        accuracy: Some(0.5),
        loss: Some(1.0),
        epoch: Some(1),
        num_images: (4, 1),
        num_parameters: 10,
        steps_per_epoch: 3,
        is_batched: true,
        epochs: Vec::new(),
        num_stopping_images: None,
        balanced_accuracy: None,
        effective_images: None,
        stopped_after: None,
    }
}

fn trial(id: &str) -> Trial {
    Trial { id: id.to_owned(), configuration: 0, experiment: Arc::default(), fold: None, stop_after: None }
}

#[test]
fn records_before_a_torn_line_are_kept() {
    let artifacts = tempfile::tempdir().unwrap();
    let folder = StudyFolder::open(artifacts.path(), "s").unwrap();
    let mut trial_log = TrialLog::open(&folder, Measure::Accuracy, None, true).unwrap();
    trial_log.append(&[record("a", TrialEnd::Finished), record("b", TrialEnd::Failed)]).unwrap();
    drop(trial_log);
    let path = folder.path().join(TRIALS);
    let mut text = fs::read_to_string(&path).unwrap();
    text.insert_str(0, "{\"id\": damaged}\n");
    fs::write(&path, format!("{text}{{\"id\":\"c\",\"setti")).unwrap();

    let mut trial_log = TrialLog::open(&folder, Measure::Accuracy, None, true).unwrap();
    assert_eq!(trial_log.num_damaged, 1);
    assert!(trial_log.result(&trial("a")).is_some());
    assert_eq!(
        (trial_log.result(&trial("b")), trial_log.result(&trial("c"))),
        (None, None),
        "to be run again"
    );
    assert_eq!(trial_log.record(&trial("b")).map(|record| record.end), Some(TrialEnd::Failed));
    assert_eq!(trial_log.num_others(&[trial("a"), trial("x")]), 1);
    trial_log.append(&[record("c", TrialEnd::Diverged)]).unwrap();
    drop(trial_log);
    let trial_log = TrialLog::open(&folder, Measure::Accuracy, None, true).unwrap();
    assert_eq!(trial_log.num_damaged, 1, "nothing was written behind half a line");
    assert_eq!(trial_log.result(&trial("c")), Some(&record("c", TrialEnd::Diverged)));
}

#[test]
fn a_record_without_the_measure_counts_as_not_run() {
    let artifacts = tempfile::tempdir().unwrap();
    let folder = StudyFolder::open(artifacts.path(), "s").unwrap();
    let mut trial_log = TrialLog::open(&folder, Measure::BalancedAccuracy, None, true).unwrap();
    let measured = TrialRecord { balanced_accuracy: Some(0.4), ..record("b", TrialEnd::Finished) };
    let diverged = TrialRecord { accuracy: None, ..record("c", TrialEnd::Diverged) };
    trial_log.append(&[record("a", TrialEnd::Finished), measured.clone(), diverged]).unwrap();
    assert_eq!(trial_log.result(&trial("a")), None);
    assert_eq!(trial_log.result(&trial("b")), Some(&measured));
    assert!(trial_log.result(&trial("c")).is_some());
    assert_eq!(trial_log.num_without_measure(&[trial("a"), trial("b"), trial("c")]), 1);
    drop(trial_log);
    let trial_log = TrialLog::open(&folder, Measure::Accuracy, None, true).unwrap();
    assert!(trial_log.result(&trial("a")).is_some());
}

#[test]
fn archiving_keeps_the_earlier_records() {
    let artifacts = tempfile::tempdir().unwrap();
    let folder = StudyFolder::open(artifacts.path(), "s").unwrap();
    let mut trial_log = TrialLog::open(&folder, Measure::Accuracy, None, true).unwrap();
    assert_eq!(trial_log.archive(&folder).unwrap(), None);
    for (number, id) in ["a", "b"].into_iter().enumerate() {
        trial_log.append(&[record(id, TrialEnd::Finished)]).unwrap();
        let before = fs::read(folder.path().join(TRIALS)).unwrap();
        let (kept, records) = trial_log.archive(&folder).unwrap().unwrap();
        assert_eq!((kept, records), (folder.path().join(format!("trials-{}.jsonl", number + 1)), 1));
        assert_eq!(fs::read(folder.path().join(format!("trials-{}.jsonl", number + 1))).unwrap(), before);
        assert!(
            trial_log.result(&trial(id)).is_none()
                && fs::read(folder.path().join(TRIALS)).unwrap().is_empty()
        );
        let error = TrialLog::open(&folder, Measure::Accuracy, None, true).unwrap_err();
        assert!(error.message().ends_with("is in use: the study is running already"), "the lock is kept");
    }
}

#[test]
fn a_study_runs_once_at_a_time() {
    let artifacts = tempfile::tempdir().unwrap();
    let folder = StudyFolder::open(artifacts.path(), "s").unwrap();
    let _first = TrialLog::open(&folder, Measure::Accuracy, None, true).unwrap();
    let error = TrialLog::open(&folder, Measure::Accuracy, None, true).unwrap_err();
    assert!(error.message().ends_with("is in use: the study is running already"), "{error}");
}

#[test]
fn a_shard_reads_no_log_of_its_cut_but_its_own() {
    let artifacts = tempfile::tempdir().unwrap();
    let folder = StudyFolder::open(artifacts.path(), "s").unwrap();
    let [own, other, of_another_cut] = ["1/2", "2/2", "3/3"].map(|shard| shard.parse::<Shard>().unwrap());
    for (shard, id) in [(own, "a"), (other, "b"), (of_another_cut, "c")] {
        let mut trial_log = TrialLog::open(&folder, Measure::Accuracy, Some(shard), false).unwrap();
        trial_log.append(&[record(id, TrialEnd::Finished)]).unwrap();
    }
    let results = |shard, reads_other_shards| {
        let trial_log = TrialLog::open(&folder, Measure::Accuracy, shard, reads_other_shards).unwrap();
        ["a", "b", "c"].map(|id| trial_log.result(&trial(id)).is_some())
    };
    assert_eq!(results(Some(own), false), [true, false, true]);
    assert_eq!(results(Some(own), true), [true; 3], "a later rung follows from all results");
    assert_eq!(results(None, false), [true; 3]);
}
