//! Owns the arguments that name an experiment: a file, and changes of its settings.
//!
//! Short forms are applied after every `--set`, so they override it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use crate::backend::{Backend, Engine};
use crate::error::{Error, Result};
use crate::experiment::shipped;
use crate::experiment::shipped::EXPERIMENTS;
use crate::experiment::{DEFAULT_EXPERIMENT, Experiment, Override, read_text};
use crate::run::CONFIG;
use crate::tracking::Tracker;

/// Arguments of an experiment file and of changes of its settings.
#[derive(Debug, Default, Args)]
pub(super) struct ExperimentArgs {
    /// The experiment: a file, or one of those inside smallnet: softmax, hidden, mlp, best,
    /// record, inserted, augmented, reference [default: softmax]
    config: Option<PathBuf>,
    /// Change settings of the experiment: one or more, such as `optimizer.learning_rate=0.1`.
    /// Another `kind` starts from its own defaults; short options of a setting override it
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Override>,
    /// The seed of weights, image order, held-out images and dropout; short for `--set seed=N`
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(0..))]
    seed: Option<i64>,
    /// The images: a name such as `fashion-mnist`, a folder or a file; short for `--set
    /// data.source=DATA`
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Leave out pictures that cannot be read; short for `--set data.skip_broken=true`
    #[arg(long)]
    skip_broken: bool,
}

/// Text of an experiment file.
pub(super) struct ExperimentText {
    /// The TOML.
    pub(super) text: String,
    /// Name of the file in messages.
    pub(super) origin: String,
}

impl Default for ExperimentText {
    /// The experiment that smallnet trains if none is named.
    fn default() -> Self {
        Self { text: DEFAULT_EXPERIMENT.to_owned(), origin: "softmax.toml".to_owned() }
    }
}

/// Arguments of an experiment that is trained: [`ExperimentArgs`] and short forms of frequent
/// settings.
#[derive(Debug, Default, Args)]
pub(super) struct TrainingArgs {
    #[command(flatten)]
    pub(super) experiment: ExperimentArgs,
    #[command(flatten)]
    short: ShortForms,
}

/// Short forms of `--set`. They override it.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ShortForms {
    /// Epochs to train; short for `--set training.num_epochs=N`
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(0..))]
    epochs: Option<i64>,
    /// The learning rate; short for `--set optimizer.learning_rate=RATE`
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    lr: Option<f64>,
    /// Images per step; short for `--set training.batch_size=N`
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(0..))]
    batch_size: Option<i64>,
    /// Neurons of each hidden layer, such as `128,64`, or `none`; short for `--set
    /// model.hidden=[…]`
    #[arg(long, value_name = "WIDTHS", allow_negative_numbers = true)]
    hidden: Option<Widths>,
}

/// The option `--track`.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct TrackArgs {
    /// Also write files for these trackers: several with commas; short for `--set
    /// tracking.kinds=[…]`
    #[arg(long, value_name = "TRACKERS", value_enum, value_delimiter = ',')]
    pub(super) track: Vec<Tracker>,
}

impl TrackArgs {
    /// Returns the setting that the option stands for, if it is given.
    pub(super) fn setting(&self) -> Option<Override> {
        let names: Vec<String> = self.track.iter().map(|tracker| tracker.name().to_owned()).collect();
        (!names.is_empty()).then(|| Override::new("tracking.kinds", names))
    }
}

/// Neurons per hidden layer as typed: `128,64`, or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Widths(Vec<u32>);

impl FromStr for Widths {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let text = text.trim();
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        // The brackets of `--set` are accepted, too.
        let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if list != text && list.trim().is_empty() {
            return Ok(Self(Vec::new()));
        }
        let widths: Option<_> = list.split(',').map(|width| width.trim().parse().ok()).collect();
        widths.map(Self).ok_or("expected widths such as `128` or `128,64`, or `none`")
    }
}

impl ShortForms {
    /// Returns the settings that the short forms stand for.
    pub(super) fn settings(&self) -> Vec<Override> {
        let epochs = self.epochs.map(|epochs| Override::new("training.num_epochs", epochs));
        let lr = self.lr.map(|lr| Override::new(LEARNING_RATE, lr));
        let batch_size = self.batch_size.map(|size| Override::new("training.batch_size", size));
        let hidden = self.hidden.iter().map(|widths| Override::new("model.hidden", widths.0.clone())).next();
        [epochs, lr, batch_size, hidden].into_iter().flatten().collect()
    }
}

/// Key that `--lr` is short for.
const LEARNING_RATE: &str = "optimizer.learning_rate";

