//! Owns the format safetensors, in both directions. Depends on `exchange::network` and on the crate
//! `safetensors`. Must not know what the names of tensors mean: see `state_dict`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};

use crate::error::{Error, Result};
use crate::exchange::number_type::NumberType;
use crate::exchange::state_dict::{TensorInfo, read_network, transpose};
use crate::exchange::{DenseLayer, DenseNetwork, Layout, ModelMetadata};

/// Bytes in front of the header: its length.
const LENGTH_BYTES: usize = 8;

/// Largest header in bytes that is read. That of a network of 1,000 layers has 200,000 bytes.
const MAX_HEADER_BYTES: u64 = 4 << 20;

/// Returns the file of a network. [`DenseNetwork::metadata`] becomes its metadata, with the layout.
///
/// In Burn's layout, the tensors are `layers.0.weight` `[inputs, outputs]`, `layers.0.bias` and so on.
/// In PyTorch's, they are `1.weight` `[outputs, inputs]`, `1.bias`, `3.weight` and so on: the names in
/// `nn.Sequential(nn.Flatten(), nn.Linear(…), nn.ReLU(), nn.Linear(…))`. Equal networks give equal
/// bytes.
///
/// # Errors
/// A layer without the right number of weights, or metadata that cannot be written.
pub fn write(network: &DenseNetwork, layout: Layout) -> Result<Vec<u8>> {
    let tensors: Vec<_> =
        network.layers.iter().enumerate().flat_map(|(i, layer)| parts(i, layer, layout)).collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<std::result::Result<Vec<_>, _>>();
    let file = views.and_then(|views| safetensors::serialize(views, None)).map_err(|error| {
        Error::new(format!("cannot write a safetensors file: {error}")).with_source(error)
    })?;
    let layout = Some(layout.key().to_owned());
    let metadata = ModelMetadata { layout, ..network.metadata_with_activation() };
    add_metadata(&file, &metadata.to_texts()?)
}

/// Returns the weights and the biases of the layer at `index` as tensors: names, shapes and bytes.
fn parts(index: usize, layer: &DenseLayer, layout: Layout) -> [(String, Vec<usize>, Vec<u8>); 2] {
    let DenseLayer { inputs, outputs, weights, biases, .. } = layer;
    let (name, shape, weights) = match layout {
        Layout::Burn => (format!("layers.{index}"), vec![*inputs, *outputs], Cow::from(weights)),
        // The index 0 is `nn.Flatten`, and each activation has an index, too.
        Layout::Pytorch => {
            ((2 * index + 1).to_string(), vec![*outputs, *inputs], transpose(weights, *outputs).into())
        }
    };
    let bytes = |numbers: &[f32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    [
        (format!("{name}.weight"), shape, bytes(&weights)),
        (format!("{name}.bias"), vec![*outputs], bytes(biases)),
    ]
}

/// Puts texts into the header of a file that has none. The crate would write them in a random order.
fn add_metadata(file: &[u8], texts: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let broken = || Error::new("cannot write a safetensors file: it has no header".to_owned());
    let (length, rest) = file.split_first_chunk::<LENGTH_BYTES>().ok_or_else(broken)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
    let (header, numbers) = rest.split_at_checked(length).ok_or_else(broken)?;
    let tensors = header.strip_prefix(b"{").ok_or_else(broken)?.trim_ascii_end();
    let texts = serde_json::to_string(texts)
        .map_err(|error| Error::new(format!("cannot write the metadata: {error}")).with_source(error))?;
    let mut header = format!("{{\"__metadata__\":{texts},").into_bytes();
    header.extend(tensors);
    header.resize(header.len().next_multiple_of(LENGTH_BYTES), b' ');
    Ok([&(header.len() as u64).to_le_bytes()[..], &header, numbers].concat())
}

/// Returns whether the bytes begin like a safetensors file: with the length of a header, and a JSON
/// table.
pub fn is_safetensors(bytes: &[u8]) -> bool {
    header_bytes(bytes).is_some_and(|length| length > 1) && bytes.get(LENGTH_BYTES) == Some(&b'{')
}

/// Returns the length of the header that the file states.
fn header_bytes(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|length| u64::from_le_bytes(*length))
}

/// Reads the network of a file. `layout` is that of the weights, if the user states it: see
/// `state_dict` for what decides otherwise.
///
/// # Errors
/// A damaged file, or tensors that are not those of a network of fully connected layers.
pub fn read(bytes: &[u8], layout: Option<Layout>) -> Result<DenseNetwork> {
    if let Some(length) = header_bytes(bytes).filter(|length| *length > MAX_HEADER_BYTES) {
        return Err(Error::corrupt(format!(
            "the safetensors file has a header of {length} bytes, expected at most {MAX_HEADER_BYTES}"
        )));
    }
    let damaged = |error: SafeTensorError| {
        Error::corrupt(format!("the safetensors file is damaged: {error}")).with_source(error)
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let texts = header.metadata().iter().flatten().map(|(key, text)| (key.clone(), text.clone())).collect();
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let tensors: Vec<TensorInfo> = file.iter().map(|(name, view)| tensor_info(name, &view)).collect();
    let read = |tensor: &TensorInfo| Ok(Cow::Borrowed(file.tensor(&tensor.name).map_err(damaged)?.data()));
    read_network(&tensors, read, ModelMetadata::from_texts(&texts), layout)
}

fn tensor_info(name: &str, view: &TensorView) -> TensorInfo {
    let number_type = match view.dtype() {
        Dtype::F16 => NumberType::Float16,
        Dtype::BF16 => NumberType::Bfloat16,
        Dtype::F32 => NumberType::Float32,
        Dtype::F64 => NumberType::Float64,
        other => NumberType::Other(format!("{other:?}")),
    };
    TensorInfo { name: name.to_owned(), shape: view.shape().to_vec(), number_type }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
