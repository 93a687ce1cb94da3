//! Owns where Keras keeps the weights of a layer. Depends on `hdf5`. Must not know what a layer does.

use crate::error::{Error, Result};
use crate::exchange::keras::chain::Layer;
use crate::exchange::keras::hdf5::{Hdf5, Tensor};

/// Group of the layers' weights in a `.keras` file: of Keras 3, and of Keras 2.12 to 2.15.
const GROUPS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];

/// Group of the layers' weights in a whole model in HDF5.
const WHOLE_MODEL: &str = "model_weights";

/// The weights of all layers.
pub(super) struct Weights {
    file: Hdf5,
    form: Form,
}

enum Form {
    /// `GROUP/dense_1/vars/0`: the layers are numbered per class.
    Keras { group: &'static str },
    /// `model_weights/NAME/…`: the layers have their names, and an attribute lists the arrays.
    WholeModel,
}

impl Weights {
    /// Opens `model.weights.h5` of a `.keras` file.
    ///
    /// # Errors
    /// Bytes that are no HDF5 file, or a file without layers.
    pub(super) fn of_archive(bytes: Vec<u8>) -> Result<Self> {
        let file = Hdf5::open(bytes)?;
        match GROUPS.into_iter().find(|group| file.has_group(group)) {
            Some(group) => Ok(Self { file, form: Form::Keras { group } }),
            None => Err(Error::corrupt("the file's weights have no group `layers`".to_owned())),
        }
    }

    /// The weights of the whole model in `file`.
    pub(super) fn of_whole_model(file: Hdf5) -> Self {
        Self { file, form: Form::WholeModel }
    }

    /// Reads the arrays of `layer` in Keras' order: kernel and bias of a `Dense`, mean and variance of
    /// a `Normalization`. At most `limit` are read.
    ///
    /// # Errors
    /// An array that is named but missing or damaged.
    pub(super) fn of_layer(&self, layer: &Layer, limit: usize) -> Result<Vec<Tensor>> {
        match self.form {
            Form::Keras { group } => {
                let vars = format!("{group}/{}/vars", layer.group);
                let number = self.file.num_datasets(&vars).min(limit);
                (0..number).map(|index| self.file.tensor(&format!("{vars}/{index}"))).collect()
            }
            Form::WholeModel => {
                let group = format!("{WHOLE_MODEL}/{}", layer.name);
                let names = self.file.texts(&group, "weight_names").unwrap_or_default();
                names.iter().take(limit).map(|name| self.file.tensor(&format!("{group}/{name}"))).collect()
            }
        }
    }
}
