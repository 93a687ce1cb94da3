use std::fs;

use super::*;

fn record(epoch: usize, validation: Option<f64>) -> EpochRecord {
    EpochRecord {
        epoch,
        train_loss: 0.5,
        train_accuracy: 0.875,
        validation_loss: validation,
        validation_accuracy: validation,
        learning_rate: 0.001,
        seconds: 0.25,
        images_per_second: None,
    }
}

#[test]
fn a_resumed_file_has_the_kept_epochs_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    fs::write(&path, "left by a kill").unwrap();
    let mut log = CsvLog::create(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    log.on_resume(&[record(1, Some(0.25))]).unwrap();
    log.on_epoch_end(&record(2, Some(0.125))).unwrap();
    let expected = "epoch,accuracy,loss,val_accuracy,val_loss,learning_rate\n\
                    1,0.875,0.5,0.25,0.25,0.001\n2,0.875,0.5,0.125,0.125,0.001\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn without_validation_images_there_are_no_columns_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    let mut log = CsvLog::create(&path).unwrap();
    log.on_resume(&[]).unwrap();
    log.on_epoch_end(&record(1, None)).unwrap();
    let expected = "epoch,accuracy,loss,learning_rate\n1,0.875,0.5,0.001\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}
