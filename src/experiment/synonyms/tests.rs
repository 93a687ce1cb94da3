use super::*;
use crate::optim::{OptimizerConfig, ScheduleConfig};

/// Every key that is suggested is a key of some kind of optimizer and schedule.
#[test]
fn every_suggested_key_exists() {
    for (key, words) in SYNONYMS {
        let optimizers = OptimizerConfig::kinds().into_iter().map(|kind| kind.kind());
        let schedules = ScheduleConfig::KINDS.iter().map(|kind| (*kind).to_owned());
        let kinds =
            optimizers.map(|kind| ("optimizer", kind)).chain(schedules.map(|kind| ("schedule", kind)));
        let exists = kinds.into_iter().any(|(section, kind)| {
            let table = Table::from_iter([(
                section.to_owned(),
                Table::from_iter([("kind".to_owned(), Value::String(kind))]).into(),
            )]);
            is_setting(&Override::new(key, 1), &table, &[])
        });
        assert!(exists, "{key}");
        assert!(words.iter().all(|word| meant_key(word) == Some(key)), "a word of {key} means another key");
        let last = key.rsplit('.').next().unwrap();
        assert!(["kind", "name"].contains(&last) || words.contains(&last), "{key} itself");
    }
}

#[test]
fn what_is_meant_can_be_copied() {
    for (key, value, meant) in [
        ("lr", "0.1", "optimizer.learning_rate=0.1"),
        ("training.LR", "1", "optimizer.learning_rate=1"),
        ("batch-size", "64", "training.batch_size=64"),
        ("hidden", "128", "'model.hidden=[128]'"),
        ("hidden_layer_sizes", "(100, 50)", "'model.hidden=[100, 50]'"),
        ("optimizer", "Adam", "optimizer.kind=adam"),
        ("activation", "leaky_relu", "model.activation=leaky-relu"),
        ("random_state", "0", "seed=0"),
        ("report_to", "TensorBoard", "'tracking.kinds=[\"tensorboard\"]'"),
    ] {
        assert_eq!(meant_setting(key, value).unwrap(), format!("--set {meant}"));
    }
    assert_eq!(meant_setting("frobnicate", "1"), None);
}
