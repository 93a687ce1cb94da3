//! Owns the trials of a study: every configuration with every seed in every fold. Depends on
//! `experiment` and `backend`. Must not know how or when they are trained.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::backend::Compute;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, is_tracking, settings};
use crate::study::grid::Configurations;
use crate::study::halving::Rungs;
use crate::study::sampling::Sample;
use crate::study::search_space::Configuration;
use crate::study::top_level::DEFAULT_EQUIVALENCE;
use crate::study::{Measure, Study};
use crate::tracking::TrackingConfig;
use crate::training::Hyperparameters;
use crate::util::hex::hex;

/// Order of timed trials; see [`round_robin`](crate::study::round_robin). The word is part of the
/// trials' ids.
const ROUND_ROBIN: &str = "turns";
/// Mark of trials whose epoch is chosen by stopping images. The words are part of the trials' ids.
const STOPPING: &str = "stopping share";
/// Mark of trials that end at a rung of successive halving. The word is part of the trials' ids.
const HALVING: &str = "halving";
/// Most trials of a study. A larger number is taken for a mistake.
const MAX_TRIALS: usize = 100_000;

/// Most bytes of memory for the experiments of a study. A hundred thousand usual experiments take
/// half of it.
const MAX_MEMORY: usize = 144_000_000;

/// One training of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Digest of everything that decides its result, as 16 hexadecimal digits; see
    /// [`TrialPlan::new`].
    pub id: String,
    /// Index of its configuration in [`TrialPlan::configurations`].
    pub configuration: usize,
    /// The experiment, with its seed. All folds of a configuration and seed share it.
    pub experiment: Arc<Experiment>,
    /// The validation fold, from 0. `None` without cross-validation.
    pub fold: Option<usize>,
    /// Epoch after which successive halving judges it, if that is before the last epoch of its
    /// experiment. The training ends there.
    pub stop_after: Option<usize>,
}

impl Trial {
    /// Number of epochs that it is trained for.
    pub fn num_epochs(&self) -> usize {
        self.stop_after.unwrap_or(self.experiment.training.num_epochs)
    }

    /// Hyperparameters of the network.
    pub fn hyperparameters(&self) -> Hyperparameters<'_> {
        self.experiment.hyperparameters()
    }
}

/// All trials of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialPlan {
    /// The configurations, in the grid's order.
    pub configurations: Vec<Configuration>,
    /// The trials, ordered by rung, then configuration, then seed, then fold. Without halving, there
    /// is one rung. With it, the trials of all configurations in all rungs are here, and only some of
    /// them are run.
    pub trials: Vec<Trial>,
    /// Rungs of successive halving. `None` if all trials are trained to their end.
    pub rungs: Option<Rungs>,
    /// Names and values of everything that decides the results, to show what a changed study file
    /// changes.
    pub fingerprint: BTreeMap<String, String>,
    /// Half the width of the region of practical equivalence. It decides verdicts and no result.
    pub equivalence: f64,
    /// Measure by which the configurations are ranked. It decides the ranking and no result.
    pub measure: Measure,
    /// Share of each trial's training images that is held out for early stopping.
    pub stopping_share: f64,
    /// True if values are drawn from ranges.
    pub draws_from_ranges: bool,
}

