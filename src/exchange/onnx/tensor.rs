//! Owns the constant numbers of an ONNX graph in one type for all of ONNX's. Depends on the messages
//! of the format. Must not know operators.

use half::{bf16, f16};

use crate::error::{Error, Result};
use crate::exchange::onnx::proto::{EXTERNAL, TensorProto, data_type};
use crate::exchange::onnx::value::quoted;

/// Constant numbers, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) dims: Vec<usize>,
    /// As many numbers as the product of `dims`.
    pub(super) numbers: Vec<f64>,
}

/// A constant: numbers or texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Numbers(Tensor),
    Texts(Vec<String>),
}

impl Tensor {
    /// A tensor of one dimension.
    pub(super) fn list(numbers: Vec<f64>) -> Self {
        Self { dims: vec![numbers.len()], numbers }
    }

    /// A tensor without dimensions.
    pub(super) fn scalar(number: f64) -> Self {
        Self { dims: Vec::new(), numbers: vec![number] }
    }

    /// The number, if there is only one.
    pub(super) fn single(&self) -> Option<f64> {
        match self.numbers[..] {
            [number] => Some(number),
            _ => None,
        }
    }

    /// The numbers as whole numbers, or `None` if one is not whole.
    pub(super) fn whole(&self) -> Option<Vec<i64>> {
        let whole =
            |&number: &f64| (number.fract() == 0.0 && number.abs() < 2f64.powi(53)).then_some(number as i64);
        self.numbers.iter().map(whole).collect()
    }

    /// The tensor with its dimensions in another order: dimension `i` of the result is dimension
    /// `order[i]` of this one. `None` if `order` is no order of the dimensions.
    pub(super) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..self.dims.len()) {
            return None;
        }
        let mut strides = vec![1; self.dims.len()];
        for index in (1..strides.len()).rev() {
            strides[index - 1] = strides[index] * self.dims[index];
        }
        let dims: Vec<_> = order.iter().map(|&index| self.dims[index]).collect();
        let steps: Vec<_> = order.iter().map(|&index| strides[index]).collect();
        let mut numbers = Vec::with_capacity(self.numbers.len());
        for target in 0..self.numbers.len() {
            let (mut rest, mut source) = (target, 0);
            for (&size, &step) in dims.iter().zip(&steps).rev() {
                source += rest % size * step;
                rest /= size;
            }
            numbers.push(self.numbers[source]);
        }
        Some(Self { dims, numbers })
    }

    /// The numbers repeated as needed to make a tensor with the dimensions `dims`, as ONNX and numpy
    /// do it: dimensions of 1 and missing first dimensions. `None` if it does not fit.
    pub(super) fn broadcast(&self, dims: &[usize]) -> Option<Vec<f64>> {
        let surplus = self.dims.len().saturating_sub(dims.len());
        let (first, own) = self.dims.split_at_checked(surplus)?;
        let missing = dims.len() - own.len();
        let fits = |(own, size): (&usize, &usize)| *own == 1 || own == size;
        if first.iter().any(|&size| size != 1) || !own.iter().zip(dims.get(missing..)?).all(fits) {
            return None;
        }
        let total = dims.iter().try_fold(1usize, |total, &size| total.checked_mul(size))?;
        let source_of = |target: usize| {
            let (mut rest, mut source, mut stride) = (target, 0, 1);
            for (&own, &size) in own.iter().zip(&dims[missing..]).rev() {
                source += if own == 1 { 0 } else { rest % size * stride };
                stride *= own;
                rest /= size;
            }
            source
        };
        (0..total).map(|target| self.numbers.get(source_of(target)).copied()).collect()
    }
}

