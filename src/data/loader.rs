//! Batches for Burn: a split lives as indices into one block of bytes, and so does a batch; as a tensor it is gathered and
//! scaled in one pass.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_dataset::DatasetError;
use rand::seq::SliceRandom;

use crate::data::Split;
use crate::util::rng::{RngStream, rng};

/// Images in a batch where nothing is learned: enough to keep a device busy. It is part of a result, since another
/// size may round the last digit differently.
pub const EVALUATION_BATCH_SIZE: usize = 1000;

/// Some images with their labels. They become tensors where a network wants those.
#[derive(Debug, Clone)]
pub struct Batch {
    split: Split,
    positions: Vec<u32>,
    /// The share of each target's probability that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// What a step leaves out follows from it; nothing is left out without it.
    pub dropout_seed: Option<u64>,
    device: Device,
}

impl Batch {
    /// The images at `positions` of `split`, for a network on `device`.
    pub fn new(split: &Split, positions: &[u32], label_smoothing: f64, device: &Device) -> Self {
        let (split, positions, device) = (split.clone(), positions.to_vec(), device.clone());
        Self { split, positions, label_smoothing, dropout_seed: None, device }
    }

    /// The same batch, where a step leaves out what follows from `seed`.
    pub fn with_dropout_seed(self, seed: u64) -> Self {
        Self { dropout_seed: Some(seed), ..self }
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// The images at places `range` of the batch: row-major bytes with 0 as background, and the label.
    ///
    /// # Panics
    /// When the range does not lie within the batch.
    pub fn items(&self, range: Range<usize>) -> impl Iterator<Item = (&[u8], u8)> {
        self.positions[range].iter().map(|&position| self.split.image(position as usize))
    }

    /// `[batch, height, width]`, pixels in [0, 1]: divided by 255, as in Keras' example.
    pub fn images(&self) -> Tensor<3> {
        let (height, width) = self.split.image_size();
        let mut pixels = Vec::with_capacity(self.len() * height * width);
        self.items(0..self.len()).for_each(|(image, _)| Self::append_scaled(&mut pixels, image));
        Tensor::from_data(TensorData::new(pixels, [self.len(), height, width]), &self.device)
    }

    /// `[batch]`, class indices.
    pub fn targets(&self) -> Tensor<1, Int> {
        let labels: Vec<i32> = self.items(0..self.len()).map(|(_, label)| i32::from(label)).collect();
        Tensor::from_data(TensorData::new(labels, [self.len()]), &self.device)
    }

    /// Adds the pixels of an image as the network takes them: from 0 to 1.
    pub(crate) fn append_scaled(values: &mut Vec<f32>, image: &[u8]) {
        values.extend(image.iter().map(|&pixel| f32::from(pixel) / 255.0));
    }
}

/// In what order a loader goes through its split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// As stored.
    Sequential,
    /// Anew in every epoch, drawn from this seed and the epoch's number.
    Shuffled(u64),
}

impl Sampling {
    /// The positions of `len` images in the order of `epoch`, which is counted from 1.
    pub fn positions(self, len: usize, epoch: u64) -> Vec<u32> {
        let mut positions: Vec<u32> = (0..len as u32).collect();
        if let Self::Shuffled(seed) = self {
            positions.shuffle(&mut rng(seed, RngStream::Sampling, epoch));
        }
        positions
    }
}

/// Batches of one split, in Burn's terms a `DataLoader`. Each call of `iter` is one epoch, counted from 1.
#[derive(Debug)]
pub struct Loader {
    split: Split,
    batch_size: usize,
    order: Sampling,
    label_smoothing: f64,
    device: Device,
    epochs_started: AtomicU64,
    /// Batches that the next epoch leaves out at its beginning.
    skipped: AtomicUsize,
}

impl Loader {
    /// A loader at its first epoch.
    pub fn new(split: Split, batch_size: usize, order: Sampling, device: &Device) -> Self {
        Self {
            split,
            batch_size,
            order,
            label_smoothing: 0.0,
            device: device.clone(),
            epochs_started: AtomicU64::new(0),
            skipped: AtomicUsize::new(0),
        }
    }

    /// As if `epochs` had been gone through already, and `batches` of the next one.
    pub fn after(self, epochs: usize, batches: usize) -> Self {
        Self { epochs_started: AtomicU64::new(epochs as u64), skipped: AtomicUsize::new(batches), ..self }
    }

    /// Smooths the targets of every batch; see [`Batch::label_smoothing`].
    pub fn with_label_smoothing(self, label_smoothing: f64) -> Self {
        Self { label_smoothing, ..self }
    }

    fn fork(&self, split: Split, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let epochs_started = AtomicU64::new(self.epochs_started.load(Ordering::Relaxed));
        let skipped = AtomicUsize::new(self.skipped.load(Ordering::Relaxed));
        Arc::new(Self {
            split,
            batch_size: self.batch_size,
            order: self.order,
            label_smoothing: self.label_smoothing,
            device: device.clone(),
            epochs_started,
            skipped,
        })
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epochs_started.fetch_add(1, Ordering::Relaxed) + 1;
        let positions = self.order.positions(self.split.len(), epoch);
        let next =
            self.skipped.swap(0, Ordering::Relaxed).saturating_mul(self.batch_size).min(positions.len());
        Box::new(BatchIter { loader: self, positions, next })
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

/// One epoch's batches.
struct BatchIter<'a> {
    loader: &'a Loader,
    positions: Vec<u32>,
    next: usize,
}

impl BatchIter<'_> {
    fn take(&mut self) -> Range<usize> {
        let end = (self.next + self.loader.batch_size).min(self.positions.len());
        std::mem::replace(&mut self.next, end)..end
    }
}

impl Iterator for BatchIter<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.take();
        if range.is_empty() {
            return None;
        }
        let Loader { split, label_smoothing, device, .. } = self.loader;
        Some(Ok(Batch::new(split, &self.positions[range], *label_smoothing, device)))
    }
}

impl DataLoaderIterator<Batch> for BatchIter<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.next, self.positions.len(), Some("images".to_owned()))
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
            labels_name: String::new(),
        })
    }

    /// The labels of an epoch, batch by batch; every image must be its label's.
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

    fn loader(order: Sampling) -> Loader {
        Loader::new(split(), 4, order, &Device::flex())
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
    fn a_loader_starts_anywhere() {
        let reference = loader(Sampling::Shuffled(1));
        epoch(&reference);
        let second = epoch(&reference);
        let labels = |loader: &dyn DataLoader<Batch>| -> Vec<Vec<u8>> {
            let batches = loader.iter();
            batches.map(|batch| batch.unwrap().targets().into_data().iter::<u8>().collect()).collect()
        };
        let resumed = loader(Sampling::Shuffled(1)).after(1, 2).to_device(&Device::flex());
        assert_eq!(labels(&*resumed), second[2..]);
        assert_eq!(labels(&*resumed), epoch(&reference), "the epoch after that is whole");
        assert_eq!(labels(&loader(Sampling::Shuffled(1)).after(1, 3)), [[0u8; 0]; 0]);
    }

    #[test]
    fn a_split_is_a_data_set_of_burns() {
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
