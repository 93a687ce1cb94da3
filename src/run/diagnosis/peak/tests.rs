use super::*;
use crate::experiment::Override;

fn epochs(accuracies: &[f64]) -> Vec<EpochRecord> {
    let record = |(index, &accuracy): (usize, &f64)| EpochRecord {
        epoch: index + 1,
        train_loss: 0.1,
        train_accuracy: 1.0,
        validation_loss: Some(0.5),
        validation_accuracy: Some(accuracy),
        learning_rate: 0.1,
        seconds: 1.0,
        images_per_second: None,
    };
    accuracies.iter().enumerate().map(record).collect()
}

fn find(settings: &[&str], num_validation: usize, accuracies: &[f64]) -> Option<Finding> {
    let settings: Vec<Override> = settings.iter().map(|setting| setting.parse().unwrap()).collect();
    let experiment = Experiment::from_toml("[data]\nvalidation = 100", "test.toml", &settings).unwrap();
    find_early_peak(&experiment, num_validation, &epochs(accuracies))
}

/// Accuracies of 12 epochs: 0.9 in the epochs 3 to 5, before and after it `low`.
fn peak(low: f64) -> Vec<f64> {
    (1..=12).map(|epoch| if (3..=5).contains(&epoch) { 0.9 } else { low }).collect()
}

#[test]
fn a_peak_in_the_first_half_is_named_with_the_way_out() {
    let finding = find(&[], 1000, &peak(0.87)).unwrap();
    assert_eq!(
        finding.message,
        "the validation accuracy was highest around epoch 4 (0.9000) and is 0.8700 at the end (means of 3 epochs)"
    );
    assert!(finding.hint.contains("`--set training.early_stopping.patience=5`"), "{}", finding.hint);
    assert!(finding.hint.ends_with("`--epochs 4`"), "{}", finding.hint);
    let hint = |settings: &[&str]| find(settings, 1000, &peak(0.87)).unwrap().hint;
    assert_eq!(hint(&["data.validation=0"]), "train fewer epochs: `--epochs 4`");
    assert!(hint(&["training.early_stopping.restore_best=false"]).contains("restore_best=true"));
}

#[test]
fn chance_late_peaks_and_short_trainings_are_no_finding() {
    // Two standard errors of 0.9 are 0.019 with 1,000 images, and 0.06 with 100.
    assert_eq!(find(&[], 1000, &peak(0.882)), None);
    assert_eq!(find(&[], 100, &peak(0.85)), None);
    // A fall of less than half a percentage point matters to nobody.
    assert_eq!(find(&[], 1_000_000, &peak(0.8955)), None);
    let mut late = peak(0.8);
    late.reverse();
    assert_eq!(find(&[], 1000, &late), None);
    assert_eq!(find(&[], 1000, &peak(0.8)[..9]), None);
    // One lucky epoch is no peak.
    let mut lucky = vec![0.8; 12];
    lucky[3] = 0.82;
    assert_eq!(find(&[], 10_000, &lucky), None);
}
