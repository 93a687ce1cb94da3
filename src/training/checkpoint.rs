//! When to keep a checkpoint and when to stop: both watch the validation loss through Burn's event store.

use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};

use super::config::EarlyStopping;
use super::metrics::LOSS;

/// The lowest validation loss so far.
#[derive(Debug, Clone, Copy)]
struct Best {
    epoch: usize,
    loss: f64,
}

impl Best {
    const NONE: Self = Self { epoch: 0, loss: f64::INFINITY };

    /// Takes `epoch` over if its validation loss is lower by more than `min_delta`; says whether it did.
    fn update(&mut self, epoch: usize, store: &EventStoreClient, min_delta: f64) -> bool {
        let loss = store.find_metric(LOSS, epoch, Aggregate::Mean, &Split::Valid);
        match loss {
            Some(loss) if loss < self.loss - min_delta => {
                *self = Self { epoch, loss };
                true
            }
            _ => false,
        }
    }
}

/// Keeps the last epoch's checkpoint and, with validation images, the one of the lowest validation loss.
#[derive(Debug)]
pub(super) struct LastAndBest {
    last: usize,
    best: Best,
}

impl LastAndBest {
    pub(super) fn new() -> Self {
        Self { last: 0, best: Best::NONE }
    }
}

impl CheckpointingStrategy for LastAndBest {
    fn checkpointing(&mut self, epoch: usize, store: &EventStoreClient) -> Vec<CheckpointingAction> {
        let (last, best) = (std::mem::replace(&mut self.last, epoch), self.best.epoch);
        let improved = self.best.update(epoch, store, 0.0);
        // Save first: a crash in between leaves one checkpoint too many, never one too few.
        let mut actions = vec![CheckpointingAction::Save];
        if last != 0 && (last != best || improved) {
            actions.push(CheckpointingAction::Delete(last));
        }
        if improved && best != 0 && best != last {
            actions.push(CheckpointingAction::Delete(best));
        }
        actions
    }
}

/// Stops after `patience` epochs without a lower validation loss.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    config: EarlyStopping,
    best: Best,
}

impl Patience {
    pub(super) fn new(config: EarlyStopping) -> Self {
        Self { config, best: Best::NONE }
    }
}

impl EarlyStoppingStrategy for Patience {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        !self.best.update(epoch, store, self.config.min_delta)
            && epoch - self.best.epoch >= self.config.patience
    }
}
