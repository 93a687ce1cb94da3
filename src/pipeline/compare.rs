//! The comparison of several runs, and its page.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::evaluation::{Evaluation, PairedTest, paired_tests};
use crate::experiment::{Difference, differences};
use crate::pipeline::pictures::distinct;
use crate::report;
use crate::run;
use crate::run::RunRecords;
use crate::util::hex::hex;

/// Several runs and the differences between them.
#[derive(Debug, Clone)]
pub struct RunComparison {
    /// The runs, in the order in which the caller named them.
    pub runs: Vec<RunRecords>,
    /// The name of each run: the experiment's name, with the run's id if several runs share it.
    pub names: Vec<String>,
    /// The settings that differ.
    pub differences: Vec<Difference>,
    /// The paired test of each run's network against the first one's on the same test images.
    /// `None` for the first run, and for a run without a test or with other test images.
    pub tests: Vec<Option<PairedTest>>,
}

/// Compares the runs that `texts` name, in the ways that [`run::find`] accepts.
///
/// # Errors
/// A run that does not exist, the same run twice, or a damaged file.
pub fn compare(texts: &[String], artifacts: &Path) -> Result<RunComparison> {
    let mut runs: Vec<RunRecords> = Vec::with_capacity(texts.len());
    for text in texts {
        let folder = run::find(text, artifacts)?;
        if runs.iter().any(|run| is_same_folder(run.folder.path(), folder.path())) {
            return Err(Error::usage(format!("`{text}` is named twice"))
                .hint("compare different runs; `smallnet runs` lists them"));
        }
        runs.push(folder.records()?);
    }
    let names = unique_names(&runs);
    let differences = find_differences(&runs)?;
    let tests = test_against_first(&runs);
    Ok(RunComparison { runs, names, differences, tests })
}

/// Tests each network against the first one, if both were tested on the same images.
fn test_against_first(runs: &[RunRecords]) -> Vec<Option<PairedTest>> {
    let mut tests = vec![None; runs.len()];
    let evaluation = |run: &RunRecords| run.test.as_ref().map(|test| test.evaluation.clone());
    let Some(first) = runs.first().and_then(evaluation) else { return tests };
    let is_comparable = |run: &RunRecords, other: &Evaluation| {
        let (data, first_data) = (&run.experiment.data, &runs[0].experiment.data);
        run.info.data.sha256 == runs[0].info.data.sha256
            && other.num_images == first.num_images
            && (data.test, data.test_seed) == (first_data.test, first_data.test_seed)
    };
    let others: Vec<(usize, Evaluation)> = (1..runs.len())
        .filter_map(|index| Some((index, evaluation(&runs[index])?)))
        .filter(|(index, other)| is_comparable(&runs[*index], other))
        .collect();
    let results = paired_tests(&first, &others.iter().map(|(_, other)| other).collect::<Vec<_>>());
    others.iter().zip(results).for_each(|((index, _), test)| tests[*index] = Some(test));
    tests
}

impl RunComparison {
    /// Writes the page about the runs and returns its path.
    ///
    /// # Errors
    /// Records that cannot be drawn, or a page that cannot be written.
    pub fn write_page(&self, artifacts: &Path) -> Result<PathBuf> {
        let Self { runs, names, differences, tests } = self;
        let page = report::comparison(runs, names, differences, tests)?;
        run::write_file(&artifacts.join("comparisons"), &file_name(runs), page.as_bytes())
    }
}

/// Returns the settings that differ, then data set, backend and version of smallnet if they differ.
fn find_differences(runs: &[RunRecords]) -> Result<Vec<Difference>> {
    let experiments: Vec<_> = runs.iter().map(|run| &run.experiment).collect();
    let mut found = differences(&experiments)?;
    found.iter_mut().for_each(|difference| leave_out_unused(difference, runs));
    type Property = (&'static str, fn(&RunRecords) -> String);
    let properties: [Property; 4] = [
        ("imported from", |run| {
            run.info.imported.as_ref().map_or_else(dash, |file| file.file_name().to_owned())
        }),
        ("data digest", |run| run.info.data.sha256.chars().take(16).collect()),
        ("backend", |run| run.info.backends()),
        ("smallnet", |run| run.info.version.clone()),
    ];
    for (key, value) in properties {
        let values: Vec<_> = runs.iter().map(|run| Some(value(run))).collect();
        if values.windows(2).any(|pair| pair[0] != pair[1]) {
            found.push(Difference { key: key.to_owned(), values });
        }
    }
    Ok(found)
}

/// Text of a property that a run does not have.
fn dash() -> String {
    "–".to_owned()
}

/// Leaves out the settings of a training in the columns of imported networks, whose training is not
/// known.
fn leave_out_unused(difference: &mut Difference, runs: &[RunRecords]) {
    let of_network = ["data.", "model.hidden", "model.activation", "name"];
    if of_network.iter().any(|key| difference.key.starts_with(key)) {
        return;
    }
    for (value, run) in difference.values.iter_mut().zip(runs) {
        if run.info.imported.is_some() {
            *value = None;
        }
    }
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn unique_names(runs: &[RunRecords]) -> Vec<String> {
    names_of(&runs.iter().map(|run| (run.experiment.name.clone(), run.folder.id())).collect::<Vec<_>>())
}

/// Returns a name for each pair of the name of an experiment and the id of its run. The id is left out
/// where no other run has the same experiment.
pub(super) fn names_of(runs: &[(String, String)]) -> Vec<String> {
    let is_unique = |name: &String| runs.iter().filter(|(other, _)| other == name).count() == 1;
    let name = |(name, id): &(String, String)| match is_unique(name) {
        true => name.clone(),
        false => format!("{name} {id}"),
    };
    distinct(runs.iter().map(name).collect())
}

/// Returns the name of the page. It depends on the paths of the run folders alone: the same runs
/// replace their page, and other runs get another one.
fn file_name(runs: &[RunRecords]) -> String {
    let path =
        |run: &RunRecords| run.folder.path().canonicalize().unwrap_or_else(|_| run.folder.path().to_owned());
    let folders: Vec<_> = runs.iter().map(|run| path(run).display().to_string()).collect();
    let digest = hex(&Sha256::digest(folders.join("\n")));
    let first = &runs[0].experiment.name;
    format!("{first}-and-{}-more-{}.html", runs.len() - 1, &digest[..8])
}
