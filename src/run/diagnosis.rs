//! Owns the diagnosis of a trained network by its evaluation: one class for all images, classes
//! that are never predicted, and an accuracy below that of simpler predictions. Depends on
//! `evaluation` and `experiment`. It states findings and remedies, and must not change a result.

use serde::Serialize;

use crate::evaluation::Evaluation;
use crate::experiment::Experiment;
use crate::model::Initializer;
use crate::run::{RunRecords, Status};
use crate::util::format::{counted, listed, significant};

/// The test accuracy of the softmax network of `configs/softmax.toml` on MNIST: 0.9239 with seed
/// 42, and 0.9208 as the mean over the seeds 1 to 5 (README.md). The exercise's Keras program
/// reaches 0.92.
const SOFTMAX_ON_MNIST: f64 = 0.92;
/// The smallest number of images of a class for a finding about it. With fewer images, a good
/// network may never predict the class.
const MIN_IMAGES: u64 = 5;
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

/// Returns the faults of a run's network. There are none if the run was not tested.
pub fn diagnose_run(run: &RunRecords) -> Vec<Finding> {
    let is_result = run.info.status == Status::Finished;
    let evaluation = run.test.as_ref().map(|test| &test.evaluation);
    let classes = run.info.data.classes();
    evaluation
        .map_or_else(Vec::new, |evaluation| diagnose(&run.experiment, evaluation, classes.names(), is_result))
}

/// Returns the faults of a network of `experiment` with this `evaluation`. `is_result` is true if
/// the training is finished and the images are the test images of the experiment's own data set. `names` are the names of the
/// classes.
pub fn diagnose(
    experiment: &Experiment,
    evaluation: &Evaluation,
    names: &[String],
    is_result: bool,
) -> Vec<Finding> {
    let num_predicted = evaluation.confusion.predicted();
    let classes: Vec<usize> = (0..num_predicted.len()).filter(|&class| num_predicted[class] > 0).collect();
    if let [class] = classes[..] {
        return find_one_class(experiment, evaluation, class, &names[class]).into_iter().collect();
    }
    let missing = find_missing_classes(experiment, evaluation, &num_predicted, names);
    missing.into_iter().chain(find_low_accuracy(experiment, evaluation, is_result)).collect()
}

/// Returns the fault of a network that predicts only `class`. It is no fault if all images are of
/// that class.
fn find_one_class(
    experiment: &Experiment,
    evaluation: &Evaluation,
    class: usize,
    name: &str,
) -> Option<Finding> {
    let share = share_of(evaluation, class);
    let hint = match share {
        share if share >= 1.0 => return None,
        share if share > 0.5 => {
            "most of these images are of that class: look at precision and recall, not at the accuracy"
                .to_owned()
        }
        _ => hint(experiment),
    };
    let images = counted(evaluation.num_images, "image", "images");
    let message = format!("all {images} are taken for class {name}: the network tells nothing apart");
    Some(Finding { kind: FindingKind::OneClass, message, hint })
}

/// Returns the fault of a network that never predicts some class with at least [`MIN_IMAGES`]
/// images.
fn find_missing_classes(
    experiment: &Experiment,
    evaluation: &Evaluation,
    num_predicted: &[u64],
    names: &[String],
) -> Option<Finding> {
    let classes = evaluation.classes.iter().zip(num_predicted).enumerate();
    let missing: Vec<usize> = classes
        .filter(|(_, (scores, predicted))| **predicted == 0 && scores.num_images >= MIN_IMAGES)
        .map(|(class, _)| class)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let mut named: Vec<String> = missing.iter().take(MAX_NAMED).map(|&class| names[class].clone()).collect();
    if missing.len() > MAX_NAMED {
        named.push(format!("{} more", missing.len() - MAX_NAMED));
    }
    let list = listed(&named);
    let message = match missing.len() {
        1 => format!("class {list} is never predicted"),
        _ => format!("classes {list} are never predicted"),
    };
    Some(Finding { kind: FindingKind::MissingClasses, message, hint: hint(experiment) })
}

/// Returns the fault of a network whose accuracy a simpler prediction reaches: always the most
/// frequent class or, on MNIST, the network without hidden layers.
fn find_low_accuracy(experiment: &Experiment, evaluation: &Evaluation, is_result: bool) -> Option<Finding> {
    let accuracy = evaluation.accuracy;
    let shares = (0..evaluation.classes.len()).map(|class| share_of(evaluation, class));
    let most_frequent = shares.fold(0.0, f64::max);
    if accuracy <= most_frequent && most_frequent < 1.0 {
        let message = format!(
            "the accuracy of {accuracy:.4} is not above {most_frequent:.4}, which whoever always answers the most frequent \
             class reaches"
        );
        return Some(Finding { kind: FindingKind::BelowMostFrequent, message, hint: hint(experiment) });
    }
    let has_baseline = is_result && experiment.data.source().is_mnist();
    if has_baseline && !experiment.model.hidden.is_empty() && accuracy < SOFTMAX_ON_MNIST {
        let message = format!(
            "the test accuracy of {accuracy:.4} is below the {SOFTMAX_ON_MNIST} of a softmax network without hidden layers"
        );
        return Some(Finding { kind: FindingKind::BelowSoftmax, message, hint: hint(experiment) });
    }
    None
}

/// Fraction of the images that are of `class`, in [0, 1].
fn share_of(evaluation: &Evaluation, class: usize) -> f64 {
    evaluation.classes[class].num_images as f64 / evaluation.num_images as f64
}

