//! The `[data]` section of an experiment.

use serde::{Deserialize, Serialize};

use crate::data::Source;
use crate::error::{Result, ensure};

/// Largest length of a path in bytes. Linux accepts less.
const MAX_PATH_BYTES: usize = 4096;

/// The `[data]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The text of a [`Source`]: `mnist` for the embedded data set, or the path of a folder of IDX
    /// files.
    pub source: String,
    /// Number of training images held out for validation. The test images never serve for
    /// validation.
    pub validation: usize,
    /// True if each class has its share of the images held out.
    pub stratified: bool,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { source: "mnist".to_owned(), validation: 0, stratified: true }
    }
}

impl DataConfig {
    /// Returns the data source that [`DataConfig::source`] means.
    pub fn source(&self) -> Source {
        Source::parse(&self.source)
    }

    /// Makes the path of a folder absolute, because a saved experiment must find its data from any
    /// working folder.
    ///
    /// # Errors
    /// A path that cannot be made absolute.
    pub fn make_absolute(&mut self) -> Result<()> {
        self.source = self.source().to_absolute()?.to_string();
        Ok(())
    }

    /// Checks the values as far as that is possible without the data.
    ///
    /// # Errors
    /// An empty or too long `source`.
    pub fn check(&self) -> Result<()> {
        ensure(!self.source.is_empty(), "data.source", "empty", "`mnist` or a folder")?;
        let length = self.source.len();
        let expected = format!("at most {MAX_PATH_BYTES}");
        ensure(length <= MAX_PATH_BYTES, "data.source", format!("a path of {length} bytes"), &expected)
    }
}
