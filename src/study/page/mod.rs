//! Owns the page of a study: the best configuration and how certain it is, in charts, tables and
//! sentences. Depends on `report` and `plots`. Must not train or read files.

mod charts;
mod order;
mod parameters;
mod points;
mod reading;
mod table;
mod text;
mod timing;

use std::collections::HashMap;
use std::path::Path;

use maud::{Markup, html};

use crate::data::InputSpec;
use crate::error::Result;
use crate::report::components;
use crate::report::layout;
use crate::report::layout::section;
use crate::run::RunRecords;
use crate::study::{EpochChoice, Study, StudySummary, TrialEnd, TrialPlan, TrialRecord};
use crate::util::format::{counted, grouped};

pub(crate) use reading::reading_note;
use table::accuracy;
pub use table::{Medium, study_table};
#[cfg(feature = "exercise")]
pub(crate) use text::{compare_with_best, equivalence_region};
pub use text::{conclusions, test_sentence};

/// Contents of a study's page.
#[derive(Debug, Clone, Copy)]
pub struct StudyPage<'a> {
    /// The study file.
    pub study: &'a Study,
    /// The study's configurations and trials.
    pub plan: &'a TrialPlan,
    /// Statistics of the trials.
    pub summary: &'a StudySummary,
    /// The trials that have a record, in the plan's order.
    pub records: &'a [&'a TrialRecord],
    /// The best configuration, trained on all training images and tested. `None` until that has
    /// been done.
    pub best_model: Option<&'a RunRecords>,
    /// Name of the processor or GPU that computed.
    pub adapter: &'a str,
    /// Shape and classes of the images.
    pub layout: InputSpec,
    /// SHA-256 of the data set.
    pub data_sha256: &'a str,
    /// Folder with the study's files.
    pub folder: &'a Path,
}

/// Returns the page of a study as HTML.
///
/// # Errors
/// A chart cannot be drawn.
pub fn page(page: &StudyPage<'_>) -> Result<String> {
    let study = page.study;
    let header = html! {
        h1 { (study.name) }
        p { (text::subtitle(page)) }
        (components::stat_tiles(&stat_tiles(page)))
    };
    let mut sections: Vec<_> =
        findings(page)?.iter().map(|part| section(&part.title, &part.content)).collect();
    sections.push(section("How to read this", &reading_note(&[*page])));
    sections.push(section("How it was done", &method_section(page)));
    Ok(layout::page(&study.name, &header, &sections))
}

/// A section of a page, with its title.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) content: Markup,
}

impl Section {
    fn new(title: &str, content: Markup) -> Self {
        Self { title: title.to_owned(), content }
    }
}

/// Returns the sections with the results: verdicts and table, charts, times, architectures, trials.
/// A section that would say nothing is left out.
///
/// # Errors
/// A chart cannot be drawn.
pub(crate) fn findings(page: &StudyPage<'_>) -> Result<Vec<Section>> {
    let mut sections = vec![Section::new("Result", result_section(page))];
    let measure = page.summary.measure.title();
    sections.extend(match page.summary.is_search {
        true => points::section(page)?,
        false => charts::accuracy_chart(page)?,
    });
    if page.study.timing
        && let Some(content) = timing::section(page)?
    {
        sections.push(Section::new("Accuracy against time", content));
    }
    if let Some(content) = parameters::section(page)? {
        sections.push(Section::new(&format!("{measure} against parameters"), content));
    }
    if let Some(content) = charts::learning_curves(page)? {
        sections.push(Section::new("Learning curves by configuration", content));
    }
    let has_troubles = page.records.iter().any(|record| record.end != TrialEnd::Finished);
    if page.plan.trials_per_configuration() > 1 || has_troubles {
        sections.push(Section::new("Trial by trial", trial_by_trial(page)));
    }
    Ok(sections)
}

/// Numbers at the top of the page, each with its caption: the best configuration, its accuracies
/// and size, and the number of trials.
fn stat_tiles(page: &StudyPage<'_>) -> Vec<(String, String)> {
    let mut numbers = Vec::new();
    if let Some(best) = page.summary.best.map(|best| &page.summary.configurations[best]) {
        numbers.push((best.configuration.name(), "best configuration".to_owned()));
        let caption = format!("its mean validation {}", page.summary.measure.name());
        numbers.push((accuracy(best.mean), caption));
    }
    if let Some(result) = page.best_model.and_then(|run| run.summary.as_ref()) {
        if let Some(accuracy) = result.test_accuracy {
            numbers.push((format!("{accuracy:.4}"), "test accuracy, tested once".to_owned()));
        }
        numbers.push((grouped(result.num_parameters), "parameters".to_owned()));
    }
    let trials = counted(page.summary.num_trials, "trial", "trials");
    numbers.push((grouped(page.summary.num_done), format!("of {trials}")));
    numbers
}

