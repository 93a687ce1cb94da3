//! The export as an ONNX file.

use crate::error::Result;
use crate::exchange::DenseNetwork;
use crate::exchange::onnx::{self, Pixels};
use crate::pipeline::LoadedModel;
use crate::pipeline::export::{Contents, ExportOptions, Format};

pub(super) struct Onnx;

impl Format for Onnx {
    fn file_name(&self) -> &'static str {
        "model.onnx"
    }

    fn opened_by(&self) -> &'static str {
        "ONNX Runtime (`onnxruntime.InferenceSession(\"model.onnx\")`), OpenVINO, Triton, and https://netron.app to \
         look at it"
    }

    fn write(&self, _: &LoadedModel, network: &DenseNetwork, options: &ExportOptions) -> Result<Contents> {
        let pixels = if options.bytes { Pixels::Bytes } else { Pixels::Fractions };
        onnx::write(network, pixels).map(Contents::File)
    }

    fn read(&self, contents: &Contents) -> Result<Vec<DenseNetwork>> {
        Ok(vec![onnx::read(contents.bytes())?])
    }
}
