//! The `[data]` section of an experiment.

use serde::{Deserialize, Serialize};

use crate::data::Source;
use crate::error::{Error, Result, ensure};

/// The most bytes of a path: more than Linux takes.
const MAX_PATH: usize = 4096;

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

    /// Makes the folder's path absolute: a saved experiment must find its data from any folder.
    ///
    /// # Errors
    /// A path that cannot be made absolute.
    pub fn make_absolute(&mut self) -> Result<()> {
        if let Source::Folder(path) = self.source() {
            let path = std::path::absolute(&path).map_err(|error| Error::io("find", &path, error))?;
            self.source = path.display().to_string();
        }
        Ok(())
    }

    /// Checks what can be checked without the data.
    pub fn check(&self) -> Result<()> {
        ensure(!self.source.is_empty(), "data.source", "empty", "`mnist` or a folder")?;
        let length = self.source.len();
        let expected = format!("at most {MAX_PATH}");
        ensure(length <= MAX_PATH, "data.source", format!("a path of {length} bytes"), &expected)
    }
}
