//! Owns the reading and writing of weights in Burn's file format, the limits of its size, and the check that
//! weights are finite. Depends on the network. Must not know file paths: callers read the bytes.

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::{Bytes, DType, Tensor};
use burn_pack::Reader;

use crate::error::{Error, Result};
use crate::model::Mlp;

/// Largest number of bytes that Burn's format adds per tensor: its name, its shape, its position,
/// and the gap before its values. Measured: 280 to 375.
const MAX_BYTES_PER_TENSOR: u64 = 1024;
/// Largest number of further bytes that Burn's format adds per file.
const MAX_BYTES_PER_FILE: u64 = 4096;

/// Largest size in bytes of a file in Burn's format that holds `numbers` values in single
/// precision, in `tensors` tensors.
pub(crate) fn max_record_size(numbers: u64, tensors: u64) -> u64 {
    4 * numbers + MAX_BYTES_PER_TENSOR * tensors + MAX_BYTES_PER_FILE
}

/// Largest size in bytes of a file with the parameters of `model`.
pub(crate) fn max_weights_size(model: &Mlp) -> u64 {
    let (numbers, tensors) = model.record_counts();
    max_record_size(numbers, tensors)
}

/// Returns the parameters of `model` as a file in Burn's format. Messages call the file `name`.
///
/// # Errors
/// A device that fails while the parameters are read from it.
pub(crate) fn weights_to_bytes(model: &Mlp, name: &str) -> Result<Vec<u8>> {
    let bytes = model.clone().into_record().into_bytes();
    let bytes = bytes.map_err(|error| Error::backend(format!("cannot write `{name}`: {error}")))?;
    Ok(bytes.to_vec())
}

/// Loads weights into `model`. `bytes` is the content of a file in Burn's format, and `name` is the
/// file's name in messages.
///
/// # Errors
/// Bytes that are damaged, values that are not in single precision, or weights of another network.
pub fn load_weights(model: Mlp, bytes: Vec<u8>, name: &str) -> Result<Mlp> {
    let failed = |error| match error {
        RecordError::Io(reason) => Error::corrupt(format!("cannot load `{name}`: {reason}"))
            .hint("does it hold a network's weights?"),
        RecordError::Validation(reason) => misfit(&reason, name),
    };
    // The bytes are read twice. A clone of shared bytes takes no memory.
    let bytes = Bytes::from_bytes_vec(bytes).shared();
    let tensors = Reader::from_bytes(bytes.clone()).and_then(Reader::into_tensors);
    check_numbers(&tensors.map_err(|error| failed(error.into()))?, name)?;
    let record = ModuleRecord::from_bytes(bytes).map_err(failed)?;
    model.try_load_record(record).map_err(failed)
}

/// Rejects tensors that are not in single precision. Burn would give the network the number type of
/// the file, and would panic if that is an integer type.
fn check_numbers(tensors: &[burn_pack::Tensor], name: &str) -> Result<()> {
    match tensors.iter().find(|tensor| tensor.dtype != DType::F32) {
        None => Ok(()),
        Some(tensor) => Err(Error::corrupt(format!(
            "`{name}` holds `{}` as {}, expected {}",
            tensor.name,
            tensor.dtype.name(),
            DType::F32.name()
        ))
        .hint("is it the file that this run saved?")),
    }
}

/// Returns the error for weights that do not fit the network. Burn's `reason` lists the tensors
/// that do not fit, each in quotes. The message names the first one.
fn misfit(reason: &str, name: &str) -> Error {
    let first = reason.split('"').nth(1).unwrap_or(reason);
    let first = first.replace("Shape { dims: ", "").replace(" }", "");
    if reason.starts_with("Missing") {
        Error::corrupt(format!("`{name}` does not hold the weights of this network: `{first}` is missing"))
            .hint("a run's weights are in `model.bpk`, and so are a checkpoint's in its folder")
    } else {
        Error::corrupt(format!("`{name}` holds the weights of another network: {first}"))
            .hint("is it the file that this run saved?")
    }
}

/// Returns whether every parameter is finite: neither infinite nor NaN.
///
/// # Errors
/// A device that fails while it checks.
pub(crate) fn has_finite_weights(model: &Mlp) -> Result<bool> {
    let mut look = FiniteCheck { finite: Ok(true) };
    model.visit(&mut look);
    look.finite
}

/// Visitor that checks each tensor of a network, until one is not finite or cannot be read.
struct FiniteCheck {
    finite: Result<bool>,
}

impl ModuleVisitor for FiniteCheck {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.finite == Ok(true) {
            let all = param.val().inner().is_finite().all();
            self.finite = all
                .try_into_scalar()
                .map_err(|error| Error::backend(format!("cannot read the weights from the device: {error}")));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
