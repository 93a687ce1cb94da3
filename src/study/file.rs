//! Owns the study file: a base experiment, the parameters that vary, folds and seeds. Depends on
//! `experiment`. Must not know trials or results.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use toml::{Table, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::experiment;
use crate::experiment::shipped::{EXPERIMENTS, STUDIES, Shipped, VALIDATION, hint, mark_validation, shipped};
use crate::experiment::{DEFAULT_EXPERIMENT, Experiment, MAX_NAME_LENGTH, Override, ParsedExperiment};
use crate::study::choice::Measure;
use crate::study::halving::Halving;
use crate::study::sampling;
use crate::study::sampling::{Method, Sample};
use crate::study::search_space;
use crate::study::search_space::{Configuration, Domain, Parameter};
use crate::study::top_level::TopLevel;

/// Contents of a study file.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Name of the study and of its results folder.
    pub name: String,
    /// The base experiment, without the values of `vary`.
    pub base: Experiment,
    /// Number of folds of the cross-validation over the training images. With 0, the validation
    /// images are those of `data.validation`.
    pub folds: usize,
    /// Seeds. Each configuration is trained once with each seed.
    pub seeds: Vec<u64>,
    /// True if the study measures time. Its trials then run one after the other, each after a
    /// warm-up, and the configurations take turns.
    pub timing: bool,
    /// Half the width of the region of practical equivalence, a difference of accuracies in [0, 1).
    /// Accuracies that differ by less count as equal in practice.
    pub equivalence: f64,
    /// Measure by which the configurations are ranked.
    pub measure: Measure,
    /// Share of each trial's training images that is held out for early stopping, in [0, 1). With 0,
    /// the validation images choose the epoch that they judge.
    pub stopping_share: f64,
    /// Keys of the section `[vary]`, each with its values.
    pub(super) parameters: Vec<Parameter>,
    /// Draw of the configurations from the grid or from ranges. With `None`, all configurations of
    /// the grid are trained.
    pub(super) sample: Option<Sample>,
    /// Successive halving. With `None`, all trials are trained to their end.
    pub halving: Option<Halving>,
    /// Text of the file.
    text: String,
    /// The file of the base experiment, without the keys that `changes` replace.
    base_file: ParsedExperiment,
    /// Values of the section `[set]` and those of the command line, one for each key.
    changes: Vec<Override>,
    /// Name of the file, for messages.
    origin: String,
}

/// Suffix after the study's name in the name of the best configuration's experiment.
const BEST_SUFFIX: &str = "-best";

impl Study {
    /// Reads the study file at `path`, or the study inside smallnet of that name. `changes` are
    /// applied after its `[set]` section.
    ///
    /// # Errors
    /// The file cannot be read, a key is unknown, a value has the wrong type or is out of range, or
    /// the base experiment is refused.
    pub fn read(path: &Path, changes: &[Override]) -> Result<Self> {
        if let Some(inside) = shipped(&STUDIES, path, "study")? {
            return Self::from_toml(inside.text, &inside.file(), changes, shipped_base);
        }
        let text = experiment::read_text(path).map_err(|error| {
            let names = "a study is a TOML file; those inside smallnet are `learning-rate`, `learning-rate-cv`, \
                         `architecture`, `batch-size`, `random-search` and `halving`";
            Error::io("read the study file", path, error).hint(hint(&STUDIES, path, names))
        })?;
        let base = |name: &str| read_base(path.parent().unwrap_or(Path::new("")), name);
        Self::from_toml(&text, &path.display().to_string(), changes, base)
    }

