//! Owns the view of a flex tensor's memory as a slice. With `backend`, the only file that names a Burn backend.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::FlexTensor;

/// A tensor's memory on the backend flex: single precision, row-major and without gaps.
#[derive(Debug, Clone)]
pub(crate) struct FlexBuffer(FlexTensor);

impl FlexBuffer {
    /// Views `tensor` without a copy. Its gradient, if it is tracked, is left behind.
    ///
    /// # Errors
    /// The tensor itself where it is not on flex or not in single precision.
    #[allow(clippy::result_large_err)]
    pub(crate) fn of<const D: usize>(tensor: Tensor<D>) -> std::result::Result<Self, Tensor<D>> {
        let flex: FlexTensor = match tensor.clone().inner().try_into_primitive::<Flex>() {
            Ok(flex) => flex,
            Err(_) => return Err(tensor),
        };
        let has_gaps = !flex.is_contiguous() || flex.bytes().len() != 4 * flex.layout().num_elements();
        match flex.dtype() {
            DType::F32 if has_gaps => Ok(Self(flex.to_contiguous())),
            DType::F32 => Ok(Self(flex)),
            _ => Err(tensor),
        }
    }

    /// Makes a buffer of `values`, which become its memory.
    pub(crate) fn new<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Self {
        Self(FlexTensor::from_data(TensorData::new(values, shape)))
    }

    /// Returns zeros of the same shape.
    pub(crate) fn zeros(&self) -> Self {
        Self(FlexTensor::zeros(self.0.layout().shape().clone(), DType::F32))
    }

    /// Returns the buffer of `tensor`, of the same shape and on any device, or zeros if there is none.
    pub(crate) fn or_zeros<const D: usize>(&self, tensor: Option<Tensor<D>>) -> Self {
        let Some(tensor) = tensor else { return self.zeros() };
        Self::of(tensor).unwrap_or_else(|tensor| {
            let shape = tensor.dims();
            Self::new(tensor.into_data().iter::<f32>().collect(), shape)
        })
    }

    /// Values, row-major.
    pub(crate) fn values(&self) -> &[f32] {
        self.0.storage()
    }

    /// Values to be changed. They are copied first if another tensor shares the memory.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        self.0.storage_mut()
    }

    /// Returns the tensor of this memory.
    pub(crate) fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(self.0)
    }
}
