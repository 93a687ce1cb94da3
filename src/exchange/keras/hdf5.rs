//! Owns HDF5: the library, and the limits of what an untrusted file can make it do. Depends on
//! `number_type`. Must not know where Keras keeps which weights.
//!
//! The library reads a file that is in memory whole. It is young, so a panic in it is caught here and
//! becomes an error.

use hdf5_pure::{AttrValue, Dataset, Datatype, DatatypeByteOrder, File, FileBuilder};

use crate::error::{Error, Result, catch_panic};
use crate::exchange::number_type::NumberType;

/// First bytes of an HDF5 file.
const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Beginning of the message of an error in the library.
const DAMAGED: &str = "the HDF5 data in the file is damaged";

/// True if a file begins like an HDF5 file.
pub(super) fn is_hdf5(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// One array of numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    /// Path in the file, for messages.
    pub(super) path: String,
    /// Size of each dimension. Their product is the number of `values`.
    pub(super) shape: Vec<usize>,
    /// Numbers, row-major.
    pub(super) values: Vec<f32>,
}

/// An open HDF5 file.
pub(super) struct Hdf5 {
    file: File,
    /// Number of its bytes. No array may have more.
    size: u64,
}

impl Hdf5 {
    /// Opens the file `bytes`.
    ///
    /// # Errors
    /// Bytes that are no HDF5 file.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self> {
        let size = bytes.len() as u64;
        let file = guarded(|| File::from_bytes(bytes))?;
        Ok(Self { file, size })
    }

    /// True if there is a group at `path`.
    pub(super) fn has_group(&self, path: &str) -> bool {
        guarded(|| self.file.group(path)).is_ok()
    }

    /// Number of datasets in the group at `path`. 0 if there is no such group.
    pub(super) fn num_datasets(&self, path: &str) -> usize {
        guarded(|| self.file.group(path)?.datasets()).map_or(0, |names| names.len())
    }

    /// Reads the array at `path`. Numbers of half or double precision become `f32`.
    ///
    /// # Errors
    /// No such array, an array with more bytes than the file, or numbers of another type.
    pub(super) fn tensor(&self, path: &str) -> Result<Tensor> {
        let (shape, element_size, number_type, dataset) = guarded(|| {
            let dataset = self.file.dataset(path)?;
            let number_type = number_type(&dataset)?;
            Ok((dataset.shape()?, dataset.element_size()?, number_type, dataset))
        })
        .map_err(|error| {
            error.in_context(format!("the weights `{path}` cannot be read: {}", error.message()))
        })?;
        let num_bytes = shape.iter().try_fold(element_size, |product, &size| product.checked_mul(size));
        if num_bytes.is_none_or(|bytes| bytes > self.size) {
            return Err(Error::corrupt(format!(
                "the weights `{path}` have the shape {shape:?}, which is more than the whole file"
            )));
        }
        let values = number_type.to_f32(&guarded(|| dataset.read_raw())?, path)?;
        let shape: Vec<usize> = shape.into_iter().filter_map(|size| usize::try_from(size).ok()).collect();
        match shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size)) {
            Some(number) if number == values.len() => Ok(Tensor { path: path.to_owned(), shape, values }),
            _ => Err(Error::corrupt(format!(
                "the weights `{path}` have {} numbers, and the shape {shape:?}",
                values.len()
            ))),
        }
    }

    /// Reads the texts of an attribute of the group at `path`, or of the file if `path` is empty.
    /// `None` if there is no such group or attribute, or if it is no text.
    pub(super) fn texts(&self, path: &str, attribute: &str) -> Option<Vec<String>> {
        let value = guarded(|| {
            let group = if path.is_empty() { self.file.root() } else { self.file.group(path)? };
            Ok(group.attrs()?.remove(attribute))
        });
        match value.ok().flatten()? {
            AttrValue::String(text) | AttrValue::AsciiString(text) => Some(vec![text]),
            AttrValue::VarLenString(text) | AttrValue::VarLenAsciiString(text) => Some(vec![text]),
            AttrValue::StringArray(texts) | AttrValue::AsciiStringArray(texts) => Some(texts),
            AttrValue::VarLenStringArray(texts) | AttrValue::VarLenAsciiStringArray(texts) => Some(texts),
            _ => None,
        }
    }
}

/// Type of the numbers of `dataset`. Keras writes bfloat16 as two bytes without a type, and names the
/// type in an attribute.
fn number_type(dataset: &Dataset) -> std::result::Result<NumberType, hdf5_pure::Error> {
    let datatype = dataset.datatype()?;
    Ok(match &datatype {
        Datatype::FloatingPoint { size, byte_order: DatatypeByteOrder::LittleEndian, .. } => match size {
            2 => NumberType::Float16,
            4 => NumberType::Float32,
            8 => NumberType::Float64,
            _ => NumberType::Other(datatype.to_string()),
        },
        Datatype::Opaque { size: 2, .. } => match dataset.attrs()?.get("dtype") {
            Some(AttrValue::VarLenString(name) | AttrValue::String(name)) if name == "bfloat16" => {
                NumberType::Bfloat16
            }
            _ => NumberType::Other(datatype.to_string()),
        },
        _ => NumberType::Other(datatype.to_string()),
    })
}

/// Calls the library, and turns its errors and panics into those of smallnet.
fn guarded<T>(call: impl FnOnce() -> std::result::Result<T, hdf5_pure::Error>) -> Result<T> {
    let damaged = |error: hdf5_pure::Error| Error::corrupt(format!("{DAMAGED}: {error}")).with_source(error);
    catch_panic(DAMAGED, || call().map_err(damaged))
}

/// Name of a layer's group, and its arrays: name, shape and values, row-major.
pub(super) type Group<'a> = (String, Vec<(&'static str, Vec<u64>, &'a [f32])>);

/// Returns a file with the arrays of all layers: `GROUP/LAYER/vars/NAME`.
///
/// # Errors
/// Numbers that do not fit their shape.
pub(super) fn write(group: &str, layers: &[Group]) -> Result<Vec<u8>> {
    let mut builder = FileBuilder::new();
    let mut outer = builder.create_group(group);
    for (layer, arrays) in layers {
        let mut inner = outer.create_group(layer);
        let mut vars = inner.create_group("vars");
        for (name, shape, values) in arrays {
            vars.create_dataset(name).with_f32_data(values).with_shape(shape);
        }
        inner.add_group(vars.finish());
        outer.add_group(inner.finish());
    }
    builder.add_group(outer.finish());
    builder.finish().map_err(|error| Error::new(format!("cannot write HDF5: {error}")).with_source(error))
}
