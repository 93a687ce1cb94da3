//! Owns batches and the loader that makes them, which is a `DataLoader` of Burn.
//! Depends on `data` and Burn's tensors. Must not know networks or training.
//!
//! A batch is a list of indices into a split. Its pixels are gathered and normalized in one pass
//! when it becomes a tensor. Augmented images are made when they are asked for, by the thread that asks,
//! or ahead by threads of the loader. On a GPU that holds the images, batches are gathered there (see
//! `device_images`), unless they are augmented or mixed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_dataset::DatasetError;
use rand::seq::SliceRandom;

use crate::data::augmentation::Prefetch;
use crate::data::device_images::DeviceImages;
use crate::data::{AugmentScratch, Augmenter, ImagePixels, Mixup, Split};
use crate::util::rng::{RngStream, rng};

/// Largest number of images per batch in an evaluation, large enough to keep a device busy.
pub const EVALUATION_BATCH_SIZE: usize = 1000;

/// Largest number of pixels per batch in an evaluation, 2^26. Only images of more than 67,108 pixels
/// need smaller batches for it.
const EVALUATION_BATCH_PIXELS: usize = 1 << 26;

/// Returns the number of images per batch in an evaluation of images of `num_pixels` pixels. It is a
/// part of a result, because another size may round the last digit differently.
pub fn evaluation_batch_size(num_pixels: usize) -> usize {
    (EVALUATION_BATCH_PIXELS / num_pixels.max(1)).clamp(1, EVALUATION_BATCH_SIZE)
}

/// Some images with their labels. They become tensors on demand.
#[derive(Debug, Clone)]
pub struct Batch {
    split: Split,
    indices: Vec<u32>,
    /// Share of each target's probability that is spread evenly over all classes, 0 to 1.
    pub label_smoothing: f64,
    /// Seed of the dropout masks of a training step. Without it there is no dropout.
    pub dropout_seed: Option<u64>,
    augmented: Option<Augmented>,
    /// Mixture of each image with the next one of the batch, and of the last one with the first.
    mixup: Option<Mixup>,
    /// Numbers of the images in the data set that a GPU holds, `[batch]`.
    on_device: Option<Tensor<1, Int>>,
    device: Device,
}

/// Changes of the images of a batch.
#[derive(Debug, Clone)]
struct Augmented {
    augmenter: Arc<Augmenter>,
    /// Epoch, counted from 1.
    epoch: u64,
    /// Pixels of all changed images, if they were made ahead.
    pixels: Option<Arc<[u8]>>,
}

/// Pixels of changed images, and memory for changing them.
#[derive(Debug, Default)]
pub struct ImageBuffer {
    pixels: Vec<u8>,
    mixed: Vec<u8>,
    scratch: AugmentScratch,
}

impl Batch {
    /// Makes a batch of the images at `indices` of `split`, for a network on `device`.
    pub fn new(split: &Split, indices: &[u32], label_smoothing: f64, device: &Device) -> Self {
        let (split, indices, device) = (split.clone(), indices.to_vec(), device.clone());
        let (augmented, mixup, on_device) = (None, None, None);
        Self { split, indices, label_smoothing, dropout_seed: None, augmented, mixup, on_device, device }
    }

    /// Returns the same batch with a seed for the dropout masks.
    pub fn with_dropout_seed(self, seed: u64) -> Self {
        Self { dropout_seed: Some(seed), ..self }
    }

    /// Returns the same batch with each image mixed with the next one, and the last one with the
    /// first. [`Batch::labels`] are those of the first images of the mixtures.
    pub fn with_mixup(self, mixup: Mixup) -> Self {
        Self { mixup: Some(mixup), ..self }
    }

