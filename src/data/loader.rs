//! Batches for Burn: a split lives as indices into one block of bytes; a batch is gathered and scaled in one
//! pass into one tensor.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_dataset::DatasetError;
use rand::seq::SliceRandom;

use super::Split;
use crate::random::{Purpose, stream};

/// Images with their labels, ready for the network.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `[batch, height, width]`, pixels in [0, 1].
    pub images: Tensor<3>,
    /// `[batch]`, class indices.
    pub targets: Tensor<1, Int>,
    /// The share of each target's probability that is spread evenly over all classes.
    pub label_smoothing: f64,
}

impl Batch {
    /// Gathers the images at `positions` of `split` into one tensor on `device`. Pixels are divided by 255, as
    /// in Keras' example.
    pub fn gather(split: &Split, positions: &[u32], label_smoothing: f64, device: &Device) -> Self {
        let (height, width) = split.image_size();
        let mut pixels = Vec::with_capacity(positions.len() * height * width);
        let mut labels = Vec::with_capacity(positions.len());
        for &position in positions {
            let (image, label) = split.image(position as usize);
            pixels.extend(image.iter().map(|&pixel| f32::from(pixel) / 255.0));
            labels.push(i32::from(label));
        }
        let images = TensorData::new(pixels, [positions.len(), height, width]);
        let targets = TensorData::new(labels, [positions.len()]);
        Self {
            images: Tensor::from_data(images, device),
            targets: Tensor::from_data(targets, device),
            label_smoothing,
        }
    }
}

/// In what order a loader goes through its split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As stored.
    Sequential,
    /// Anew in every epoch, drawn from this seed and the epoch's number.
    Shuffled(u64),
}

/// Batches of one split, in Burn's terms a `DataLoader`. Each call of `iter` is one epoch, counted from 1.
#[derive(Debug)]
pub struct Loader {
    split: Split,
    batch_size: usize,
    order: Order,
    label_smoothing: f64,
    device: Device,
    epochs_started: AtomicU64,
}

impl Loader {
    /// A loader at its first epoch.
    pub fn new(split: Split, batch_size: usize, order: Order, device: &Device) -> Self {
        let epochs_started = AtomicU64::new(0);
        Self { split, batch_size, order, label_smoothing: 0.0, device: device.clone(), epochs_started }
    }

    /// Smooths the targets of every batch; see [`Batch::label_smoothing`].
    pub fn with_label_smoothing(self, label_smoothing: f64) -> Self {
        Self { label_smoothing, ..self }
    }

    fn positions(&self, epoch: u64) -> Vec<u32> {
        let mut positions: Vec<u32> = (0..self.split.len() as u32).collect();
        if let Order::Shuffled(seed) = self.order {
            positions.shuffle(&mut stream(seed, Purpose::Order, epoch));
        }
        positions
    }

    fn fork(&self, split: Split, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let epochs_started = AtomicU64::new(self.epochs_started.load(Ordering::Relaxed));
        Arc::new(Self {
            split,
            batch_size: self.batch_size,
            order: self.order,
            label_smoothing: self.label_smoothing,
            device: device.clone(),
            epochs_started,
        })
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epochs_started.fetch_add(1, Ordering::Relaxed) + 1;
        Box::new(Batches { loader: self, positions: self.positions(epoch), next: 0 })
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
struct Batches<'a> {
    loader: &'a Loader,
    positions: Vec<u32>,
    next: usize,
}

impl Batches<'_> {
    fn take(&mut self) -> Range<usize> {
        let end = (self.next + self.loader.batch_size).min(self.positions.len());
        std::mem::replace(&mut self.next, end)..end
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.take();
        if range.is_empty() {
            return None;
        }
        let Loader { split, label_smoothing, device, .. } = self.loader;
        Some(Ok(Batch::gather(split, &self.positions[range], *label_smoothing, device)))
    }
}

impl DataLoaderIterator<Batch> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.next, self.positions.len(), Some("images".to_owned()))
    }
}
