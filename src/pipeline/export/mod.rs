//! Owns the export of a run's network into the file of another program: what goes into it, its check,
//! and its place. There is one file per format. Depends on `exchange`. Must not know how a format
//! works.

mod check;
mod csv;
mod hf;
mod keras;
mod onnx;
mod safetensors;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::exchange::{DenseNetwork, Layout, ModelMetadata};
use crate::model::weights_sha256;
use crate::pipeline::LoadedModel;
use crate::util::files;

pub use check::ExportCheck;

/// Format of an exported network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// A file for ONNX Runtime, Netron, OpenVINO and other programs that run networks
    Onnx,
    /// A file of the weights for PyTorch, JAX or Burn
    Safetensors,
    /// A folder of tables for a spreadsheet, numpy or R: weights and biases of each layer
    Csv,
    /// A file for Keras 3
    Keras,
    /// A folder for a model hub: ONNX, safetensors, and a card with the figures of the run
    Hf,
}

/// Options of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportOptions {
    /// The format.
    pub format: ExportFormat,
    /// Path of the file or folder. It must not exist. `None` is the folder `export` of the run, where
    /// an earlier export is replaced.
    pub output: Option<PathBuf>,
    /// For ONNX: the network takes bytes from 0 to 255 and not numbers from 0 to 1.
    pub bytes: bool,
    /// For safetensors: the layout of the weights and their names. `None` is Burn's.
    pub layout: Option<Layout>,
}

/// A network that was exported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Export {
    /// Format of the file.
    pub format: ExportFormat,
    /// Path of the file or folder.
    pub path: PathBuf,
    /// Size of the file, or of all files in the folder, in bytes.
    pub size_bytes: u64,
    /// Digest of the weights, which are the same in the run and in the export.
    pub weights_sha256: String,
    /// Comparison of the predictions of both. `None` without images: then the weights alone were
    /// compared.
    pub check: Option<ExportCheck>,
    /// Reason why there is no `check`.
    #[serde(skip)]
    pub unchecked: Option<Error>,
}

/// Contents of an export.
#[derive(Debug, Clone, PartialEq)]
enum Contents {
    File(Vec<u8>),
    /// Files of a folder: names and contents.
    Folder(Vec<(String, Vec<u8>)>),
}

/// One format: what it writes, and its reader for the check.
trait Format {
    /// Name of the file or folder in the run's folder `export`.
    fn file_name(&self) -> &'static str;

    /// Programs that open it, for people.
    fn opened_by(&self) -> &'static str;

    /// Makes the contents. `network` has the weights and the metadata of `saved`.
    ///
    /// # Errors
    /// A network that the format cannot represent.
    fn write(&self, saved: &LoadedModel, network: &DenseNetwork, options: &ExportOptions)
    -> Result<Contents>;

    /// Reads all networks in the contents.
    ///
    /// # Errors
    /// Contents that are not what the format expects.
    fn read(&self, contents: &Contents) -> Result<Vec<DenseNetwork>>;
}

impl ExportFormat {
    /// All formats.
    pub const KINDS: [Self; 5] = [Self::Onnx, Self::Safetensors, Self::Csv, Self::Keras, Self::Hf];