impl TrialPlan {
    /// Plans the trials of `study` on `compute` and on the images with the identity `data`, which
    /// begins with the digest of the data set.
    /// `machine` names the machine, which matters if the study is timed.
    ///
    /// A trial's id is the start of the SHA-256 over everything that decides its result: its
    /// experiment without its name and the path of the data, its fold and the number of folds,
    /// whether it is timed and on which machine, the data set, the backend and the engine, and with
    /// early stopping the share of images that it holds out. With halving, it is also the epoch after
    /// which it ends, if that is not the last one: a trial of the last rung is the one that a study
    /// without halving has. If one of these differs, it is another trial. So a result of an earlier
    /// run is found by its id.
    ///
    /// # Errors
    /// The experiment refuses a configuration, two configurations mean the same, there are too many
    /// trials, or their experiments take too much memory.
    pub fn new(
        study: &Study,
        compute: impl Into<Compute>,
        data: &str,
        machine: Option<&str>,
    ) -> Result<Self> {
        let compute = compute.into();
        let all = Configurations::new(&study.parameters, study.sample)?;
        let rungs = study.halving.map(|halving| halving.rungs(study.base.training.num_epochs));
        check_number(study, all.len(), rungs.as_ref())?;
        let timed_on = machine.filter(|_| study.timing).unwrap_or_default();
        // In an earlier smallnet, the configurations of a timed study did not take turns. Such
        // times cannot be compared with those of today, so the order is part of the id.
        let timing = if study.timing { ROUND_ROBIN } else { "false" };
        let conditions = format!("{compute}\n{data}\n{timed_on}\n{timing}\n{}", study.folds);
        // Epoch after which the trials of each rung end, if that is not the last one.
        let mut ends: Vec<Option<usize>> =
            rungs.iter().flat_map(|rungs| &rungs.epochs).copied().map(Some).collect();
        ends.pop();
        ends.push(None);
        let mut of_rungs: Vec<Vec<Trial>> = vec![Vec::new(); ends.len()];
        let mut is_stopped = false;
        let mut configurations = Vec::with_capacity(all.len());
        let mut left = MAX_MEMORY;
        for (configuration, values) in all.iter() {
            for &seed in &study.seeds {
                let experiment = study
                    .experiment(&values, seed)
                    .map_err(|error| name_configuration(&configuration, error))?;
                left = left.checked_sub(memory_bytes(&experiment)).ok_or_else(too_much_memory)?;
                let folds: Vec<_> = match study.folds {
                    0 => vec![None],
                    folds => (0..folds).map(Some).collect(),
                };
                let text = without_name(&experiment).to_toml()?;
                // In an earlier smallnet, the validation images chose the epoch. Such accuracies
                // cannot be compared with those of today, so the share is part of the id.
                let stopping = match &experiment.training.early_stopping {
                    Some(_) if study.stopping_share > 0.0 => format!("\n{STOPPING} {}", study.stopping_share),
                    _ => String::new(),
                };
                is_stopped |= experiment.training.early_stopping.is_some();
                let experiment = Arc::new(experiment);
                for fold in folds {
                    for (trials, &stop_after) in of_rungs.iter_mut().zip(&ends) {
                        let end = stop_after.map(|epoch| format!("\n{HALVING} {epoch}")).unwrap_or_default();
                        let facts = format!("{conditions}{stopping}{end}\n{fold:?}\n{text}");
                        trials.push(Trial {
                            id: hex(&Sha256::digest(facts))[..16].to_owned(),
                            configuration: configurations.len(),
                            experiment: experiment.clone(),
                            fold,
                            stop_after,
                        });
                    }
                }
            }
            configurations.push(configuration);
        }
        if rungs.is_some() && configurations.len() < 2 {
            return Err(Error::config(
                "the study has one configuration: `[halving]` has nothing to choose from",
            )
            .hint("vary a setting, or leave `[halving]` out"));
        }
        let trials: Vec<Trial> = of_rungs.into_iter().flatten().collect();
        let mut ids = HashMap::new();
        for trial in &trials {
            if let Some(other) = ids.insert(&trial.id, trial.configuration) {
                let (one, other) = (configurations[other].name(), configurations[trial.configuration].name());
                return Err(Error::config(format!("the configurations {one} and {other} are the same"))
                    .hint("leave one of both out"));
            }
        }
        let mut fingerprint = fingerprint(study, compute, data)?;
        if study.timing {
            fingerprint.insert("timed on".to_owned(), timed_on.to_owned());
            fingerprint.insert("timed in".to_owned(), ROUND_ROBIN.to_owned());
        }
        if is_stopped && study.stopping_share > 0.0 {
            fingerprint.insert("stopping share".to_owned(), study.stopping_share.to_string());
        }
        let Study { equivalence, measure, stopping_share, .. } = *study;
        let draws_from_ranges = study.draws_from_ranges();
        Ok(Self {
            configurations,
            trials,
            rungs,
            fingerprint,
            equivalence,
            measure,
            stopping_share,
            draws_from_ranges,
        })
    }

    /// Number of rungs: 1 without halving.
    pub fn num_rungs(&self) -> usize {
        self.rungs.as_ref().map_or(1, |rungs| rungs.epochs.len())
    }

    /// Epoch after which the trials of a rung end, if that is before the last epoch.
    pub fn stop_after(&self, rung: usize) -> Option<usize> {
        let epochs = &self.rungs.as_ref()?.epochs;
        epochs.get(rung).copied().filter(|_| rung + 1 < epochs.len())
    }

    /// Number of trials of each configuration in a rung: one for each seed and fold.
    pub fn trials_per_configuration(&self) -> usize {
        self.trials.len() / (self.num_rungs() * self.configurations.len()).max(1)
    }

    /// Indices of the trials of a configuration in a rung.
    pub fn trials_of(&self, rung: usize, configuration: usize) -> Range<usize> {
        let count = self.trials_per_configuration();
        let first = (rung * self.configurations.len() + configuration) * count;
        first..first + count
    }
}

