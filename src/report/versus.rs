//! The page about several runs side by side.

use maud::html;

use super::shell::{self, section};
use super::{curves, parts};
use crate::config::Difference;
use crate::error::Result;
use crate::number::{grouped, loss, seconds};
use crate::plan::Plan;
use crate::run::Records;
use crate::training::EpochRecord;

/// The page about `runs`, called `names`, whose experiments differ in `differences`.
///
/// # Errors
/// Records that cannot be drawn.
pub fn comparison(runs: &[Records], names: &[String], differences: &[Difference]) -> Result<String> {
    let mut sections = vec![section("Results", &results(runs, names))];
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
    Ok(shell::page(&format!("Comparison: {title}"), &header, &sections))
}

fn results(runs: &[Records], names: &[String]) -> maud::Markup {
    html! {
        (parts::table(&RESULT_COLUMNS, &result_rows(runs, names), 1))
        @if let Some(note) = uncertainty(runs) { p.note { (note) "." } }
    }
}

/// What [`result_rows`] has in its columns.
pub const RESULT_COLUMNS: [&str; 7] =
    ["run", "test accuracy", "test loss", "weights", "epochs", "an epoch", "status"];

/// The results of each run, as texts.
pub fn result_rows(runs: &[Records], names: &[String]) -> Vec<Vec<String>> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let row = |(run, name): (&Records, &String)| {
        let test = run.test.as_ref().map(|test| (test.evaluation.accuracy, test.evaluation.loss));
        let test = test.or(run.summary.as_ref().map(|summary| (summary.test_accuracy, summary.test_loss)));
        let plan = Plan::new(&run.experiment, run.info.data.layout, run.info.data.num_train);
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
pub fn uncertainty(runs: &[Records]) -> Option<String> {
    let test = &runs.iter().find_map(|run| run.test.as_ref())?.evaluation;
    let same_data = runs.windows(2).all(|pair| pair[0].info.data.sha256 == pair[1].info.data.sha256);
    if !same_data || test.num_images == 0 {
        return None;
    }
    // Half of Wilson's interval (1927), which is sound for accuracies near 1 too.
    let (n, p, z) = (test.num_images as f64, test.accuracy, 1.96);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    Some(format!(
        "with {} test images, an accuracy of {p:.4} is uncertain by {half:.4} (95 %), and another seed moves it too: \
         smaller differences say little",
        grouped(test.num_images)
    ))
}

fn settings(names: &[String], differences: &[Difference]) -> maud::Markup {
    if differences.is_empty() {
        return html! { p { "Nothing: the experiments are the same." } };
    }
    let header: Vec<String> = ["setting".to_owned()].into_iter().chain(names.iter().cloned()).collect();
    let row = |difference: &Difference| {
        let values = difference.values.iter().map(|value| value.clone().unwrap_or_else(|| "–".to_owned()));
        [difference.key.clone()].into_iter().chain(values).collect::<Vec<_>>()
    };
    parts::table(&header, &differences.iter().map(row).collect::<Vec<_>>(), 1)
}

fn folders(runs: &[Records], names: &[String]) -> maud::Markup {
    let facts: Vec<_> = names
        .iter()
        .zip(runs)
        .map(|(name, run)| {
            (name.as_str(), format!("{} on {}", run.folder.path().display(), run.info.adapter))
        })
        .collect();
    parts::facts(&facts)
}
