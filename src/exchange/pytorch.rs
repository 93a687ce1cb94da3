//! Owns the reading of PyTorch's `.pt` and `.pth` files. Depends on `exchange::state_dict` and on the
//! crate `pytorch-reader`, which understands pickles and runs nothing in them. Must not know what the
//! names of tensors mean.

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::path::Path;

use pytorch_reader::{DType, PytorchError, PytorchReader, Tensor};

use crate::error::{Error, Result};
use crate::exchange::number_type::NumberType;
use crate::exchange::state_dict::{TensorInfo, read_network};
use crate::exchange::zip_end::without_64_bit_end;
use crate::exchange::{DenseNetwork, Layout, ModelMetadata};
use crate::util::files;

/// Largest pickle in bytes that is read from a zip archive. That of a network of 1,000 layers with the
/// state of Adam has some 600,000 bytes, and each byte may become 200 in memory.
const MAX_PICKLE_BYTES: u64 = 1 << 20;

/// Name of the pickle in a zip archive, after the name of its folder.
pub(super) const PICKLE: &str = "data.pkl";

/// Returns whether the bytes begin like a pickle, which PyTorch before 1.6 and
/// `_use_new_zipfile_serialization=False` write.
pub(super) fn is_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 1..=5, ..])
}

/// Reads the network of a file that `torch.save` wrote: a state dictionary, a whole module, or a
/// checkpoint with one of both inside. `layout` is that of the weights, if the user states it.
///
/// # Errors
/// A damaged file, or tensors that are not those of a network of fully connected layers.
pub fn read(bytes: &[u8], layout: Option<Layout>) -> Result<DenseNetwork> {
    let bytes = &*without_64_bit_end(bytes);
    check_pickle_size(bytes)?;
    files::with_private_copy(bytes, |path| read_copy(path, bytes.len(), layout))
}

/// Reads the network in the file at `path`, a copy of `num_bytes` bytes.
fn read_copy(path: &Path, num_bytes: usize, layout: Option<Layout>) -> Result<DenseNetwork> {
    let file = PytorchReader::new(path).map_err(unreadable)?;
    check_memory(file.tensors().values(), num_bytes)?;
    let tensors: Vec<TensorInfo> =
        file.tensors().iter().map(|(name, tensor)| tensor_info(name, tensor)).collect();
    let read = |tensor: &TensorInfo| {
        let missing = || Error::corrupt(format!("the tensor `{}` is missing", tensor.name));
        let bytes = file.get(&tensor.name).ok_or_else(missing)?.read();
        let damaged = |error| {
            Error::corrupt(format!("the numbers of the tensor `{}` cannot be read: {error}", tensor.name))
                .with_source(error)
        };
        bytes.map(Cow::Owned).map_err(damaged)
    };
    read_network(&tensors, read, ModelMetadata::default(), layout)
}

/// Error of a file that the reader refuses.
fn unreadable(error: PytorchError) -> Error {
    let text = error.to_string();
    let hint = match text.contains("__torch__") {
        true => {
            "it is an archive of TorchScript: `torch.save(torch.jit.load(\"model.pt\").state_dict(), \"state.pt\")` takes its \
                 state dictionary out"
        }
        false => {
            "`torch.save(model.state_dict(), \"state.pt\")` writes a file that can be read; a model of scikit-learn comes in as \
             ONNX"
        }
    };
    Error::corrupt(format!("the PyTorch file cannot be read: {text}")).with_source(error).hint(hint)
}

/// Checks that the tensors have no more bytes than the file. A view that repeats its numbers can have
/// any number of them.
fn check_memory<'a>(tensors: impl Iterator<Item = &'a Tensor>, num_bytes: usize) -> Result<()> {
    let needed = tensors.map(Tensor::byte_len).fold(0, usize::saturating_add);
    if needed <= num_bytes {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "the tensors of the PyTorch file have {needed} bytes, and the file itself has {num_bytes}: it is compressed, or \
         several tensors share their numbers"
    ))
    .hint("`torch.save({name: tensor.clone() for name, tensor in model.state_dict().items()}, \"model.pt\")` writes each once"))
}

/// Checks the size of the pickle in a zip archive before the reader unpacks it: a small archive can
/// have a very large one.
fn check_pickle_size(bytes: &[u8]) -> Result<()> {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return Ok(()) };
    let is_pickle = |name: &String| *name == PICKLE || name.ends_with(&format!("/{PICKLE}"));
    let names = archive.file_names().filter_map(|name| name.ok().map(Cow::into_owned)).filter(is_pickle);
    let names: Vec<String> = names.collect();
    for name in names {
        let Ok(member) = archive.by_name(&name) else { continue };
        let size = std::io::copy(&mut member.take(MAX_PICKLE_BYTES + 1), &mut std::io::sink());
        if size.is_ok_and(|size| size > MAX_PICKLE_BYTES) {
            return Err(Error::unsupported(format!(
                "the PyTorch file has a pickle of more than {MAX_PICKLE_BYTES} bytes beside its numbers"
            ))
            .hint("save the state dictionary alone: `torch.save(model.state_dict(), \"model.pt\")`"));
        }
    }
    Ok(())
}

fn tensor_info(name: &str, tensor: &Tensor) -> TensorInfo {
    let number_type = match tensor.dtype() {
        DType::F16 => NumberType::Float16,
        DType::BF16 => NumberType::Bfloat16,
        DType::F32 => NumberType::Float32,
        DType::F64 => NumberType::Float64,
        other => NumberType::Other(format!("{other:?}")),
    };
    TensorInfo { name: name.to_owned(), shape: tensor.shape().to_vec(), number_type }
}
