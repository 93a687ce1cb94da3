//! Owns the buffer of step metrics, by which Burn's metrics receive many steps in one event.
//! Depends on the metrics of `engine`. Must not know callbacks or checkpoints.

use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn::train::ItemLazy;

use crate::engine::{LazyMetrics, MetricSums};
use crate::error::Result;
use crate::training::fit::burn_error;

/// Largest number of steps in one event. It limits the memory that they use.
const MAX_STEPS_PER_EVENT: usize = 256;
/// Longest time that metrics stay in the buffer. It lets a progress bar move without pauses.
const MAX_EVENT_DELAY: Duration = Duration::from_millis(50);

/// Buffer of the metrics that Burn has not received yet.
pub(super) struct MetricBuffer {
    metrics: LazyMetrics,
    /// Time of the last flush.
    since: Instant,
    /// Steps of this epoch that Burn has received.
    pub(super) steps_sent: usize,
    /// Sums over all steps of this epoch that Burn has received.
    pub(super) sums: MetricSums,
}

impl MetricBuffer {
    /// Returns an empty buffer, after `steps_sent` steps of the epoch with these sums.
    pub(super) fn new(steps_sent: usize, sums: MetricSums) -> Self {
        Self { metrics: LazyMetrics::default(), since: Instant::now(), steps_sent, sums }
    }

    pub(super) fn push(&mut self, metrics: LazyMetrics) {
        self.metrics.append(metrics);
    }

    /// Returns whether Burn must receive the metrics now: after the last batch, or at one of the
    /// limits.
    pub(super) fn should_flush(&self, progress: &Progress) -> bool {
        progress.is_completed()
            || self.metrics.len() >= MAX_STEPS_PER_EVENT
            || self.since.elapsed() >= MAX_EVENT_DELAY
    }

    /// Empties the buffer and returns its metrics, read from the device.
    ///
    /// # Errors
    /// A device that fails.
    pub(super) fn flush(&mut self) -> Result<LazyMetrics> {
        self.since = Instant::now();
        self.steps_sent += self.metrics.len();
        let metrics = burn_error(std::mem::take(&mut self.metrics).sync())?;
        metrics.steps().iter().for_each(|step| self.sums.add(&MetricSums::from(step)));
        Ok(metrics)
    }
}
