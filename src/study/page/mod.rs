//! The page about a study: which setting is best and how sure that is, drawn and in words.

mod charts;
mod order;
mod reading;
mod text;
mod timing;
mod weights;

use std::path::Path;

use maud::{Markup, html};

use crate::data::InputSpec;
use crate::error::Result;
use crate::report::components;
use crate::report::layout;
use crate::report::layout::section;
use crate::run::RunRecords;
use crate::study::{ConfigurationResult, Study, StudySummary, TrialEnd, TrialPlan, TrialRecord};
use crate::util::format::{counted, grouped, range_of_seconds, seconds, short_points};

pub(crate) use reading::reading_note;
#[cfg(feature = "exercise")]
pub(crate) use text::{beside_best, region};
pub use text::{conclusions, test_sentence};

/// What a study's page is made of.
#[derive(Debug, Clone, Copy)]
pub struct StudyPage<'a> {
    /// The study file.
    pub study: &'a Study,
    /// Its trials.
    pub plan: &'a TrialPlan,
    /// What they amount to.
    pub summary: &'a StudySummary,
    /// The trials that have a record, in the plan's order.
    pub records: &'a [&'a TrialRecord],
    /// The best setting, trained on all training images and tested; none until that has been done.
    pub winner: Option<&'a RunRecords>,
    /// What computed.
    pub adapter: &'a str,
    /// What the images look like.
    pub layout: InputSpec,
    /// The data set's digest.
    pub data_sha256: &'a str,
    /// Where the study's files are.
    pub folder: &'a Path,
}

/// The page about a study.
///
/// # Errors
/// Records that cannot be drawn.
pub fn page(page: &StudyPage<'_>) -> Result<String> {
    let study = page.study;
    let header = html! {
        h1 { (study.name) }
        p { (text::subtitle(page)) }
        (components::stat_tiles(&numbers(page)))
    };
    let mut sections: Vec<_> =
        findings(page)?.iter().map(|part| section(&part.title, &part.content)).collect();
    sections.push(section("How to read this", &reading_note(&[*page])));
    sections.push(section("How it was done", &method(page)));
    Ok(layout::page(&study.name, &header, &sections))
}

/// A titled part of a page.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) content: Markup,
}

impl Section {
    fn new(title: &str, content: Markup) -> Self {
        Self { title: title.to_owned(), content }
    }
}

/// What was found, part by part: verdict and table, drawings, times, architectures, trials.
///
/// # Errors
/// Records that cannot be drawn.
pub(crate) fn findings(page: &StudyPage<'_>) -> Result<Vec<Section>> {
    let mut sections = vec![Section::new("Result", result(page))];
    sections.extend(charts::against_key(page)?);
    if page.study.timing
        && let Some(content) = timing::section(page)?
    {
        sections.push(Section::new("Accuracy against time", content));
    }
    if let Some(content) = weights::section(page)? {
        sections.push(Section::new("Accuracy against weights", content));
    }
    if let Some(content) = charts::learning_curves(page)? {
        sections.push(Section::new("Learning curves by setting", content));
    }
    let has_troubles = page.records.iter().any(|record| record.end != TrialEnd::Finished);
    if page.plan.trials.len() > page.plan.settings.len() || has_troubles {
        sections.push(Section::new("Trial by trial", trial_by_trial(page)));
    }
    Ok(sections)
}

fn numbers(page: &StudyPage<'_>) -> Vec<(String, String)> {
    let mut numbers = Vec::new();
    if let Some(best) = page.summary.best.map(|best| &page.summary.settings[best]) {
        numbers.push((best.setting.name(), "best setting".to_owned()));
        numbers.push((accuracy(best.mean), "its mean validation accuracy".to_owned()));
    }
    if let Some(result) = page.winner.and_then(|run| run.summary.as_ref()) {
        numbers.push((format!("{:.4}", result.test_accuracy), "test accuracy, tested once".to_owned()));
        numbers.push((grouped(result.num_parameters), "weights".to_owned()));
    }
    let done = page.summary.settings.iter().map(|setting| setting.num_finished + setting.num_diverged).sum();
    numbers.push((grouped(done), format!("of {}", counted(page.plan.trials.len(), "trial", "trials"))));
    numbers
}