    /// Reads a study from TOML. `origin` is the name of its file, for messages and as the default
    /// name of the study. `more_changes` are applied after its `[set]` section. `base` returns the
    /// text of the experiment file that the study names, and the name of that file.
    ///
    /// # Errors
    /// The same as those of [`Study::read`].
    pub fn from_toml(
        text: &str,
        origin: &str,
        more_changes: &[Override],
        base: impl Fn(&str) -> Result<(String, String)>,
    ) -> Result<Self> {
        let mut table = experiment::parse(text, origin)?;
        let mut file = TopLevel { table: &mut table, origin };
        let stem = Path::new(origin).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = file.text("name")?.unwrap_or(stem);
        let (base_text, base_origin) = match file.text("base")? {
            Some(name) => base(&name)?,
            None => (DEFAULT_EXPERIMENT.to_owned(), "softmax.toml".to_owned()),
        };
        let folds = file.folds()?;
        let seeds = file.seeds()?;
        let timing = file.flag("timing")?;
        let equivalence = file.equivalence()?;
        let measure = file.measure()?;
        let stopping_share = file.stopping_share()?;
        let sample = file.sample()?;
        let halving = file.halving()?;
        let mut own_changes = Vec::new();
        flatten_changes(&file.section("set")?, "", &mut own_changes);
        let vary = file.section("vary")?;
        file.reject_unknown_keys()?;
        // Folds replace the validation images of `data.validation`. Early stopping refuses an
        // experiment without validation images, so the value is 1 and not 0.
        let held_out = (folds > 0).then(|| Override::new(VALIDATION, 1));
        own_changes.extend(held_out.clone());
        let changes = own_changes.iter().chain(more_changes).cloned().chain(held_out);
        let changes = keep_last_of_each_key(changes.collect());
        let base_file = ParsedExperiment::new(&base_text, &base_origin)?.without_overridden(&changes);
        let mut base = base_file
            .with_overrides(&changes, &format!("changed by `{origin}`"))
            .map_err(|error| base_file.explain_refusal(error, &own_changes, more_changes))?;
        base.data.make_absolute()?;
        if folds == 0 {
            let is_among = |changes: &[Override]| changes.iter().any(|change| change.key() == VALIDATION);
            let (file, text) = match is_among(&changes) {
                true => (&STUDIES[..], text),
                false => (&EXPERIMENTS[..], base_text.as_str()),
            };
            mark_validation(&mut base.data, file, text, is_among(more_changes));
        }
        let known = experiment::settings(&base)?;
        let is_whole = |key: &str| known.get(key).is_some_and(|value| value.parse::<i64>().is_ok());
        let parameters = search_space::read(&vary, "", origin, &is_whole)?;
        sampling::check(&parameters, sample, origin)?;
        let check = |changes: &[Override]| check_parameters(&parameters, changes, seeds.is_some(), origin);
        // A change that the file alone does not make is one of the command line.
        check(&changes).map_err(|error| match check(&own_changes) {
            Ok(()) => error.with_kind(ErrorKind::Usage),
            Err(_) => error,
        })?;
        Experiment { name: name.clone(), ..base.clone() }.check()?;
        check_length(&name, origin)?;
        if let Some(halving) = halving {
            halving.check(&base, &parameters, timing, origin)?;
        }
        let seeds = seeds.unwrap_or_else(|| vec![base.seed]);
        let study = Self {
            name,
            base,
            folds,
            seeds,
            timing,
            equivalence,
            measure,
            stopping_share,
            parameters,
            sample,
            halving,
            text: text.to_owned(),
            base_file,
            changes,
            origin: origin.to_owned(),
        };
        study.check()?;
        Ok(study)
    }

    /// Refuses a study without validation images.
    fn check(&self) -> Result<()> {
        if self.folds == 0 && self.base.data.validation == 0 {
            return Err(Error::config(format!(
                "the study `{}` has nothing to choose by: no `folds`, and `data.validation` is 0",
                self.origin
            ))
            .hint(
                "write `folds = 5`, or hold images out: `data.validation = 10000` under `[set]`; the test images choose \
                 nothing",
            ));
        }
        Ok(())
    }

    /// Refuses a study whose trials cannot be cut into shards.
    ///
    /// # Errors
    /// The study is timed.
    pub fn check_can_be_cut(&self) -> Result<()> {
        match self.timing {
            false => Ok(()),
            true => Err(Error::usage(format!(
                "the study `{}` is timed, so it has no shards: times of several machines cannot be compared",
                self.name
            ))
            .hint("run it whole on one machine, or leave out `timing = true`")),
        }
    }

    /// Name of the best configuration's experiment, which is trained on all training images.
    pub fn best_name(&self) -> String {
        format!("{}{BEST_SUFFIX}", self.name)
    }

    /// Name of a trial as people read it, such as `learning rate 0.1, seed 1, fold 2 of 5`. `fold`
    /// is counted from 0, and the name counts from 1.
    pub fn trial_name(&self, configuration: &Configuration, seed: u64, fold: Option<usize>) -> String {
        let seed = if self.seeds.len() > 1 { format!(", seed {seed}") } else { String::new() };
        let fold = fold.map(|fold| format!(", fold {} of {}", fold + 1, self.folds)).unwrap_or_default();
        format!("{}{seed}{fold}", configuration.name())
    }

    /// Dotted keys that vary, such as `optimizer.learning_rate`.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|parameter| parameter.key.as_str())
    }

    /// True if the values of `key` are drawn on a logarithmic scale, and false if on a linear one. `None`
    /// if they are listed.
    pub(super) fn is_log(&self, key: &str) -> Option<bool> {
        match &self.parameters.iter().find(|parameter| parameter.key == key)?.domain {
            Domain::Range(range) => Some(range.is_log()),
            Domain::List(_) => None,
        }
    }

    /// Origin of the configurations in words, such as `32 drawn at random, seed 0`.
    pub(super) fn origin_of_configurations(&self) -> String {
        let Some(Sample { num, seed, method }) = self.sample else { return "the whole grid".to_owned() };
        match (self.draws_from_ranges(), method.unwrap_or_default()) {
            (false, _) => format!("{num} of the grid, drawn with seed {seed}"),
            (true, Method::Random) => format!("{num} drawn at random, seed {seed}"),
            (true, Method::Sobol) => {
                format!("{num} points of a scrambled Sobol’ sequence (Joe and Kuo 2008), seed {seed}")
            }
        }
    }

    /// True if values are drawn from ranges: then hardly any two configurations share a value.
    pub fn draws_from_ranges(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.domain.is_range())
    }

    /// Text of the file as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Builds the experiment with `values`, in the order of [`Study::keys`], and `seed`.
    ///
    /// # Errors
    /// The experiment refuses a value.
    pub(super) fn experiment(&self, values: &[Value], seed: u64) -> Result<Experiment> {
        let parameters = self.parameters.iter().zip(values);
        let parameters = parameters.map(|(parameter, value)| Override::new(&parameter.key, value.clone()));
        let mut changes: Vec<_> = self.changes.iter().cloned().chain(parameters).collect();
        changes.push(Override::new("seed", i64::try_from(seed).unwrap_or(i64::MAX)));
        changes.push(Override::new("name", self.name.clone()));
        let mut experiment =
            self.base_file.with_overrides(&changes, &format!("changed by `{}`", self.origin))?;
        // All trials have the data of the base experiment, where the path of the folder is absolute
        // already.
        experiment.data.clone_from(&self.base.data);
        Ok(experiment)
    }
}

