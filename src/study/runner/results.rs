//! The files that say what came out of a study: CSV, JSON and the page.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::run::RunRecords;
use crate::study::page;
use crate::study::page::StudyPage;
use crate::study::runner::OpenedStudy;
use crate::study::{
    CSV, ConfigurationResult, JSON, PAGE, StudySummary, TrialEnd, TrialRecord, trial_seconds,
};

/// Where the results are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultPaths {
    /// A row a trial.
    pub csv: PathBuf,
    /// A record a setting.
    pub json: PathBuf,
    /// The page.
    pub page: PathBuf,
}

/// `results.json`.
#[derive(Serialize)]
struct Results<'a> {
    study: &'a str,
    version: &'static str,
    backend: String,
    data_sha256: &'a str,
    folds: usize,
    seeds: &'a [u64],
    /// Half the width of the region of practical equivalence, a difference of accuracies.
    equivalence: f64,
    settings: &'a [ConfigurationResult],
    best: Option<&'a ConfigurationResult>,
    winner: Option<BestModelResult<'a>>,
}

#[derive(Serialize)]
struct BestModelResult<'a> {
    run: &'a std::path::Path,
    num_parameters: usize,
    test_accuracy: f64,
    test_loss: f64,
    weights_sha256: &'a str,
}

impl OpenedStudy {
    /// Writes what is known: `results.csv`, `results.json` and `report.html`.
    ///
    /// # Errors
    /// A file that cannot be written, or records that cannot be drawn.
    pub fn write_results(&self, summary: &StudySummary, winner: Option<&RunRecords>) -> Result<ResultPaths> {
        let records = self.records();
        let csv = self.folder.write(CSV, &csv(&records)?)?;
        let json = serde_json::to_vec_pretty(&self.results(summary, winner));
        let mut json =
            json.map_err(|error| Error::new(format!("cannot write JSON: {error}")).with_source(error))?;
        json.push(b'\n');
        let json = self.folder.write(JSON, &json)?;
        let page = page::page(&self.page(summary, &records, winner))?;
        let page = self.folder.write(PAGE, page.as_bytes())?;
        Ok(ResultPaths { csv, json, page })
    }

    /// The records of this study's trials, in the plan's order.
    pub fn records(&self) -> Vec<&TrialRecord> {
        self.planned.plan.trials.iter().filter_map(|trial| self.journal.record(trial)).collect()
    }

    /// What the study's page is made of; `records` are [`OpenedStudy::records`]'s.
    pub(crate) fn page<'a>(
        &'a self,
        summary: &'a StudySummary,
        records: &'a [&'a TrialRecord],
        winner: Option<&'a RunRecords>,
    ) -> StudyPage<'a> {
        let planned = &self.planned;
        StudyPage {
            study: &planned.study,
            plan: &planned.plan,
            summary,
            records,
            winner,
            adapter: &planned.opened.adapter,
            layout: planned.layout,
            data_sha256: &planned.data_sha256,
            folder: self.folder.path(),
        }
    }

    fn results<'a>(&'a self, summary: &'a StudySummary, winner: Option<&'a RunRecords>) -> Results<'a> {
        let planned = &self.planned;
        let winner = winner.and_then(|run| {
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
            backend: planned.backend.to_string(),
            data_sha256: &planned.data_sha256,
            folds: planned.study.folds,
            seeds: &planned.study.seeds,
            equivalence: summary.equivalence,
            settings: &summary.settings,
            best: summary.best.map(|best| &summary.settings[best]),
            winner,
        }
    }
}

/// A row a trial: the varied keys, then what came out.
fn csv(records: &[&TrialRecord]) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::new(format!("cannot write CSV: {error}")).with_source(error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let keys = records.first().map(|record| record.setting.values.iter().map(|(key, _)| &**key));
    let header = keys.into_iter().flatten().chain([
        "seed",
        "fold",
        "end",
        "accuracy",
        "loss",
        "epoch",
        "weights",
        "training_images",
        "validation_images",
        "steps_per_epoch",
        "seconds",
        "message",
        "seconds_per_epoch",
    ]);
    writer.write_record(header).map_err(failed)?;
    for record in records {
        let or_empty = |value: Option<String>| value.unwrap_or_default();
        let seconds: f64 = record.epochs.iter().map(|epoch| epoch.seconds).sum();
        let end = match record.end {
            TrialEnd::Finished => "finished",
            TrialEnd::Diverged => "diverged",
            TrialEnd::Failed => "failed",
        };
        let values = record.setting.values.iter().map(|(_, value)| value.trim_matches('"').to_owned());
        let row = values.chain([
            record.seed.to_string(),
            or_empty(record.fold.map(|fold| fold.saturating_add(1).to_string())),
            end.to_owned(),
            or_empty(record.accuracy.map(|value| value.to_string())),
            or_empty(record.loss.map(|value| value.to_string())),
            or_empty(record.epoch.map(|epoch| epoch.to_string())),
            record.num_parameters.to_string(),
            record.num_images.0.to_string(),
            record.num_images.1.to_string(),
            record.steps_per_epoch.to_string(),
            format!("{seconds:.6}"),
            or_empty(record.message.clone()),
            or_empty(trial_seconds(&record.epochs).map(|seconds| format!("{seconds:.6}"))),
        ]);
        writer.write_record(row).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Error::new(format!("cannot write CSV: {error}")))
}
