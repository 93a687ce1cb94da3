//! The files of `configs/` that are embedded in the program. Users can name them wherever smallnet
//! is installed.

use std::path::Path;

use crate::data::{DataConfig, SHIPPED_NUM_TRAIN};
use crate::error::{Error, Result};

use crate::util::suggest::suggestion;

/// A file embedded in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shipped {
    /// The name without the extension.
    pub(crate) name: &'static str,
    /// The content.
    pub(crate) text: &'static str,
}

macro_rules! shipped {
    ($folder:literal, $name:literal) => {
        Shipped { name: $name, text: include_str!(concat!("../../configs/", $folder, $name, ".toml")) }
    };
}

/// The embedded experiments.
pub(crate) static EXPERIMENTS: [Shipped; 8] = [
    shipped!("", "softmax"),
    shipped!("", "hidden"),
    shipped!("", "mlp"),
    shipped!("", "best"),
    shipped!("", "record"),
    shipped!("lab/", "inserted"),
    shipped!("lab/", "augmented"),
    shipped!("", "reference"),
];

/// The embedded studies. Their base experiments are in [`EXPERIMENTS`].
pub(crate) static STUDIES: [Shipped; 6] = [
    shipped!("studies/", "learning-rate"),
    shipped!("studies/", "learning-rate-cv"),
    shipped!("studies/", "architecture"),
    shipped!("studies/", "batch-size"),
    shipped!("studies/", "random-search"),
    shipped!("studies/", "halving"),
];

/// Key whose number in a file inside smallnet is meant for MNIST: see [`mark_validation`].
pub(crate) const VALIDATION: &str = "data.validation";

/// Marks the number of validation images of `data` as one of a file inside smallnet, so that small
/// a share of a small data set is held out. `text` is the file that states it, if it is one of `all`.
/// `is_changed` says whether a user chose the number. An unchanged copy of the file counts, too.
pub(crate) fn mark_validation(data: &mut DataConfig, all: &'static [Shipped], text: &str, is_changed: bool) {
    if !is_changed && all.iter().any(|shipped| shipped.text == text) {
        data.validation_meant_for = Some(SHIPPED_NUM_TRAIN);
    }
}

impl Shipped {
    /// Returns the name of the file for messages.
    pub(crate) fn file(&self) -> String {
        format!("{}.toml", self.name)
    }

    /// Returns the file called `name`.
    pub(crate) fn find(all: &'static [Self], name: &str) -> Option<&'static Self> {
        all.iter().find(|shipped| shipped.name == name)
    }
}

/// Returns the embedded file that `path` names, or `None` if `path` is to be read from the disk.
///
/// A path names an embedded file if it is a bare name, without folder and extension, and no such
/// file exists on the disk. `noun` says in messages what the files are.
///
/// # Errors
/// A bare name that is neither a file on the disk nor an embedded one.
pub(crate) fn shipped(all: &'static [Shipped], path: &Path, noun: &str) -> Result<Option<&'static Shipped>> {
    let Some(name) = bare_name(path).filter(|_| !path.exists()) else { return Ok(None) };
    match Shipped::find(all, name) {
        Some(shipped) => Ok(Some(shipped)),
        None => {
            let names: Vec<_> = all.iter().map(|shipped| shipped.name.to_owned()).collect();
            let hint = suggestion("", name, &names, "names");
            Err(Error::not_found(format!(
                "there is no {noun} `{name}`, neither as a file nor inside smallnet"
            ))
            .hint(hint))
        }
    }
}

/// Returns the path as a name, if it has neither folder nor extension.
fn bare_name(path: &Path) -> Option<&str> {
    let name = path.to_str()?;
    let is_bare = path.extension().is_none() && path.file_name().is_some_and(|file| file == name);
    is_bare.then_some(name)
}

/// Returns the hint for a file that does not exist: an embedded file has the same name, else
/// `otherwise`.
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
mod tests;
