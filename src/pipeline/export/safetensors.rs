//! The export as a safetensors file.

use crate::error::Result;
use crate::exchange::{DenseNetwork, safetensors};
use crate::pipeline::LoadedModel;
use crate::pipeline::export::{Contents, ExportOptions, Format};

pub(super) struct Safetensors;

impl Format for Safetensors {
    fn file_name(&self) -> &'static str {
        "model.safetensors"
    }

    fn opened_by(&self) -> &'static str {
        "burn-store, and `safetensors.torch.load_file(\"model.safetensors\")`: with `--layout pytorch`, \
         `load_state_dict` takes the result"
    }

    fn write(&self, _: &LoadedModel, network: &DenseNetwork, options: &ExportOptions) -> Result<Contents> {
        safetensors::write(network, options.layout.unwrap_or_default()).map(Contents::File)
    }

    fn read(&self, contents: &Contents) -> Result<Vec<DenseNetwork>> {
        Ok(vec![safetensors::read(contents.bytes(), None)?])
    }
}
