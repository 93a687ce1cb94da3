//! Weights out of a file of Burn's.

use std::path::Path;

use burn::module::Module;
use burn::store::{ModuleRecord, RecordError};

use crate::error::{Error, Result};
use crate::model::Mlp;

const WEIGHTS_FILES: &str = "a run's weights are in `model.bpk`, a checkpoint's in `checkpoint/model-N.bpk`";

/// Loads the weights in the file at `path` into `model`.
///
/// # Errors
/// A file that is missing or damaged, or weights of another network.
pub fn load_weights(model: Mlp, path: &Path) -> Result<Mlp> {
    let failed = |error| match error {
        RecordError::Io(reason) => {
            Error::new(format!("cannot load `{}`: {reason}", path.display())).hint(WEIGHTS_FILES)
        }
        RecordError::Validation(reason) => misfit(&reason, path),
    };
    model.try_load_record(ModuleRecord::load(path).map_err(failed)?).map_err(failed)
}

/// Burn lists what does not fit in quotes, tensor by tensor; the first says enough.
fn misfit(reason: &str, path: &Path) -> Error {
    let path = path.display();
    let first = reason.split('"').nth(1).unwrap_or(reason);
    let first = first.replace("Shape { dims: ", "").replace(" }", "");
    if reason.starts_with("Missing") {
        Error::new(format!("`{path}` does not hold the weights of this network: `{first}` is missing"))
            .hint(WEIGHTS_FILES)
    } else {
        Error::new(format!("`{path}` holds the weights of another network: {first}"))
            .hint("is it the file that this run saved?")
    }
}
