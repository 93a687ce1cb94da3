//! Owns the page that compares several runs.

use maud::html;

use crate::error::Result;
use crate::evaluation::PairedTest;
use crate::experiment::Difference;
use crate::experiment::summary::ModelSummary;
use crate::report::layout;
use crate::report::layout::section;
use crate::report::paired::{paired_sentences, paired_table};
use crate::report::{components, curves};
use crate::run::RunRecords;
use crate::statistics::wilson;
use crate::training::EpochRecord;
use crate::util::format::{grouped, loss, seconds};
use crate::util::table::{Column, TextTable, or_dash};

/// Writes the page about `runs`, called `names`, whose experiments differ in `differences`. `tests`
/// compares each run's network with the first one's.
///
/// # Errors
/// The records cannot be drawn.
pub fn comparison(
    runs: &[RunRecords],
    names: &[String],
    differences: &[Difference],
    tests: &[Option<PairedTest>],
) -> Result<String> {
    let mut sections = vec![section("Results", &results(runs, names))];
    sections.push(section("Network against network", &paired(runs, names, tests)));
    sections.push(section("What differs", &settings(names, differences)));
    if runs.iter().any(|run| !run.epochs.is_empty()) {
        sections.push(section("Learning curves", &curves::draw_runs(runs, names)?));
    }
    sections.push(section("Runs", &folders(runs, names)));
    let title = names.join(", ");
    let header = html! {
        h1 { "Comparison" }
        p { (title) }
    };
    Ok(layout::page(&format!("Comparison: {title}"), &header, &sections))
}

fn results(runs: &[RunRecords], names: &[String]) -> maud::Markup {
    html! {
        (components::text_table(&result_table(runs, names)))
        @if let Some(note) = uncertainty(runs) { p.note { (note) "." } }
    }
}

/// The results as a table: one row per run. It has the balanced accuracies if the test images of a run
/// are unbalanced.
pub fn result_table(runs: &[RunRecords], names: &[String]) -> TextTable {
    let mut columns: Vec<Column<(&RunRecords, &String)>> = vec![
        Column::text("run", |(_, name)| (*name).clone()),
        Column::number("test accuracy", |(run, _)| {
            or_dash(tested(run), |(accuracy, _)| format!("{accuracy:.4}"))
        }),
        Column::number("test loss", |(run, _)| or_dash(tested(run), |(_, value)| loss(value))),
        Column::number("parameters", |(run, _)| grouped(num_parameters(run))),
        Column::number("epochs", |(run, _)| or_dash(num_epochs(run), grouped)),
        Column::number("per epoch", |(run, _)| or_dash(EpochRecord::median_seconds(&run.epochs), seconds)),
        Column::number("status", |(run, _)| run.info.state()),
    ];
    let is_unbalanced =
        |run: &RunRecords| run.test.as_ref().is_some_and(|test| test.evaluation.is_unbalanced());
    if runs.iter().any(is_unbalanced) {
        columns.insert(
            2,
            Column::number("balanced", |(run, _)| or_dash(balanced(run), |value| format!("{value:.4}"))),
        );
    }
    TextTable::new(&columns, runs.iter().zip(names))
}

/// Accuracy and loss of a run on its test images; `None` before it has been tested.
fn tested(run: &RunRecords) -> Option<(f64, f64)> {
    let test = run.test.as_ref().map(|test| (test.evaluation.accuracy, test.evaluation.loss));
    test.or_else(|| run.summary.as_ref().and_then(|summary| summary.test_accuracy.zip(summary.test_loss)))
}

/// Balanced accuracy of a run on its test images; `None` before it has been tested.
fn balanced(run: &RunRecords) -> Option<f64> {
    run.test.as_ref()?.evaluation.balanced_accuracy()
}

/// Number of epochs trained; `None` for an imported network.
fn num_epochs(run: &RunRecords) -> Option<usize> {
    run.info.imported.is_none().then_some(run.epochs.len())
}

fn num_parameters(run: &RunRecords) -> usize {
    ModelSummary::new(&run.experiment, run.info.data.layout, run.info.data.num_train).num_parameters
}

/// Sentence about the effect of the choice of test images on an accuracy. `None` where nothing has
/// been tested, or not all runs on the same images.
pub fn uncertainty(runs: &[RunRecords]) -> Option<String> {
    let test = &runs.iter().find_map(|run| run.test.as_ref())?.evaluation;
    let same_data = runs.windows(2).all(|pair| pair[0].info.data.sha256 == pair[1].info.data.sha256);
    if !same_data || test.num_images == 0 {
        return None;
    }
    let (low, high) = wilson(test.accuracy, test.num_images);
    Some(format!(
        "with {} test images, the 95 % interval of an accuracy of {:.4} reaches from {low:.4} to {high:.4} (Wilson 1927): it is about \
         the images of one network, and says nothing of another seed",
        grouped(test.num_images),
        test.accuracy
    ))
}

/// Table and sentences that compare each network with the first one.
fn paired(runs: &[RunRecords], names: &[String], tests: &[Option<PairedTest>]) -> maud::Markup {
    let table = paired_table(names, tests);
    html! {
        @if !table.rows.is_empty() { (components::text_table(&table)) }
        @for sentence in paired_sentences(runs, names, tests) { p { (components::inline_code(&sentence)) } }
    }
}

fn settings(names: &[String], differences: &[Difference]) -> maud::Markup {
    if differences.is_empty() {
        return html! { p { "Nothing: the experiments are the same." } };
    }
    // One row per run, as in the results: many runs make the table longer, not wider than the page.
    let header: Vec<&str> =
        ["run"].into_iter().chain(differences.iter().map(|difference| difference.key.as_str())).collect();
    let row = |(index, name): (usize, &String)| {
        let value = |difference: &Difference| difference.values.get(index).cloned().flatten();
        let values = differences.iter().map(|difference| value(difference).unwrap_or_else(|| "–".to_owned()));
        [name.clone()].into_iter().chain(values).collect::<Vec<_>>()
    };
    components::table(&header, &names.iter().enumerate().map(row).collect::<Vec<_>>(), 1)
}

fn folders(runs: &[RunRecords], names: &[String]) -> maud::Markup {
    let entries: Vec<_> = names
        .iter()
        .zip(runs)
        .map(|(name, run)| {
            (name.as_str(), format!("{} on {}", run.folder.path().display(), run.info.adapter))
        })
        .collect();
    components::definition_list(&entries)
}
