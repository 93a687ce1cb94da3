//! Owns the sentences about the results of a study, for its page and for the terminal. Depends on
//! the study's summary. Must not write HTML or print.

use crate::run::RunRecords;
use crate::study::page::StudyPage;
use crate::study::{
    Basis, ConfigurationResult, EpochChoice, Instability, Measure, RungResult, StudySummary, Verdict,
};
use crate::util::format::{counted, grouped, listed, percent, significant};

/// Sentence about the size of the study and its data.
pub(super) fn subtitle(page: &StudyPage<'_>) -> String {
    let study = page.study;
    let configurations = counted(page.plan.configurations.len(), "configuration", "configurations");
    let folds =
        if study.folds > 0 { format!(", {}-fold cross-validation", study.folds) } else { String::new() };
    let seeds = match study.seeds.len() {
        1 => String::new(),
        seeds => format!(", {seeds} seeds"),
    };
    format!("A study of {configurations}{folds}{seeds} on {}", study.base.data.source)
}

/// Most configurations that a sentence names.
const MAX_NAMED: usize = 5;

/// Sentences about the best configuration, the verdicts on the others, and those that are unstable
/// or did not finish.
pub fn conclusions(summary: &StudySummary) -> Vec<String> {
    let diverged = diverged_sentence(summary);
    let missing = summary.configurations.iter().filter(|result| result.num_missing > 0).count();
    let Some(best) = summary.best.map(|best| &summary.configurations[best]) else {
        let none = "No configuration has been trained to the end in all of its trials: there is no best one."
            .to_owned();
        return halving_sentence(summary).into_iter().chain([none]).chain(diverged).collect();
    };
    let measure = summary.measure;
    let mut sentences: Vec<String> = halving_sentence(summary).into_iter().collect();
    if missing > 0 {
        let configurations = counted(missing, "configuration is", "configurations are");
        sentences.push(format!("{configurations} not ranked yet: trials failed or have not been run."));
    }
    sentences.push(match (summary.configurations.len(), missing) {
        (1, _) => {
            format!(
                "The one configuration, {}, has {}.",
                best.configuration.name(),
                describe_mean(best, measure)
            )
        }
        (_, 0) => {
            format!(
                "The best configuration is {}: {}.",
                best.configuration.name(),
                describe_mean(best, measure)
            )
        }
        _ => format!(
            "The best configuration so far is {}: {}.",
            best.configuration.name(),
            describe_mean(best, measure)
        ),
    });
    sentences.extend(measure_sentence(summary));
    sentences.extend(summary.epoch_choice.map(epoch_choice_sentence));
    let region = equivalence_region(summary);
    for (verdict, start) in [
        (Verdict::PracticallyEqual, format!("Practically equal to it, within {region}: ")),
        (
            Verdict::Undecided,
            format!("Undecided, with the probability of being worse by more than {region}: "),
        ),
        (Verdict::ProbablyWorse, format!("Probably worse by more than {region}: ")),
    ] {
        let configurations = summary.with_verdict(verdict);
        if !configurations.is_empty() {
            sentences.push(format!("{start}{}.", list_with_probabilities(&configurations)));
        }
    }
    sentences.extend(note_on_images(summary));
    sentences.extend(unstable_sentence(summary));
    sentences.extend(diverged);
    sentences
}

/// Sentence about the rungs of successive halving: how many configurations were judged after how many
/// epochs. `None` without halving.
fn halving_sentence(summary: &StudySummary) -> Option<String> {
    let rungs = summary.halving.as_ref()?;
    let judged: Vec<_> = rungs.iter().filter(|rung| rung.judged).collect();
    let of_rung = |(index, rung): (usize, &&RungResult)| {
        let who = match index {
            0 => counted(rung.configurations, "configuration", "configurations"),
            _ => format!("the best {} of them", grouped(rung.configurations)),
        };
        format!("{who} after {}", counted(rung.epochs, "epoch", "epochs"))
    };
    let parts: Vec<String> = judged.iter().enumerate().map(of_rung).collect();
    let last = rungs.last()?;
    Some(match (judged.len() == rungs.len(), parts.is_empty()) {
        (true, _) => format!(
            "Successive halving judged {}, each by the mean over all of its trials. Only those of the last rung are \
             compared: the figures of the others are of fewer epochs.",
            listed(&parts)
        ),
        (false, false) => format!(
            "Successive halving has judged {} so far; those of the last rung, after {}, are compared.",
            listed(&parts),
            counted(last.epochs, "epoch", "epochs")
        ),
        (false, true) => "Successive halving has not judged its first rung yet.".to_owned(),
    })
}

