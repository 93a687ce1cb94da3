//! What a person sees while a network trains: a live bar on a terminal, nothing between the epochs elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::number::grouped;
use crate::training::{ACCURACY, LOSS};
use crate::workflow::Progress;

/// A bar over all images of all epochs; it shows nothing where standard error is not a terminal.
pub(super) fn bar(hidden: bool) -> ProgressBar {
    let target = if hidden || !stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr_with_hz(20)
    };
    let bar = ProgressBar::with_draw_target(None, target);
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {percent:>3} % of all  {msg}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
    bar
}

/// Shows Burn's progress events on a bar, which may be a hidden one.
pub struct BarRenderer {
    bar: ProgressBar,
    num_epochs: usize,
    epoch: usize,
    images_per_epoch: u64,
    starting: bool,
    training: bool,
    loss: Mean,
    accuracy: Mean,
    metrics: Vec<MetricDefinition>,
}

/// A mean over the images of the epoch so far.
#[derive(Default)]
struct Mean {
    total: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, entry: &NumericEntry) {
        if let NumericEntry::Aggregated { aggregated_value, count } = entry {
            self.total += aggregated_value * *count as f64;
            self.count += *count as f64;
        }
    }

    fn value(&self) -> f64 {
        self.total / self.count
    }
}

impl BarRenderer {
    /// Draws on `bar`.
    pub fn new(bar: ProgressBar) -> Self {
        Self {
            bar,
            num_epochs: 0,
            epoch: 0,
            images_per_epoch: 0,
            starting: true,
            training: false,
            loss: Mean::default(),
            accuracy: Mean::default(),
            metrics: Vec::new(),
        }
    }

    fn mean(&mut self, id: &MetricId) -> Option<&mut Mean> {
        let definition = self.metrics.iter().find(|metric| &metric.metric_id == id)?;
        match definition.name.as_str() {
            LOSS => Some(&mut self.loss),
            ACCURACY => Some(&mut self.accuracy),
            _ => None,
        }
    }
}

impl MetricsRendererTraining for BarRenderer {
    fn update_train(&mut self, state: MetricState) {
        if let MetricState::Numeric(entry, Some(value)) = state
            && let Some(mean) = self.mean(&entry.metric_id)
        {
            mean.add(&value);
        }
    }

    fn update_valid(&mut self, _: MetricState) {}
}

impl TrainingProgressLogger for BarRenderer {
    fn start(&mut self, total_epochs: usize, starting_epoch: usize, _: Option<usize>, _: Option<&str>) {
        self.num_epochs = total_epochs;
        self.epoch = starting_epoch;
        self.bar.set_message("starting");
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.training = split == "train";
        if self.training {
            self.images_per_epoch = total_items as u64;
            (self.loss, self.accuracy) = (Mean::default(), Mean::default());
            self.bar.set_length(self.images_per_epoch * self.num_epochs as u64);
            let digits = self.num_epochs.to_string().len();
            self.bar.set_prefix(format!("epoch {:>digits$}/{}", self.epoch, self.num_epochs));
        }
    }

    fn update_split(&mut self, items_processed: usize) {
        if self.training {
            let done = self.images_per_epoch * (self.epoch as u64 - 1) + items_processed as u64;
            self.bar.set_position(done);
            if std::mem::take(&mut self.starting) {
                // What was done before this sitting says nothing about its speed.
                self.bar.reset_eta();
            }
            let speed = grouped(self.bar.per_sec() as usize);
            let (loss, accuracy) = (self.loss.value(), self.accuracy.value());
            self.bar.set_message(format!("loss {loss:.4}  accuracy {accuracy:.4}  {speed} images/s"));
        }
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRenderer for BarRenderer {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.metrics.push(definition);
    }
}

// Burn asks every renderer to follow evaluations too; training never starts one.
impl MetricsRendererEvaluation for BarRenderer {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for BarRenderer {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}

/// A bar over all trials of a study, by estimated cost; it shows nothing where standard error is not a terminal.
pub(super) fn study_bar(hidden: bool) -> ProgressBar {
    let bar = bar(hidden);
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {msg}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
    bar.set_length(STUDY_STEPS);
    bar.set_message("starting");
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A study's work in steps of its bar.
const STUDY_STEPS: u64 = 10_000;

/// Shows how a study stands.
pub(super) fn show_study(bar: &ProgressBar, progress: &Progress) {
    bar.set_prefix(format!("trials {}/{}", progress.done, progress.total));
    bar.set_position((progress.share * STUDY_STEPS as f64) as u64);
    let best = progress.best.as_ref().map(|(name, mean)| format!("  best {name}: {mean:.4}"));
    bar.set_message(format!("{}{}", progress.running.join(" | "), best.unwrap_or_default()));
}
