//! Owns the names that users of Keras, PyTorch and scikit-learn type for the keys of an experiment,
//! and the settings that they mean. Depends on `overrides` and `read`. A synonym is never accepted
//! as a key: it is only suggested. Must not know the command line beyond the form of `--set`.

use toml::{Table, Value};

use crate::experiment::overrides::parse_value;
use crate::experiment::read::{DEFAULT_KINDS, is_accepted, lookup};
use crate::experiment::{Experiment, Override};

/// Each key with the words that mean it. A word is the last part of what a user types, in lower
/// case and with `_` for `-`. Keys that an optimizer or schedule lacks are not suggested for it.
const SYNONYMS: [(&str, &[&str]); 41] = [
    ("name", &["run_name", "experiment", "experiment_name"]),
    ("seed", &["seed", "random_state", "random_seed", "manual_seed", "rng_seed"]),
    ("data.source", &["source", "data", "dataset", "data_set", "data_dir"]),
    (
        "data.validation",
        &["validation", "val", "validation_split", "validation_fraction", "val_split", "num_validation"],
    ),
    ("data.test", &["test", "test_size", "test_split"]),
    ("augmentation.shift", &["shift", "translate", "translation", "width_shift_range", "height_shift_range"]),
    ("augmentation.rotation", &["rotation", "rotate", "degrees", "rotation_range"]),
    ("augmentation.scale", &["scale", "zoom", "zoom_range"]),
    ("augmentation.shear", &["shear", "shear_range"]),
    ("augmentation.elastic_alpha", &["elastic_alpha", "elastic", "alpha"]),
    ("augmentation.elastic_sigma", &["elastic_sigma", "sigma"]),
    ("augmentation.thickness", &["thickness"]),
    ("augmentation.noise", &["noise", "gaussian_noise", "noise_std"]),
    ("augmentation.cutout", &["cutout", "random_erasing"]),
    (
        "model.hidden",
        &[
            "hidden",
            "hidden_layers",
            "hidden_layer_sizes",
            "hidden_size",
            "hidden_sizes",
            "hidden_dim",
            "hidden_units",
            "layers",
            "units",
            "neurons",
        ],
    ),
    ("model.activation", &["activation", "activation_function", "act", "nonlinearity"]),
    ("model.dropout", &["dropout", "dropout_rate", "drop"]),
    ("model.input_dropout", &["input_dropout"]),
    ("model.initializer", &["initializer", "init", "initialization", "kernel_initializer", "weight_init"]),
    ("optimizer.kind", &["optimizer", "optim", "opt", "solver"]),
    (
        "optimizer.learning_rate",
        &["learning_rate", "lr", "learning_rate_init", "learningrate", "eta", "eta0", "rate", "step_size"],
    ),
    ("optimizer.momentum", &["momentum"]),
    ("optimizer.nesterov", &["nesterov", "nesterovs_momentum"]),
    ("optimizer.weight_decay", &["weight_decay", "decay", "wd", "l2"]),
    ("optimizer.beta_1", &["beta_1", "beta1"]),
    ("optimizer.beta_2", &["beta_2", "beta2"]),
    ("optimizer.epsilon", &["epsilon", "eps"]),
    ("optimizer.rho", &["rho"]),
    ("optimizer.centered", &["centered"]),
    ("schedule.kind", &["schedule", "scheduler", "lr_schedule", "lr_scheduler"]),
    ("schedule.warmup_epochs", &["warmup_epochs", "warmup"]),
    (
        "training.num_epochs",
        &["num_epochs", "epochs", "epoch", "n_epochs", "nb_epoch", "max_epochs", "max_iter"],
    ),
    ("training.batch_size", &["batch_size", "batch", "bs", "batchsize", "mini_batch_size"]),
    ("training.label_smoothing", &["label_smoothing", "smoothing"]),
    ("training.mixup", &["mixup", "mixup_alpha", "mix_up"]),
    ("training.clip_norm", &["clip_norm", "clipnorm", "clip", "max_norm", "max_grad_norm", "grad_clip"]),
    ("training.clip_value", &["clip_value", "clipvalue", "gradient_clip_val"]),
    (
        "training.average",
        &["average", "ema", "ema_decay", "ema_momentum", "use_ema", "model_ema", "model_ema_decay", "polyak"],
    ),
    ("training.early_stopping.patience", &["patience", "early_stopping", "n_iter_no_change"]),
    ("checkpoint.every_steps", &["every_steps", "checkpoint", "save_steps", "save_freq"]),
    ("tracking.kinds", &["kinds", "tracking", "track", "trackers", "logger", "loggers", "report_to"]),
];

