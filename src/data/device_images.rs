//! Owns the images and labels of a data set in the memory of a GPU, and gathers batches there.
//! Depends on `data`, `backend` and Burn's tensors. Must not know networks or training.
//!
//! The images are there once, as bytes. A batch is a selection of rows and one pass over its pixels.
//! So a training sends a GPU the order of its images once per epoch, and no pixels. The language of
//! wgpu's kernels, WGSL, has no bytes: four pixels are one number of 32 bits.

use burn::tensor::{Device, Int, Tensor, TensorData};
use smallnet_kernels::MAX_PIXEL;

use crate::backend;
use crate::data::ImageDataset;

/// Pixels of one number.
const PIXELS: usize = 4;

/// Largest number of bytes that are held on a device. Every adapter of WebGPU binds buffers of
/// 128 MiB. MNIST has 45 MiB.
const MAX_BYTES: usize = 128 << 20;

/// Images and labels of a data set on a device that is not an autodiff device.
#[derive(Debug, Clone)]
pub(super) struct DeviceImages {
    /// Four pixels each, the first one in the lowest eight bits, `[images, numbers]`. The last number
    /// of an image may have fewer pixels.
    packed: Tensor<2, Int>,
    /// Position of each pixel in a number, in bits from the lowest one, `[1, 1, 4]`.
    shifts: Tensor<3, Int>,
    /// Class of each image, `[images]`.
    labels: Tensor<1, Int>,
    /// Rows and columns of an image.
    size: [usize; 2],
}

impl DeviceImages {
    /// Copies the images to `device`, which may be an autodiff device. None if it is a CPU, whose own
    /// memory has them already, or if they are too large.
    pub(super) fn of(images: &ImageDataset, device: &Device) -> Option<Self> {
        let device = device.clone().inner();
        let (height, width) = images.image_size();
        let num_bytes = images.len().saturating_mul((height * width).next_multiple_of(PIXELS));
        if backend::is_cpu(&device) || images.is_empty() || num_bytes > MAX_BYTES {
            return None;
        }
        Some(Self::copy(images, &device))
    }

    /// Copies the images to `device`.
    fn copy(images: &ImageDataset, device: &Device) -> Self {
        let (num_images, (height, width)) = (images.len(), images.image_size());
        let num_numbers = (height * width).div_ceil(PIXELS);
        let number = |pixels: &[u8]| {
            let mut bytes = [0; PIXELS];
            bytes[..pixels.len()].copy_from_slice(pixels);
            i32::from_le_bytes(bytes)
        };
        let mut packed: Vec<i32> = Vec::with_capacity(num_images * num_numbers);
        for index in 0..num_images {
            packed.extend(images.pixels.image(index, height * width).to_bytes().chunks(PIXELS).map(number));
        }
        let label = |index| images.labels.get(index).copied().map_or(0, i32::from);
        let labels: Vec<i32> = (0..num_images).map(label).collect();
        let shifts: [i32; PIXELS] = std::array::from_fn(|pixel| 8 * pixel as i32);
        Self {
            shifts: Tensor::from_data(TensorData::new(shifts.to_vec(), [1, 1, PIXELS]), device),
            packed: Tensor::from_data(TensorData::new(packed, [num_images, num_numbers]), device),
            labels: Tensor::from_data(TensorData::new(labels, [num_images]), device),
            size: [height, width],
        }
    }

    /// Sends numbers of images to the device, `[images]`.
    pub(super) fn send(&self, indices: impl Iterator<Item = u32>) -> Tensor<1, Int> {
        let indices: Vec<i32> = indices.map(|index| index as i32).collect();
        let len = indices.len();
        Tensor::from_data(TensorData::new(indices, [len]), &self.packed.device())
    }

    /// Images with the numbers `indices`, `[images, height, width]`, pixels in [0, 1].
    pub(super) fn images(&self, indices: Tensor<1, Int>) -> Tensor<3> {
        let packed = self.packed.clone().select(0, indices);
        let ([count, numbers], [height, width]) = (packed.dims(), self.size);
        let shape = [count, numbers, PIXELS];
        let packed = packed.reshape([count, numbers, 1]).expand(shape);
        let pixels = packed.bitwise_right_shift(self.shifts.clone().expand(shape)).bitwise_and_scalar(255);
        let pixels = pixels.float().reshape([count, numbers * PIXELS]).slice([0..count, 0..height * width]);
        pixels.reshape([count, height, width]) / MAX_PIXEL
    }

    /// Labels of the images with the numbers `indices`, `[images]`.
    pub(super) fn labels(&self, indices: Tensor<1, Int>) -> Tensor<1, Int> {
        self.labels.clone().select(0, indices)
    }
}

#[cfg(test)]
mod tests;
