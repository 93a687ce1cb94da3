//! Owns the checks of a run's figures: those of its epochs, those of its test, and those that follow
//! from each other. Must not know pages and exports.

use burn::module::Module;

use crate::error::Result;
use crate::evaluation::{ConfusionMatrix, Evaluation, evaluate};
use crate::pipeline::SplitName;
use crate::pipeline::train::model_epoch;
use crate::run::{RunSummary, TestEvaluation};
use crate::training::EpochRecord;
use crate::util::format::{counted, loss};

use super::Check;
use super::claims::{Claims, is_near};
use super::subject::{Subject, digest};

const SUMMARY: &str = "summary.json";
const RECORD: &str = "evaluation.json";
const VALIDATION: &str = "validation";
const TEST: &str = "test";
const UNTESTED: &str = "the run was not tested";

/// Checks `summary.json` against `metrics.jsonl`, the experiment and the weights.
pub(super) fn check_summary(subject: &Subject) -> Check {
    let Subject { info, epochs, .. } = subject;
    let Some(summary) = &subject.summary else {
        return Check::not_checked(SUMMARY, format!("there is none; the run is {}", info.status));
    };
    let mut claims = Claims::default();
    claims.add("weights", &summary.weights_sha256, info.weights_sha256.as_deref().unwrap_or("none"));
    if let Some(model) = &subject.model {
        claims.add("weights", &summary.weights_sha256, digest(model));
        claims.add("num_parameters", summary.num_parameters, model.num_params());
    }
    claims.add("num_epochs", summary.num_epochs, epochs.len());
    let is_numbered = epochs.iter().zip(1..).all(|(record, number)| record.epoch == number);
    claims.add("epochs in order", true, is_numbered);
    claims.add_stated("best_epoch", summary.best_epoch, EpochRecord::best(epochs));
    claims.add_stated("seconds_per_epoch", summary.seconds_per_epoch, EpochRecord::median_seconds(epochs));
    if let Some(experiment) = &subject.experiment {
        // An imported network was not trained here, so it has no steps.
        let steps = match info.imported {
            Some(_) => 0,
            None => experiment.training.steps_per_epoch(info.data.num_train),
        };
        claims.add("steps_per_epoch", summary.steps_per_epoch, steps);
        let planned = experiment.training.num_epochs;
        claims.add("epochs within the plan", true, summary.num_epochs <= planned);
        let best = EpochRecord::best(epochs).unwrap_or_default();
        let kept = model_epoch(experiment, best, epochs.len());
        claims.add_stated("model_epoch", summary.model_epoch, Some(kept));
    }
    let kept = kept_record(summary, epochs);
    let validation = |value: fn(&EpochRecord) -> Option<f64>| kept.and_then(value);
    claims.add_stated(
        "validation_accuracy",
        summary.validation_accuracy,
        validation(|record| record.validation_accuracy),
    );
    claims.add_stated(
        "validation_loss",
        summary.validation_loss,
        validation(|record| record.validation_loss),
    );
    let name =
        if epochs.is_empty() { "no epoch".to_owned() } else { counted(epochs.len(), "epoch", "epochs") };
    claims.into_check(SUMMARY, format!("{name}, as in metrics.jsonl"))
}

/// The record of the epoch whose weights are kept.
fn kept_record<'a>(summary: &RunSummary, epochs: &'a [EpochRecord]) -> Option<&'a EpochRecord> {
    let kept = summary.model_epoch?;
    epochs.iter().find(|record| record.epoch == kept)
}

/// Evaluates the network on its validation images, and compares the figures of the epoch whose
/// weights are kept.
pub(super) fn check_validation(subject: &Subject) -> Check {
    if let Some(reason) = subject.without_model() {
        return Check::not_checked(VALIDATION, reason);
    }
    let Some(summary) = &subject.summary else {
        return Check::not_checked(VALIDATION, "the run has no result");
    };
    let Some(splits) = &subject.splits else {
        return Check::not_checked(VALIDATION, "the images cannot be read");
    };
    let untested = summary.untested.as_ref();
    let split = match untested.map(|untested| untested.split.as_str()) {
        Some("train") => SplitName::Train,
        _ => SplitName::Validation,
    };
    let kept = kept_record(summary, &subject.epochs);
    let claimed = kept.and_then(|record| record.validation_accuracy.zip(record.validation_loss));
    if claimed.is_none() && untested.is_none() {
        return Check::not_checked(VALIDATION, "no figure of validation images is recorded");
    }
    let images = splits.get(split).and_then(|images| evaluate_on(subject, images));
    let found = match images {
        Ok(found) => found,
        Err(error) => return Check::failed(VALIDATION, "images to evaluate on", error.message()),
    };
    let counts = found.prediction_counts();
    let mut is_true = untested.is_none_or(|untested| {
        let own = &untested.counts;
        (&own.images, &own.predicted) == (&counts.images, &counts.predicted)
            && own.accuracy == counts.accuracy
            && is_near(own.loss, counts.loss)
    });
    if split == SplitName::Validation
        && let Some((accuracy, value)) = claimed
    {
        is_true &= is_near(accuracy, found.accuracy) && is_near(value, found.loss);
    }
    let (accuracy, value) = claimed.unwrap_or_else(|| {
        untested.map_or((f64::NAN, f64::NAN), |untested| (untested.counts.accuracy, untested.counts.loss))
    });
    let found = format!("accuracy {:.4}, loss {} on {split} images", found.accuracy, loss(found.loss));
    match is_true {
        true => Check::ok(VALIDATION, found),
        false => {
            judge(subject, VALIDATION, format!("accuracy {accuracy:.4}, loss {}", loss(value)), found, false)
        }
    }
}

