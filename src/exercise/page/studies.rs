//! Owns the answers to questions 11 and 12, about the learning rate, and the parts that the answers
//! of all studies share.

use maud::{Markup, html};

use crate::exercise::page::{Answer, ExercisePage, ExerciseStudy, Work, quote_path};
use crate::study::page::{compare_with_best, findings, reading_note};
use crate::study::{ConfigurationResult, StudySummary, TrialRecord};
use crate::training::EpochRecord;
use crate::util::format::{counted, grouped, seconds, significant};

/// Key of the learning rate.
const LEARNING_RATE: &str = "optimizer.learning_rate";

/// Answers question 11.
pub(super) fn learning_rate(page: &ExercisePage<'_>, study: &ExerciseStudy<'_>) -> Work<Answer> {
    let summary = study.page.summary;
    let sentence = with_best(summary, |best| {
        let worst = lowest(summary);
        format!(
            "Of {} rates from {} to {}, {} gives the highest validation accuracy, {}{}; {} gives the lowest, {}.",
            summary.configurations.len(),
            value(summary.configurations.first(), LEARNING_RATE),
            value(summary.configurations.last(), LEARNING_RATE),
            value(Some(best), LEARNING_RATE),
            mean(best),
            others_beside_best(summary, LEARNING_RATE),
            value(worst, LEARNING_RATE),
            worst.map_or_else(|| "–".to_owned(), mean)
        )
    });
    let explanation = html! {
        p {
            "The learning rate decides how long a step is. The gradient says in which direction the loss falls, but only for the place \
             where the weights are now. Too short steps get there slowly, and the epochs are over before they arrive; too long ones \
             step over the valley to its other side, and the loss jumps instead of falling. In Keras it is "
            code { "SGD(learning_rate=…)" } ", in PyTorch " code { "SGD(…, lr=…)" } "."
        }
        p { (smallest_lr_note(study)) " " (largest_lr_note(study)) }
        p {
            "The rates are compared on " (held_out(study)) " training images that are held out of the training, the "
            em { "validation" } " images. The test images must not choose: see question 0."
        }
    };
    answer(page, study, sentence, &explanation)
}

/// Describes the trainings with the smallest learning rate.
fn smallest_lr_note(study: &ExerciseStudy<'_>) -> String {
    let Some(setting) = study.page.summary.configurations.first() else { return String::new() };
    let trainings = trainings_of(study, 0);
    let ends: Vec<(f64, f64)> = trainings
        .iter()
        .filter_map(|epochs| match epochs {
            [.., before, last] => Some((before.train_loss, last.train_loss)),
            _ => None,
        })
        .collect();
    if ends.is_empty() {
        return String::new();
    }
    let falling = ends.iter().filter(|(before, last)| *last < 0.99 * before).count();
    let mean = |value: fn(&(f64, f64)) -> f64| ends.iter().map(value).sum::<f64>() / ends.len() as f64;
    let rate = value(Some(setting), LEARNING_RATE);
    match falling {
        0 => format!(
            "With the smallest, {rate}, the training loss hardly fell any more in the last epoch, {}.",
            count_of_trainings(0, ends.len())
        ),
        falling => format!(
            "With the smallest, {rate}, the training loss was still falling in the last epoch, {}, on average from {} to {}: the \
             training had not arrived.",
            count_of_trainings(falling, ends.len()),
            crate::util::format::loss(mean(|(before, _)| *before)),
            crate::util::format::loss(mean(|(_, last)| *last))
        ),
    }
}

/// Describes the trainings with the largest learning rate.
fn largest_lr_note(study: &ExerciseStudy<'_>) -> String {
    let settings = &study.page.summary.configurations;
    let last = settings.len().saturating_sub(1);
    let Some(setting) = settings.last() else { return String::new() };
    let rate = value(Some(setting), LEARNING_RATE);
    if setting.num_diverged > 0 {
        return format!(
            "With the largest, {rate}, the training diverged, {}: the loss grew beyond all numbers.",
            count_of_trainings(setting.num_diverged, setting.num_diverged + setting.num_finished)
        );
    }
    let losses: Vec<Vec<f64>> = trainings_of(study, last)
        .into_iter()
        .map(|epochs| epochs.iter().filter_map(|epoch| epoch.validation_loss).collect())
        .filter(|losses: &Vec<f64>| losses.len() > 1)
        .collect();
    if losses.is_empty() {
        return String::new();
    }
    let steps: usize = losses.iter().map(|losses| losses.len() - 1).sum();
    let rises = losses.iter().flat_map(|losses| losses.windows(2)).filter(|pair| pair[1] > pair[0]).count();
    let ends: f64 = losses.iter().filter_map(|losses| losses.last()).sum();
    let all = match losses.len() {
        1 => String::new(),
        several => format!(" of all {several} trainings"),
    };
    format!(
        "With the largest, {rate}, the validation loss rose in {rises} of the {}{all} from one epoch to the next and ended at {}{}.",
        counted(steps, "step", "steps"),
        crate::util::format::loss(ends / losses.len() as f64),
        if losses.len() > 1 { " on average" } else { "" }
    )
}

