//! Owns the buffer of step metrics: Burn's metrics receive many steps in one event.

use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn::train::ItemLazy;

use crate::engine::{LazyMetrics, MetricSums};
use crate::error::Result;
use crate::training::fit::burn_error;

/// Largest number of steps in one event: bounds the memory that they hold.
const MAX_STEPS_PER_EVENT: usize = 256;
/// Longest time that metrics wait in the buffer: a progress bar keeps moving.
const MAX_EVENT_DELAY: Duration = Duration::from_millis(50);

/// Metrics that Burn has not received yet.
pub(super) struct MetricBuffer {
    metrics: LazyMetrics,
    since: Instant,
    /// Steps that Burn has received in this epoch.
    pub(super) steps_sent: usize,
    /// Sums over all steps sent.
    pub(super) sums: MetricSums,
}

impl MetricBuffer {
    pub(super) fn new(steps_sent: usize, sums: MetricSums) -> Self {
        Self { metrics: LazyMetrics::default(), since: Instant::now(), steps_sent, sums }
    }

    pub(super) fn push(&mut self, metrics: LazyMetrics) {
        self.metrics.append(metrics);
    }

    pub(super) fn should_flush(&self, progress: &Progress) -> bool {
        progress.is_completed()
            || self.metrics.len() >= MAX_STEPS_PER_EVENT
            || self.since.elapsed() >= MAX_EVENT_DELAY
    }

    /// Empties the buffer and returns its metrics, read from the device.
    pub(super) fn flush(&mut self) -> Result<LazyMetrics> {
        self.since = Instant::now();
        self.steps_sent += self.metrics.len();
        let metrics = burn_error(std::mem::take(&mut self.metrics).sync())?;
        metrics.steps().iter().for_each(|step| self.sums.add(&MetricSums::from(step)));
        Ok(metrics)
    }
}