    /// Mixture of the images; none if they are not mixed.
    pub fn mixup(&self) -> Option<Mixup> {
        self.mixup
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// True if there are no images.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Labels of the images `range` of the batch.
    ///
    /// # Panics
    /// If the range is not within the batch.
    pub fn labels(&self, range: Range<usize>) -> impl Iterator<Item = u16> {
        self.indices[range].iter().map(|&index| self.split.label(index as usize))
    }

    /// Labels of the second images of the mixtures `range`: see [`Batch::with_mixup`].
    ///
    /// # Panics
    /// If the range is not within the batch.
    pub fn second_labels(&self, range: Range<usize>) -> impl Iterator<Item = u16> {
        let indices = range.map(|position| self.indices[self.position_after(position)]);
        indices.map(|index| self.split.label(index as usize))
    }

    /// Position of the image that is mixed with the one at `position`.
    fn position_after(&self, position: usize) -> usize {
        if position + 1 < self.len() { position + 1 } else { 0 }
    }

    /// Pixels of the images `range` of the batch. Those of changed images are in the memory of `buffer`.
    ///
    /// # Panics
    /// If the range is not within the batch.
    pub fn pixels<'a>(&'a self, range: Range<usize>, buffer: &'a mut ImageBuffer) -> Vec<ImagePixels<'a>> {
        if !self.is_changed() {
            return range.map(|at| self.split.pixels(self.indices[at] as usize)).collect();
        }
        self.changed(range, buffer).into_iter().map(ImagePixels::Bytes).collect()
    }

    /// Returns whether the images are not those of the data set.
    fn is_changed(&self) -> bool {
        self.augmented.is_some() || self.mixup.is_some()
    }

    /// Images `range` of the batch, augmented and mixed.
    fn changed<'a>(&'a self, range: Range<usize>, buffer: &'a mut ImageBuffer) -> Vec<&'a [u8]> {
        let ImageBuffer { pixels, mixed, scratch } = buffer;
        let Some(mixup) = self.mixup.filter(|_| !range.is_empty()) else {
            return self.unmixed(range.collect(), pixels, scratch);
        };
        let last = self.position_after(range.end - 1);
        let images = self.unmixed(range.chain([last]).collect(), pixels, scratch);
        mixed.clear();
        images.windows(2).for_each(|pair| mixup.append(pair[0], pair[1], mixed));
        mixed.chunks_exact(self.image_len()).collect()
    }

    /// Images at `positions` of the batch, before they are mixed.
    fn unmixed<'a>(
        &'a self,
        positions: Vec<usize>,
        buffer: &'a mut Vec<u8>,
        scratch: &mut AugmentScratch,
    ) -> Vec<&'a [u8]> {
        let size = self.image_len();
        if let Some(pixels) = self.augmented.as_ref().and_then(|augmented| augmented.pixels.as_ref()) {
            return positions.into_iter().map(|at| &pixels[at * size..(at + 1) * size]).collect();
        }
        buffer.clear();
        let indices: Vec<u32> = positions.into_iter().map(|at| self.indices[at]).collect();
        match &self.augmented {
            Some(augmented) => augmented.append(&self.split, &indices, scratch, buffer),
            None => indices.iter().for_each(|&index| self.split.pixels(index as usize).append_to(buffer)),
        }
        buffer.chunks_exact(size).collect()
    }

    /// Number of pixels of an image.
    fn image_len(&self) -> usize {
        let (height, width) = self.split.image_size();
        height * width
    }

    /// Images as a tensor `[batch, height, width]`, pixels in [0, 1]: see [`normalize`](crate::data::normalize).
    pub fn images(&self) -> Tensor<3> {
        if let Some((held, indices)) = self.held() {
            let images = held.images(indices);
            return if self.device.is_autodiff() { images.autodiff() } else { images };
        }
        let (height, width) = self.split.image_size();
        let mut pixels = Vec::with_capacity(self.len() * height * width);
        let mut buffer = ImageBuffer::default();
        for image in self.pixels(0..self.len(), &mut buffer) {
            image.append_normalized(&mut pixels);
        }
        Tensor::from_data(TensorData::new(pixels, [self.len(), height, width]), &self.device)
    }

    /// Labels as a tensor `[batch]` of class indices.
    pub fn targets(&self) -> Tensor<1, Int> {
        if let Some((held, indices)) = self.held() {
            let labels = held.labels(indices);
            return if self.device.is_autodiff() { labels.autodiff() } else { labels };
        }
        self.to_targets(self.labels(0..self.len()))
    }

    /// Labels of the second images of the mixtures, as a tensor `[batch]` of class indices.
    pub fn second_targets(&self) -> Tensor<1, Int> {
        self.to_targets(self.second_labels(0..self.len()))
    }

    /// The images that a GPU holds, with the numbers of those of the batch. None if there are none, or if
    /// the images of the batch are changed.
    pub(super) fn held(&self) -> Option<(&DeviceImages, Tensor<1, Int>)> {
        self.split.on_device.as_ref().zip(self.on_device.clone()).filter(|_| !self.is_changed())
    }

    fn to_targets(&self, labels: impl Iterator<Item = u16>) -> Tensor<1, Int> {
        let labels: Vec<i32> = labels.map(i32::from).collect();
        Tensor::from_data(TensorData::new(labels, [self.len()]), &self.device)
    }
}

