//! Owns the answer to question 13: the best architecture of the study, compared with the network of
//! question 10 and with the best one that a much longer search found.

use maud::{Markup, html};

use crate::exercise::page::network::formula;
use crate::exercise::page::studies::{answer, best, mean, test_of_winner, value};
use crate::exercise::page::{Answer, ExercisePage, ExerciseRun, ExerciseStudy, Work, plan, quote_path};
use crate::experiment::Experiment;
use crate::experiment::summary::ModelSummary;
use crate::statistics::wilson;
use crate::study::page::equivalence_region;
use crate::study::{ConfigurationResult, Verdict};
use crate::util::format::{counted, grouped, listed};

/// Experiment of the best known dense network. The page repeats the figures in its comments.
const BEST: &str = include_str!("../../../configs/best.toml");
/// Accuracy of the best known network on the 10,000 validation images that it was chosen by, and
/// that of the second best of the ten candidates.
const BEST_VALIDATION: (f64, f64) = (0.9948, 0.9941);
/// Accuracy of the best known network on the test images.
const BEST_TEST: f64 = 0.9944;

/// Network of question 10 with its accuracies.
struct Layer<'a> {
    run: &'a ExerciseRun,
    /// Accuracy on the validation images.
    validation: f64,
    /// Accuracy on the test images.
    test: f64,
}

/// Answers question 13.
pub(super) fn architecture(page: &ExercisePage<'_>, study: &ExerciseStudy<'_>) -> Work<Answer> {
    let summary = study.page.summary;
    let layer = layer(page);
    let Some(best) = best(summary) else {
        let none =
            "No architecture could be trained to the end in all of its trials, so none is best.".to_owned();
        return answer(page, study, none, &html! {});
    };
    let smallest = summary.smallest_with_verdict(Verdict::PracticallyEqual).map(|setting| {
        format!(
            "; the smallest of the Pareto front that is practically equal to it, within {}, has {} and {} weights",
            equivalence_region(summary),
            shape(setting),
            weights(setting)
        )
    });
    let sentence = sentence(study, best, layer.as_ref(), &smallest.unwrap_or_default());
    let explanation = html! {
        p {
            "Wider and deeper networks can represent more, but have more weights to find, take longer, and overfit more easily. Which \
             one is worth it can only be tried. Here all architectures are trained with the same settings, from "
            (counted(study.page.study.seeds.len(), "seed", "different seeds")) ": other initial weights, another order, other images \
             held out. “hidden 64-64” has two hidden layers of 64 neurons: two more " code { "Dense" } " or " code { "nn.Linear" }
            " layers."
        }
        @if let Some(winner) = study.page.best_model.map(plan) {
            p { "The weights of the best of them: " (formula(&winner)) "." }
        }
        p {
            "In the drawing against the weights, look for the size from which on more weights bring little or nothing. The \
             Pareto front connects the networks that no smaller one beats; whatever lies below it is larger than it need be."
        }
        @if page.is_mnist() { (with_more_time(page)?) }
    };
    let mut answer = answer(page, study, sentence, &explanation)?;
    answer.commands.extend(page.is_mnist().then(|| format!("train {}", quote_path(page.files[3]))));
    Ok(answer)
}

/// Returns the network of question 10, or none if it has no validation accuracy to be compared by.
fn layer<'a>(page: &ExercisePage<'a>) -> Option<Layer<'a>> {
    let run = page.hidden.as_ref().ok()?;
    let validation = run.records.epochs.last()?.validation_accuracy?;
    Some(Layer { run, validation, test: run.test().ok()?.accuracy })
}

/// Names the best network of all that were trained here, by the validation images. The test images
/// choose nothing.
fn sentence(
    study: &ExerciseStudy<'_>,
    best: &ConfigurationResult,
    layer: Option<&Layer<'_>>,
    smallest: &str,
) -> String {
    let of_study = format!(
        "{} and {} weights, with a mean validation accuracy of {}{}{smallest}",
        shape(best),
        weights(best),
        mean(best),
        test_of_winner(study)
    );
    let Some(Layer { run, validation, test }) = layer else {
        return format!("The best of those compared has {of_study}.");
    };
    let records = &run.records;
    let widths: Vec<_> = records.experiment.model.hidden.iter().map(usize::to_string).collect();
    let (widths, size) = (layers_of(&widths), grouped(plan(records).num_parameters));
    let epochs = |number: usize| counted(number, "epoch", "epochs");
    let of_layer = format!("{validation:.4} on its images held out and {test:.4} on the test images");
    if *validation > best.mean.unwrap_or(0.0) {
        return format!(
            "The best network found here is question 10's, with {widths} and {size} weights: after {} it reaches {of_layer}. Of the \
             architectures compared for {} each, the best has {of_study}.",
            epochs(records.epochs.len()),
            epochs(study.page.study.base.training.num_epochs)
        );
    }
    format!(
        "The best network found here has {of_study}. Question 10's network, with {widths} and {size} weights, had reached {of_layer}."
    )
}

/// Describes the networks that a longer search found. It says that they were not measured for this
/// page.
fn with_more_time(page: &ExercisePage<'_>) -> Work<Markup> {
    let experiment = Experiment::from_toml(BEST, "best.toml", &[])?;
    let plan = ModelSummary::new(&experiment, page.layout, page.train.len());
    let widths: Vec<_> = experiment.model.hidden.iter().map(usize::to_string).collect();
    let (chosen, next) = BEST_VALIDATION;
    let (low, high) = wilson(chosen, 10_000);
    Ok(html! {
        h3 { "With more time" }
        p {
            "These numbers were not measured for this page. " code { (page.files[3].display()) } " is the best dense network that ten \
             minutes on two cores gave when smallnet was made: " (layers_of(&widths)) ", " (grouped(plan.num_parameters)) " weights, \
             trained for " (counted(experiment.training.num_epochs, "epoch", "epochs")) " with images that are changed in every epoch. \
             With seed " (experiment.seed) " it recognises " (format!("{BEST_TEST:.4}")) " of the test images. Ten trainings were \
             compared for it on 10,000 images held out. It won with " (format!("{chosen:.4}")) ", the next had "
            (format!("{next:.4}")) ": a margin of " (margin(chosen - next)) ". The choice of these images alone \
             moves such a number between " (format!("{low:.4}")) " and " (format!("{high:.4}")) " (Wilson's interval, 95 %), so it is one \
             of the best of the ten, and not surely the best."
        }
    })
}

/// Formats a difference of accuracies as `0.02 percentage points, 2 of 10,000 images`.
fn margin(difference: f64) -> String {
    let images = (difference * 10_000.0).round() as usize;
    format!("{}, {}", crate::util::format::points(difference), counted(images, "image", "images"))
}

/// Describes the hidden layers of a configuration: `one hidden layer of 128 neurons`.
fn shape(setting: &ConfigurationResult) -> String {
    let value = value(Some(setting), "model.hidden");
    let widths: Vec<String> = value
        .trim_matches(['[', ']'])
        .split(", ")
        .filter(|width| !width.is_empty())
        .map(str::to_owned)
        .collect();
    layers_of(&widths)
}

/// Describes hidden layers of these widths.
fn layers_of(widths: &[String]) -> String {
    match widths {
        [] => "no hidden layer".to_owned(),
        [one] => format!("one hidden layer of {one} neurons"),
        more => format!("hidden layers of {} neurons", listed(more)),
    }
}

/// Formats the number of parameters of a configuration.
fn weights(setting: &ConfigurationResult) -> String {
    setting.num_parameters.map_or_else(|| "–".to_owned(), grouped)
}

#[cfg(test)]
mod tests;
