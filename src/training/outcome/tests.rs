use super::*;

#[test]
fn an_epoch_that_took_no_time_has_no_rate_and_is_read_again() {
    let record = |seconds| EpochRecord {
        epoch: 1,
        train_loss: 0.1 + 0.2,
        train_accuracy: 0.5,
        validation_loss: None,
        validation_accuracy: None,
        learning_rate: 1.0,
        seconds,
        images_per_second: EpochRecord::rate(600, seconds),
    };
    assert_eq!(record(0.5).images_per_second, Some(1200.0));
    for seconds in [0.0, 0.5, 1e-9] {
        let line = serde_json::to_string(&record(seconds)).unwrap();
        assert_eq!(serde_json::from_str::<EpochRecord>(&line).unwrap(), record(seconds), "{line}");
    }
    // No images in no time have no rate, either.
    assert_eq!(EpochRecord::rate(0, 0.0), None);
}
