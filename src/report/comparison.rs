//! The page about several runs side by side.

use maud::html;

use crate::error::Result;
use crate::evaluation::PairedTest;
use crate::experiment::Difference;
use crate::experiment::summary::ModelSummary;
use crate::report::layout;
use crate::report::layout::section;
use crate::report::paired::{PAIRED_COLUMNS, paired_rows, paired_sentences};
use crate::report::{components, curves};
use crate::run::RunRecords;
use crate::statistics::wilson;
use crate::training::EpochRecord;
use crate::util::format::{grouped, loss, seconds};

/// The page about `runs`, called `names`, whose experiments differ in `differences`; `tests` has each run's network beside
/// the first one's.
///
/// # Errors
/// Records that cannot be drawn.
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
        sections.push(section("Learning curves", &curves::of_runs(runs, names)?));
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
        (components::table(&RESULT_COLUMNS, &result_rows(runs, names), 1))
        @if let Some(note) = uncertainty(runs) { p.note { (note) "." } }
    }
}

/// What [`result_rows`] has in its columns.
pub const RESULT_COLUMNS: [&str; 7] =
    ["run", "test accuracy", "test loss", "weights", "epochs", "an epoch", "status"];

/// The results of each run, as texts.
pub fn result_rows(runs: &[RunRecords], names: &[String]) -> Vec<Vec<String>> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let row = |(run, name): (&RunRecords, &String)| {
        let test = run.test.as_ref().map(|test| (test.evaluation.accuracy, test.evaluation.loss));
        let test = test.or(run.summary.as_ref().map(|summary| (summary.test_accuracy, summary.test_loss)));
        let plan = ModelSummary::new(&run.experiment, run.info.data.layout, run.info.data.num_train);
        vec![
            name.clone(),
            or_none(test.map(|(accuracy, _)| format!("{accuracy:.4}"))),
            or_none(test.map(|(_, value)| loss(value))),
            grouped(plan.num_parameters),
            grouped(run.epochs.len()),
            or_none(EpochRecord::median_seconds(&run.epochs).map(seconds)),
            run.info.status.to_string(),
        ]
    };
    runs.iter().zip(names).map(row).collect()
}

/// How far the choice of test images alone may move an accuracy, in words; none where nothing has been tested, or not
/// all on the same images.
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

/// Each network beside the first one.
fn paired(runs: &[RunRecords], names: &[String], tests: &[Option<PairedTest>]) -> maud::Markup {
    let rows = paired_rows(names, tests);
    html! {
        @if !rows.is_empty() { (components::table(&PAIRED_COLUMNS, &rows, 1)) }
        @for sentence in paired_sentences(runs, names, tests) { p { (components::inline_code(&sentence)) } }
    }
}

fn settings(names: &[String], differences: &[Difference]) -> maud::Markup {
    if differences.is_empty() {
        return html! { p { "Nothing: the experiments are the same." } };
    }
    // A row for each run, as in the results: many runs make the table longer, not wider than the page.
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
    let facts: Vec<_> = names
        .iter()
        .zip(runs)
        .map(|(name, run)| {
            (name.as_str(), format!("{} on {}", run.folder.path().display(), run.info.adapter))
        })
        .collect();
    components::definition_list(&facts)
}