impl Constant {
    /// Reads a constant of the file. `name` is its name in messages.
    ///
    /// # Errors
    /// Numbers in another file, a type that is not supported, or another number of numbers than the
    /// dimensions have.
    pub(super) fn read(tensor: &TensorProto, name: &str) -> Result<Self> {
        let name = quoted(name);
        if tensor.data_location == EXTERNAL {
            return Err(Error::unsupported(format!("the numbers of the constant {name} are in another file"))
                .hint("save the model as one file: `onnx.save(onnx.load(\"model.onnx\"), \"whole.onnx\")` in Python"));
        }
        if tensor.data_type == data_type::STRING {
            let texts = tensor.string_data.iter().map(|text| String::from_utf8_lossy(text).into_owned());
            return Ok(Self::Texts(texts.collect()));
        }
        let numbers = numbers_of(tensor).ok_or_else(|| {
            Error::unsupported(format!(
                "the constant {name} has numbers of ONNX's type {}, expected float, double, float16 or whole \
                 numbers",
                tensor.data_type
            ))
            .hint("smallnet does not read quantized networks: export the network in single precision")
        })?;
        let dims: Option<Vec<_>> = tensor.dims.iter().map(|&size| usize::try_from(size).ok()).collect();
        let total = |dims: &Vec<usize>| dims.iter().try_fold(1usize, |total, &size| total.checked_mul(size));
        match dims {
            Some(dims) if total(&dims) == Some(numbers.len()) => Ok(Self::Numbers(Tensor { dims, numbers })),
            _ => Err(Error::corrupt(format!(
                "the constant {name} has {} numbers, expected as many as its dimensions {:?} have",
                numbers.len(),
                tensor.dims.iter().take(8).collect::<Vec<_>>()
            ))),
        }
    }
}

/// Returns the numbers of a tensor, or `None` if their type is not supported.
fn numbers_of(tensor: &TensorProto) -> Option<Vec<f64>> {
    fn raw<const N: usize>(tensor: &TensorProto, number: fn([u8; N]) -> f64) -> Vec<f64> {
        tensor.raw_data.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
    }
    fn listed<T: Copy>(list: &[T], number: fn(T) -> f64) -> Vec<f64> {
        list.iter().map(|&value| number(value)).collect()
    }
    let is_raw = !tensor.raw_data.is_empty();
    let bits = |value: i32| value as u16;
    Some(match tensor.data_type {
        data_type::FLOAT if is_raw => raw(tensor, |bytes| f32::from_le_bytes(bytes).into()),
        data_type::FLOAT => listed(&tensor.float_data, f64::from),
        data_type::DOUBLE if is_raw => raw(tensor, f64::from_le_bytes),
        data_type::DOUBLE => tensor.double_data.clone(),
        data_type::FLOAT16 if is_raw => raw(tensor, |bytes| f16::from_le_bytes(bytes).to_f64()),
        data_type::FLOAT16 => {
            tensor.int32_data.iter().map(|&value| f16::from_bits(bits(value)).to_f64()).collect()
        }
        data_type::BFLOAT16 if is_raw => raw(tensor, |bytes| bf16::from_le_bytes(bytes).to_f64()),
        data_type::BFLOAT16 => {
            tensor.int32_data.iter().map(|&value| bf16::from_bits(bits(value)).to_f64()).collect()
        }
        data_type::INT64 if is_raw => raw(tensor, |bytes| i64::from_le_bytes(bytes) as f64),
        data_type::INT64 => listed(&tensor.int64_data, |value| value as f64),
        data_type::INT32 if is_raw => raw(tensor, |bytes| i32::from_le_bytes(bytes).into()),
        data_type::INT16 if is_raw => raw(tensor, |bytes| i16::from_le_bytes(bytes).into()),
        data_type::UINT16 if is_raw => raw(tensor, |bytes| u16::from_le_bytes(bytes).into()),
        data_type::INT8 if is_raw => raw(tensor, |bytes| i8::from_le_bytes(bytes).into()),
        data_type::UINT8 | data_type::BOOL if is_raw => raw(tensor, |bytes| u8::from_le_bytes(bytes).into()),
        data_type::INT32
        | data_type::INT16
        | data_type::UINT16
        | data_type::INT8
        | data_type::UINT8
        | data_type::BOOL => listed(&tensor.int32_data, f64::from),
        _ => return None,
    })
}
