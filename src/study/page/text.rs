//! What a study found, in sentences made of its numbers.

use crate::run::RunRecords;
use crate::study::page::StudyPage;
use crate::study::{Basis, ConfigurationResult, Instability, StudySummary, Verdict};
use crate::util::format::{counted, grouped, listed, percent, significant};

/// What was tried, on what.
pub(super) fn subtitle(page: &StudyPage<'_>) -> String {
    let study = page.study;
    let settings = counted(page.plan.settings.len(), "setting", "settings");
    let folds =
        if study.folds > 0 { format!(", {}-fold cross-validation", study.folds) } else { String::new() };
    let seeds = match study.seeds.len() {
        1 => String::new(),
        seeds => format!(", {seeds} seeds"),
    };
    format!("A study of {settings}{folds}{seeds} on {}", study.base.data.source)
}

/// So many settings are named in a sentence.
const MAX_NAMED: usize = 5;

/// Which setting is best, what is probable of the others, and which are unstable or did not finish.
pub fn conclusions(summary: &StudySummary) -> Vec<String> {
    let diverged = diverged(summary);
    let missing = summary.settings.iter().filter(|setting| setting.num_missing > 0).count();
    let Some(best) = summary.best.map(|best| &summary.settings[best]) else {
        let none =
            "No setting has been trained to the end in all of its trials: there is no best one.".to_owned();
        return [none].into_iter().chain(diverged).collect();
    };
    let mut sentences = Vec::new();
    if missing > 0 {
        let settings = counted(missing, "setting is", "settings are");
        sentences.push(format!("{settings} not ranked yet: trials failed or have not been run."));
    }
    sentences.push(match (summary.settings.len(), missing) {
        (1, _) => format!("The one setting, {}, has {}.", best.setting.name(), of_mean(best)),
        (_, 0) => format!("The best setting is {}: {}.", best.setting.name(), of_mean(best)),
        _ => format!("The best setting so far is {}: {}.", best.setting.name(), of_mean(best)),
    });
    let region = region(summary);
    for (conclusions, start) in [
        (Verdict::PracticallyEqual, format!("Practically equal to it, within {region}: ")),
        (
            Verdict::Undecided,
            format!("Undecided, with the probability of being worse by more than {region}: "),
        ),
        (Verdict::ProbablyWorse, format!("Probably worse by more than {region}: ")),
    ] {
        let settings = summary.of_verdict(conclusions);
        if !settings.is_empty() {
            sentences.push(format!("{start}{}.", named(&settings)));
        }
    }
    sentences.extend(of_images(summary));
    sentences.extend(unstable(summary));
    sentences.extend(diverged);
    sentences
}

/// Half the width of the region of practical equivalence: `0.5 percentage points`.
pub(crate) fn region(summary: &StudySummary) -> String {
    match significant(100.0 * summary.equivalence).as_str() {
        "1" => "1 percentage point".to_owned(),
        points => format!("{points} percentage points"),
    }
}

/// The probability that a verdict rests on; of an undecided setting, that of being worse.
fn probability(setting: &ConfigurationResult) -> Option<f64> {
    let comparison = setting.comparison?;
    Some(match comparison.verdict {
        Verdict::PracticallyEqual => comparison.probabilities.equal,
        Verdict::ProbablyWorse | Verdict::Undecided => comparison.probabilities.worse,
    })
}

/// Settings with their probabilities; of many, the nearest to the best.
fn named(settings: &[&ConfigurationResult]) -> String {
    let name = |setting: &&ConfigurationResult| {
        format!("{} ({})", setting.setting.name(), percent(probability(setting).unwrap_or(f64::NAN)))
    };
    let names: Vec<String> = settings.iter().take(MAX_NAMED).map(name).collect();
    match settings.len().saturating_sub(MAX_NAMED) {
        0 => listed(&names),
        more => {
            let least = settings.iter().filter_map(|setting| probability(setting)).fold(1.0, f64::min);
            format!("{}, and {more} further behind (all with {} or more)", names.join(", "), percent(least))
        }
    }
}

/// A verdict with its probability for a cell of a table: `worse 99.3 %`.
pub(super) fn cell(summary: &StudySummary, index: usize) -> String {
    let setting = &summary.settings[index];
    let mut words = Vec::new();
    words.extend(setting.unstable.map(|_| "unstable".to_owned()));
    words.extend(setting.comparison.map(|comparison| {
        let percent = percent(probability(setting).unwrap_or(f64::NAN));
        match comparison.verdict {
            Verdict::PracticallyEqual => format!("equal {percent}"),
            Verdict::ProbablyWorse => format!("worse {percent}"),
            Verdict::Undecided if words.is_empty() => format!("undecided, worse {percent}"),
            Verdict::Undecided => format!("worse {percent}"),
        }
    }));
    words.extend((summary.best == Some(index)).then(|| "best".to_owned()));
    if words.is_empty() { "–".to_owned() } else { words.join(", ") }
}