/// Refuses a name that is too long for [`Study::best_name`].
fn check_length(name: &str, origin: &str) -> Result<()> {
    let most = MAX_NAME_LENGTH - BEST_SUFFIX.len();
    if name.len() <= most {
        return Ok(());
    }
    Err(Error::config(format!(
        "the name of the study `{origin}` is {} characters long, expected at most {most}: its best configuration is trained \
         as `{name}{BEST_SUFFIX}`",
        name.len()
    ))
    .hint("write a shorter `name = \"…\"` at the top of the study, or rename its file"))
}

/// Returns the text and the file name of the base experiment `name` of a study in `folder`. A path
/// starts at `folder`. Where no such file exists, `name` can be an experiment inside smallnet.
fn read_base(folder: &Path, name: &str) -> Result<(String, String)> {
    let path = folder.join(name);
    let inside = match path.exists() {
        true => None,
        false => shipped(&EXPERIMENTS, Path::new(name), "experiment")?,
    };
    if let Some(inside) = inside {
        return Ok((inside.text.to_owned(), inside.file()));
    }
    // The study may be untrusted: reading a pipe that it names would wait forever.
    let text = match path.exists() && !path.is_file() {
        true => Err(io::Error::other("it is not a file")),
        false => experiment::read_text(&path),
    };
    let text = text.map_err(|error| {
        let other = "`base` is a path that starts at the study's own folder, or the name of an experiment inside smallnet";
        Error::io("read the study's base experiment", &path, error).hint(hint(&EXPERIMENTS, &path, other))
    })?;
    Ok((text, path.display().to_string()))
}

/// Returns the text and the file name of the base experiment of a study inside smallnet. `name` is
/// the path that the study's file in `configs/studies/` has.
fn shipped_base(name: &str) -> Result<(String, String)> {
    let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy();
    let inside = Shipped::find(&EXPERIMENTS, &stem);
    let inside =
        inside.ok_or_else(|| Error::config(format!("there is no experiment `{name}` inside smallnet")))?;
    Ok((inside.text.to_owned(), inside.file()))
}

/// Refuses keys that cannot vary, keys that are both varied and set, and `name` among `changes`, as
/// well as `seed` where the study has `seeds`.
fn check_parameters(
    parameters: &[Parameter],
    changes: &[Override],
    has_seeds: bool,
    origin: &str,
) -> Result<()> {
    for Parameter { key, .. } in parameters {
        if key == "name" || key == "seed" {
            return Err(Error::config(format!("`vary.{key}` in `{origin}` is not something to vary"))
                .hint("to repeat every configuration with several seeds, write `seeds = [1, 2, 3]`"));
        }
        if key.starts_with("data.") {
            return Err(Error::config(format!("`vary.{key}` in `{origin}` is not something to vary")).hint(
                "accuracies on different images cannot be compared: make a study for each data set or split",
            ));
        }
        if changes.iter().any(|change| change.key() == *key) {
            return Err(Error::config(format!("`{key}` is both varied and set in the study `{origin}`"))
                .hint("leave one of both out"));
        }
    }
    let set = |key: &str| changes.iter().any(|change| change.key() == key);
    if set("name") || (has_seeds && set("seed")) {
        let key = if set("name") { "name" } else { "seeds" };
        return Err(Error::config(format!("`{key}` stands at the top of a study, not among what it sets"))
            .hint(format!("change `{key}` in `{origin}`")));
    }
    Ok(())
}

/// Flattens `[set]`, which may be nested, into changes. Every table is a section: no setting of an
/// experiment is a table, except `training.early_stopping`, whose keys may be set one by one.
fn flatten_changes(table: &Table, prefix: &str, changes: &mut Vec<Override>) {
    for (name, value) in table {
        match value {
            Value::Table(section) => flatten_changes(section, &format!("{prefix}{name}."), changes),
            value => changes.push(Override::new(&format!("{prefix}{name}"), value.clone())),
        }
    }
}

/// Removes each change that a later change replaces.
fn keep_last_of_each_key(changes: Vec<Override>) -> Vec<Override> {
    let mut seen = HashSet::new();
    let mut last: Vec<_> = changes.into_iter().rev().filter(|change| seen.insert(change.key())).collect();
    last.reverse();
    last
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
