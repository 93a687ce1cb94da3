//! Owns the experiment file: its sections, and how it is read, overridden, checked and written.
//! Depends on the modules whose sections it combines: `data`, `model`, `optim`, `training` and
//! `tracking`. Each of them defines the meaning of its own section. Must not know run folders.

mod diff;
mod overrides;
mod read;
pub(crate) mod shipped;
pub mod summary;
mod synonyms;

use serde::{Deserialize, Serialize};

use crate::data::{AugmentationConfig, DataConfig};
use crate::error::{Error, Result, ensure};
use crate::model::MlpConfig;
use crate::optim::{OptimizerConfig, ScheduleConfig};
use crate::tracking::TrackingConfig;
use crate::training::{CheckpointConfig, Hyperparameters, TrainingConfig};

pub(crate) use diff::is_tracking;
pub use diff::{Difference, differences, settings};
pub use overrides::Override;
pub(crate) use read::{ParsedExperiment, parse, read_text};
pub(crate) use synonyms::meant_setting;

/// The largest number of characters of an experiment's name.
pub(crate) const MAX_NAME_LENGTH: usize = 100;

/// The text of `configs/softmax.toml`: the exercise's network, and the experiment that smallnet
/// trains by default.
pub const DEFAULT_EXPERIMENT: &str = include_str!("../../configs/softmax.toml");

/// A complete description of a training. Together with the backend, it determines the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// The name, which is also the name of the folder of the runs. It consists of letters, digits,
    /// `-`, `_` and `.`.
    pub name: String,
    /// The seed of initial weights, image order, validation images and dropout.
    pub seed: u64,
    /// The data set.
    pub data: DataConfig,
    /// The random changes of the training images.
    #[serde(skip_serializing_if = "AugmentationConfig::is_default")]
    pub augmentation: AugmentationConfig,
    /// The network.
    pub model: MlpConfig,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// The schedule of the learning rate.
    pub schedule: ScheduleConfig,
    /// Batch size, number of epochs, clipping, early stopping.
    pub training: TrainingConfig,
    /// The frequency of checkpoints. It has no effect on the result.
    #[serde(skip_serializing_if = "CheckpointConfig::is_default")]
    pub checkpoint: CheckpointConfig,
    /// The trackers that files are written for. It has no effect on the result.
    #[serde(skip_serializing_if = "TrackingConfig::is_default")]
    pub tracking: TrackingConfig,
}

impl Default for Experiment {
    fn default() -> Self {
        Self {
            name: "experiment".to_owned(),
            seed: 42,
            data: DataConfig::default(),
            augmentation: AugmentationConfig::default(),
            model: MlpConfig::default(),
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            training: TrainingConfig::default(),
            checkpoint: CheckpointConfig::default(),
            tracking: TrackingConfig::default(),
        }
    }
}

impl Experiment {
    /// Reads an experiment from TOML `text`, applies `overrides` in order and checks every value.
    ///
    /// `origin` is the name of the text in messages. Its file name without the extension is the
    /// default name of the experiment.
    ///
    /// # Errors
    /// Invalid TOML, an unknown key (with the nearest valid one), a value of the wrong type or out
    /// of range. If the text alone has no such mistake, the overrides have it, and the error is one
    /// of usage.
    pub fn from_toml(text: &str, origin: &str, overrides: &[Override]) -> Result<Self> {
        let parsed = ParsedExperiment::new(text, origin)?;
        let experiment = parsed.with_overrides(overrides, "with --set");
        experiment.map_err(|error| parsed.explain_refusal(error, &[], overrides))
    }