impl TrainingArgs {
    /// Returns the arguments after `smallnet` that train this experiment, without its learning
    /// rate.
    pub(super) fn train_command(&self, backend: Option<Backend>, engine: Option<Engine>) -> Vec<String> {
        let mut words = self.experiment.train_command(backend, engine);
        for setting in self.short.settings().iter().filter(|setting| setting.key() != LEARNING_RATE) {
            words.extend(["--set".to_owned(), setting.to_string()]);
        }
        words
    }

    /// Adds the trackers of `--track`, which override those of `--set`.
    pub(super) fn tracked(mut self, track: &TrackArgs) -> Self {
        self.experiment.settings.extend(track.setting());
        self
    }

    /// Reads the experiment. `name` replaces its name.
    ///
    /// # Errors
    /// If the file cannot be read, or if a setting is refused.
    pub(super) fn read(self, name: Option<String>) -> Result<Experiment> {
        self.read_or(ExperimentText::default(), name)
    }

    /// Reads the experiment, or changes `default` if none is named. `name` replaces its name.
    ///
    /// # Errors
    /// If the file cannot be read, or if a setting is refused.
    pub(super) fn read_or(mut self, default: ExperimentText, name: Option<String>) -> Result<Experiment> {
        self.experiment.settings.extend(self.short.settings());
        self.experiment.read_or(default, name)
    }
}

impl ExperimentArgs {
    /// Returns the arguments after `smallnet` that train this experiment.
    fn train_command(&self, backend: Option<Backend>, engine: Option<Engine>) -> Vec<String> {
        let option = |name: &str, value: String| [name.to_owned(), value];
        let backend = backend.iter().flat_map(|backend| option("--backend", backend.to_string()));
        let engine = engine.iter().flat_map(|engine| option("--engine", engine.to_string()));
        let config = self.config.as_ref().map(|path| path.display().to_string());
        let settings = self.settings.iter().flat_map(|setting| option("--set", setting.to_string()));
        let seed = self.seed.iter().flat_map(|seed| option("--seed", seed.to_string()));
        let data = self.data.iter().flat_map(|data| option("--data", data.clone()));
        let skip_broken = self.skip_broken.then(|| "--skip-broken".to_owned());
        let arguments = config.into_iter().chain(settings).chain(seed).chain(data).chain(skip_broken);
        backend.chain(engine).chain(["train".to_owned()]).chain(arguments).collect()
    }

    /// Reads the experiment. `name` replaces its name.
    ///
    /// # Errors
    /// If the file cannot be read, or if a setting is refused.
    pub(super) fn read(self, name: Option<String>) -> Result<Experiment> {
        self.read_or(ExperimentText::default(), name)
    }

    /// Reads the experiment, or changes `default` if none is named. `name` replaces its name.
    ///
    /// # Errors
    /// If the file cannot be read, or if a setting is refused.
    fn read_or(self, default: ExperimentText, name: Option<String>) -> Result<Experiment> {
        let ExperimentText { text, origin } = match &self.config {
            None => default,
            Some(path) => match shipped::shipped(&EXPERIMENTS, path, "experiment")? {
                Some(shipped) => ExperimentText { text: shipped.text.to_owned(), origin: shipped.file() },
                None => ExperimentText { text: read_file(path)?, origin: path.display().to_string() },
            },
        };
        let mut settings = self.settings;
        settings.extend(self.seed.map(|seed| Override::new("seed", seed)));
        settings.extend(name.map(|name| Override::new("name", name)));
        settings.extend(self.data.map(|data| Override::new("data.source", data)));
        settings.extend(self.skip_broken.then(|| Override::new("data.skip_broken", true)));
        let mut experiment = Experiment::from_toml(&text, &origin, &settings)?;
        experiment.data.make_absolute()?;
        let is_changed = settings.iter().any(|setting| setting.key() == shipped::VALIDATION);
        shipped::mark_validation(&mut experiment.data, &EXPERIMENTS, &text, is_changed);
        Ok(experiment)
    }
}

/// Reads an experiment file. The error has a hint about experiments that exist.
fn read_file(path: &Path) -> Result<String> {
    read_text(path).map_err(|error| {
        let file = path.join(CONFIG);
        let error = Error::io("read the experiment file", path, error);
        match file.is_file() {
            true => error.hint(format!("a run's experiment is its `{}`", file.display())),
            false => error.hint(shipped::hint(
                &EXPERIMENTS,
                path,
                "an experiment is a TOML file; those inside smallnet are `softmax`, `hidden`, `mlp`, `best`, \
                 `record` and `reference`, which has every key",
            )),
        }
    })
}