/// Sentence about the measure that the configurations are ranked by. `None` if it is the accuracy,
/// and the classes are balanced.
fn measure_sentence(summary: &StudySummary) -> Option<String> {
    match (summary.measure, summary.is_unbalanced) {
        (Measure::BalancedAccuracy, _) => Some(
            "Chosen by the balanced accuracy, the mean recall of the classes; intervals and verdicts are about it."
                .to_owned(),
        ),
        (Measure::Accuracy, true) => Some(
            "The classes are unbalanced, and the accuracy chose: `choose = \"balanced_accuracy\"` in the study file \
             makes each class count the same."
                .to_owned(),
        ),
        (Measure::Accuracy, false) => None,
    }
}

/// Sentence about the images that chose the epochs.
fn epoch_choice_sentence(choice: EpochChoice) -> String {
    let too_high =
        "The validation images chose the epochs that they judge, so the values are on average too high";
    match choice {
        EpochChoice::StoppingImages { num_images } => format!(
            "Early stopping chose each epoch by {} held out of the training images; the validation images had no \
             part in it.",
            counted(num_images, "image", "images")
        ),
        EpochChoice::ValidationImages => {
            format!("{too_high}: `stopping_share = 0.1` in the study file holds other images out for that.")
        }
        EpochChoice::TooFewImages => {
            format!("{too_high}: there are too few training images to hold some out for early stopping.")
        }
    }
}

/// Formats half the width of the region of practical equivalence, such as `0.5 percentage points`.
pub(crate) fn equivalence_region(summary: &StudySummary) -> String {
    match significant(100.0 * summary.equivalence).as_str() {
        "1" => "1 percentage point".to_owned(),
        points => format!("{points} percentage points"),
    }
}

/// Probability that belongs to the verdict. For an undecided configuration, it is the probability
/// that the configuration is worse.
fn probability(result: &ConfigurationResult) -> Option<f64> {
    let comparison = result.comparison?;
    Some(match comparison.verdict {
        Verdict::PracticallyEqual => comparison.probabilities.equal,
        Verdict::ProbablyWorse | Verdict::Undecided => comparison.probabilities.worse,
    })
}

/// Lists configurations with their probabilities. Of many, it names those with the highest means.
fn list_with_probabilities(configurations: &[&ConfigurationResult]) -> String {
    let name = |result: &&ConfigurationResult| {
        format!("{} ({})", result.configuration.name(), percent(probability(result).unwrap_or(f64::NAN)))
    };
    let names: Vec<String> = configurations.iter().take(MAX_NAMED).map(name).collect();
    match configurations.len().saturating_sub(MAX_NAMED) {
        0 => listed(&names),
        more => {
            let least = configurations.iter().filter_map(|result| probability(result)).fold(1.0, f64::min);
            format!("{}, and {more} with lower means (all with {} or more)", names.join(", "), percent(least))
        }
    }
}

/// Cell of a table with the verdict on the configuration `index` and its probability, such as
/// `worse 99.3 %`.
pub(super) fn verdict_cell(summary: &StudySummary, index: usize) -> String {
    let result = &summary.configurations[index];
    let mut words = Vec::new();
    words.extend(result.instability.map(|_| "unstable".to_owned()));
    words.extend(result.comparison.map(|comparison| {
        let percent = percent(probability(result).unwrap_or(f64::NAN));
        match comparison.verdict {
            Verdict::PracticallyEqual => format!("equal {percent}"),
            Verdict::ProbablyWorse => format!("worse {percent}"),
            Verdict::Undecided if words.is_empty() => format!("undecided, worse {percent}"),
            Verdict::Undecided => format!("worse {percent}"),
        }
    }));
    words.extend((summary.best == Some(index)).then(|| "best".to_owned()));
    words.extend(result.stopped_after.filter(|_| result.is_finished()).map(|_| "stopped".to_owned()));
    if words.is_empty() { "–".to_owned() } else { words.join(", ") }
}

/// Part of a sentence about how the others compare with the best, such as `practically equal: 0.64;
/// undecided: 0.16 and 1.28; the others are probably worse`. `name` names a configuration. Empty
/// where there are no others.
#[cfg(feature = "exercise")]
pub(crate) fn compare_with_best(
    summary: &StudySummary,
    name: impl Fn(&ConfigurationResult) -> String,
) -> String {
    let mut parts = Vec::new();
    for (verdict, word) in
        [(Verdict::PracticallyEqual, "practically equal"), (Verdict::Undecided, "undecided")]
    {
        let names: Vec<String> = summary.with_verdict(verdict).into_iter().map(&name).collect();
        if !names.is_empty() {
            parts.push(format!("{word}: {}", listed(&names)));
        }
    }
    match (summary.with_verdict(Verdict::ProbablyWorse).len(), parts.is_empty()) {
        (0, _) => {}
        (1, _) => parts.push("the other is probably worse".to_owned()),
        (_, true) => parts.push("all others are probably worse".to_owned()),
        (_, false) => parts.push("the others are probably worse".to_owned()),
    }
    parts.join("; ")
}

