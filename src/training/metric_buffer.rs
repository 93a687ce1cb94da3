//! Measures of steps on their way to Burn's metrics, many in one event.

use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn::train::ItemLazy;

use crate::engine::metrics::{LazyMetrics, MetricSums};
use crate::error::Result;
use crate::training::fit::burn_error;

/// Steps whose measures travel together at the most: bounds the memory they hold.
const MAX_STEPS_PER_EVENT: usize = 256;
/// How long measures are held back at the most: keeps a progress bar alive.
const MAX_EVENT_DELAY: Duration = Duration::from_millis(50);

/// Measures on their way to the metrics.
pub(super) struct MetricBuffer {
    measured: LazyMetrics,
    since: Instant,
    pub(super) steps_sent: usize,
    /// What was measured by all steps sent.
    pub(super) totals: MetricSums,
}

impl MetricBuffer {
    pub(super) fn new(steps_sent: usize, totals: MetricSums) -> Self {
        Self { measured: LazyMetrics::default(), since: Instant::now(), steps_sent, totals }
    }

    pub(super) fn put(&mut self, measured: LazyMetrics) {
        self.measured.append(measured);
    }

    pub(super) fn is_due(&self, progress: &Progress) -> bool {
        progress.is_completed()
            || self.measured.len() >= MAX_STEPS_PER_EVENT
            || self.since.elapsed() >= MAX_EVENT_DELAY
    }

    /// The measures, read from the device.
    pub(super) fn take(&mut self) -> Result<LazyMetrics> {
        self.since = Instant::now();
        self.steps_sent += self.measured.len();
        let measured = burn_error(std::mem::take(&mut self.measured).sync())?;
        measured.steps().iter().for_each(|step| self.totals.add(&MetricSums::from(step)));
        Ok(measured)
    }
}
