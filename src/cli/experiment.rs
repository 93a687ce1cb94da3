//! The arguments that name an experiment: a file, and what is changed in it.

use std::path::PathBuf;

use clap::Args;

use crate::backend::Backend;
use crate::config::{DEFAULT_EXPERIMENT, Experiment, Override, read_text};
use crate::error::{Error, Result};

/// An experiment file and changes to it.
#[derive(Debug, Default, Args)]
pub(super) struct ExperimentArgs {
    /// The experiment file; without one, the embedded configs/softmax.toml
    config: Option<PathBuf>,
    /// Change one setting of the experiment, such as `optimizer.learning_rate=0.1`; may be repeated.
    /// Another `kind` starts from its own defaults
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Override>,
    /// The seed of weights, image order, held-out images and dropout; short for `--set seed=N`
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(0..))]
    seed: Option<i64>,
    /// The images: a folder of IDX files; short for `--set data.source=DIR`
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

impl ExperimentArgs {
    /// The words after `smallnet` that train this experiment.
    pub(super) fn train_command(&self, backend: Option<Backend>) -> Vec<String> {
        let option = |name: &str, value: String| [name.to_owned(), value];
        let backend = backend.iter().flat_map(|backend| option("--backend", backend.to_string()));
        let config = self.config.as_ref().map(|path| path.display().to_string());
        let settings = self.settings.iter().flat_map(|setting| option("--set", setting.to_string()));
        let seed = self.seed.iter().flat_map(|seed| option("--seed", seed.to_string()));
        let data = self.data.iter().flat_map(|data| option("--data", data.clone()));
        let arguments = config.into_iter().chain(settings).chain(seed).chain(data);
        backend.chain(["train".to_owned()]).chain(arguments).collect()
    }

    /// The experiment meant, named `name` where one is given.
    pub(super) fn read(self, name: Option<String>) -> Result<Experiment> {
        let (text, origin) = match &self.config {
            None => (DEFAULT_EXPERIMENT.to_owned(), "softmax.toml".to_owned()),
            Some(path) => {
                let text = read_text(path).map_err(|error| {
                    let file = path.join("config.toml");
                    let error = Error::io("read the experiment file", path, error);
                    match file.is_file() {
                        true => error.hint(format!("a run's experiment is its `{}`", file.display())),
                        false => error.hint(
                            "an experiment is a TOML file; `configs/softmax.toml` is one to start from",
                        ),
                    }
                })?;
                (text, path.display().to_string())
            }
        };
        let mut settings = self.settings;
        settings.extend(self.seed.map(|seed| Override::new("seed", seed)));
        settings.extend(name.map(|name| Override::new("name", name)));
        settings.extend(self.data.map(|data| Override::new("data.source", data)));
        let mut experiment = Experiment::from_toml(&text, &origin, &settings)?;
        experiment.data.make_absolute()?;
        Ok(experiment)
    }
}
