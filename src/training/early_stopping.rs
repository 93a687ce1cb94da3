//! Owns the best epoch and early stopping.
//! Depends on Burn's event store, from which both read the validation loss. Must not know the loop.

use burn::train::EarlyStoppingStrategy;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use serde::{Deserialize, Serialize};

use crate::training::config::EarlyStopping;
use crate::training::metrics::LOSS;

/// Epoch of the lowest validation loss so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Mean validation loss after the epoch.
    pub loss: f64,
}

impl BestEpoch {
    /// Replaces `best` by `epoch` if its validation loss is lower by more than `min_delta`. Changes
    /// nothing if the epoch has no validation loss.
    pub(crate) fn update(best: &mut Option<Self>, epoch: usize, store: &EventStoreClient, min_delta: f64) {
        let bound = best.map_or(f64::INFINITY, |best| best.loss - min_delta);
        match store.find_metric(LOSS, epoch, Aggregate::Mean, &Split::Valid) {
            Some(loss) if loss < bound => *best = Some(Self { epoch, loss }),
            _ => {}
        }
    }
}

/// Early stopping: ends a training after `patience` epochs without a lower validation loss.
#[derive(Debug, Clone)]
pub(crate) struct EarlyStopper {
    config: EarlyStopping,
    /// Epoch whose validation loss a later epoch must improve by more than `min_delta`; `None` at
    /// the start.
    pub(crate) reference: Option<BestEpoch>,
}

impl EarlyStopper {
    /// Returns early stopping with its state, the epoch whose validation loss must be improved.
    pub(crate) fn new(config: EarlyStopping, reference: Option<BestEpoch>) -> Self {
        Self { config, reference }
    }

    /// Returns whether the patience is exhausted after `epoch`: `patience` epochs in a row were no
    /// improvement.
    pub(crate) fn is_exhausted(&self, epoch: usize) -> bool {
        epoch.saturating_sub(self.reference.map_or(0, |best| best.epoch)) >= self.config.patience
    }
}

impl EarlyStoppingStrategy for EarlyStopper {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        BestEpoch::update(&mut self.reference, epoch, store, self.config.min_delta);
        self.is_exhausted(epoch)
    }
}