/// Checks that the figures of the test follow from each other: accuracy, scores and list of
/// misclassified images from the confusion matrix, and the summary from the test.
pub(super) fn check_test_record(subject: &Subject) -> Check {
    let Some(TestEvaluation { evaluation, weights_sha256, .. }) = &subject.test else {
        let tested = subject.summary.as_ref().and_then(|summary| summary.test_accuracy);
        // A record that is gone claims nothing.
        let reason = if tested.is_some() {
            "the record is gone; `smallnet evaluate` makes it again"
        } else {
            UNTESTED
        };
        return Check::not_checked(RECORD, reason);
    };
    let mut claims = Claims::default();
    claims.add_stated("weights", weights_sha256.as_deref(), subject.info.weights_sha256.as_deref());
    claims.add_stated("test images", subject.info.data.num_test, Some(evaluation.num_images));
    add_derived(&mut claims, evaluation);
    if let Some(summary) = &subject.summary {
        let text = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        claims.add("test_accuracy", text(summary.test_accuracy), evaluation.accuracy);
        claims.add("test_loss", text(summary.test_loss), evaluation.loss);
        claims.add_stated(
            "test_balanced_accuracy",
            summary.test_balanced_accuracy,
            evaluation.balanced_accuracy(),
        );
    }
    claims.into_check(RECORD, "accuracy, scores and mistakes follow from the confusion matrix")
}

/// Largest number of images of a confusion matrix whose scores are computed again. The counts of an
/// edited file could overflow.
const MAX_IMAGES: u64 = 1 << 40;

/// Adds the figures that follow from the confusion matrix.
fn add_derived(claims: &mut Claims, evaluation: &Evaluation) {
    let Evaluation { accuracy, num_images, confusion, classes, misclassified, .. } = evaluation;
    let ConfusionMatrix { counts } = confusion;
    let sum = counts.iter().flatten().fold(0, |sum: u64, &count| sum.saturating_add(count));
    claims.add("num_images", num_images, sum);
    if sum > MAX_IMAGES || counts.iter().any(|row| row.len() != counts.len()) {
        return claims.add("confusion matrix", "possible", "impossible");
    }
    let correct = confusion.num_correct();
    claims.add("accuracy", accuracy, correct as f64 / sum as f64);
    claims.add_stated("misclassified", misclassified.as_ref().map(Vec::len), Some(sum - correct));
    let scores = confusion.scores();
    claims.add("number of classes", classes.len(), scores.len());
    for (class, (claimed, found)) in classes.iter().zip(&scores).enumerate() {
        if claimed != found {
            claims.add(&format!("scores of class {class}"), format!("{claimed:?}"), format!("{found:?}"));
        }
    }
}

/// Tests the network again and compares all figures.
pub(super) fn check_test(subject: &Subject) -> Check {
    if let Some(reason) = subject.without_model() {
        return Check::not_checked(TEST, reason);
    }
    let Some(splits) = &subject.splits else {
        return Check::not_checked(TEST, "the images cannot be read");
    };
    let summary = subject.summary.as_ref();
    let stated = summary.and_then(|summary| summary.test_accuracy.zip(summary.test_loss));
    if subject.test.is_none() && stated.is_none() {
        let reason = if subject.info.skips_test { "the run was not tested (--no-test)" } else { UNTESTED };
        return Check::not_checked(TEST, reason);
    }
    let found = match evaluate_on(subject, &splits.test) {
        Ok(found) => found,
        Err(error) => return Check::failed(TEST, "labelled test images", error.message()),
    };
    let described = format!(
        "accuracy {}, loss {} on {}",
        found.accuracy,
        loss(found.loss),
        counted(found.num_images, "image", "images")
    );
    let difference = match (&subject.test, stated) {
        (Some(test), _) => difference(test, TestEvaluation::new(found.clone(), &splits.test, String::new())),
        (None, Some((accuracy, _))) if accuracy != found.accuracy => {
            Some(Difference::new("accuracy", accuracy, found.accuracy, false))
        }
        (None, Some((_, value))) if value != found.loss => {
            Some(Difference::new("loss", value, found.loss, is_near(value, found.loss)))
        }
        _ => None,
    };
    match difference {
        None => Check::ok(TEST, described),
        Some(Difference { claimed, found, is_rounding }) => judge(subject, TEST, claimed, found, is_rounding),
    }
}

