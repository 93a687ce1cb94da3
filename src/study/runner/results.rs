//! Owns the result files of a study: CSV, JSON and the page. Depends on the study's page and the
//! trial log.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::run;
use crate::run::RunRecords;
use crate::study::journal::{self, Journal};
use crate::study::page;
use crate::study::page::StudyPage;
use crate::study::runner::OpenStudy;
use crate::study::{
    CSV, ConfigurationResult, EpochChoice, JSON, Measure, PAGE, RungResult, StudySummary, TrialEnd,
    TrialRecord, median_epoch_seconds,
};
use crate::util::files;
use crate::util::table::{Column, TextTable};

/// Paths of the result files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultPaths {
    /// CSV file with one row per trial.
    pub csv: PathBuf,
    /// JSON file with one record per configuration.
    pub json: PathBuf,
    /// The HTML page.
    pub page: PathBuf,
}

/// Contents of `results.json`.
#[derive(Serialize)]
struct Results<'a> {
    study: &'a str,
    version: &'static str,
    backend: String,
    engine: String,
    data_sha256: &'a str,
    folds: usize,
    seeds: &'a [u64],
    /// Half the width of the region of practical equivalence, a difference of accuracies.
    equivalence: f64,
    /// Measure by which the configurations are ranked.
    choose: Measure,
    /// Images that chose the epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch_choice: Option<EpochChoice>,
    /// Rungs of successive halving.
    #[serde(skip_serializing_if = "Option::is_none")]
    halving: Option<&'a [RungResult]>,
    #[serde(rename = "settings")]
    configurations: &'a [ConfigurationResult],
    best: Option<&'a ConfigurationResult>,
    #[serde(rename = "winner")]
    best_model: Option<BestModelResult<'a>>,
}

/// The best model in `results.json`: its run and its result on the test images.
#[derive(Serialize)]
struct BestModelResult<'a> {
    run: &'a std::path::Path,
    num_parameters: usize,
    test_accuracy: Option<f64>,
    test_loss: Option<f64>,
    weights_sha256: &'a str,
}

impl OpenStudy {
    /// Writes `results.csv`, `results.json` and `report.html` with the results so far. `best_model`
    /// has the records of the best model, once it has been trained.
    ///
    /// # Errors
    /// A file cannot be written, or a chart of the page cannot be drawn.
    pub fn write_results(
        &self,
        summary: &StudySummary,
        best_model: Option<&RunRecords>,
    ) -> Result<ResultPaths> {
        let records = self.records();
        let csv = self.folder.write(CSV, &csv(&self.all_records())?)?;
        let json = serde_json::to_vec_pretty(&self.results(summary, best_model));
        let mut json =
            json.map_err(|error| Error::new(format!("cannot write JSON: {error}")).with_source(error))?;
        json.push(b'\n');
        let json = self.folder.write(JSON, &json)?;
        let page = page::page(&self.page(summary, &records, best_model))?;
        let page = self.folder.write(PAGE, page.as_bytes())?;
        Ok(ResultPaths { csv, json, page })
    }

    /// Writes the study as a journal of Optuna into the file at `path`.
    ///
    /// # Errors
    /// A file that has lines of other programs, or that cannot be written.
    pub fn write_journal(&self, summary: &StudySummary, path: &Path) -> Result<()> {
        // Optuna may have gone on with it meanwhile.
        check_journal(path)?;
        let planned = &self.planned;
        let trials = &planned.plan.trials;
        let records: Vec<_> = trials.iter().map(|trial| self.trial_log.record(trial)).collect();
        let facts = [
            ("smallnet", env!("CARGO_PKG_VERSION").to_owned()),
            ("study", self.folder.path().display().to_string()),
            ("measure", format!("{} on validation images", summary.measure.name())),
            ("folds", planned.study.folds.to_string()),
            ("seeds", format!("{:?}", planned.study.seeds)),
            ("backend", planned.compute.to_string()),
            ("data_sha256", planned.data_sha256.clone()),
        ];
        let journal = Journal {
            name: &planned.study.name,
            parameters: &planned.study.parameters,
            plan: &planned.plan,
            summary,
            records: &records,
            facts: &facts,
        };
        files::write(path, journal.lines(run::now())?.as_bytes())
    }

