//! The export as a `.keras` file.

use crate::error::Result;
use crate::exchange::{DenseNetwork, keras};
use crate::pipeline::LoadedModel;
use crate::pipeline::export::{Contents, ExportOptions, Format};

pub(super) struct Keras;

impl Format for Keras {
    fn file_name(&self) -> &'static str {
        "model.keras"
    }

    fn opened_by(&self) -> &'static str {
        "Keras 3 (`keras.saving.load_model(\"model.keras\")`), and https://netron.app to look at it"
    }

    fn write(&self, _: &LoadedModel, network: &DenseNetwork, _: &ExportOptions) -> Result<Contents> {
        keras::write(network).map(Contents::File)
    }

    fn read(&self, contents: &Contents) -> Result<Vec<DenseNetwork>> {
        Ok(vec![keras::read(contents.bytes())?])
    }
}