fn result(page: &StudyPage<'_>) -> Markup {
    let rows = setting_rows(page.summary, page.study.timing);
    html! {
        @for sentence in conclusions(page.summary) { p { (components::inline_code(&sentence)) } }
        @if let Some(sentence) = page.winner.and_then(test_sentence) { p { (sentence) } }
        (components::table(&setting_columns(page.study.timing), &rows, 1))
    }
}

/// What [`setting_rows`] has in its columns.
fn setting_columns(timing: bool) -> Vec<&'static str> {
    let mut columns = vec![
        "setting",
        "accuracy",
        "± sd",
        "95 % interval",
        "loss",
        "behind the best",
        "verdict",
        "trials",
        "weights",
    ];
    if timing {
        columns.extend(TIME_COLUMNS);
    }
    columns
}

/// A row for each setting, as texts.
fn setting_rows(summary: &StudySummary, timing: bool) -> Vec<Vec<String>> {
    (0..summary.settings.len()).map(|index| setting_row(summary, index, timing)).collect()
}

/// What [`brief_setting_rows`] has in its columns.
pub fn brief_setting_columns(timing: bool) -> Vec<&'static str> {
    match timing {
        true => ["setting", "accuracy", "verdict"].into_iter().chain(TIME_COLUMNS).collect(),
        false => vec!["setting", "accuracy", "95 % interval", "behind", "verdict"],
    }
}

/// A row for each setting with what a terminal of 80 columns has room for.
pub fn brief_setting_rows(summary: &StudySummary, timing: bool) -> Vec<Vec<String>> {
    let row = |index: usize| {
        let setting = &summary.settings[index];
        let (name, mean) = (setting.setting.name(), accuracy(setting.mean));
        let conclusions = text::cell(summary, index);
        if timing {
            return [name, mean, conclusions].into_iter().chain(times(setting)).collect();
        }
        let interval = setting.interval.map(|(low, high)| format!("{low:.4}–{high:.4}"));
        let interval = interval.unwrap_or_else(|| "–".to_owned());
        vec![name, mean, interval, behind(setting), conclusions]
    };
    (0..summary.settings.len()).map(row).collect()
}

const TIME_COLUMNS: [&str; 2] = ["an epoch", "from … to"];

/// The median time of an epoch and its range over the trials.
fn times(setting: &ConfigurationResult) -> [String; 2] {
    setting.epoch_seconds.as_ref().map_or_else(
        || ["–".to_owned(), "–".to_owned()],
        |times| [seconds(times.spread.median), range_of_seconds(times.spread.min, times.spread.max)],
    )
}

/// How far it is behind the best, in percentage points.
fn behind(setting: &ConfigurationResult) -> String {
    let behind = setting.comparison.map(|comparison| short_points(comparison.difference.difference));
    behind.unwrap_or_else(|| "–".to_owned())
}

fn setting_row(summary: &StudySummary, index: usize, timing: bool) -> Vec<String> {
    let setting = &summary.settings[index];
    let none = || "–".to_owned();
    let interval = |(low, high): (f64, f64)| format!("{low:.4} to {high:.4}");
    let mut trials = vec![setting.num_finished.to_string()];
    trials.extend((setting.num_diverged > 0).then(|| format!("{} diverged", setting.num_diverged)));
    trials.extend((setting.num_missing > 0).then(|| format!("{} missing", setting.num_missing)));
    let mut row = vec![
        setting.setting.name(),
        accuracy(setting.mean),
        setting.deviation.map_or_else(none, |deviation| format!("{deviation:.4}")),
        setting.interval.map_or_else(none, interval),
        setting.loss.map_or_else(none, crate::util::format::loss),
        behind(setting),
        text::cell(summary, index),
        trials.join(", "),
        setting.num_parameters.map_or_else(none, grouped),
    ];
    if timing {
        row.extend(times(setting));
    }
    row
}

