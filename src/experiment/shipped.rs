//! The files of `configs/` that smallnet has inside, so that they can be named wherever it is installed.

use std::path::Path;

use crate::error::{Error, Result};

use crate::experiment::suggestion;

/// A file inside the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shipped {
    /// What it is called, without its ending.
    pub(crate) name: &'static str,
    /// What is in it.
    pub(crate) text: &'static str,
}

macro_rules! shipped {
    ($folder:literal, $name:literal) => {
        Shipped { name: $name, text: include_str!(concat!("../../configs/", $folder, $name, ".toml")) }
    };
}

/// Experiments to train.
pub(crate) static EXPERIMENTS: [Shipped; 6] = [
    shipped!("", "softmax"),
    shipped!("", "hidden"),
    shipped!("", "mlp"),
    shipped!("", "best"),
    shipped!("lab/", "inserted"),
    shipped!("", "reference"),
];

/// Studies to run. Their base experiments are among [`EXPERIMENTS`].
pub(crate) static STUDIES: [Shipped; 4] = [
    shipped!("studies/", "learning-rate"),
    shipped!("studies/", "learning-rate-cv"),
    shipped!("studies/", "architecture"),
    shipped!("studies/", "batch-size"),
];

impl Shipped {
    /// The name of the file, as messages call it.
    pub(crate) fn file(&self) -> String {
        format!("{}.toml", self.name)
    }

    /// The one of this name.
    pub(crate) fn find(all: &'static [Self], name: &str) -> Option<&'static Self> {
        all.iter().find(|shipped| shipped.name == name)
    }
}

/// The file that `path` means, `what` for people: one inside the program where it is a name alone that no file has; none
/// where it is to be read.
///
/// # Errors
/// A name that is neither a file's nor that of one inside.
pub(crate) fn shipped(all: &'static [Shipped], path: &Path, what: &str) -> Result<Option<&'static Shipped>> {
    let Some(name) = bare_name(path).filter(|_| !path.exists()) else { return Ok(None) };
    match Shipped::find(all, name) {
        Some(shipped) => Ok(Some(shipped)),
        None => {
            let names: Vec<_> = all.iter().map(|shipped| shipped.name.to_owned()).collect();
            let hint = suggestion("", name, &names, "names");
            Err(Error::not_found(format!(
                "there is no {what} `{name}`, neither as a file nor inside smallnet"
            ))
            .hint(hint))
        }
    }
}

/// The path as a name, if it is one without folder and ending.
fn bare_name(path: &Path) -> Option<&str> {
    let name = path.to_str()?;
    let is_bare = path.extension().is_none() && path.file_name().is_some_and(|file| file == name);
    is_bare.then_some(name)
}

/// What to tell whoever named a file that is not there: that one of this name is inside, else `otherwise`.
pub(crate) fn hint(all: &'static [Shipped], path: &Path, otherwise: &str) -> String {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    match Shipped::find(all, stem).filter(|_| !path.exists()) {
        Some(Shipped { name, .. }) => {
            format!("smallnet has one of this name inside: `{name}`, without folder and ending")
        }
        None => otherwise.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, ParsedExperiment};

    #[test]
    fn every_file_inside_can_be_read() {
        for shipped in &EXPERIMENTS {
            let experiment =
                ParsedExperiment::new(shipped.text, &shipped.file()).unwrap().changed(&[], "").unwrap();
            assert_eq!(experiment.name, shipped.name);
        }
        assert_eq!(
            Experiment::from_toml(EXPERIMENTS[0].text, "", &[]),
            Experiment::from_toml(crate::experiment::DEFAULT_EXPERIMENT, "", &[])
        );
    }

    #[test]
    fn a_name_alone_means_what_is_inside_and_a_path_a_file() {
        let find = |path: &str| shipped(&EXPERIMENTS, Path::new(path), "experiment");
        assert_eq!(find("mlp").unwrap().map(|shipped| shipped.name), Some("mlp"));
        for path in ["mlp.toml", "./mlp", "configs/mlp", "configs/mlp.toml", "/mlp", "..", ""] {
            assert_eq!(find(path), Ok(None), "{path}");
        }
        // Tests are run in the package's folder: this is a folder in it.
        assert_eq!(find("configs"), Ok(None));
        let error = find("hiden").unwrap_err().to_string();
        let expected = "there is no experiment `hiden`, neither as a file nor inside smallnet\n\n\
                        hint: did you mean `hidden`? Valid names: `softmax`, `hidden`, `mlp`, `best`, `inserted`, `reference`";
        assert_eq!(error, expected);
        assert_eq!(hint(&EXPERIMENTS, Path::new("configs/mlp.toml.not"), "otherwise"), "otherwise");
        assert_eq!(
            hint(&EXPERIMENTS, Path::new("nowhere/mlp.toml"), "otherwise"),
            "smallnet has one of this name inside: `mlp`, without folder and ending"
        );
    }
}