/// Returns a likely reason and a remedy. It compares the settings with those that usually work.
fn hint(experiment: &Experiment) -> String {
    let (model, optimizer) = (&experiment.model, &experiment.optimizer);
    if !model.hidden.is_empty() && model.initializer == Initializer::Zeros {
        return "hidden neurons that start alike stay alike: set another `model.initializer` than `zeros`"
            .to_owned();
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
        return format!("a learning rate of {rate_text} is high: lower `optimizer.learning_rate`{dead}");
    }
    if learning_rate < low {
        return format!(
            "a learning rate of {rate_text} is low: raise `optimizer.learning_rate`, or train longer"
        );
    }
    "`smallnet lr-find` suggests a learning rate; more epochs may help, too".to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::Classes;
    use crate::evaluation::{Calibration, ConfusionMatrix};
    use crate::experiment::Override;

    /// Evaluation with this confusion matrix: one row per true class, one column per predicted
    /// class.
    fn evaluation<const N: usize>(counts: [[u64; N]; N]) -> Evaluation {
        let confusion = ConfusionMatrix { counts: counts.iter().map(|row| row.to_vec()).collect() };
        let num_images = counts.iter().flatten().sum::<u64>() as usize;
        Evaluation {
            accuracy: confusion.num_correct() as f64 / num_images as f64,
            loss: 1.0,
            num_images,
            classes: confusion.scores(),
            confusion,
            calibration: Calibration::measure([(0.5, true)].into_iter()),
            top_losses: Vec::new(),
            misclassified: None,
        }
    }

    fn experiment(settings: &[&str]) -> Experiment {
        let settings: Vec<Override> = settings.iter().map(|setting| setting.parse().unwrap()).collect();
        Experiment::from_toml("", "test.toml", &settings).unwrap()
    }

    fn messages(settings: &[&str], evaluation: &Evaluation, is_result: bool) -> Vec<String> {
        let findings = diagnose(
            &experiment(settings),
            evaluation,
            Classes::numbered(evaluation.classes.len()).names(),
            is_result,
        );
        findings.iter().map(|finding| finding.message.clone()).collect()
    }

    #[test]
    fn one_class_for_all() {
        let all = evaluation([[0, 10, 0], [0, 10, 0], [0, 10, 0]]);
        let expected = ["all 30 images are taken for class 1: the network tells nothing apart"];
        assert_eq!(messages(&[], &all, true), expected);
        // It is no fault if all images are of that class. If most images are, the hint says so.
        assert_eq!(messages(&[], &evaluation([[7, 0], [0, 0]]), true), [""; 0]);
        let unbalanced =
            diagnose(&experiment(&[]), &evaluation([[90, 0], [10, 0]]), Classes::numbered(2).names(), true);
        assert!(unbalanced[0].hint.starts_with("most of these images are of that class"), "{unbalanced:?}");
    }

    #[test]
    fn classes_that_are_never_predicted() {
        let one = evaluation([[9, 1, 0], [1, 9, 0], [1, 4, 0]]);
        assert_eq!(messages(&[], &one, true), ["class 2 is never predicted"]);
        let two = evaluation([[9, 1, 0, 0], [1, 9, 0, 0], [0, 5, 0, 0], [6, 0, 0, 0]]);
        assert_eq!(messages(&[], &two, true), ["classes 2 and 3 are never predicted"]);
        // A few images can be misclassified by chance.
        assert_eq!(messages(&[], &evaluation([[9, 1, 0], [1, 9, 0], [1, 3, 0]]), true), [""; 0]);
    }

    #[test]
    fn less_than_the_simplest_answers_reach() {
        let guesses = evaluation([[10, 10], [20, 15]]);
        let expected = [
            "the accuracy of 0.4545 is not above 0.6364, which whoever always answers the most frequent class reaches",
        ];
        assert_eq!(messages(&[], &guesses, true), expected);
        let weak = evaluation([[91, 9], [8, 92]]);
        let expected =
            ["the test accuracy of 0.9150 is below the 0.92 of a softmax network without hidden layers"];
        assert_eq!(messages(&["model.hidden=[5]"], &weak, true), expected);
        // Softmax networks, other data sets and other images have no such baseline.
        assert_eq!(messages(&[], &weak, true), [""; 0]);
        assert_eq!(messages(&["model.hidden=[5]"], &weak, false), [""; 0]);
        assert_eq!(messages(&["model.hidden=[5]", "data.source=folder"], &weak, true), [""; 0]);
        assert_eq!(messages(&["model.hidden=[5]"], &evaluation([[92, 8], [8, 92]]), true), [""; 0]);
    }

    #[test]
    fn hints_follow_from_the_settings() {
        for (settings, expected) in [
            (&["model.hidden=[5]", "model.initializer=zeros"] as &[&str], "hidden neurons that start alike"),
            (
                &["model.hidden=[5]", "optimizer.learning_rate=1"],
                "a learning rate of 1 is high: lower `optimizer.learning_rate`; ReLU",
            ),
            (
                &["model.hidden=[5]", "model.activation=tanh", "optimizer.learning_rate=1"],
                "a learning rate of 1 is high: lower",
            ),
            (&["optimizer.learning_rate=1"], "`smallnet lr-find` suggests"),
            (&["optimizer.learning_rate=1e-4"], "a learning rate of 1e-4 is low: raise"),
            (&["optimizer.kind=adam", "optimizer.learning_rate=0.1"], "a learning rate of 0.1 is high"),
            (&["optimizer.kind=adam"], "`smallnet lr-find` suggests"),
        ] {
            let text = hint(&experiment(settings));
            assert!(text.starts_with(expected), "{settings:?}: {text}");
        }
    }
}
