//! Owns the file of a run's initial weights. Only a run that starts from another run's weights has
//! it: all others draw their initial weights from the seed again. Must not know where the weights
//! are from.

use crate::error::{Error, Result};
use crate::model::{Mlp, weights_sha256};
use crate::run::{INITIAL, RunFolder, SourceRun, write_weights};

impl RunFolder {
    /// Writes the initial weights.
    ///
    /// # Errors
    /// A device that fails, or a file that cannot be written.
    pub(crate) fn save_initial_weights(&self, model: &Mlp) -> Result<()> {
        write_weights(&self.path.join(INITIAL), model)
    }

    /// Loads the initial weights into `model` and compares them with the digest in `source`.
    ///
    /// # Errors
    /// A file that is missing or damaged, or weights of another network.
    pub(crate) fn load_initial_weights(&self, model: Mlp, source: &SourceRun) -> Result<Mlp> {
        let path = self.path.join(INITIAL);
        let hint = || {
            format!("start again: `smallnet train {} --from {}`", self.config_path().display(), source.path)
        };
        let model = self.load_weights(model, &path).map_err(|error| error.hint(hint()))?;
        let (found, expected) = (weights_sha256(&model)?, &source.initial_weights_sha256);
        if found == *expected {
            return Ok(model);
        }
        Err(Error::corrupt(format!(
            "`{}` is damaged: its weights have the digest {found}, expected {expected}",
            path.display()
        ))
        .hint(hint()))
    }
}