/// Returns the key that a user means by `word`, or none. Sections before the last part of `word`
/// are not regarded: `training.lr` means `optimizer.learning_rate`.
pub(crate) fn meant_key(word: &str) -> Option<&'static str> {
    let last = word.rsplit('.').next().unwrap_or(word);
    let last = last.to_lowercase().replace('-', "_");
    SYNONYMS.iter().find(|(_, words)| words.contains(&last.as_str())).map(|(key, _)| *key)
}

/// Returns the setting that a user means by `key` and the text `value`, both as typed, as words of
/// a command: `--set optimizer.learning_rate=0.1`. None if no key is known for it.
pub(crate) fn meant_setting(key: &str, value: &str) -> Option<String> {
    let key = meant_key(key)?;
    Some(format!("--set {}", quoted(&meant_override(key, &parse_value(value)))))
}

/// Returns the words of a command that replace those of `settings` that are not settings of an
/// experiment: `--set optimizer.learning_rate=0.1 training.num_epochs=3`. None if there are no
/// such settings, or for some of them no key is known. `table` is the experiment that they change.
pub(super) fn meant_settings(table: &Table, settings: &[Override]) -> Option<String> {
    let wrong = settings.iter().filter(|setting| !is_setting(setting, table, settings));
    let meant = wrong.map(|setting| {
        let meant = meant_override(meant_key(&setting.key())?, setting.value());
        is_setting(&meant, table, settings).then(|| quoted(&meant))
    });
    let meant = meant.collect::<Option<Vec<_>>>()?;
    (!meant.is_empty()).then(|| format!("--set {}", meant.join(" ")))
}

/// Returns whether an experiment has the key of `setting`, and the key is not that of a section
/// whose value must be a table. The keys of an optimizer or schedule depend on its kind.
fn is_setting(setting: &Override, table: &Table, settings: &[Override]) -> bool {
    let key = setting.key();
    let (section, _) = key.split_once('.').unwrap_or((&key, ""));
    if section == key && !setting.value().is_table() && is_section(&key) {
        return false;
    }
    let mut alone = Table::new();
    if let Some((_, default)) = DEFAULT_KINDS.iter().find(|(name, _)| *name == section) {
        // A kind that is set counts, also under its short name: `optimizer=adam`.
        let kind_key = format!("{section}.kind");
        let is_kind = |key: &str| key == kind_key || meant_key(key) == Some(&kind_key);
        let set = settings.iter().rev().find(|other| is_kind(&other.key()));
        let kind = match set.map(Override::value) {
            Some(Value::String(kind)) => kind.to_lowercase(),
            _ => lookup(table, &kind_key).and_then(Value::as_str).unwrap_or(default).to_owned(),
        };
        alone.insert(section.to_owned(), Table::from_iter([("kind".to_owned(), Value::String(kind))]).into());
    }
    is_accepted(setting, alone)
}

/// Returns whether an experiment has a section of this name.
fn is_section(key: &str) -> bool {
    let sections = Value::try_from(Experiment::default());
    sections.is_ok_and(|table| table.get(key).is_some_and(Value::is_table))
        || ["checkpoint", "tracking"].contains(&key)
}

/// Returns the override of `key` by `value`, in the form that the key takes: a list of widths for
/// the hidden layers, and names in the spelling of smallnet.
fn meant_override(key: &str, value: &Value) -> Override {
    match value {
        Value::Integer(width) if key == "model.hidden" => Override::new(key, vec![*width]),
        Value::String(text) if key == "model.hidden" => {
            let numbers =
                text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<i64>().ok());
            Override::new(key, numbers.collect::<Vec<_>>())
        }
        Value::String(name) if key == "tracking.kinds" => Override::new(key, vec![name.to_lowercase()]),
        Value::String(text) if NAMES.contains(&key) => {
            Override::new(key, text.to_lowercase().replace('_', "-"))
        }
        value => Override::new(key, value.clone()),
    }
}

/// Keys whose values are names.
const NAMES: [&str; 4] = ["optimizer.kind", "schedule.kind", "model.activation", "model.initializer"];

/// Returns the override as a word for a shell.
fn quoted(setting: &Override) -> String {
    let text = setting.to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%=".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