fn accuracy(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

/// What a seed and a fold are called in a study.
fn repeat_name(study: &Study, (seed, fold): (u64, Option<usize>)) -> String {
    match (fold, study.seeds.len()) {
        (Some(fold), 1) => format!("fold {}", fold.saturating_add(1)),
        (Some(fold), _) => format!("seed {seed}, fold {}", fold.saturating_add(1)),
        (None, _) => format!("seed {seed}"),
    }
}

/// Each setting's accuracy in each fold and with each seed.
fn trial_by_trial(page: &StudyPage<'_>) -> Markup {
    let StudyPage { study, plan, records, .. } = page;
    let repeats: Vec<(u64, Option<usize>)> = plan
        .trials
        .iter()
        .filter(|trial| trial.setting == 0)
        .map(|trial| (trial.experiment.seed, trial.fold))
        .collect();
    let name = |&repeat: &(u64, Option<usize>)| repeat_name(study, repeat);
    let header: Vec<String> = ["setting".to_owned()].into_iter().chain(repeats.iter().map(name)).collect();
    let cell = |setting: usize, &(seed, fold): &(u64, Option<usize>)| {
        let setting = &plan.settings[setting];
        let record = records
            .iter()
            .find(|record| record.seed == seed && record.fold == fold && record.setting == *setting);
        match record.map(|record| (record.end, record.accuracy)) {
            Some((TrialEnd::Finished, value)) => accuracy(value),
            Some((TrialEnd::Diverged, _)) => "diverged".to_owned(),
            Some((TrialEnd::Failed, _)) => "failed".to_owned(),
            None => "–".to_owned(),
        }
    };
    let rows: Vec<Vec<String>> = (0..plan.settings.len())
        .map(|setting| {
            let cells = repeats.iter().map(|repeat| cell(setting, repeat));
            [plan.settings[setting].name()].into_iter().chain(cells).collect()
        })
        .collect();
    let troubles: Vec<&&TrialRecord> =
        records.iter().filter(|record| record.end != TrialEnd::Finished).collect();
    html! {
        (components::table(&header, &rows, 1))
        @for record in &troubles {
            p.note { (record.setting.name()) ", " (name(&(record.seed, record.fold))) ": "
                (record.message.as_deref().unwrap_or("no message")) }
        }
    }
}

fn method(page: &StudyPage<'_>) -> Markup {
    let StudyPage { study, plan, records, .. } = page;
    let stacked = records.iter().filter(|record| record.stacked).count();
    let execution = match (study.timing, stacked) {
        (true, _) => {
            "alone, one after the other, settings taking turns, each after a warm-up that is not counted"
                .to_owned()
        }
        (false, 0) => "each by itself".to_owned(),
        (false, stacked) => format!(
            "{} side by side, in one group or a few{}",
            counted(stacked, "network", "networks"),
            if stacked < records.len() {
                format!("; {} by themselves", records.len() - stacked)
            } else {
                String::new()
            }
        ),
    };
    let judged = match study.folds {
        0 => format!(
            "{} of the training images, held out",
            records.first().map_or("some".to_owned(), |record| grouped(record.num_images.1))
        ),
        folds => format!(
            "{folds}-fold cross-validation over the training images{}",
            if study.base.data.stratified { ", each class spread evenly" } else { "" }
        ),
    };
    let files = page.folder.display();
    let facts = [
        ("varied", study.keys().collect::<Vec<_>>().join(", ")),
        ("trials", counted(plan.trials.len(), "training", "trainings")),
        ("judged by", judged),
        ("seeds", study.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
        ("trained", execution),
        (
            "data",
            format!(
                "{}, digest {}",
                study.base.data.source,
                &page.data_sha256.chars().take(16).collect::<String>()
            ),
        ),
        ("computed on", page.adapter.to_owned()),
        ("smallnet", env!("CARGO_PKG_VERSION").to_owned()),
        (
            "files",
            format!(
                "{files}/results.csv (a row a trial), results.json, trials.jsonl (every epoch), study.toml"
            ),
        ),
    ];
    html! {
        (components::definition_list(&facts))
        h3 { "The study file" }
        pre { (study.text()) }
    }
}