/// The first difference between a recorded test and a new one.
struct Difference {
    claimed: String,
    found: String,
    /// True if only the last digits differ.
    is_rounding: bool,
}

impl Difference {
    fn new(name: &str, claimed: impl ToString, found: impl ToString, is_rounding: bool) -> Self {
        let text = |value: String| format!("{name} {value}");
        Self { claimed: text(claimed.to_string()), found: text(found.to_string()), is_rounding }
    }
}

/// Returns the first difference between a recorded test and a new one.
fn difference(claimed: &TestEvaluation, found: TestEvaluation) -> Option<Difference> {
    let (own, new) = (&claimed.evaluation, &found.evaluation);
    if own.accuracy != new.accuracy {
        return Some(Difference::new("accuracy", own.accuracy, new.accuracy, false));
    }
    if own.num_images != new.num_images {
        return Some(Difference::new("num_images", own.num_images, new.num_images, false));
    }
    if let Some(difference) = first_other_count(&own.confusion, &new.confusion) {
        return Some(difference);
    }
    let is_listed = own.misclassified.is_none() || own.misclassified == new.misclassified;
    if own.classes != new.classes || !is_listed {
        return Some(Difference::new("misclassified images", "others", "those of this network", false));
    }
    if own.loss != new.loss {
        return Some(Difference::new("loss", own.loss, new.loss, is_near(own.loss, new.loss)));
    }
    let is_near_error = is_near(own.calibration.error, new.calibration.error);
    if own.calibration != new.calibration {
        return Some(Difference::new(
            "calibration error",
            own.calibration.error,
            new.calibration.error,
            is_near_error,
        ));
    }
    let places = |evaluation: &Evaluation| -> Vec<[usize; 3]> {
        evaluation.top_losses.iter().map(|worst| [worst.index, worst.label, worst.predicted]).collect()
    };
    if own.top_losses != new.top_losses || claimed.worst_pixels != found.worst_pixels {
        let is_rounding = places(own) == places(new) && claimed.worst_pixels == found.worst_pixels;
        return Some(Difference::new("worst mistakes", "others", "those of this network", is_rounding));
    }
    None
}

/// Returns the first count in which two confusion matrices differ.
fn first_other_count(own: &ConfusionMatrix, new: &ConfusionMatrix) -> Option<Difference> {
    if own.counts.len() != new.counts.len() {
        return Some(Difference::new("classes", own.counts.len(), new.counts.len(), false));
    }
    for (class, (own, new)) in own.counts.iter().zip(&new.counts).enumerate() {
        if let Some(predicted) = (0..new.len()).find(|&predicted| own.get(predicted) != new.get(predicted)) {
            let name = format!("images of class {class} as class {predicted}:");
            let count = |row: &[u64]| row.get(predicted).map_or_else(|| "none".to_owned(), u64::to_string);
            return Some(Difference::new(&name, count(own), count(new), false));
        }
    }
    None
}

/// Evaluates the run's network.
fn evaluate_on(subject: &Subject, images: &crate::data::Split) -> Result<Evaluation> {
    match &subject.model {
        Some(model) => evaluate(model, images, &subject.handle.device),
        None => Err(crate::error::Error::state("there is no network")),
    }
}

/// Returns the check of a figure that came out differently. If there are reasons for other last
/// digits, and only these differ or the computation was another one, it cannot be judged.
pub(super) fn judge(
    subject: &Subject,
    name: &str,
    claimed: String,
    found: String,
    is_rounding: bool,
) -> Check {
    let reasons = subject.reasons();
    match is_rounding && !reasons.is_empty() {
        true => Check::not_checked(
            name,
            format!("equal up to rounding: claimed {claimed}, found {found}; {}", reasons.join("; ")),
        ),
        false => Check::failed(name, claimed, found),
    }
}