/// Formats a count of trainings as `in 3 of 5 trainings`, without a number if there is only one
/// training.
fn count_of_trainings(some: usize, all: usize) -> String {
    match (some, all) {
        (_, 1) => "in the one training".to_owned(),
        (some, all) if some == all => format!("in all {all} trainings"),
        (0, all) => format!("in none of {all} trainings more than 1 %"),
        (some, all) => format!("in {some} of {all} trainings"),
    }
}

/// Returns the epochs of each trial of the configuration with this index.
fn trainings_of<'a>(study: &ExerciseStudy<'a>, setting: usize) -> Vec<&'a [EpochRecord]> {
    let Some(setting) = study.page.plan.configurations.get(setting) else { return Vec::new() };
    let records: &'a [&'a TrialRecord] = study.page.records;
    let of_setting = records.iter().filter(|record| record.configuration == *setting);
    of_setting.map(|record| record.epochs.as_slice()).collect()
}

/// Formats the number of validation images of a trial.
fn held_out(study: &ExerciseStudy<'_>) -> String {
    study.page.records.first().map_or_else(|| "some".to_owned(), |record| grouped(record.num_images.1))
}

/// Answers question 12.
pub(super) fn cross_validation(page: &ExercisePage<'_>, study: &ExerciseStudy<'_>) -> Work<Answer> {
    let summary = study.page.summary;
    let folds = study.page.study.folds;
    let sentence = with_best(summary, |best| {
        format!(
            "Learning rate {} has the highest mean accuracy over {folds} folds, {}{}{}.",
            value(Some(best), LEARNING_RATE),
            mean(best),
            others_beside_best(summary, LEARNING_RATE),
            test_of_winner(study)
        )
    });
    let explanation = html! {
        p {
            (holdout_note(page)) " In " (folds) "-fold cross-validation, the training images are cut into " (folds) " parts, the folds, \
             and every rate is trained " (folds) " times: each time one fold judges and the others are learned from. Neither Keras nor \
             PyTorch does that by itself; scikit-learn's " code { "StratifiedKFold" } " gives the indices."
        }
        (folds_picture(folds))
        p {
            "So every training image judges once, always a network that has never seen it, and " (folds) " results for each rate show \
             how much chance there is: their mean is a better estimate than any of them, and their spread says how good it is. Rates \
             are compared fold by fold, since a fold that is hard for one is mostly hard for the others too. How to read the probabilities stands under question "
            (page.first_study().map_or(11, |(question, _)| question)) "."
        }
        p {
            "The price is " (grouped(study.page.plan.trials.len())) " trainings instead of "
            (grouped(study.page.plan.configurations.len())) ". The rate that is chosen is then trained once more, with all training \
             images, and only this network is tested, once. " (agreement_with_holdout(page, study))
        }
    };
    answer(page, study, sentence, &explanation)
}

/// Describes the validation of question 11, as far as cross-validation differs from it.
fn holdout_note(page: &ExercisePage<'_>) -> String {
    match page.study(11).map_or(0, |study| study.page.study.seeds.len()) {
        0 => "A rate that is judged by one set of images held out may owe its place to them.".to_owned(),
        1 => "Question 11 judged every rate by one set of images held out, and trained it once. With other images held out, \
              the order might be another."
            .to_owned(),
        seeds => format!(
            "Question 11 trained every rate {seeds} times, each time with other images held out, drawn at random: some \
             images judge several times and others never."
        ),
    }
}

/// Describes whether cross-validation and the validation images of question 11 choose the same
/// learning rate.
fn agreement_with_holdout(page: &ExercisePage<'_>, study: &ExerciseStudy<'_>) -> String {
    let number = |study: &ExerciseStudy<'_>| best(study.page.summary)?.configuration.number(LEARNING_RATE);
    let Some((single, folds)) = page.study(11).ok().and_then(number).zip(number(study)) else {
        return String::new();
    };
    let far = |rate: f64| (rate / single).ln().abs();
    let rates = study
        .page
        .summary
        .configurations
        .iter()
        .filter_map(|setting| setting.configuration.number(LEARNING_RATE));
    let nearest = rates.min_by(|&a, &b| far(a).total_cmp(&far(b)));
    match nearest == Some(folds) {
        true => format!(
            "Question 11, with other rates, chose {single}; of the rates here, {folds} is the nearest to that, so both agree."
        ),
        false => format!(
            "Question 11, with other rates, chose {single}; the folds choose {folds}, which is not the nearest to that."
        ),
    }
}