impl Augmented {
    /// Appends the changed images at `indices` of `split` to `pixels`.
    fn append(&self, split: &Split, indices: &[u32], scratch: &mut AugmentScratch, pixels: &mut Vec<u8>) {
        for &index in indices {
            let (image, _) = split.image(index as usize);
            let in_data_set = split.index_in_data_set(index as usize);
            self.augmenter.append(&image, self.epoch, in_data_set, scratch, pixels);
        }
    }
}

/// Order in which a loader visits the images of its split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// The order of the split, in every epoch.
    Sequential,
    /// A new random order in every epoch, drawn from this seed and the number of the epoch.
    Shuffled(u64),
}

impl Sampling {
    /// Indices of `len` images in the order of `epoch`, which is counted from 1.
    pub fn indices(self, len: usize, epoch: u64) -> Vec<u32> {
        let mut indices: Vec<u32> = (0..len as u32).collect();
        if let Self::Shuffled(seed) = self {
            indices.shuffle(&mut rng(seed, RngStream::Sampling, epoch));
        }
        indices
    }
}

/// Loader of the batches of one split. Each call of `iter` is one epoch, counted from 1.
#[derive(Debug)]
pub struct Loader {
    split: Split,
    batch_size: usize,
    sampling: Sampling,
    label_smoothing: f64,
    augmenter: Option<Arc<Augmenter>>,
    /// Number of threads that make augmented batches ahead.
    num_threads: usize,
    device: Device,
    epochs_started: AtomicU64,
    /// Number of batches that the next epoch skips at its start.
    num_skipped: AtomicUsize,
}

impl Loader {
    /// Makes a loader at its first epoch.
    pub fn new(split: Split, batch_size: usize, sampling: Sampling, device: &Device) -> Self {
        Self {
            split,
            batch_size,
            sampling,
            label_smoothing: 0.0,
            augmenter: None,
            num_threads: 0,
            device: device.clone(),
            epochs_started: AtomicU64::new(0),
            num_skipped: AtomicUsize::new(0),
        }
    }

    /// Returns the same loader after `epochs` whole epochs and `batches` batches of the next one,
    /// for a resumed training.
    pub fn starting_at(self, epochs: usize, batches: usize) -> Self {
        Self { epochs_started: AtomicU64::new(epochs as u64), num_skipped: AtomicUsize::new(batches), ..self }
    }

    /// Returns the same loader with smoothed targets in every batch: see
    /// [`Batch::label_smoothing`].
    pub fn with_label_smoothing(self, label_smoothing: f64) -> Self {
        Self { label_smoothing, ..self }
    }

    /// Returns the same loader with changed images. `num_threads` threads make the batches ahead; with 0,
    /// whoever asks for an image makes it.
    pub fn with_augmentation(self, augmenter: Option<Augmenter>, num_threads: usize) -> Self {
        Self { augmenter: augmenter.map(Arc::new), num_threads, ..self }
    }