/// Section with the conclusions and the table of the configurations.
fn result_section(page: &StudyPage<'_>) -> Markup {
    let table = study_table(page.summary, page.study.timing, Medium::Page);
    html! {
        @for sentence in conclusions(page.summary) { p { (components::inline_code(&sentence)) } }
        @if let Some(sentence) = page.best_model.and_then(test_sentence) { p { (sentence) } }
        (components::text_table(&table))
    }
}

/// Name of a seed and a fold in a study, such as `seed 1, fold 2`. The name counts folds from 1.
fn repeat_name(study: &Study, (seed, fold): (u64, Option<usize>)) -> String {
    match (fold, study.seeds.len()) {
        (Some(fold), 1) => format!("fold {}", fold.saturating_add(1)),
        (Some(fold), _) => format!("seed {seed}, fold {}", fold.saturating_add(1)),
        (None, _) => format!("seed {seed}"),
    }
}

/// Table of the accuracy, or of the measure that the study chooses by, of each configuration for each
/// seed and fold, with the messages of the trials that diverged or failed.
fn trial_by_trial(page: &StudyPage<'_>) -> Markup {
    let StudyPage { study, plan, records, .. } = page;
    let repeats: Vec<(u64, Option<usize>)> =
        plan.trials[plan.trials_of(0, 0)].iter().map(|trial| (trial.experiment.seed, trial.fold)).collect();
    let name = |&repeat: &(u64, Option<usize>)| repeat_name(study, repeat);
    let header: Vec<String> =
        ["configuration".to_owned()].into_iter().chain(repeats.iter().map(name)).collect();
    let mut found = HashMap::new();
    for record in *records {
        found.entry((&record.configuration, record.seed, record.fold)).or_insert(record);
    }
    let cell = |index: usize, &(seed, fold): &(u64, Option<usize>)| {
        let record = found.get(&(&plan.configurations[index], seed, fold));
        match record.map(|record| (record.end, record.score(page.summary.measure))) {
            Some((TrialEnd::Finished, value)) => accuracy(value),
            Some((TrialEnd::Diverged, _)) => "diverged".to_owned(),
            Some((TrialEnd::Failed, _)) => "failed".to_owned(),
            None => "–".to_owned(),
        }
    };
    let name_of = |index: usize| {
        let epochs = page.summary.configurations[index].stopped_after;
        let epochs = epochs.map(|epochs| format!(", after {}", counted(epochs, "epoch", "epochs")));
        plan.configurations[index].name() + &epochs.unwrap_or_default()
    };
    let rows: Vec<Vec<String>> = (page.summary.order().into_iter())
        .map(|index| {
            let cells = repeats.iter().map(|repeat| cell(index, repeat));
            [name_of(index)].into_iter().chain(cells).collect()
        })
        .collect();
    let troubles: Vec<&&TrialRecord> =
        records.iter().filter(|record| record.end != TrialEnd::Finished).collect();
    html! {
        (components::table(&header, &rows, 1))
        @for record in &troubles {
            p.note { (record.configuration.name()) ", " (name(&(record.seed, record.fold))) ": "
                (record.message.as_deref().unwrap_or("no message")) }
        }
    }
}

/// Number of images in words.
fn images(number: usize) -> String {
    counted(number, "image", "images")
}

/// Section that states all conditions of the study: data, seeds, validation images, the way of
/// training, machine and files.
fn method_section(page: &StudyPage<'_>) -> Markup {
    let StudyPage { study, plan, records, .. } = page;
    let num_batched = records.iter().filter(|record| record.is_batched).count();
    let execution = match (study.timing, num_batched) {
        (true, _) => {
            "alone, one after the other, configurations taking turns, each after a warm-up that is not counted"
                .to_owned()
        }
        (false, 0) => "each individually".to_owned(),
        (false, num_batched) => format!(
            "{} in one batch or a few{}",
            counted(num_batched, "network", "networks"),
            if num_batched < records.len() {
                format!("; {} individually", records.len() - num_batched)
            } else {
                String::new()
            }
        ),
    };
    let validated = match study.folds {
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
    let epochs = match page.summary.epoch_choice {
        Some(EpochChoice::StoppingImages { num_images }) => {
            format!("early stopping, by {} held out of each trial's training images", images(num_images))
        }
        Some(EpochChoice::ValidationImages | EpochChoice::TooFewImages) => {
            "early stopping, by the validation images themselves".to_owned()
        }
        None => match &plan.rungs {
            Some(rungs) => format!("successive halving: {}", rungs.describe()),
            None => "none chosen: each trial trains all epochs".to_owned(),
        },
    };
    let entries = [
        ("varied", study.keys().collect::<Vec<_>>().join(", ")),
        ("configurations", study.origin_of_configurations()),
        ("trials", counted(page.summary.num_trials, "training", "trainings")),
        ("chosen by", page.summary.measure.name().to_owned()),
        ("validated on", validated),
        ("epochs chosen by", epochs),
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
                "{files}/results.csv (one row per trial), results.json, trials.jsonl (every epoch), study.toml"
            ),
        ),
    ];
    html! {
        (components::definition_list(&entries))
        h3 { "The study file" }
        pre { (study.text()) }
    }
}
