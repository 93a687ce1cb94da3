//! What dropout leaves out: drawn on the device from a seed of each step's own, so that a training can go on from any
//! step and nothing else that is drawn there matters.

use burn::tensor::Device;
use rand::Rng;

use crate::random::{Purpose, stream};

/// Seeds the device's generator for a step.
#[derive(Debug)]
pub(super) struct Masks {
    device: Device,
    seed: u64,
}

impl Masks {
    /// `seed` is the experiment's.
    pub(super) fn new(seed: u64, device: &Device) -> Self {
        Self { device: device.clone(), seed }
    }

    /// Makes the masks of `step`, counted from 0 over the whole training, those that are drawn next.
    pub(super) fn draw(&self, step: usize) {
        self.device.seed(stream(self.seed, Purpose::Dropout, step as u64).next_u64());
    }
}
