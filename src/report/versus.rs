//! The page about several runs side by side.

use maud::html;

use super::shell::{self, section};
use super::{curves, parts};
use crate::config::Difference;
use crate::error::Result;
use crate::number::{grouped, seconds};
use crate::run::{Records, Summary};

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
    parts::table(&RESULT_COLUMNS.map(str::to_owned), &result_rows(runs, names), 1)
}

/// What [`result_rows`] has in its columns.
pub const RESULT_COLUMNS: [&str; 7] =
    ["run", "test accuracy", "test loss", "weights", "epochs", "an epoch", "status"];

/// The results of each run, as texts.
pub fn result_rows(runs: &[Records], names: &[String]) -> Vec<Vec<String>> {
    let row = |(run, name): (&Records, &String)| {
        let cell =
            |text: &dyn Fn(&Summary) -> String| run.summary.as_ref().map_or_else(|| "–".to_owned(), text);
        vec![
            name.clone(),
            cell(&|summary| format!("{:.4}", summary.test_accuracy)),
            cell(&|summary| format!("{:.4}", summary.test_loss)),
            cell(&|summary| grouped(summary.num_parameters)),
            grouped(run.epochs.len()),
            cell(&|summary| summary.seconds_per_epoch.map_or_else(|| "–".to_owned(), seconds)),
            run.info.status.to_string(),
        ]
    };
    runs.iter().zip(names).map(row).collect()
}

fn settings(names: &[String], differences: &[Difference]) -> maud::Markup {
    if differences.is_empty() {
        return html! { p { "Nothing: the experiments are the same." } };
    }
    let header: Vec<String> = ["setting".to_owned()].into_iter().chain(names.iter().cloned()).collect();
    let row = |difference: &Difference| {
        let values = difference.values.iter().map(|value| value.clone().unwrap_or_else(|| "–".to_owned()));
        [difference.key.clone()].into_iter().chain(values).collect()
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