    /// Copies the loader and its place in the training, with another split or device.
    fn fork(&self, split: Split, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let epochs_started = AtomicU64::new(self.epochs_started.load(Ordering::Relaxed));
        let num_skipped = AtomicUsize::new(self.num_skipped.load(Ordering::Relaxed));
        Arc::new(Self {
            split,
            batch_size: self.batch_size,
            sampling: self.sampling,
            label_smoothing: self.label_smoothing,
            augmenter: self.augmenter.clone(),
            num_threads: self.num_threads,
            device: device.clone(),
            epochs_started,
            num_skipped,
        })
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epochs_started.fetch_add(1, Ordering::Relaxed) + 1;
        let indices = self.sampling.indices(self.split.len(), epoch);
        let num_skipped = self.num_skipped.swap(0, Ordering::Relaxed);
        let next = num_skipped.saturating_mul(self.batch_size).min(indices.len());
        let augmented = self.augmenter.clone().map(|augmenter| Augmented { augmenter, epoch, pixels: None });
        let prefetch = augmented.as_ref().and_then(|augmented| self.prefetch(augmented, &indices[next..]));
        let in_data_set = indices.iter().map(|&index| self.split.index_in_data_set(index as usize));
        let on_device = self.split.on_device.as_ref().filter(|_| augmented.is_none());
        let on_device = on_device.map(|held| held.send(in_data_set));
        Box::new(BatchIter { loader: self, indices, next, on_device, augmented, prefetch })
    }

    fn num_items(&self) -> usize {
        self.split.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        self.fork(self.split.clone(), device)
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        self.fork(self.split.slice(start..end), &self.device)
    }
}

impl Loader {
    /// Starts to make the batches of `indices` ahead; none if no threads are wanted or allowed.
    fn prefetch(&self, augmented: &Augmented, indices: &[u32]) -> Option<Prefetch> {
        let (split, augmented, batch_size) = (self.split.clone(), augmented.clone(), self.batch_size);
        let batches: Vec<Vec<u32>> = indices.chunks(batch_size).map(<[u32]>::to_vec).collect();
        let num_threads = self.num_threads.min(batches.len());
        Prefetch::start(num_threads, batches.len(), move |batch| {
            let mut pixels = Vec::new();
            augmented.append(&split, &batches[batch], &mut AugmentScratch::default(), &mut pixels);
            pixels.into()
        })
    }
}

/// Iterator over the batches of one epoch.
struct BatchIter<'a> {
    loader: &'a Loader,
    /// Index in the split of each image, in the order of the epoch.
    indices: Vec<u32>,
    /// Number of images in the batches so far, skipped ones included.
    next: usize,
    /// Number in the data set of each image, in the order of the epoch, on the GPU that holds them.
    on_device: Option<Tensor<1, Int>>,
    augmented: Option<Augmented>,
    /// Threads that make the batches ahead.
    prefetch: Option<Prefetch>,
}

impl BatchIter<'_> {
    /// Advances to the next batch and returns its range in `indices`, which is empty at the end.
    fn advance(&mut self) -> Range<usize> {
        let end = (self.next + self.loader.batch_size).min(self.indices.len());
        std::mem::replace(&mut self.next, end)..end
    }
}

impl Iterator for BatchIter<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.advance();
        if range.is_empty() {
            return None;
        }
        let Loader { split, label_smoothing, device, .. } = self.loader;
        let mut batch = Batch::new(split, &self.indices[range.clone()], *label_smoothing, device);
        batch.on_device = self.on_device.clone().map(|order| order.slice(range));
        batch.augmented = self.augmented.clone().map(|augmented| {
            let pixels = self.prefetch.as_mut().and_then(Prefetch::take);
            Augmented { pixels, ..augmented }
        });
        Some(Ok(batch))
    }
}

impl DataLoaderIterator<Batch> for BatchIter<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.next, self.indices.len(), Some("images".to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
