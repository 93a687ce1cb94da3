use super::*;

#[test]
fn past_times_differ_by_the_seconds_of_the_epochs() {
    let record = |epoch: usize, seconds: f64| EpochRecord {
        epoch,
        train_loss: 0.0,
        train_accuracy: 0.0,
        validation_loss: None,
        validation_accuracy: None,
        learning_rate: 0.0,
        seconds,
        images_per_second: None,
    };
    let epochs = [record(1, 4.0), record(2, 2.0), record(3, 0.5)];
    assert_eq!(past_wall_times(&epochs, 100.0), [97.5, 99.5, 100.0]);
}

#[test]
fn what_is_no_png_file_is_no_picture() {
    assert_eq!(picture(1, 0.0, "weights", vec![0; 23]), None);
}