/// Refuses a study with too many trials before memory is allocated for them.
fn check_number(study: &Study, configurations: usize, rungs: Option<&Rungs>) -> Result<()> {
    let (seeds, folds) = (study.seeds.len(), study.folds.max(1));
    let num_rungs = rungs.map_or(1, |rungs| rungs.epochs.len());
    let trials = configurations.saturating_mul(seeds).saturating_mul(folds).saturating_mul(num_rungs);
    if trials <= MAX_TRIALS {
        return Ok(());
    }
    let factors = match rungs {
        None => format!("configurations, seeds and folds: {configurations} × {seeds} × {folds}"),
        Some(_) => format!(
            "configurations, seeds, folds and rungs: {configurations} × {seeds} × {folds} × {num_rungs}"
        ),
    };
    Err(Error::config(format!("the study has {trials} trials ({factors}), expected at most {MAX_TRIALS}"))
        .hint("draw some of the configurations, `[sample]` with `num = 20`, or take fewer seeds or folds"))
}

/// Number of bytes of memory that an experiment takes.
fn memory_bytes(experiment: &Experiment) -> usize {
    let Experiment { name, data, model, .. } = experiment;
    size_of::<Experiment>() + name.capacity() + data.source.capacity() + size_of_val(&model.hidden[..])
}

fn too_much_memory() -> Error {
    Error::resources(format!(
        "the study's experiments take more than {} MB of memory",
        MAX_MEMORY / 1_000_000
    ))
    .hint("draw some of the configurations, `[sample]` with `num = 20`, or take fewer seeds")
}

/// Adds the name of the configuration to an error of its experiment.
fn name_configuration(configuration: &Configuration, error: Error) -> Error {
    match configuration.values.is_empty() {
        true => error,
        false => error.in_context(format!("the configuration {}: {error}", configuration.name())),
    }
}

/// The experiment without the values that decide no result: its name, the trackers, and the path of
/// the data set. The digest identifies the images.
fn without_name(experiment: &Experiment) -> Experiment {
    let (name, tracking) = ("trial".to_owned(), TrackingConfig::default());
    let mut unnamed = Experiment { name, tracking, ..experiment.clone() };
    unnamed.data.source = "data".to_owned();
    unnamed
}