    /// Returns the experiment as TOML with all values. Reading it gives the same experiment.
    ///
    /// # Errors
    /// A value that TOML cannot represent.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| {
            Error::new(format!("cannot write the experiment as TOML: {error}")).with_source(error)
        })
    }

    /// Returns the sections that describe the training.
    pub fn hyperparameters(&self) -> Hyperparameters<'_> {
        let Self { augmentation, model, optimizer, schedule, training, .. } = self;
        Hyperparameters { augmentation, model, optimizer, schedule, training }
    }

    /// Checks the values of all sections.
    ///
    /// # Errors
    /// A value out of its range, or values that exclude each other.
    pub fn check(&self) -> Result<()> {
        let is_name_character = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_name = self.name.chars().all(is_name_character) && self.name.len() <= MAX_NAME_LENGTH;
        let is_name = is_name && !self.name.starts_with(['.', '-']) && !self.name.is_empty();
        let expected = "1 to 100 letters, digits, `-`, `_` or `.`, not starting with `.` or `-`";
        ensure(is_name, "name", format!("`{}`", self.name), expected)?;
        // TOML's integers are signed, so a larger seed could not be written.
        ensure(
            self.seed <= i64::MAX as u64,
            "seed",
            self.seed,
            "a whole number from 0 to 9223372036854775807",
        )?;
        self.data.check()?;
        self.augmentation.check()?;
        self.model.check()?;
        self.optimizer.check()?;
        self.schedule.check(self.optimizer.learning_rate(), self.training.num_epochs)?;
        self.training.check(self.data.validation)?;
        self.checkpoint.check()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str, overrides: &[&str]) -> Result<Experiment> {
        let overrides: Vec<_> = overrides.iter().map(|text| text.parse().unwrap()).collect();
        Experiment::from_toml(text, "test.toml", &overrides)
    }

    fn message(text: &str, overrides: &[&str]) -> String {
        read(text, overrides).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_the_softmax_baseline_under_its_own_name() {
        let experiment = read("", &[]).unwrap();
        assert_eq!(experiment, Experiment { name: "test".to_owned(), ..Experiment::default() });
    }

    #[test]
    fn the_embedded_default_states_the_defaults() {
        let experiment = Experiment::from_toml(DEFAULT_EXPERIMENT, "softmax.toml", &[]).unwrap();
        assert_eq!(experiment, Experiment { name: "softmax".to_owned(), ..Experiment::default() });
    }

    #[test]
    fn every_optimizer_and_schedule_survives_writing_and_reading() {
        for optimizer in OptimizerConfig::kinds().iter().map(OptimizerConfig::kind) {
            for schedule in ScheduleConfig::KINDS {
                let text = format!(
                    "seed = 7\n[data]\nvalidation = 100\n[model]\nhidden = [3, 2]\n[optimizer]\nkind = \
                     \"{optimizer}\"\nlearning_rate = 0.125\n[schedule]\nkind = \"{schedule}\"\n[training]\n\
                     clip_norm = 1.5\nearly_stopping = {{ patience = 2 }}"
                );
                let experiment = read(&text, &[]).unwrap();
                assert_eq!(read(&experiment.to_toml().unwrap(), &[]).unwrap(), experiment);
                assert_eq!(experiment.optimizer.learning_rate(), 0.125);
            }
        }
    }

    #[test]
    fn overrides_are_typed_and_reach_every_level() {
        let overrides = [
            "optimizer.learning_rate=0.1",
            "model.hidden=[128,64]",
            "model.activation=tanh",
            "training.early_stopping.patience=4",
            "data.validation=1000",
            "optimizer.kind=\"adam\"",
            "seed=3",
        ];
        let experiment = read("", &overrides).unwrap();
        assert_eq!(experiment.optimizer.learning_rate(), 0.1);
        assert!(matches!(experiment.optimizer, OptimizerConfig::Adam(_)));
        assert_eq!(experiment.model.hidden, [128, 64]);
        assert_eq!(experiment.model.activation, crate::model::Activation::Tanh);
        assert_eq!(experiment.training.early_stopping.unwrap().patience, 4);
        assert_eq!(experiment.seed, 3);
    }

    #[test]
    fn an_unknown_key_is_refused_at_every_level() {
        assert_eq!(
            message("sed = 1", &[]),
            "unknown key `sed` in `test.toml`\n\nhint: did you mean `seed`? Valid keys: `augmentation`, `checkpoint`, `data`, `model`, `name`, \
             `optimizer`, `schedule`, `seed`, `tracking`, `training`"
        );
        assert_eq!(
            message("[model]\nhiden = [3]", &[]),
            "unknown key `model.hiden` in `test.toml`\n\nhint: did you mean `model.hidden`? Valid keys: \
             `activation`, `dropout`, `hidden`, `initializer`, `input_dropout`"
        );
        assert_eq!(
            message("[optimizer]\nlearning_rte = 1", &[]),
            "unknown key `optimizer.learning_rte` in `test.toml`\n\nhint: did you mean \
             `optimizer.learning_rate`? Valid keys of kind `sgd`: `kind`, `learning_rate`, `momentum`, `nesterov`, \
             `weight_decay`"
        );
        assert_eq!(
            message("[data]\nvalidation = 9\n[training.early_stopping]\npatient = 1", &[]),
            "unknown key `training.early_stopping.patient` in `test.toml`\n\nhint: did you mean \
             `training.early_stopping.patience`? Valid keys: `min_delta`, `patience`, `restore_best`"
        );
        assert_eq!(
            message("", &["optimizer.qqqqqqqqqq=1"]),
            "unknown key `optimizer.qqqqqqqqqq` in `test.toml` with --set\n\nhint: valid keys of kind `sgd`: `kind`, \
             `learning_rate`, `momentum`, `nesterov`, `weight_decay`"
        );
    }

    #[test]
    fn another_kind_starts_from_its_own_defaults() {
        let adam = "[optimizer]\nkind = \"adam\"\nlearning_rate = 0.01\nbeta_1 = 0.5";
        let changed = read(adam, &["optimizer.kind=sgd", "optimizer.momentum=0.5"]).unwrap();
        let expected = crate::optim::Sgd { momentum: 0.5, ..Default::default() };
        assert_eq!(changed.optimizer, OptimizerConfig::Sgd(expected));
        let same = read(adam, &["optimizer.kind=adam", "optimizer.beta_2=0.9"]).unwrap();
        let expected =
            crate::optim::Adam { learning_rate: 0.01, beta_1: 0.5, beta_2: 0.9, ..Default::default() };
        assert_eq!(same.optimizer, OptimizerConfig::Adam(expected));
        assert_eq!(read("", &["optimizer.kind=adam"]).unwrap().optimizer.learning_rate(), 0.001);
        let warm = "[schedule]\nkind = \"step\"\nwarmup_epochs = 2\nfactor = 0.1";
        let expected = crate::optim::Cosine { warmup_epochs: 2.0, ..Default::default() };
        assert_eq!(read(warm, &["schedule.kind=cosine"]).unwrap().schedule, ScheduleConfig::Cosine(expected));
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        assert_eq!(
            message("[optimizer]\nkind = \"adam\"\nmomentum = 0.5", &[]),
            "unknown key `optimizer.momentum` in `test.toml`\n\nhint: valid keys of kind `adam`: `beta_1`, `beta_2`, `epsilon`, \
             `kind`, `learning_rate`, `weight_decay`"
        );
    }

    /// A short text can be nested so deeply that dropping its tables overflows any stack.
    #[test]
    fn depth_and_length_are_bounded() {
        let deep = "a = ".to_owned() + &"[".repeat(70) + &"]".repeat(70);
        let tables = "a.".repeat(70) + "a = { " + &"a.".repeat(70) + "a = 1 }";
        for text in [&deep, &tables, &format!("{tables}\nb =")] {
            assert_eq!(message(text, &[]), "`test.toml` has tables or lists in one another, deeper than 8");
        }
        assert_eq!(message(&"#".repeat(1_000_001), &[]), "`test.toml` is larger than 1000000 bytes");
        let key = "a.".repeat(50_000) + "a=1";
        assert_eq!(
            message("", &[&key]),
            "unknown key `a.a.a.a.a.a.a.a…`, of 50001 parts\n\n\
             hint: the longest key is `training.early_stopping.restore_best`"
        );
    }

    #[test]
    fn a_wrong_type_is_found_among_many_keys() {
        let others: String = (0..10_000).map(|index| format!("z{index} = 1\n")).collect();
        assert_eq!(
            message(&format!("[optimizer]\nlearning_rate = \"x\"\n{others}"), &[]),
            "`optimizer.learning_rate` in `test.toml` is string \"x\", expected a number"
        );
    }

    #[test]
    fn an_unknown_choice_names_the_nearest() {
        assert_eq!(
            message("[optimizer]\nkind = \"adm\"", &[]),
            "`optimizer.kind` in `test.toml` is `adm`, expected one of its choices\n\nhint: did you mean `adam`? Valid choices: `sgd`, `adam`, \
             `adamw`, `rmsprop`, `lion`"
        );
        assert_eq!(
            message("", &["model.activation=rel"]),
            "`model.activation` in `test.toml` with --set is `rel`, expected one of its choices\n\nhint: did you mean `relu`? Valid choices: \
             `relu`, `leaky-relu`, `gelu`, `silu`, `sigmoid`, `tanh`"
        );
    }

    #[test]
    fn a_part_of_a_word_or_other_letters_are_understood() {
        for (text, word) in [
            ("[training]\nepochs = 1", "did you mean `training.num_epochs`?"),
            ("[model]\nactivation = \"ReLU\"", "did you mean `relu`?"),
            ("[model]\ninitializer = \"glorot\"", "did you mean `glorot-uniform`?"),
        ] {
            assert!(message(text, &[]).contains(word), "{}", message(text, &[]));
        }
    }

    /// Users look up keys in `configs/reference.toml`, so it must name every key.
    #[test]
    fn the_reference_names_every_key() {
        let reference = include_str!("../../configs/reference.toml");
        for optimizer in OptimizerConfig::kinds().iter().map(OptimizerConfig::kind) {
            for schedule in ScheduleConfig::KINDS {
                let text = format!(
                    "[data]\nvalidation = 1\n[optimizer]\nkind = \"{optimizer}\"\n[schedule]\nkind = \
                     \"{schedule}\"\n[training]\nclip_norm = 1.0\nearly_stopping = {{}}\n[tracking]\nkinds = [\"csv\"]\n[augmentation]\ncutout = 1"
                );
                for line in read(&text, &[]).unwrap().to_toml().unwrap().lines() {
                    if let Some((key, value)) = line.split_once(" = ") {
                        assert!(reference.contains(&format!("{key} = ")), "`{key}` is missing");
                        let stated = value.trim_matches('"');
                        assert!(key != "kind" || reference.contains(stated), "kind `{stated}` is missing");
                    }
                }
            }
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        assert_eq!(
            message("[training]\nbatch_size = \"big\"", &[]),
            "`training.batch_size` in `test.toml` is string \"big\", expected a whole number from 0"
        );
        assert_eq!(
            message("[optimizer]\nlearning_rate = true", &[]),
            "`optimizer.learning_rate` in `test.toml` is boolean `true`, expected a number"
        );
        assert_eq!(
            message("[model]\nactivation = 3", &[]),
            "`model.activation` in `test.toml` is 3, expected a string"
        );
        assert_eq!(
            message("[schedule]\nkind = 3", &[]),
            "`schedule.kind` in `test.toml` is 3, expected a string"
        );
        assert_eq!(
            message("seed = -1", &[]),
            "`seed` in `test.toml` is integer `-1`, expected a whole number from 0"
        );
        assert_eq!(
            message("model = 3", &[]),
            "`model` in `test.toml` is integer `3`, expected a section `[model]`"
        );
    }

    #[test]
    fn values_out_of_range_name_their_range() {
        for (text, expected) in [
            (
                "name = \"../up\"",
                "`name` is `../up`, expected 1 to 100 letters, digits, `-`, `_` or `.`, not starting with `.` or `-`",
            ),
            ("[model]\nhidden = [3, 0]", "`model.hidden[1]` is 0, expected a width from 1 to 65536"),
            ("[model]\ndropout = 1.0", "`model.dropout` is 1, expected a number from 0 up to, not with, 1"),
            ("[optimizer]\nlearning_rate = 0.0", "`optimizer.learning_rate` is 0, expected a number above 0"),
            (
                "[optimizer]\nlearning_rate = nan",
                "`optimizer.learning_rate` is NaN, expected a number above 0",
            ),
            (
                "[optimizer]\nmomentum = 1.5",
                "`optimizer.momentum` is 1.5, expected a number from 0 up to, not with, 1",
            ),
            (
                "[schedule]\nwarmup_epochs = 11",
                "`schedule.warmup_epochs` is 11, expected a number from 0 to `training.num_epochs`, 10",
            ),
            (
                "[schedule]\nkind = \"step\"\nfactor = 2.0",
                "`schedule.factor` is 2, expected a number above 0 and at most 1",
            ),
            (
                "[training]\nbatch_size = 0",
                "`training.batch_size` is 0, expected a whole number from 1 to 1000000",
            ),
            ("[training]\nclip_norm = -1.0", "`training.clip_norm` is -1, expected a number above 0"),
            (
                "[training]\nlabel_smoothing = 1.0",
                "`training.label_smoothing` is 1, expected a number from 0 up to, not with, 1",
            ),
        ] {
            assert_eq!(message(text, &[]), expected);
        }
    }

    #[test]
    fn early_stopping_needs_validation_images() {
        assert_eq!(
            message("[training.early_stopping]\npatience = 1", &[]),
            "`training.early_stopping` is set, but `data.validation` is 0\n\nhint: early stopping watches the \
             validation loss: hold images out, such as `data.validation=10000`"
        );
    }

    #[test]
    fn trackers_are_written_only_if_there_are_any() {
        let tracked = read("", &["tracking.kinds=[\"tensorboard\", \"csv\"]"]).unwrap();
        let expected = [crate::tracking::Tracker::Tensorboard, crate::tracking::Tracker::Csv];
        assert_eq!(tracked.tracking.kinds, expected);
        assert_eq!(read(&tracked.to_toml().unwrap(), &[]).unwrap(), tracked);
        let untracked = Experiment { tracking: TrackingConfig::default(), ..tracked };
        assert!(!untracked.to_toml().unwrap().contains("tracking"));
        assert_eq!(
            message("[tracking]\nkinds = [\"tensorbord\"]", &[]),
            "`tracking.kinds[0]` in `test.toml` is `tensorbord`, expected one of its choices\n\nhint: did you mean \
             `tensorboard`? Valid choices: `tensorboard`, `csv`"
        );
    }

    #[test]
    fn broken_toml_shows_where() {
        let message = message("seed = 1\n[model\nhidden = []", &[]);
        assert!(message.starts_with("invalid TOML in `test.toml`, line 2, column"), "{message}");
    }
}
