//! Owns Burn's terminal dashboard and the repair of its three faults.
//!
//! - The dashboard reads the keyboard in raw mode and does not know Ctrl-C as a key. This module
//!   keeps Ctrl-C a signal.
//! - After its terminal is closed, its thread reads the end of the input for ever. This module
//!   waits for that thread for a limited time only.
//! - Its key for "kill" panics. This module turns the panic into a stop of the training.

#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::io::stdin;
use std::io::{IsTerminal, stdout};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

use burn::train::logger::TrainingProgressLogger;
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining, default_renderer};
use burn::train::{Interrupter, LearnerSummary};
use crossterm::cursor::Show;
use crossterm::event::DisableMouseCapture;
use crossterm::execute;
use crossterm::terminal::{
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, is_raw_mode_enabled, size,
};

use crate::cli::held_errors;
use crate::error::{Error, Result};
use crate::training::without_evaluation;

/// Maximum time that the dashboard may take to close. It checks for that ten times per second.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// Minimum size of a terminal for the dashboard, in columns and rows.
const MIN_SIZE: (u16, u16) = (40, 12);

const HINT: &str = "leave --dashboard out: a bar shows the progress, and each epoch is printed on a line";

/// Checks that there is a terminal that is large enough and that keys can be read from.
///
/// # Errors
/// If standard output is no terminal, if it is smaller than [`MIN_SIZE`], or if it has no raw mode.
pub(super) fn check() -> Result<()> {
    let refuse =
        |reason: &str| Err(Error::usage(format!("--dashboard needs a terminal, and {reason}")).hint(HINT));
    if !stdout().is_terminal() {
        return refuse("standard output is not one");
    }
    let (columns, rows) = size().unwrap_or_default();
    // A size of 0 means that the terminal does not know its size yet.
    if columns > 0 && rows > 0 && (columns < MIN_SIZE.0 || rows < MIN_SIZE.1) {
        return refuse(&format!(
            "this one has {columns} columns and {rows} rows, expected at least {} and {}",
            MIN_SIZE.0, MIN_SIZE.1
        ));
    }
    match enable_raw_mode().and_then(|()| disable_raw_mode()) {
        Ok(()) => Ok(()),
        Err(error) => refuse(&format!("no keys can be read from this one: {error}")),
    }
}

/// Burn's dashboard as a renderer for the Learner.
struct Dashboard {
    /// None once it has panicked.
    inner: Option<Box<dyn MetricsRenderer>>,
    interrupter: Interrupter,
}

/// Opens the dashboard on a terminal that has passed [`check`]. Its keys q and then s stop
/// `interrupter`, and Ctrl-C remains a signal.
pub(super) fn open(interrupter: Interrupter) -> Box<dyn MetricsRenderer> {
    // Burn's own thread enables raw mode, too. It finds the mode enabled and does not undo the
    // change of the keys, whenever it comes.
    if enable_raw_mode().is_ok() {
        keep_interrupt_key();
    }
    held_errors::hold();
    let inner = Some(default_renderer(interrupter.clone(), None));
    Box::new(Dashboard { inner, interrupter })
}

/// Restores the terminal if the dashboard has not done so.
///
/// A closed terminal cannot be restored, and the dashboard's thread may be about to print an error
/// about it. So this function does nothing then.
pub(super) fn restore_terminal() {
    if is_gone() {
        return;
    }
    if is_raw_mode_enabled().unwrap_or(false) {
        let _ = disable_raw_mode();
        let _ = execute!(stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    }
    held_errors::release();
}

/// Lets Ctrl-C send its signal in raw mode, too. The keys that would suspend or abort the process
/// stay keys.
#[cfg(unix)]
fn keep_interrupt_key() {
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
    let change = |keyboard: BorrowedFd<'_>| {
        let Ok(mut modes) = tcgetattr(keyboard) else { return };
        modes.local_modes |= LocalModes::ISIG;
        for key in [SpecialCodeIndex::VQUIT, SpecialCodeIndex::VSUSP] {
            modes.special_codes[key] = NO_KEY;
        }
        // If that fails, q and then s still stop the training.
        let _ = tcsetattr(keyboard, OptionalActions::Now, &modes);
    };
    // The dashboard reads its keys from the same terminal.
    if stdin().is_terminal() {
        change(rustix::stdio::stdin());
    } else if let Ok(terminal) = File::open("/dev/tty") {
        change(terminal.as_fd());
    }
}

/// Value of POSIX's `_POSIX_VDISABLE`: 0 on Linux, 0xff on the systems of Apple and BSD.
#[cfg(all(unix, any(target_os = "linux", target_os = "android")))]
const NO_KEY: u8 = 0;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const NO_KEY: u8 = 0xff;

#[cfg(not(unix))]
fn keep_interrupt_key() {}

/// Returns whether the terminal was closed.
#[cfg(unix)]
fn is_gone() -> bool {
    rustix::termios::tcgetattr(rustix::stdio::stdout()).is_err()
}

#[cfg(not(unix))]
fn is_gone() -> bool {
    false
}

impl Dashboard {
    /// Calls `work` with the dashboard, unless it has panicked before. The dashboard panics when
    /// its user presses the key for "kill". The training is then stopped and saved, as by the other
    /// keys.
    fn with<T>(&mut self, work: impl FnOnce(&mut dyn MetricsRenderer) -> T) -> Option<T> {
        let inner = self.inner.as_mut()?;
        let done = catch_unwind(AssertUnwindSafe(|| work(inner.as_mut())));
        if done.is_err() {
            // Dropping it would panic again.
            std::mem::forget(self.inner.take());
            self.interrupter.stop(Some("the dashboard was killed"));
        }
        done.ok()
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return restore_terminal() };
        if is_gone() {
            return std::mem::forget(inner);
        }
        let (closed, end) = channel();
        let closing = std::thread::Builder::new().spawn(move || {
            drop(inner);
            let _ = closed.send(());
        });
        if closing.is_ok() {
            let _ = end.recv_timeout(SHUTDOWN_TIMEOUT);
        }
        restore_terminal();
    }
}

impl MetricsRenderer for Dashboard {
    fn manual_close(&mut self) {
        self.with(|inner| inner.manual_close());
    }

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.with(|inner| inner.register_metric(definition));
    }
}

impl MetricsRendererTraining for Dashboard {
    fn update_train(&mut self, state: MetricState) {
        self.with(|inner| inner.update_train(state));
    }

    fn update_valid(&mut self, state: MetricState) {
        self.with(|inner| inner.update_valid(state));
    }

    fn on_train_end(
        &mut self,
        summary: Option<LearnerSummary>,
    ) -> std::result::Result<(), Box<dyn std::error::Error>> {
        self.with(|inner| inner.on_train_end(summary)).unwrap_or(Ok(()))
    }
}

impl TrainingProgressLogger for Dashboard {
    fn start(&mut self, epochs: usize, first: usize, items: Option<usize>, label: Option<&str>) {
        self.with(|inner| inner.start(epochs, first, items, label));
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.with(|inner| inner.update_epoch(epoch));
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.with(|inner| inner.start_split(split, items));
    }

    fn update_split(&mut self, items: usize) {
        self.with(|inner| inner.update_split(items));
    }

    fn end_split(&mut self) {
        self.with(|inner| inner.end_split());
    }

    fn end(&mut self) {
        self.with(|inner| inner.end());
    }

    fn log_event_training(&mut self, event: String) {
        self.with(|inner| inner.log_event_training(event));
    }
}

without_evaluation!(Dashboard);
