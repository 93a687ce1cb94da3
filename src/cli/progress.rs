//! Owns the progress bar. It is shown on a terminal only; elsewhere nothing is printed between
//! epochs.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use burn::train::logger::TrainingProgressLogger;
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use burn::train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::cli::speed::{Speed, duration};
use crate::study::runner::Progress;
use crate::training::{ACCURACY, LOSS, without_evaluation};
use crate::util::format::{grouped, loss};

/// Minimum width of a terminal that gets a bar, in columns.
const MIN_WIDTH: u16 = 20;
/// Width of the text beside the bar, in columns: prefix, percentage, remaining time and metrics.
const TEXT_WIDTH: u16 = 78;

/// Progress bar with the remaining time of the work. Clones share one bar.
#[derive(Clone)]
pub struct Bar {
    bar: ProgressBar,
    speed: Arc<Mutex<Speed>>,
}

impl Bar {
    /// Creates a bar on standard error. It shows nothing if `hidden` is set, or if standard error
    /// is no terminal or one narrower than [`MIN_WIDTH`].
    pub fn new(hidden: bool) -> Self {
        let width = Term::stderr().size_checked().map_or(80, |(_, columns)| columns);
        let target = match hidden || !stderr().is_terminal() || width < MIN_WIDTH {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr_with_hz(20),
        };
        let speed = Arc::<Mutex<Speed>>::default();
        let shown = speed.clone();
        let left = move |state: &ProgressState, text: &mut dyn fmt::Write| {
            let left = lock(&shown).left(Instant::now(), state.len().unwrap_or(0));
            if let Some(left) = left {
                // Writing into a `String` cannot fail.
                let _ = write!(text, "  {} left", duration(left));
            }
        };
        let bar = match width.saturating_sub(TEXT_WIDTH) {
            columns if columns >= 2 || width >= TEXT_WIDTH => format!("{{bar:{}}} ", columns.clamp(2, 40)),
            _ => String::new(),
        };
        let style =
            ProgressStyle::with_template(&format!("{{prefix}} {bar}{{percent:>3}} %{{left}}  {{wide_msg}}"));
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style.with_key("left", left).progress_chars("━╸ "));
        Self { bar, speed }
    }

    /// Sets the position of the bar. The first position is the work that was done before this
    /// process began.
    pub(super) fn advance(&self, position: u64) {
        lock(&self.speed).advance(Instant::now(), position);
        self.bar.set_position(position);
    }
}

impl Deref for Bar {
    type Target = ProgressBar;

    fn deref(&self) -> &ProgressBar {
        &self.bar
    }
}

/// Locks the speed, even after a panic of another thread.
fn lock(speed: &Mutex<Speed>) -> MutexGuard<'_, Speed> {
    speed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Renderer that shows Burn's progress events on a bar.
pub struct BarRenderer {
    bar: Bar,
    num_epochs: usize,
    epoch: usize,
    images_per_epoch: u64,
    training: bool,
    loss: Mean,
    accuracy: Mean,
    metrics: Vec<MetricDefinition>,
}

/// Mean over the images of the epoch so far.
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
    /// Creates a renderer that draws on `bar`.
    pub fn new(bar: Bar) -> Self {
        Self {
            bar,
            num_epochs: 0,
            epoch: 0,
            images_per_epoch: 0,
            training: false,
            loss: Mean::default(),
            accuracy: Mean::default(),
            metrics: Vec::new(),
        }
    }

    /// Returns the mean that the metric `id` belongs to.
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
            let done = self.images_per_epoch * (self.epoch.max(1) as u64 - 1) + items_processed as u64;
            self.bar.advance(done);
            let (value, accuracy) = (loss(self.loss.value()), self.accuracy.value());
            let speed = lock(&self.bar.speed).per_second().map(|speed| grouped(speed as usize));
            let speed = speed.map_or_else(String::new, |speed| format!("  {speed} images/s"));
            self.bar.set_message(format!("loss {value}  accuracy {accuracy:.4}{speed}"));
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

without_evaluation!(BarRenderer);

/// Length of the bar of a study.
const STUDY_STEPS: u64 = 10_000;

/// Creates a bar over all trials of a study, weighted by their estimated cost.
pub(super) fn study_bar(hidden: bool) -> Bar {
    let bar = Bar::new(hidden);
    bar.set_length(STUDY_STEPS);
    bar.set_message("starting");
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows the progress of a study on `bar`.
pub(super) fn show_study(bar: &Bar, progress: &Progress) {
    bar.set_prefix(format!("trials {}/{}", progress.done, progress.total));
    bar.advance((progress.fraction * STUDY_STEPS as f64) as u64);
    let best = progress.best.as_ref().map(|(name, mean)| format!("best {name}: {mean:.4}  "));
    bar.set_message(format!("{}{}", best.unwrap_or_default(), progress.running.join(" | ")));
}
