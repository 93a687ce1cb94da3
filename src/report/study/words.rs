//! What a study found, in sentences made of its numbers.

use super::StudyPage;
use crate::number::{counted, grouped};
use crate::run::Records;
use crate::study::{SettingResult, Standing, Summary};

/// How the table is to be read.
pub(super) const NOTE: &str = "Accuracy: the mean over the trials, on images that they did not learn from. Interval: Student's t \
     with the correction for trials that share images to learn from (Nadeau and Bengio 2003); for a single trial Wilson's interval, \
     which knows nothing of other seeds. Settings are compared with the best trial by trial, each comparison by itself at 95 %; \
     where the interval of the difference contains 0, the data cannot tell them apart. The test images had no part in any of this.";

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

/// Which setting is best, which cannot be told from it, and which are worse or did not finish.
pub fn verdict(summary: &Summary) -> Vec<String> {
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
    sentences.extend(not_told_apart(summary));
    sentences.extend(worse(summary));
    sentences.extend(diverged);
    sentences
}

fn not_told_apart(summary: &Summary) -> Option<String> {
    let mut settings: Vec<&SettingResult> = summary.not_worse().collect();
    let number = settings.len();
    if number > MAX_NAMED {
        settings.sort_by(|a, b| b.mean.unwrap_or(0.0).total_cmp(&a.mean.unwrap_or(0.0)));
        settings.truncate(MAX_NAMED);
    }
    let name = |setting: &&SettingResult| {
        format!("{} ({:.4})", setting.setting.name(), setting.mean.unwrap_or(f64::NAN))
    };
    let names = listed(&settings.iter().map(name).collect::<Vec<_>>());
    match number {
        0 => None,
        number if number > MAX_NAMED => {
            Some(format!("The data cannot tell it from {number} others; the nearest are {names}."))
        }
        _ => Some(format!("The data cannot tell it from {names}.")),
    }
}

fn worse(summary: &Summary) -> Option<String> {
    let is_worse = |setting: &&SettingResult| matches!(setting.standing, Standing::Worse(_));
    let number = summary.settings.iter().filter(is_worse).count();
    match (number + 1 == summary.settings.len(), number) {
        (_, 0) => None,
        (true, 1) => Some("The other one is worse.".to_owned()),
        (true, _) => Some(format!("All {number} others are worse.")),
        (false, 1) => Some("One other is worse.".to_owned()),
        (false, _) => Some(format!("{number} others are worse.")),
    }
}

fn diverged(summary: &Summary) -> Option<String> {
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

fn num_trials(setting: &SettingResult) -> usize {
    setting.num_finished + setting.num_diverged + setting.num_missing
}

fn of_mean(best: &SettingResult) -> String {
    let mean = best.mean.unwrap_or(f64::NAN);
    match (best.num_finished, best.interval) {
        (1, Some((low, high))) => {
            format!("validation accuracy {mean:.4} (95 % interval of the images {low:.4} to {high:.4})")
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
pub fn chosen(winner: &Records) -> Option<String> {
    let result = winner.summary.as_ref()?;
    let tested = winner.test.as_ref().map_or(0, |test| test.evaluation.num_images);
    Some(format!(
        "Trained once with all {} training images for {} and tested once on {} test images: accuracy {:.4}, loss {}, {} \
         weights.",
        grouped(winner.info.data.num_train),
        counted(result.num_epochs, "epoch", "epochs"),
        grouped(tested),
        result.test_accuracy,
        crate::number::loss(result.test_loss),
        grouped(result.num_parameters)
    ))
}

/// `a`, `a and b`, `a, b and c`.
pub(in crate::report) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