/// What is probable of the others, as a part of a sentence about the best: `practically equal: 0.64; undecided: 0.16 and
/// 1.28; the others are probably worse`. `name` is what a setting is called; empty where there are no others.
#[cfg(feature = "exercise")]
pub(crate) fn beside_best(summary: &StudySummary, name: impl Fn(&ConfigurationResult) -> String) -> String {
    let mut parts = Vec::new();
    for (conclusions, word) in
        [(Verdict::PracticallyEqual, "practically equal"), (Verdict::Undecided, "undecided")]
    {
        let names: Vec<String> = summary.of_verdict(conclusions).into_iter().map(&name).collect();
        if !names.is_empty() {
            parts.push(format!("{word}: {}", listed(&names)));
        }
    }
    match (summary.of_verdict(Verdict::ProbablyWorse).len(), parts.is_empty()) {
        (0, _) => {}
        (1, _) => parts.push("the other is probably worse".to_owned()),
        (_, true) => parts.push("all others are probably worse".to_owned()),
        (_, false) => parts.push("the others are probably worse".to_owned()),
    }
    parts.join("; ")
}

/// What the probabilities are of where the trials cannot be asked.
fn of_images(summary: &StudySummary) -> Option<String> {
    let comparisons: Vec<_> = summary.settings.iter().filter_map(|setting| setting.comparison).collect();
    let number = comparisons.iter().filter(|comparison| comparison.basis == Basis::Images).count();
    let single = summary.settings.iter().all(|setting| setting.num_finished <= 1);
    match (number, single) {
        (0, _) => None,
        (_, true) => Some(
            "Each setting was trained once: the probabilities follow from the number of images alone, and say nothing of \
             another seed. Several `seeds` or `folds` in the study file would."
                .to_owned(),
        ),
        (number, false) => Some(format!(
            "{} the same amount behind the best in every trial: there the probabilities follow from the number of images \
             alone.",
            counted(number, "setting is", "settings are")
        )),
    }
}

fn unstable(summary: &StudySummary) -> Option<String> {
    let name = |setting: &ConfigurationResult| {
        let Some(Instability::Spread { times }) = setting.unstable else { return None };
        let (low, high) = setting.range?;
        let times = times.map_or_else(String::new, |times| {
            format!(", {} times the best one’s standard deviation", significant(times))
        });
        Some(format!("{} (from {low:.4} to {high:.4}{times})", setting.setting.name()))
    };
    let names: Vec<String> = summary.settings.iter().filter_map(name).collect();
    (!names.is_empty()).then(|| {
        let their = if names.len() == 1 { "its" } else { "their" };
        format!("Unstable, for {their} trials lie far apart: {}.", listed(&names))
    })
}

fn diverged(summary: &StudySummary) -> Option<String> {
    let diverged: Vec<String> = summary
        .settings
        .iter()
        .filter(|setting| setting.num_diverged > 0)
        .map(|setting| {
            format!("{} ({} of {})", setting.setting.name(), setting.num_diverged, num_trials(setting))
        })
        .collect();
    let names = listed(&diverged);
    (!diverged.is_empty()).then(|| format!("Diverged, the loss no longer being a number: {names}."))
}

fn num_trials(setting: &ConfigurationResult) -> usize {
    setting.num_finished + setting.num_diverged + setting.num_missing
}

fn of_mean(best: &ConfigurationResult) -> String {
    let mean = best.mean.unwrap_or(f64::NAN);
    match (best.num_finished, best.interval) {
        (1, Some((low, high))) => {
            format!(
                "validation accuracy {mean:.4} (95 % interval {low:.4} to {high:.4}, of the choice of images alone)"
            )
        }
        (n, Some((low, high))) => {
            format!(
                "mean validation accuracy {mean:.4} over {n} trials (95 % interval {low:.4} to {high:.4})"
            )
        }
        (_, None) => format!("validation accuracy {mean:.4}"),
    }
}

/// What the best setting gave on the test images, if it has been tested.
pub fn test_sentence(winner: &RunRecords) -> Option<String> {
    let result = winner.summary.as_ref()?;
    let tested = winner.test.as_ref().map_or(0, |test| test.evaluation.num_images);
    Some(format!(
        "Trained once with all {} training images for {} and tested once on {} test images: accuracy {:.4}, loss {}, {} \
         weights.",
        grouped(winner.info.data.num_train),
        counted(result.num_epochs, "epoch", "epochs"),
        grouped(tested),
        result.test_accuracy,
        crate::util::format::loss(result.test_loss),
        grouped(result.num_parameters)
    ))
}