    /// Contents of the study's page. `records` are those of [`OpenStudy::records`].
    pub(crate) fn page<'a>(
        &'a self,
        summary: &'a StudySummary,
        records: &'a [&'a TrialRecord],
        best_model: Option<&'a RunRecords>,
    ) -> StudyPage<'a> {
        let planned = &self.planned;
        StudyPage {
            study: &planned.study,
            plan: &planned.plan,
            summary,
            records,
            best_model,
            adapter: &planned.opened.adapter,
            layout: planned.layout,
            data_sha256: &planned.data_sha256,
            folder: self.folder.path(),
        }
    }

    /// Contents of `results.json`.
    fn results<'a>(&'a self, summary: &'a StudySummary, best_model: Option<&'a RunRecords>) -> Results<'a> {
        let planned = &self.planned;
        let best_model = best_model.and_then(|run| {
            let result = run.summary.as_ref()?;
            Some(BestModelResult {
                run: run.folder.path(),
                num_parameters: result.num_parameters,
                test_accuracy: result.test_accuracy,
                test_loss: result.test_loss,
                weights_sha256: &result.weights_sha256,
            })
        });
        Results {
            study: &planned.study.name,
            version: env!("CARGO_PKG_VERSION"),
            backend: planned.compute.backend().to_string(),
            engine: planned.compute.engine().to_string(),
            data_sha256: &planned.data_sha256,
            folds: planned.study.folds,
            seeds: &planned.study.seeds,
            equivalence: summary.equivalence,
            choose: summary.measure,
            epoch_choice: summary.epoch_choice,
            halving: summary.halving.as_deref(),
            configurations: &summary.configurations,
            best: summary.best.map(|best| &summary.configurations[best]),
            best_model,
        }
    }
}

/// Checks that a journal can be written to the file at `path`: there is none, or it has only lines of
/// smallnet.
///
/// # Errors
/// A file with other lines, which would be lost, or a folder that does not exist.
pub fn check_journal(path: &Path) -> Result<()> {
    if path.exists() {
        let text = files::read(path)?;
        return match journal::is_own(&text) {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "`{}` has lines that smallnet did not write: Optuna went on with it, or it is another file",
                path.display()
            ))
            .hint("name a new file: the journal is written whole, and those lines would be lost")),
        };
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    match folder.is_none_or(Path::is_dir) {
        true => Ok(()),
        false => Err(Error::usage(format!("`{}` is in a folder that does not exist", path.display()))),
    }
}

/// The columns of `results.csv` after the varied keys. Scripts find the columns by their names. A
/// new column goes to the end.
const CSV_COLUMNS: [Column<TrialRecord>; 16] = [
    Column::number("seed", |record| record.seed.to_string()),
    // People count folds from 1.
    Column::number("fold", |record| or_empty(record.fold.map(|fold| fold.saturating_add(1)))),
    Column::text("end", |record| end_name(record.end).to_owned()),
    Column::number("accuracy", |record| or_empty(record.accuracy)),
    Column::number("loss", |record| or_empty(record.loss)),
    Column::number("epoch", |record| or_empty(record.epoch)),
    Column::number("weights", |record| record.num_parameters.to_string()),
    Column::number("training_images", |record| record.num_images.0.to_string()),
    Column::number("validation_images", |record| record.num_images.1.to_string()),
    Column::number("steps_per_epoch", |record| record.steps_per_epoch.to_string()),
    Column::number("seconds", |record| {
        format!("{:.6}", record.epochs.iter().map(|epoch| epoch.seconds).sum::<f64>())
    }),
    Column::text("message", |record| or_empty(record.message.as_ref())),
    Column::number("seconds_per_epoch", |record| {
        or_empty(median_epoch_seconds(&record.epochs).map(|seconds| format!("{seconds:.6}")))
    }),
    Column::number("balanced_accuracy", |record| or_empty(record.balanced_accuracy)),
    Column::number("stopping_images", |record| or_empty(record.num_stopping_images)),
    Column::number("stopped_after", |record| or_empty(record.stopped_after)),
];

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn end_name(end: TrialEnd) -> &'static str {
    match end {
        TrialEnd::Finished => "finished",
        TrialEnd::Diverged => "diverged",
        TrialEnd::Failed => "failed",
    }
}

/// Contents of `results.csv`, one row per trial: the values of the varied keys, then
/// [`CSV_COLUMNS`].
fn csv(records: &[&TrialRecord]) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::new(format!("cannot write CSV: {error}")).with_source(error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let table = TextTable::new(&CSV_COLUMNS, records.iter().copied());
    let keys = records.first().map(|record| record.configuration.values.iter().map(|(key, _)| &**key));
    let names = table.headers.iter().map(|header| header.name.as_str());
    writer.write_record(keys.into_iter().flatten().chain(names)).map_err(failed)?;
    for (record, cells) in records.iter().zip(&table.rows) {
        let values = record.configuration.values.iter().map(|(_, value)| value.trim_matches('"'));
        let row = values.chain(cells.iter().map(String::as_str));
        writer.write_record(row).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Error::new(format!("cannot write CSV: {error}")))
}
