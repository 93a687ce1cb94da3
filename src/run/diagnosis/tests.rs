//! Tests of the diagnosis by predictions, with confusion matrices by hand.
#![allow(clippy::unwrap_used)]

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
    let hint = |evaluation: &Evaluation, settings: &[&str]| {
        let names = Classes::numbered(evaluation.classes.len());
        diagnose(&experiment(settings), evaluation, names.names(), true)[0].hint.clone()
    };
    // Here the two other classes are learned: the learning rate is not the reason.
    let rare = evaluation([[95, 0, 0], [0, 95, 0], [4, 3, 0]]);
    assert!(hint(&rare, &["optimizer.learning_rate=9"]).starts_with("the other classes are learned"));
    assert!(hint(&rare, &["model.hidden=[2]", "model.initializer=zeros"]).starts_with("hidden neurons"));
    let bad = evaluation([[5, 5, 0], [5, 5, 0], [4, 3, 0]]);
    assert!(hint(&bad, &["optimizer.learning_rate=9"]).starts_with("a learning rate of 9 is high"));
    // A few images can be misclassified by chance.
    assert_eq!(messages(&[], &evaluation([[9, 1, 0], [1, 9, 0], [1, 3, 0]]), true), [""; 0]);
}

#[test]
fn the_loss_of_guessing_is_named() {
    let guessing = |counts, loss| Evaluation { loss, ..evaluation(counts) };
    let all = guessing([[0, 10, 0], [0, 10, 0], [0, 10, 0]], 1.1);
    let expected =
        ["all 30 images are taken for class 1: the network tells nothing apart; its loss of 1.1000 is that \
                     of guessing (ln 3 = 1.099)"];
    assert_eq!(messages(&[], &all, true), expected);
    let some = [[4, 3, 3], [3, 4, 3], [3, 4, 3]];
    let expected = [
        "the accuracy of 0.3667 is hardly above 0.3333, the share of the most frequent class, and the loss \
                     of 1.0900 is that of guessing (ln 3 = 1.099)",
    ];
    assert_eq!(messages(&[], &guessing(some, 1.09), true), expected);
    assert_eq!(messages(&[], &guessing(some, 0.9), true), [""; 0]);
    assert_eq!(messages(&[], &guessing([[6, 2, 2], [2, 6, 2], [2, 2, 6]], 1.09), true), [""; 0]);
}

#[test]
fn hidden_layers_that_start_from_zeros_are_always_named() {
    let good = evaluation([[9, 1], [1, 9]]);
    let kinds = |settings: &[&str], evaluation: &Evaluation| {
        let names = Classes::numbered(evaluation.classes.len());
        let findings = diagnose(&experiment(settings), evaluation, names.names(), false);
        findings.iter().map(|finding| finding.kind).collect::<Vec<_>>()
    };
    let zeros = ["model.hidden=[5]", "model.initializer=zeros"];
    assert_eq!(kinds(&zeros, &good), [FindingKind::ZeroWeights]);
    assert_eq!(kinds(&[zeros[0], zeros[1], "model.dropout=0.5"], &good), []);
    // A softmax network learns from zeros.
    assert_eq!(kinds(&zeros[1..], &good), []);
    // One finding says it, also where most images are of the predicted class.
    let one_class = evaluation([[90, 0], [10, 0]]);
    assert_eq!(kinds(&zeros, &one_class), [FindingKind::OneClass]);
    let names = Classes::numbered(2);
    assert_eq!(diagnose(&experiment(&zeros), &one_class, names.names(), true)[0].hint, ZEROS_HINT);
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
            "a learning rate of 1 is high: lower `optimizer.learning_rate`, `smallnet lr-find` suggests another; ReLU",
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
