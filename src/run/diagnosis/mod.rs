//! Owns the diagnosis of a trained network by its predictions: one class for all images, classes
//! that are never predicted, hidden layers that start from zeros, and an accuracy below that of
//! simpler predictions. `peak` has the diagnosis of the epochs. Depends on `evaluation` and
//! `experiment`. It states findings and remedies, and must not change a result.

mod peak;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::evaluation::{Evaluation, PredictionCounts};
use crate::experiment::Experiment;
use crate::model::Initializer;
use crate::run::{RunInfo, RunRecords, RunSummary, Status};
use crate::training::EpochRecord;
use crate::util::format::{counted, listed, loss, significant};
use peak::find_early_peak;

/// The test accuracy of the softmax network of `configs/softmax.toml` on MNIST: 0.9239 with seed
/// 42, and 0.9208 as the mean over the seeds 1 to 5 (README.md). The exercise's Keras program
/// reaches 0.92.
const SOFTMAX_ON_MNIST: f64 = 0.92;
/// The smallest number of images of a class for a finding about it. With fewer images, a good
/// network may never predict the class.
const MIN_IMAGES: u64 = 5;
/// The largest relative distance of a loss from that of guessing at which both are called equal.
const NEAR_GUESSING: f64 = 0.02;
/// The largest accuracy, relative to the share of the most frequent class, that is hardly better.
const HARDLY_BETTER: f64 = 1.2;
/// The share of right predictions among the images of predicted classes above which these classes
/// count as learned.
const GOOD_ACCURACY: f64 = 0.8;
/// The largest number of classes that a message names.
const MAX_NAMED: usize = 5;

/// A fault of a trained network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind of the fault.
    pub kind: FindingKind,
    /// The observation, as a sentence without its period.
    pub message: String,
    /// A likely reason and a remedy.
    pub hint: String,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The same class is predicted for every image.
    OneClass,
    /// Some classes are never predicted.
    MissingClasses,
    /// The accuracy is not above the share of the most frequent class.
    BelowMostFrequent,
    /// A network with hidden layers has a lower accuracy than the softmax network.
    BelowSoftmax,
    /// Accuracy and loss are hardly better than those of guessing.
    Guessing,
    /// The hidden layers start from zeros.
    ZeroWeights,
    /// The validation accuracy was highest long before the end.
    EarlyPeak,
}

impl Finding {
    /// Returns the message and the hint as two sentences.
    pub fn sentences(&self) -> [String; 2] {
        [&self.message, &self.hint].map(|text| {
            let mut chars = text.chars();
            let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
            format!("{first}{}.", chars.as_str())
        })
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.message, self.hint)
    }
}

/// Images that a network is diagnosed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Images {
    /// The test images of a finished run.
    Result,
    /// Other images that an evaluation is about.
    Given,
    /// The validation images of a run without labelled test images.
    Validation,
    /// The training images of a run with neither.
    Train,
}

impl Images {
    /// Number of images in words.
    fn counted(self, number: u64) -> String {
        let [one, many] = match self {
            Self::Result | Self::Given => ["image", "images"],
            Self::Validation => ["validation image", "validation images"],
            Self::Train => ["training image", "training images"],
        };
        counted(usize::try_from(number).unwrap_or(usize::MAX), one, many)
    }
}

/// Returns the faults of a run: of its network, and of its training.
pub fn diagnose_run(run: &RunRecords) -> Vec<Finding> {
    let evaluation = run.test.as_ref().map(|test| &test.evaluation);
    let summary = run.summary.as_ref().filter(|_| run.info.status == Status::Finished);
    diagnose_training(&run.experiment, &run.info, evaluation, summary, &run.epochs)
}

/// Returns the faults of a training. `evaluation` is that of the test images. `summary` is the result
/// of a finished training, and `None` otherwise. `epochs` are the records of all epochs.
pub(crate) fn diagnose_training(
    experiment: &Experiment,
    info: &RunInfo,
    evaluation: Option<&Evaluation>,
    summary: Option<&RunSummary>,
    epochs: &[EpochRecord],
) -> Vec<Finding> {
    let classes = info.data.classes();
    let mut findings = match (evaluation, summary.and_then(|summary| summary.untested.as_ref())) {
        (Some(evaluation), _) => diagnose(experiment, evaluation, classes.names(), summary.is_some()),
        (None, Some(untested)) => {
            let images = if untested.split == "train" { Images::Train } else { Images::Validation };
            diagnose_counts(experiment, &untested.counts, classes.names(), images)
        }
        (None, None) => Vec::new(),
    };
    let has_last_weights = summary.is_some_and(|summary| summary.model_epoch == Some(summary.num_epochs));
    if has_last_weights {
        findings.extend(find_early_peak(experiment, info.data.num_validation, epochs));
    }
    of_network(findings, info)
}

