use super::*;
use crate::backend::Backend;
use crate::study::{Study, TrialEnd};
use crate::training::EpochRecord;

const STUDY: &str = "folds = 2\n[vary]\nmodel.hidden = [[], [8, 4]]\noptimizer.learning_rate = { from = 0.1, to = 10.0, num = 2, scale = \"log\" }\ntraining.batch_size = { from = 16, to = 64, num = 2 }";

fn record(plan: &TrialPlan, index: usize, end: TrialEnd, accuracy: f64, loss: f64) -> TrialRecord {
    let trial = &plan.trials[index];
    let epoch = |epoch: usize| EpochRecord {
        epoch,
        train_loss: 1.0,
        train_accuracy: 0.5,
        validation_loss: Some(1.0),
        validation_accuracy: Some(accuracy / epoch as f64),
        learning_rate: 0.1,
        seconds: 2.0,
        images_per_second: None,
    };
    let is_finished = end == TrialEnd::Finished;
    TrialRecord {
        id: trial.id.clone(),
        configuration: plan.configurations[trial.configuration].clone(),
        seed: 42,
        fold: trial.fold,
        end,
        message: None,
        accuracy: is_finished.then_some(accuracy),
        loss: is_finished.then_some(loss),
        epoch: Some(2),
        num_images: (10, 10),
        num_parameters: 7,
        steps_per_epoch: 1,
        is_batched: false,
        epochs: vec![epoch(1), epoch(2)],
        num_stopping_images: None,
        balanced_accuracy: None,
        effective_images: None,
        stopped_after: None,
    }
}

/// Returns the lines of a journal. `ends` has the end, accuracy and loss of both folds of each
/// configuration, or `None` if it has not run.
fn lines(text: &str, ends: &[Option<(TrialEnd, f64, f64)>]) -> Vec<Json> {
    let study = Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap();
    let plan = TrialPlan::new(&study, Backend::Flex, "", None).unwrap();
    let records: Vec<Option<TrialRecord>> = (0..plan.trials.len())
        .map(|index| {
            let (end, accuracy, loss) = (*ends.get(plan.trials[index].configuration)?)?;
            Some(record(&plan, index, end, accuracy, loss))
        })
        .collect();
    let records: Vec<Option<&TrialRecord>> = records.iter().map(Option::as_ref).collect();
    let summary = StudySummary::new(&plan, &records, false);
    let facts = [("measure", "accuracy".to_owned())];
    let journal = Journal {
        name: "s",
        parameters: &study.parameters,
        plan: &plan,
        summary: &summary,
        records: &records,
        facts: &facts,
    };
    let text = journal.lines(OffsetDateTime::UNIX_EPOCH + Duration::hours(1)).unwrap();
    assert!(is_own(&text) && text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_configuration_is_a_trial_with_the_mean_of_its_folds() {
    let finished = |accuracy| Some((TrialEnd::Finished, accuracy, 1.0));
    let lines = lines(STUDY, &[finished(0.5), finished(0.75)]);
    assert_eq!(lines.len(), 4, "the other configurations have not run");
    let study =
        json!({"op_code": 0, "worker_id": lines[0]["worker_id"], "study_name": "s", "directions": [2]});
    assert_eq!(lines[0], study);
    assert_eq!((&lines[1]["op_code"], &lines[1]["user_attr"]["measure"]), (&json!(2), &json!("accuracy")));
    let trial = &lines[3];
    assert_eq!((&trial["op_code"], &trial["state"], &trial["value"]), (&json!(4), &json!(1), &json!(0.75)));
    // The last key changes fastest: no hidden layer, rate 0.1, batches of 64.
    let params = json!({"model.hidden": 0, "optimizer.learning_rate": 0.1, "training.batch_size": 64});
    assert_eq!(trial["params"], params);
    let distribution =
        |key: &str| -> Json { serde_json::from_str(trial["distributions"][key].as_str().unwrap()).unwrap() };
    let choices = json!({"name": "CategoricalDistribution", "attributes": {"choices": ["[]", "[8, 4]"]}});
    assert_eq!(distribution("model.hidden"), choices);
    let rate = json!({"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 10.0, "log": true}});
    assert_eq!(distribution("optimizer.learning_rate"), rate);
    let size =
        json!({"name": "IntDistribution", "attributes": {"step": 1, "low": 16, "high": 64, "log": false}});
    assert_eq!(distribution("training.batch_size"), size);
    assert_eq!(trial["intermediate_values"], json!({"1": 0.75, "2": 0.375}));
    let folds: Vec<_> =
        trial["user_attrs"]["trials"].as_array().unwrap().iter().map(|t| &t["fold"]).collect();
    assert_eq!(folds, [&json!(1), &json!(2)]);
    // Two folds of two epochs of 2 seconds: 8 seconds for each configuration, up to 01:00:00.
    assert_eq!(lines[2]["datetime_start"], "1970-01-01T00:59:44.000+00:00");
    assert_eq!(lines[2]["datetime_complete"], trial["datetime_start"]);
    assert_eq!(trial["datetime_complete"], "1970-01-01T01:00:00.000+00:00");
}

#[test]
fn failed_and_diverged_configurations_have_no_value() {
    let ends = [TrialEnd::Failed, TrialEnd::Diverged, TrialEnd::Finished];
    let lines = lines(STUDY, &ends.map(|end| Some((end, 0.5, 1.0))));
    let states: Vec<_> =
        lines[2..].iter().map(|line| (line["state"].as_u64(), line["value"].as_f64())).collect();
    assert_eq!(states, [(Some(3), None), (Some(3), None), (Some(1), Some(0.5))]);
    assert_eq!(lines[3]["user_attrs"]["num_diverged"], 2);
}

#[test]
fn of_equal_means_the_best_comes_first() {
    let finished = |accuracy, loss| Some((TrialEnd::Finished, accuracy, loss));
    let ends = [finished(0.25, 1.0), finished(0.5, 3.0), finished(0.5, 2.0), finished(0.5, 1.0)];
    let losses: Vec<_> =
        lines(STUDY, &ends)[2..].iter().map(|line| line["user_attrs"]["loss"].clone()).collect();
    assert_eq!(losses, [1.0, 1.0, 3.0, 2.0]);
}

#[test]
fn epochs_of_stopping_images_are_no_intermediate_values() {
    let study = Study::from_toml(STUDY, "s.toml", &[], |_| unreachable!()).unwrap();
    let plan = TrialPlan::new(&study, Backend::Flex, "", None).unwrap();
    let mut record = record(&plan, 0, TrialEnd::Finished, 0.5, 1.0);
    assert_eq!(intermediate(&[&record], Measure::Accuracy).len(), 2);
    assert!(intermediate(&[&record], Measure::BalancedAccuracy).is_empty());
    record.num_stopping_images = Some(3);
    assert!(intermediate(&[&record], Measure::Accuracy).is_empty());
    assert!(intermediate(&[], Measure::Accuracy).is_empty());
}

#[test]
fn lines_of_others_are_recognised() {
    assert!(is_own("") && is_own("{\"worker_id\":\"smallnet-1\"}\n"));
    for text in ["{\"worker_id\":\"smallnet-1\"}\n{\"worker_id\":\"6fb1-0\"}\n", "no JSON", "{}", "[1]"] {
        assert!(!is_own(text), "{text}");
    }
    assert_eq!(duration(f64::NAN), Duration::ZERO);
    assert_eq!(duration(f64::INFINITY), Duration::ZERO);
    assert!(duration(1e300) < Duration::MAX);
}