/// Builds the table that shows the validation fold of each training.
fn folds_picture(folds: usize) -> Markup {
    html! {
        div.scroll {
            table.folds {
                thead { tr { th { } @for fold in 1..=folds { th { "fold " (fold) } } } }
                tbody {
                    @for training in 1..=folds {
                        tr {
                            th { "training " (training) }
                            @for fold in 1..=folds {
                                @if fold == training { td.judges { "judges" } } @else { td { "learned from" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Builds the answer of a study: the explanation, the note about shortened settings, and all parts
/// of the study's own page.
pub(super) fn answer(
    page: &ExercisePage<'_>,
    study: &ExerciseStudy<'_>,
    sentence: String,
    explanation: &Markup,
) -> Work<Answer> {
    let parts = findings(&study.page)?;
    let content = html! {
        (explanation)
        @if !study.shortened.is_empty() { (shortened(study)) }
        @for part in &parts { h3 { (part.title) } (part.content) }
        @if page.first_study().is_some_and(|(_, first)| first.file == study.file) {
            (reading_note(&page.finished_studies().map(|(_, study)| study.page).collect::<Vec<_>>()))
        }
        p.note {
            (counted(study.page.plan.trials.len(), "training", "trainings"))
            @if study.num_reused == 0 {
                ", all of them run for this page, "
            } @else {
                ", of which " (grouped(study.num_reused)) " had been run by an earlier start and were not run again; what was left to do "
            }
            "took " (seconds(study.seconds)) " with the winner's training. The same as a page of its own: "
            code { (study.page.folder.join("report.html").display()) } "."
        }
    };
    let commands =
        vec![format!("--artifacts {} study {}", quote_path(page.artifacts), quote_path(study.file))];
    Ok(Answer { sentence, content, commands })
}

/// Builds the note about the settings that the short study changes.
fn shortened(study: &ExerciseStudy<'_>) -> Markup {
    html! {
        div.warning {
            strong { "The study in short." } " As against the full one:"
            ul {
                @for (name, full, here) in study.shortened {
                    li { code { (name) } ": " (here.replace("varied: ", "")) " instead of " (full.replace("varied: ", "")) }
                }
            }
        }
    }
}

/// Returns the best configuration.
pub(super) fn best(summary: &StudySummary) -> Option<&ConfigurationResult> {
    summary.best.map(|best| &summary.configurations[best])
}

/// Returns the sentence about the best configuration, or one that says that there is none.
pub(super) fn with_best(summary: &StudySummary, sentence: impl Fn(&ConfigurationResult) -> String) -> String {
    best(summary).map_or_else(
        || "No configuration could be trained to the end in all of its trials, so none is best.".to_owned(),
        sentence,
    )
}

/// Returns the configuration with the lowest mean accuracy.
fn lowest(summary: &StudySummary) -> Option<&ConfigurationResult> {
    let ranked = summary.configurations.iter().filter(|setting| setting.mean.is_some());
    ranked.min_by(|a, b| a.mean.unwrap_or(1.0).total_cmp(&b.mean.unwrap_or(1.0)))
}

/// Removes trailing zeros of a number. Other text stays.
fn plain(value: &str) -> String {
    value.parse().map_or_else(|_| value.to_owned(), significant)
}

/// Formats the value of a key in a configuration.
pub(super) fn value(setting: Option<&ConfigurationResult>, key: &str) -> String {
    setting.and_then(|setting| setting.configuration.value(key)).map_or_else(|| "–".to_owned(), plain)
}

/// Formats the mean accuracy of a configuration.
pub(super) fn mean(setting: &ConfigurationResult) -> String {
    setting.mean.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.4}"))
}

/// Describes the comparison of the other configurations with the best one, as a part of a sentence.
pub(super) fn others_beside_best(summary: &StudySummary, key: &str) -> String {
    match compare_with_best(summary, |setting| value(Some(setting), key)).as_str() {
        "" => String::new(),
        others => format!(" ({others})"),
    }
}

/// Describes the test of the best model, as the end of a sentence.
pub(super) fn test_of_winner(study: &ExerciseStudy<'_>) -> String {
    let result = study.page.best_model.and_then(|winner| winner.summary.as_ref());
    result.map_or_else(String::new, |result| {
        let accuracy = result.test_accuracy.unwrap_or_default();
        format!("; trained on all training images and tested once, it reaches {accuracy:.4}")
    })
}
