//! From several run folders to one page.

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

/// Runs side by side.
#[derive(Debug, Clone)]
pub struct RunComparison {
    /// The runs, in the order asked for.
    pub runs: Vec<RunRecords>,
    /// What each is called: the experiment's name where that tells them apart, else with the run's id.
    pub names: Vec<String>,
    /// The settings that they do not share.
    pub differences: Vec<Difference>,
    /// Each run's network beside the first one's on the same test images; none for the first, and for one that has not been
    /// tested, or on other images.
    pub tests: Vec<Option<PairedTest>>,
}

/// Compares the runs that `texts` mean, as [`run::find`] understands them.
///
/// # Errors
/// No such run, the same run twice, or a damaged file.
pub fn compare(texts: &[String], artifacts: &Path) -> Result<RunComparison> {
    let mut runs: Vec<RunRecords> = Vec::with_capacity(texts.len());
    for text in texts {
        let folder = run::find(text, artifacts)?;
        if runs.iter().any(|run| same_folder(run.folder.path(), folder.path())) {
            return Err(Error::usage(format!("`{text}` is named twice"))
                .hint("compare different runs; `smallnet runs` lists them"));
        }
        runs.push(folder.records()?);
    }
    let names = names(&runs);
    let differences = differences_of(&runs)?;
    let tests = tests(&runs);
    Ok(RunComparison { runs, names, differences, tests })
}

/// Compares each network with the first on the test images, where they were the same.
fn tests(runs: &[RunRecords]) -> Vec<Option<PairedTest>> {
    let mut tests = vec![None; runs.len()];
    let evaluation = |run: &RunRecords| run.test.as_ref().map(|test| test.evaluation.clone());
    let Some(first) = runs.first().and_then(evaluation) else { return tests };
    let is_comparable = |run: &RunRecords, other: &Evaluation| {
        run.info.data.sha256 == runs[0].info.data.sha256 && other.num_images == first.num_images
    };
    let others: Vec<(usize, Evaluation)> = (1..runs.len())
        .filter_map(|index| Some((index, evaluation(&runs[index])?)))
        .filter(|(index, other)| is_comparable(&runs[*index], other))
        .collect();
    let found = paired_tests(&first, &others.iter().map(|(_, other)| other).collect::<Vec<_>>());
    others.iter().zip(found).for_each(|((index, _), test)| tests[*index] = Some(test));
    tests
}

impl RunComparison {
    /// Writes the page about the runs and says where it is.
    ///
    /// # Errors
    /// Records that cannot be drawn, or a file that cannot be written.
    pub fn write_page(&self, artifacts: &Path) -> Result<PathBuf> {
        let Self { runs, names, differences, tests } = self;
        let page = report::comparison(runs, names, differences, tests)?;
        run::write_in(&artifacts.join("comparisons"), &file_name(runs), page.as_bytes())
    }
}

/// What differs between the runs' experiments, and in what they ran on.
fn differences_of(runs: &[RunRecords]) -> Result<Vec<Difference>> {
    let experiments: Vec<_> = runs.iter().map(|run| &run.experiment).collect();
    let mut found = differences(&experiments)?;
    type Fact = (&'static str, fn(&RunRecords) -> String);
    let facts: [Fact; 3] = [
        ("data digest", |run| run.info.data.sha256.chars().take(16).collect()),
        ("backend", |run| run.info.backend.to_string()),
        ("smallnet", |run| run.info.version.clone()),
    ];
    for (key, fact) in facts {
        let values: Vec<_> = runs.iter().map(|run| Some(fact(run))).collect();
        if values.windows(2).any(|pair| pair[0] != pair[1]) {
            found.push(Difference { key: key.to_owned(), values });
        }
    }
    Ok(found)
}

fn same_folder(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn names(runs: &[RunRecords]) -> Vec<String> {
    let name = |run: &RunRecords| run.experiment.name.clone();
    let is_unique = |run: &RunRecords| runs.iter().filter(|other| name(other) == name(run)).count() == 1;
    let long = |run: &RunRecords| format!("{} {}", name(run), run.folder.id());
    distinct(runs.iter().map(|run| if is_unique(run) { name(run) } else { long(run) }).collect())
}

/// The same runs give the same name, others another.
fn file_name(runs: &[RunRecords]) -> String {
    let path =
        |run: &RunRecords| run.folder.path().canonicalize().unwrap_or_else(|_| run.folder.path().to_owned());
    let folders: Vec<_> = runs.iter().map(|run| path(run).display().to_string()).collect();
    let digest = hex(&Sha256::digest(folders.join("\n")));
    let first = &runs[0].experiment.name;
    format!("{first}-and-{}-more-{}.html", runs.len() - 1, &digest[..8])
}