/// Returns the `findings` about the network of the run that `info` describes. For an imported network,
/// the reason is not in the settings of a training.
pub(crate) fn of_network(mut findings: Vec<Finding>, info: &RunInfo) -> Vec<Finding> {
    if info.imported.is_some() {
        findings.iter_mut().for_each(|finding| finding.hint = IMPORTED_HINT.to_owned());
    }
    findings
}

/// Likely reasons of a low accuracy of an imported network.
const IMPORTED_HINT: &str = "the network may take other pixels than 0 to 1, have another activation or its classes in another \
                             order: see `--value-range`, `--mean`, `--std` and `--activation` of `smallnet import`";

/// Returns the faults of a network of `experiment` with this `evaluation`. `is_result` is true if
/// the training is finished and the images are the test images of the experiment's own data set.
/// `names` are the names of the classes.
pub fn diagnose(
    experiment: &Experiment,
    evaluation: &Evaluation,
    names: &[String],
    is_result: bool,
) -> Vec<Finding> {
    let images = if is_result { Images::Result } else { Images::Given };
    diagnose_counts(experiment, &evaluation.prediction_counts(), names, images)
}

/// Returns the faults of a network of `experiment` with these predictions of `images`.
fn diagnose_counts(
    experiment: &Experiment,
    counts: &PredictionCounts,
    names: &[String],
    images: Images,
) -> Vec<Finding> {
    let predicted = counts.predicted.iter().enumerate().filter(|(_, number)| **number > 0);
    let classes: Vec<usize> = predicted.map(|(class, _)| class).collect();
    let mut findings: Vec<Finding> = match classes[..] {
        [class] => find_one_class(experiment, counts, class, names, images).into_iter().collect(),
        _ => {
            let missing = find_missing_classes(experiment, counts, names);
            missing.into_iter().chain(find_low_accuracy(experiment, counts, images)).collect()
        }
    };
    // The other findings name these weights as the reason.
    if findings.is_empty() {
        findings.extend(find_zeros(experiment));
    }
    findings
}

/// Returns the fault of hidden layers whose weights start from zeros. Dropout can tell their neurons
/// apart.
fn find_zeros(experiment: &Experiment) -> Option<Finding> {
    (starts_from_zeros(experiment) && !experiment.model.has_dropout()).then(|| Finding {
        kind: FindingKind::ZeroWeights,
        message: "the hidden layers start from zeros: all neurons of a layer learn the same".to_owned(),
        hint: ZEROS_HINT.to_owned(),
    })
}

/// True if the network has hidden layers whose initial weights are zeros.
fn starts_from_zeros(experiment: &Experiment) -> bool {
    !experiment.model.hidden.is_empty() && experiment.model.initializer == Initializer::Zeros
}

/// Reason and remedy of hidden layers that start from zeros.
const ZEROS_HINT: &str =
    "hidden neurons that start alike stay alike: set another `model.initializer` than `zeros`";

/// Name of a class. A damaged record may have more classes than names.
fn name(names: &[String], class: usize) -> String {
    names.get(class).cloned().unwrap_or_else(|| class.to_string())
}

/// Returns the fault of a network that predicts only `class`. It is no fault if all images are of
/// that class.
fn find_one_class(
    experiment: &Experiment,
    counts: &PredictionCounts,
    class: usize,
    names: &[String],
    images: Images,
) -> Option<Finding> {
    let share = share_of(counts, class);
    let hint = match share {
        share if share >= 1.0 => return None,
        share if share > 0.5 && !starts_from_zeros(experiment) => {
            "most of these images are of that class: look at the balanced accuracy, not at the accuracy; more epochs, or \
             more training images of the other classes, may help"
                .to_owned()
        }
        _ => hint(experiment),
    };
    let guessing = match guessing_loss(counts) {
        Some(guessing) => format!("; its loss of {} is that of guessing ({guessing})", loss(counts.loss)),
        None => String::new(),
    };
    let message = format!(
        "all {} are taken for class {}: the network tells nothing apart{guessing}",
        images.counted(num_images(counts)),
        name(names, class)
    );
    Some(Finding { kind: FindingKind::OneClass, message, hint })
}

/// Returns the loss of guessing, such as `ln 10 = 2.303`, if the loss is about that. `None`
/// otherwise.
fn guessing_loss(counts: &PredictionCounts) -> Option<String> {
    let classes = counts.images.len();
    let guessing = (classes as f64).ln();
    let is_near = (counts.loss - guessing).abs() <= NEAR_GUESSING * guessing;
    (classes > 1 && is_near).then(|| format!("ln {classes} = {guessing:.3}"))
}