    fn format(self) -> &'static dyn Format {
        match self {
            Self::Onnx => &onnx::Onnx,
            Self::Safetensors => &safetensors::Safetensors,
            Self::Csv => &csv::Csv,
            Self::Keras => &keras::Keras,
            Self::Hf => &hf::HuggingFace,
        }
    }

    /// Returns the programs that open the format, for people.
    pub fn opened_by(self) -> &'static str {
        self.format().opened_by()
    }

    /// Returns the name on the command line.
    pub fn name(self) -> String {
        clap::ValueEnum::to_possible_value(&self)
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl Contents {
    /// Number of bytes of all files.
    fn size(&self) -> u64 {
        match self {
            Self::File(bytes) => bytes.len() as u64,
            Self::Folder(files) => files.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
        }
    }

    /// The bytes of a file. An empty list for a folder.
    fn bytes(&self) -> &[u8] {
        match self {
            Self::File(bytes) => bytes,
            Self::Folder(_) => &[],
        }
    }

    /// Writes the file or folder: whole or not at all.
    fn write(&self, path: &Path) -> Result<()> {
        match self {
            Self::File(bytes) => files::write(path, bytes),
            Self::Folder(contents) => {
                let contents: Vec<_> =
                    contents.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
                files::write_folder(path, &contents)
            }
        }
    }
}

impl LoadedModel {
    /// Writes the network in another format. Before the file gets its name, it is read back by
    /// smallnet's own reader of that format. The weights must be the same to the last bit, and so
    /// must the predictions on all test images be, up to rounding.
    ///
    /// # Errors
    /// Options that do not fit the format, a path that exists, a network that is read back as another
    /// one, or a file that cannot be written. Nothing is left behind.
    pub fn export(&self, options: &ExportOptions) -> Result<Export> {
        options.check()?;
        let format = options.format.format();
        let network = DenseNetwork::of_model(&self.model, self.metadata()?)?;
        let contents = format.write(self, &network, options)?;
        let read_back = format.read(&contents).map_err(check::not_read_back)?;
        let (check, unchecked) = match self.compare_export(&read_back)? {
            Ok(check) => (Some(check), None),
            Err(reason) => (None, Some(reason)),
        };
        let path = match &options.output {
            Some(path) => path.clone(),
            None => self.folder.export_path(&self.figure_name(format.file_name()))?,
        };
        contents.write(&path)?;
        let weights_sha256 = network.metadata.weights_sha256.unwrap_or_default();
        let size_bytes = contents.size();
        Ok(Export { format: options.format, path, size_bytes, weights_sha256, check, unchecked })
    }

    /// Returns what an exported file says about the network beside its weights.
    fn metadata(&self) -> Result<ModelMetadata> {
        let data = &self.info.data;
        let summary = self.folder.summary(&self.info)?.filter(|_| self.is_final());
        // A file goes to other people. They cannot use the folders of this machine.
        let source = Path::new(&data.source).file_name();
        Ok(ModelMetadata {
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            experiment: Some(self.info.experiment.clone()),
            run: Some(self.folder.id()),
            class_names: data.classes().names().to_vec(),
            image_size: Some((data.layout.height, data.layout.width)),
            activation: Some(self.experiment.model.activation)
                .filter(|_| !self.experiment.model.hidden.is_empty()),
            value_range: data.value_range,
            preparation: data.preparation,
            weights_sha256: Some(weights_sha256(&self.model)?),
            data_source: source.map(|name| name.to_string_lossy().into_owned()),
            data_sha256: Some(data.sha256.clone()),
            test_accuracy: summary.and_then(|summary| summary.test_accuracy),
            layout: None,
        })
    }
}

impl ExportOptions {
    /// Checks the options, and that `output` is free.
    fn check(&self) -> Result<()> {
        if self.bytes && self.format != ExportFormat::Onnx {
            return Err(Error::usage(format!("`--bytes` does not fit `--format {}`", self.format.name()))
                .hint("only an ONNX file has the scaling of the pixels in it; leave out `--bytes`"));
        }
        if self.layout.is_some() && self.format != ExportFormat::Safetensors {
            return Err(Error::usage(format!("`--layout` does not fit `--format {}`", self.format.name()))
                .hint("the other formats have one layout each; leave out `--layout`"));
        }
        match &self.output {
            Some(path) => check_free(path, self.format.format().file_name(), "an export"),
            None => Ok(()),
        }
    }
}

/// Checks that nothing is at `path`. `name` is the usual name of what is written, and `what` its kind.
///
/// # Errors
/// A path that exists, or a folder that does not.
pub(crate) fn check_free(path: &Path, name: &str, what: &str) -> Result<()> {
    files::check_parent(path)?;
    // A link takes a name, even if its target is missing.
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let error = Error::new(format!("`{}` exists already, and {what} overwrites nothing", path.display()));
    Err(match path.is_dir() {
        true => error.hint(format!("name a new file or folder, such as `{}`", path.join(name).display())),
        false => error.hint("name another file, or remove this one first"),
    })
}
