//! Owns the signals that end the process: Ctrl-C, a termination, a closed terminal.
//!
//! The first signal stops the work after the current step, and the work is saved. The second one
//! ends the process as soon as a file that is being written is complete. A signal that the process
//! was started to ignore stays ignored.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use burn::train::Interrupter;

use crate::cli::dashboard;
use crate::error::{Error, Result};
use crate::util::files;

/// Maximum time for which a file that is being written delays the end of the process.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Number of the signal of Ctrl-C. Its exit code also serves if a key in the dashboard stopped the
/// work.
const INTERRUPT: u8 = 2;

/// Receiver of signals. It remembers the first one.
pub(super) struct Signals {
    first: Arc<AtomicU8>,
}

impl Signals {
    /// Installs the handlers. The first signal stops `interrupter`.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub(super) fn listen(interrupter: Interrupter) -> Result<Self> {
        let first = Arc::new(AtomicU8::new(0));
        let seen = first.clone();
        let on_signal = move |signal: u8| {
            if seen.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                files::wait_for_writers(SHUTDOWN_TIMEOUT);
                dashboard::restore_terminal();
                std::process::exit(i32::from(code(signal)));
            }
            interrupter.stop(Some("interrupted"));
        };
        handle(on_signal).map_err(|error| Error::new(format!("cannot listen for Ctrl-C: {error}")))?;
        Ok(Self { first })
    }

    /// Returns the exit code of the stopped process: 130 for Ctrl-C, 143 for a termination.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self.first.load(Ordering::SeqCst) {
            0 => ExitCode::from(code(INTERRUPT)),
            signal => ExitCode::from(code(signal)),
        }
    }
}

/// Returns the exit code of a process that `signal` ended, by the convention of shells.
fn code(signal: u8) -> u8 {
    128u8.saturating_add(signal)
}

#[cfg(unix)]
fn handle(mut on_signal: impl FnMut(u8) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let handled = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal));
    let mut signals = signal_hook::iterator::Signals::new(handled)?;
    let listen = move || signals.forever().for_each(|signal| on_signal(signal as u8));
    std::thread::Builder::new().spawn(listen).map(drop)
}

/// Returns whether this process was started to ignore `signal`: `nohup` ignores the signal of a
/// closed terminal, and the shell of a script ignores Ctrl-C in background jobs. A handler would
/// replace that.
///
/// Linux states the ignored signals in a file. On other systems they cannot be read without unsafe
/// code, so no signal counts as ignored there.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status) & (1 << (signal - 1)) != 0
}

/// Parses the signals that a process ignores from its `/proc/self/status`. The lowest bit is signal
/// 1.
#[cfg(unix)]
fn ignored_signals(status: &str) -> u64 {
    let digits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    digits.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(not(unix))]
fn handle(mut on_signal: impl FnMut(u8) + Send + 'static) -> std::result::Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || on_signal(INTERRUPT))
}

/// Turns a file that exceeds its size limit (`ulimit -f`) into an error of the write, as on a full
/// disk. By default, the system would end the process.
#[cfg(unix)]
pub(super) fn survive_file_size_limit() {
    let flag = Arc::default();
    // If that fails, the limit ends the process, as is the default.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, flag);
}

#[cfg(not(unix))]
pub(super) fn survive_file_size_limit() {}

/// Size in bytes of the stack that the main thread gets at once.
const STACK: usize = 512 * 1024;

/// Gives the main thread its stack now. The system lets it grow on demand, and ends the process
/// without a word if a limit on memory (`ulimit -v`) is reached by then.
#[inline(never)]
pub(super) fn grow_stack() {
    // A reference to a constant would be one to the program's data, and not to the stack.
    let stack = [std::hint::black_box(1u8); STACK];
    std::hint::black_box(&stack);
}

/// Turns the abort of a failed allocation into exit code 1, without a core dump.
///
/// By default, a Rust program prints one line with the requested size and aborts.
#[cfg(unix)]
pub(super) fn fail_instead_of_aborting() {
    let always = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGABRT, 1, always);
}

#[cfg(not(unix))]
pub(super) fn fail_instead_of_aborting() {}

#[cfg(all(test, unix))]
mod tests;