/// Returns the fault of a network that never predicts some class with at least [`MIN_IMAGES`]
/// images.
fn find_missing_classes(
    experiment: &Experiment,
    counts: &PredictionCounts,
    names: &[String],
) -> Option<Finding> {
    let classes = counts.images.iter().zip(&counts.predicted).enumerate();
    let missing: Vec<usize> = classes
        .filter(|(_, (images, predicted))| **predicted == 0 && **images >= MIN_IMAGES)
        .map(|(class, _)| class)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let mut named: Vec<String> = missing.iter().take(MAX_NAMED).map(|&class| name(names, class)).collect();
    if missing.len() > MAX_NAMED {
        named.push(format!("{} more", missing.len() - MAX_NAMED));
    }
    let list = listed(&named);
    let message = match missing.len() {
        1 => format!("class {list} is never predicted"),
        _ => format!("classes {list} are never predicted"),
    };
    // Images of the other classes are mostly right: the training itself has worked.
    let others = 1.0 - missing.iter().map(|&class| share_of(counts, class)).sum::<f64>();
    let is_trained = counts.accuracy > GOOD_ACCURACY * others && !starts_from_zeros(experiment);
    let hint = match is_trained {
        true => {
            "the other classes are learned: `smallnet data` counts the training images of each class, and the balanced \
             accuracy counts each class the same"
                .to_owned()
        }
        false => hint(experiment),
    };
    Some(Finding { kind: FindingKind::MissingClasses, message, hint })
}

/// Returns the fault of a network whose accuracy a simpler prediction reaches: always the most
/// frequent class, guesses or, on MNIST, the network without hidden layers.
fn find_low_accuracy(experiment: &Experiment, counts: &PredictionCounts, images: Images) -> Option<Finding> {
    let accuracy = counts.accuracy;
    let finding = |kind, message| Some(Finding { kind, message, hint: hint(experiment) });
    let shares = (0..counts.images.len()).map(|class| share_of(counts, class));
    let most_frequent = shares.fold(0.0, f64::max);
    if accuracy <= most_frequent && most_frequent < 1.0 {
        let message = format!(
            "the accuracy of {accuracy:.4} is not above {most_frequent:.4}, which whoever always answers the most frequent \
             class reaches"
        );
        return finding(FindingKind::BelowMostFrequent, message);
    }
    if let Some(guessing) = guessing_loss(counts).filter(|_| accuracy <= HARDLY_BETTER * most_frequent) {
        let loss = loss(counts.loss);
        let message = format!(
            "the accuracy of {accuracy:.4} is hardly above {most_frequent:.4}, the share of the most frequent class, and the \
             loss of {loss} is that of guessing ({guessing})"
        );
        return finding(FindingKind::Guessing, message);
    }
    let has_baseline = images == Images::Result && experiment.data.source().is_mnist();
    if has_baseline && !experiment.model.hidden.is_empty() && accuracy < SOFTMAX_ON_MNIST {
        let message = format!(
            "the test accuracy of {accuracy:.4} is below the {SOFTMAX_ON_MNIST} of a softmax network without hidden layers"
        );
        return finding(FindingKind::BelowSoftmax, message);
    }
    None
}

/// Number of all images.
fn num_images(counts: &PredictionCounts) -> u64 {
    // The counts may come from an untrusted file. So the sum must not overflow.
    counts.images.iter().copied().fold(0, u64::saturating_add)
}

/// Fraction of the images that are of `class`, in [0, 1].
fn share_of(counts: &PredictionCounts, class: usize) -> f64 {
    counts.images.get(class).map_or(0.0, |&images| images as f64 / num_images(counts).max(1) as f64)
}

/// Returns a likely reason and a remedy. It compares the settings with those that usually work.
fn hint(experiment: &Experiment) -> String {
    let (model, optimizer) = (&experiment.model, &experiment.optimizer);
    if starts_from_zeros(experiment) {
        return ZEROS_HINT.to_owned();
    }
    let learning_rate = optimizer.learning_rate();
    let (low, high) = optimizer.rule().usual_learning_rates(!model.hidden.is_empty());
    let rate_text = significant(learning_rate);
    if learning_rate > high {
        let dead = if model.activation.can_die() && !model.hidden.is_empty() {
            "; ReLU neurons that such steps push below 0 for every image no longer learn"
        } else {
            ""
        };
        return format!(
            "a learning rate of {rate_text} is high: lower `optimizer.learning_rate`, `smallnet lr-find` suggests another{dead}"
        );
    }
    if learning_rate < low {
        return format!(
            "a learning rate of {rate_text} is low: raise `optimizer.learning_rate`, or train longer"
        );
    }
    "`smallnet lr-find` suggests a learning rate; more epochs may help, too".to_owned()
}