/// Explains probabilities that follow from the number of images. They do so where the differences
/// between trials do not spread. `None` where there are none.
fn note_on_images(summary: &StudySummary) -> Option<String> {
    let comparisons: Vec<_> = summary.configurations.iter().filter_map(|result| result.comparison).collect();
    let number = comparisons.iter().filter(|comparison| comparison.basis == Basis::Images).count();
    let single = summary.configurations.iter().all(|result| result.num_finished <= 1);
    match (number, single) {
        (0, _) => None,
        (_, true) => Some(
            "Each configuration was trained once: the probabilities follow from the number of images alone, and say nothing of \
             another seed. Several `seeds` or `folds` in the study file would."
                .to_owned(),
        ),
        (number, false) => Some(format!(
            "{} below the best by the same amount in every trial: there the probabilities follow from the number of images \
             alone.",
            counted(number, "configuration is", "configurations are")
        )),
    }
}

/// Sentence that names the configurations with a large spread of accuracies. `None` if there are
/// none.
fn unstable_sentence(summary: &StudySummary) -> Option<String> {
    let name = |result: &ConfigurationResult| {
        let Some(Instability::Spread { ratio }) = result.instability else { return None };
        let (low, high) = result.range?;
        let ratio = ratio.map_or_else(String::new, |ratio| {
            format!(", {} times the best one’s standard deviation", significant(ratio))
        });
        Some(format!("{} (from {low:.4} to {high:.4}{ratio})", result.configuration.name()))
    };
    let names: Vec<String> = summary.configurations.iter().filter_map(name).collect();
    (!names.is_empty()).then(|| {
        let their = if names.len() == 1 { "its" } else { "their" };
        format!("Unstable, for {their} trials lie far apart: {}.", listed(&names))
    })
}

/// Sentence that names the configurations with diverged trials. `None` if there are none.
fn diverged_sentence(summary: &StudySummary) -> Option<String> {
    let diverged: Vec<String> = summary
        .configurations
        .iter()
        .filter(|result| result.num_diverged > 0)
        .map(|result| {
            format!("{} ({} of {})", result.configuration.name(), result.num_diverged, num_trials(result))
        })
        .collect();
    let names = listed(&diverged);
    (!diverged.is_empty()).then(|| format!("Diverged, the loss no longer being a number: {names}."))
}

/// Number of all trials of a configuration.
fn num_trials(result: &ConfigurationResult) -> usize {
    result.num_finished + result.num_diverged + result.num_missing
}

/// Part of a sentence with the mean of `measure` on the validation images and its interval.
fn describe_mean(best: &ConfigurationResult, measure: Measure) -> String {
    let (mean, name) = (best.mean.unwrap_or(f64::NAN), measure.name());
    match (best.num_finished, best.interval) {
        (1, Some((low, high))) => {
            format!(
                "validation {name} {mean:.4} (95 % interval {low:.4} to {high:.4}, of the choice of images alone)"
            )
        }
        (n, Some((low, high))) => {
            format!("mean validation {name} {mean:.4} over {n} trials (95 % interval {low:.4} to {high:.4})")
        }
        (_, None) => format!("validation {name} {mean:.4}"),
    }
}

/// Sentence about the best model on the test images. `None` if it has no result yet.
pub fn test_sentence(best_model: &RunRecords) -> Option<String> {
    let result = best_model.summary.as_ref()?;
    let test = match result.test_accuracy.zip(result.test_loss) {
        Some((accuracy, loss)) => format!(
            "tested once on {} test images: accuracy {accuracy:.4}, loss {}",
            grouped(best_model.test.as_ref().map_or(0, |test| test.evaluation.num_images)),
            crate::util::format::loss(loss)
        ),
        None if best_model.info.skips_test => "not tested (--no-test)".to_owned(),
        None => "not tested, since there are no labelled test images".to_owned(),
    };
    Some(format!(
        "Trained once with all {} training images for {} and {test}, {} parameters.",
        grouped(best_model.info.data.num_train),
        counted(result.num_epochs, "epoch", "epochs"),
        grouped(result.num_parameters)
    ))
}
