//! The `[data]` section of an experiment.

use serde::{Deserialize, Serialize};

use super::Source;
use crate::error::Result;

/// The `[data]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// `mnist` for the embedded data set, or a folder of IDX files.
    pub source: String,
    /// Training images held out to watch or choose by. The test images are never used for either.
    pub validation: usize,
    /// Whether each class gives its share of the images held out.
    pub stratified: bool,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { source: "mnist".to_owned(), validation: 0, stratified: true }
    }
}

impl DataConfig {
    /// Where the data set's bytes come from.
    pub fn source(&self) -> Source {
        Source::parse(&self.source)
    }

    /// Checks what can be checked without the data.
    pub fn check(&self) -> Result<()> {
        crate::error::ensure(!self.source.is_empty(), "data.source", "empty", "`mnist` or a folder")
    }
}
