//! Owns batches and the loader that makes them, which is a `DataLoader` of Burn.
//! Depends on `data` and Burn's tensors. Must not know networks or training.
//!
//! A batch is a list of indices into a split. Its pixels are gathered and normalized in one pass
//! when it becomes a tensor.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_dataset::DatasetError;
use rand::seq::SliceRandom;

use crate::data::{Split, normalize};
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
    device: Device,
}

impl Batch {
    /// Makes a batch of the images at `indices` of `split`, for a network on `device`.
    pub fn new(split: &Split, indices: &[u32], label_smoothing: f64, device: &Device) -> Self {
        let (split, indices, device) = (split.clone(), indices.to_vec(), device.clone());
        Self { split, indices, label_smoothing, dropout_seed: None, device }
    }

    /// Returns the same batch with a seed for the dropout masks.
    pub fn with_dropout_seed(self, seed: u64) -> Self {
        Self { dropout_seed: Some(seed), ..self }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// True if there are no images.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Images `range` of the batch: for each its row-major bytes, with 0 as background, and its
    /// label.
    ///
    /// # Panics
    /// If the range is not within the batch.
    pub fn items(&self, range: Range<usize>) -> impl Iterator<Item = (&[u8], u16)> {
        self.indices[range].iter().map(|&index| self.split.image(index as usize))
    }

    /// Images as a tensor `[batch, height, width]`, pixels in [0, 1]: see [`normalize`].
    pub fn images(&self) -> Tensor<3> {
        let (height, width) = self.split.image_size();
        let mut pixels = Vec::with_capacity(self.len() * height * width);
        self.items(0..self.len()).for_each(|(image, _)| Self::normalize_into(&mut pixels, image));
        Tensor::from_data(TensorData::new(pixels, [self.len(), height, width]), &self.device)
    }

    /// Labels as a tensor `[batch]` of class indices.
    pub fn targets(&self) -> Tensor<1, Int> {
        let labels: Vec<i32> = self.items(0..self.len()).map(|(_, label)| i32::from(label)).collect();
        Tensor::from_data(TensorData::new(labels, [self.len()]), &self.device)
    }

    /// Appends the normalized pixels of an image to `values`.
    pub(crate) fn normalize_into(values: &mut Vec<f32>, image: &[u8]) {
        values.extend(image.iter().map(|&pixel| normalize(pixel)));
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

    /// Copies the loader and its place in the training, with another split or device.
    fn fork(&self, split: Split, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let epochs_started = AtomicU64::new(self.epochs_started.load(Ordering::Relaxed));
        let num_skipped = AtomicUsize::new(self.num_skipped.load(Ordering::Relaxed));
        Arc::new(Self {
            split,
            batch_size: self.batch_size,
            sampling: self.sampling,
            label_smoothing: self.label_smoothing,
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
        Box::new(BatchIter { loader: self, indices, next })
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

/// Iterator over the batches of one epoch.
struct BatchIter<'a> {
    loader: &'a Loader,
    /// Index in the split of each image, in the order of the epoch.
    indices: Vec<u32>,
    /// Number of images in the batches so far, skipped ones included.
    next: usize,
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
        Some(Ok(Batch::new(split, &self.indices[range], *label_smoothing, device)))
    }
}

impl DataLoaderIterator<Batch> for BatchIter<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.next, self.indices.len(), Some("images".to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::ImageDataset;

    /// Ten images of 1x2 pixels: image i has the pixels i and 255 and the label i.
    fn split() -> Split {
        Split::whole(ImageDataset {
            pixels: (0..10).flat_map(|i| [i, 255]).collect(),
            labels: (0..10).collect(),
            height: 1,
            width: 2,
            images_name: String::new(),
        })
    }

    /// Returns the labels of an epoch, one list per batch, after a check that each label is with
    /// its image.
    fn epoch(loader: &dyn DataLoader<Batch>) -> Vec<Vec<u8>> {
        let mut batches = loader.iter();
        let mut labels = Vec::new();
        let mut seen = 0;
        while let Some(batch) = batches.next() {
            let batch = batch.unwrap();
            let targets: Vec<u8> = batch.targets().into_data().iter::<u8>().collect();
            assert_eq!(batch.images().dims(), [targets.len(), 1, 2]);
            let pixels: Vec<f32> = batch.images().into_data().iter::<f32>().collect();
            let expected: Vec<f32> = targets.iter().flat_map(|&i| [f32::from(i) / 255.0, 1.0]).collect();
            assert_eq!(pixels, expected);
            seen += targets.len();
            assert_eq!((batches.progress().items_processed, batches.progress().items_total), (seen, 10));
            labels.push(targets);
        }
        labels
    }

    fn loader(sampling: Sampling) -> Loader {
        Loader::new(split(), 4, sampling, &Device::flex())
    }

    #[test]
    fn a_sequential_loader_goes_through_all_images_and_ends_with_a_short_batch() {
        let loader = loader(Sampling::Sequential);
        let expected: [&[u8]; 3] = [&[0, 1, 2, 3], &[4, 5, 6, 7], &[8, 9]];
        assert_eq!(epoch(&loader), expected);
        assert_eq!(epoch(&loader), expected);
        assert_eq!(loader.num_items(), 10);
        assert_eq!(epoch_of_slice(&loader), [[2, 3, 4]]);
    }

    fn epoch_of_slice(loader: &Loader) -> Vec<Vec<u8>> {
        let slice = loader.slice(2, 5);
        let batches = slice.iter();
        batches.map(|batch| batch.unwrap().targets().into_data().iter::<u8>().collect()).collect()
    }

    #[test]
    fn a_shuffled_loader_draws_each_epochs_order_from_seed_and_epoch() {
        let order = |seed| {
            let loader = loader(Sampling::Shuffled(seed));
            [epoch(&loader).concat(), epoch(&loader).concat()]
        };
        let [first, second] = order(1);
        assert_ne!(first, second, "two epochs in the same order");
        assert_ne!(first, (0..10).collect::<Vec<u8>>(), "not shuffled");
        for epoch in [&first, &second] {
            let mut sorted = epoch.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..10).collect::<Vec<u8>>());
        }
        assert_eq!(order(1), [first.clone(), second]);
        assert_ne!(order(2)[0], first);
    }

    #[test]
    fn moving_a_loader_keeps_its_epoch() {
        let reference = loader(Sampling::Shuffled(1));
        epoch(&reference);
        let moved = reference.to_device(&Device::flex());
        assert_eq!(epoch(&*moved), epoch(&reference));
    }

    #[test]
    fn a_loader_starts_at_any_batch() {
        let reference = loader(Sampling::Shuffled(1));
        epoch(&reference);
        let second = epoch(&reference);
        let labels = |loader: &dyn DataLoader<Batch>| -> Vec<Vec<u8>> {
            let batches = loader.iter();
            batches.map(|batch| batch.unwrap().targets().into_data().iter::<u8>().collect()).collect()
        };
        let resumed = loader(Sampling::Shuffled(1)).starting_at(1, 2).to_device(&Device::flex());
        assert_eq!(labels(&*resumed), second[2..]);
        assert_eq!(labels(&*resumed), epoch(&reference), "the epoch after that is whole");
        assert_eq!(labels(&loader(Sampling::Shuffled(1)).starting_at(1, 3)), [[0u8; 0]; 0]);
    }

    #[test]
    fn a_split_is_a_data_set_for_burn() {
        use crate::data::Item;
        use burn_dataset::Dataset;
        use burn_dataset::transform::{PartialDataset, ShuffledDataset};

        let dataset: ShuffledDataset<_, Item> = ShuffledDataset::new(split(), 3u64);
        assert_eq!(Dataset::<Item>::len(&dataset), 10);
        let part = PartialDataset::new(split(), 2, 5);
        let items: Vec<Item> = (0..3).map(|index| part.get(index).unwrap()).collect();
        assert_eq!(items[1], Item { pixels: vec![3, 255], label: 3 });
    }
}
