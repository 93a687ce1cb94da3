//! Owns the view of a flex tensor's memory as a slice. It is the only file that names the types of
//! a Burn backend. Depends on Burn and burn-flex. Must not know networks or kernels.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::FlexTensor;

/// Memory of a tensor on the backend flex: single precision, row-major and without gaps.
#[derive(Debug, Clone)]
pub(crate) struct FlexBuffer(FlexTensor);

impl FlexBuffer {
    /// Views `tensor`. The values are copied only if they have gaps or are not row-major. The view
    /// is not tracked for gradients.
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

    /// Makes a buffer of `values`, row-major in `shape`. They are not copied.
    pub(crate) fn new<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Self {
        Self(FlexTensor::from_data(TensorData::new(values, shape)))
    }

    /// Returns a buffer of zeros of the same shape.
    pub(crate) fn zeros(&self) -> Self {
        Self(FlexTensor::zeros(self.0.layout().shape().clone(), DType::F32))
    }

    /// Returns the buffer of `tensor`, which has the same shape and may be on any device. Returns
    /// zeros if there is no tensor.
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

    /// Values, row-major, to be changed. They are copied first if another tensor shares the memory.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        self.0.storage_mut()
    }

    /// Returns the tensor that has this memory.
    pub(crate) fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(self.0)
    }
}

/// Returns the tensor that [`FlexBuffer::of`] was called with.
pub(crate) fn into_tensor<const D: usize>(viewed: std::result::Result<FlexBuffer, Tensor<D>>) -> Tensor<D> {
    viewed.map_or_else(|tensor| tensor, FlexBuffer::into_tensor)
}