/// Returns the names and values of everything that decides the results of `study`, as people read
/// them. Unlike the ids, it can show which of them a changed study file changes.
fn fingerprint(study: &Study, compute: Compute, data: &str) -> Result<BTreeMap<String, String>> {
    let mut fingerprint = settings(&study.base)?;
    fingerprint.retain(|key, _| !is_tracking(key));
    fingerprint.remove("name");
    fingerprint.remove("seed");
    fingerprint.remove("data.source");
    if study.folds > 0 {
        fingerprint.remove("data.validation");
    }
    for parameter in &study.parameters {
        fingerprint.insert(parameter.key.clone(), parameter.describe());
    }
    let sample =
        study.sample.map_or("all".to_owned(), |Sample { num, seed, .. }| format!("{num} drawn by {seed}"));
    for (key, value) in [
        ("folds", study.folds.to_string()),
        ("seeds", format!("{:?}", study.seeds)),
        ("sample", sample),
        ("timing", study.timing.to_string()),
        ("backend", compute.to_string()),
        ("data digest", data.chars().take(16).collect()),
    ] {
        fingerprint.insert(key.to_owned(), value);
    }
    if let Some(halving) = study.halving {
        fingerprint.insert("halving".to_owned(), halving.rungs(study.base.training.num_epochs).describe());
    }
    if study.draws_from_ranges() {
        let method = study.sample.and_then(|sample| sample.method).unwrap_or_default();
        fingerprint.insert("sampling method".to_owned(), method.key().to_owned());
    }
    // Plans of an earlier smallnet have no such entry. With the default, nothing has changed for
    // them.
    if study.equivalence != DEFAULT_EQUIVALENCE {
        fingerprint.insert("equivalence".to_owned(), study.equivalence.to_string());
    }
    if study.measure != Measure::default() {
        fingerprint.insert("choose".to_owned(), study.measure.key().to_owned());
    }
    Ok(fingerprint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::backend::Backend;

    fn study(text: &str) -> Study {
        Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap()
    }

    fn plan(text: &str) -> TrialPlan {
        TrialPlan::new(&study(text), Backend::Flex, "abc", Some("a machine")).unwrap()
    }

    const PLAIN_ID: &str = "9ca08ca4dfae100b";
    const STOPPED_ID: &str = "f05f474315d3a087";
    const RATES: &str = "folds = 3\nseeds = [1, 2]\n[vary]\noptimizer.learning_rate = [0.1, 1.0]";

    #[test]
    fn every_configuration_with_every_seed_in_every_fold() {
        let plan = plan(RATES);
        assert_eq!((plan.configurations.len(), plan.trials.len()), (2, 12));
        let of =
            |trial: &Trial| (trial.experiment.optimizer.learning_rate(), trial.experiment.seed, trial.fold);
        assert_eq!(of(&plan.trials[0]), (0.1, 1, Some(0)));
        assert_eq!(of(&plan.trials[4]), (0.1, 2, Some(1)));
        assert_eq!(of(&plan.trials[11]), (1.0, 2, Some(2)));
        let mut ids: Vec<_> = plan.trials.iter().map(|trial| &trial.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 12);
    }

    #[test]
    fn too_many_trials_are_refused() {
        let text = "folds = 100\nseeds = [1, 2]\n[vary]\noptimizer.learning_rate = { from = 0.1, to = 1, num = 501 }";
        assert_eq!(
            TrialPlan::new(&study(text), Backend::Flex, "abc", None).unwrap_err().to_string(),
            "the study has 100200 trials (configurations, seeds and folds: 501 × 2 × 100), expected at most 100000\n\n\
             hint: draw some of the configurations, `[sample]` with `num = 20`, or take fewer seeds or folds"
        );
    }

    #[test]
    fn a_trial_id_covers_all_that_decides_its_result() {
        let plan = plan(RATES);
        let ids = |plan: &TrialPlan| plan.trials.iter().map(|trial| trial.id.clone()).collect::<Vec<_>>();
        let renamed = self::plan(&format!("name = \"other\"\n{RATES}"));
        assert_eq!(ids(&renamed), ids(&plan));
        let more = self::plan(&RATES.replace("[0.1, 1.0]", "[0.01, 0.1, 1.0]"));
        assert_eq!(ids(&more)[6..], ids(&plan)[..], "another configuration leaves the others as they are");
        for (from, to) in [
            ("folds = 3", "folds = 4"),
            ("[vary]", "[set]\ntraining.num_epochs = 3\n[vary]"),
            ("folds", "timing = true\nfolds"),
        ] {
            let changed = ids(&self::plan(&RATES.replace(from, to)));
            assert!(ids(&plan).iter().all(|id| !changed.contains(id)), "{to}");
        }
        for (backend, data) in [(Backend::Ndarray, "abc"), (Backend::Flex, "abd")] {
            assert_ne!(ids(&TrialPlan::new(&study(RATES), backend, data, None).unwrap()), ids(&plan));
        }
    }

    /// The ids are those of smallnet 0.1.0, whose validation images chose the epoch.
    #[test]
    fn only_trials_with_stopping_images_have_other_ids_than_before() {
        let first = |text: &str| plan(text).trials[0].id.clone();
        let stopped = "folds = 3\n[set]\ntraining.early_stopping.patience = 2";
        assert_eq!(first(RATES), PLAIN_ID);
        assert_eq!(first(&format!("stopping_share = 0.2\n{RATES}")), PLAIN_ID);
        assert_eq!(first(&format!("stopping_share = 0\n{stopped}")), STOPPED_ID);
        let ids = [first(stopped), first(&format!("stopping_share = 0.2\n{stopped}")), STOPPED_ID.to_owned()];
        assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2], "{ids:?}");
        let chosen = format!("choose = \"balanced_accuracy\"\n{RATES}");
        assert_eq!(first(&chosen), PLAIN_ID, "the measure decides no result");
    }

    #[test]
    fn timed_trials_of_another_machine_are_other_trials() {
        let on = |text: &str, machine| {
            let study = study(text);
            TrialPlan::new(&study, Backend::Flex, "", Some(machine)).unwrap().trials[0].id.clone()
        };
        assert_eq!(on(RATES, "one"), on(RATES, "other"));
        let timed = RATES.replace("folds", "timing = true\nfolds");
        assert_ne!(on(&timed, "one"), on(&timed, "other"));
    }

    #[test]
    fn one_configuration_spelled_in_two_ways_is_refused() {
        let study = study("folds = 2\n[vary]\noptimizer.learning_rate = [1, 1.0]");
        let error = TrialPlan::new(&study, Backend::Flex, "", None).unwrap_err();
        assert_eq!(error.message(), "the configurations learning rate 1 and learning rate 1.0 are the same");
    }

    #[test]
    fn an_impossible_configuration_is_named() {
        let study = study("folds = 2\n[vary]\noptimizer.learning_rate = [1.0, -1.0]");
        let error = TrialPlan::new(&study, Backend::Flex, "", None).unwrap_err().to_string();
        assert_eq!(
            error,
            "the configuration learning rate -1.0: `optimizer.learning_rate` is -1, expected a number above 0"
        );
    }
}
