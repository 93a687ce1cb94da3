//! Owns the digest of a network's parameters. Two people whose digests are equal trained the same
//! network. Depends on the network.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::model::Mlp;
use crate::util::hex::hex;

/// Returns the SHA-256, in hex, of the network's tensors in the order of its layers.
///
/// Each tensor adds its name (such as `layers.0.weight`) and a zero byte. Then come the number of
/// dimensions and each dimension as 64-bit little-endian integers. Last are the values as 32-bit
/// little-endian floats, row-major.
///
/// # Errors
/// A device that fails while the weights are read from it.
pub fn weights_sha256(model: &Mlp) -> Result<String> {
    let mut collector = WeightHasher { path: Vec::new(), hash: Sha256::new(), error: None };
    model.visit(&mut collector);
    match collector.error {
        None => Ok(hex(&collector.hash.finalize())),
        Some(error) => Err(Error::backend(format!("cannot read the weights from the device: {error}"))),
    }
}

/// Visitor that adds each tensor of a network to a hash.
struct WeightHasher {
    /// Names of the modules that contain the current tensor, outermost first.
    path: Vec<String>,
    hash: Sha256,
    /// Error of the last tensor that could not be read. The hash is then incomplete.
    error: Option<String>,
}

impl ModuleVisitor for WeightHasher {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        self.hash.update(self.path.join("."));
        self.hash.update([0]);
        self.hash.update((D as u64).to_le_bytes());
        for size in tensor.dims() {
            self.hash.update((size as u64).to_le_bytes());
        }
        match tensor.try_into_data_as::<f32>().map(|data| data.try_to_vec::<f32>()) {
            Ok(Ok(values)) => values.iter().for_each(|value| self.hash.update(value.to_le_bytes())),
            Ok(Err(error)) => self.error = Some(format!("{error:?}")),
            Err(error) => self.error = Some(error.to_string()),
        }
    }
}
