//! Owns the view of a flex tensor's memory as a slice. It is the only file that names the types of
//! a Burn backend. Depends on Burn, burn-flex and the alignment of `smallnet_kernels`. Must not know networks.

use std::ops::Range;

use burn::backend::Flex;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::{FlexTensor, Layout};
use smallnet_kernels::{aligned_capacity, num_before_line};

/// Memory of a tensor on the backend flex: single precision, row-major and without gaps. The tensor
/// may be a part of its memory.
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
        match (flex.dtype(), flex.layout().contiguous_offsets()) {
            (DType::F32, Some(_)) => Ok(Self(flex)),
            (DType::F32, None) => Ok(Self(flex.to_contiguous())),
            _ => Err(tensor),
        }
    }

    /// Makes a buffer of `values`, row-major in `shape`. They are not copied.
    pub(crate) fn new<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Self {
        Self(FlexTensor::from_data(TensorData::new(values, shape)))
    }

    /// Returns a buffer of zeros of the same shape. Its values begin with a cache line, so that
    /// vectors lie in one each.
    pub(crate) fn zeros(&self) -> Self {
        let shape = self.0.layout().shape().clone();
        let memory = vec![0.0f32; aligned_capacity(shape.num_elements())];
        let start = num_before_line(&memory);
        let len = memory.len();
        let memory = FlexTensor::from_data(TensorData::new(memory, [len]));
        // The memory stays where it is when its owner moves.
        let layout = Layout::contiguous(shape);
        let layout = Layout::new(layout.shape().clone(), layout.strides().to_vec(), start);
        Self(memory.with_layout(layout))
    }

    /// Returns a buffer of the same shape with arbitrary values: `spare`, if it has this shape, begins
    /// with a cache line, and nothing else uses its memory; otherwise [`zeros`](Self::zeros).
    pub(crate) fn reuse(&self, spare: Option<Self>) -> Self {
        let shape = self.0.layout().shape();
        let fits = |spare: &Self| {
            spare.0.layout().shape() == shape && spare.0.is_unique() && num_before_line(spare.values()) == 0
        };
        spare.filter(fits).unwrap_or_else(|| self.zeros())
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
        &self.0.storage()[self.range()]
    }

    /// Values, row-major, to be changed. They are copied first if another tensor shares the memory.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        let range = self.range();
        &mut self.0.storage_mut()[range]
    }

    /// Range of the values in the memory.
    fn range(&self) -> Range<usize> {
        let start = self.0.layout().start_offset();
        start..start + self.0.layout().num_elements()
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
