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

/// Which setting is best, which cannot be told from it, and which are worse or did not finish.
pub fn verdict(summary: &Summary) -> Vec<String> {
    let Some(best) = summary.best.map(|best| &summary.settings[best]) else {
        return vec![
            "No setting has been trained to the end in all of its trials: there is no best one.".to_owned(),
        ];
    };
    let mut sentences = vec![format!("The best setting is {}: {}.", best.setting.name(), of_mean(best))];
    let not_worse: Vec<String> = summary
        .not_worse()
        .map(|setting| format!("{} ({:.4})", setting.setting.name(), setting.mean.unwrap_or(f64::NAN)))
        .collect();
    let num_worse =
        summary.settings.iter().filter(|setting| matches!(setting.standing, Standing::Worse(_))).count();
    let others = summary.settings.len() - 1;
    if !not_worse.is_empty() {
        sentences.push(format!("The data cannot tell it from {}.", listed(&not_worse)));
    }
    if num_worse > 0 {
        sentences.push(match (num_worse == others, num_worse) {
            (true, 1) => "The other one is worse.".to_owned(),
            (true, _) => format!("All {num_worse} others are worse."),
            (false, 1) => "One other is worse.".to_owned(),
            (false, _) => format!("{num_worse} others are worse."),
        });
    }
    let diverged: Vec<String> = summary
        .settings
        .iter()
        .filter(|setting| setting.num_diverged > 0)
        .map(|setting| {
            format!("{} ({} of {})", setting.setting.name(), setting.num_diverged, num_trials(setting))
        })
        .collect();
    if !diverged.is_empty() {
        sentences.push(format!("Diverged, the loss no longer being a number: {}.", listed(&diverged)));
    }
    sentences
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
                "mean validation accuracy {mean:.4} over {n} trials (95 % interval {low:.4} to {:.4})",
                high.min(1.0)
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
        "Trained once with all {} training images and tested once on {} test images: accuracy {:.4}, loss {}, {} weights.",
        grouped(winner.info.data.num_train),
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
