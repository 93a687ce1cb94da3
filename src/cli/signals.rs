//! What ends a process from outside: Ctrl-C, a termination, a closed terminal. The first time, work stops after the current
//! step and is saved; the second time the process ends at once, but for a file that is just being written. A signal that the
//! process was started to ignore stays ignored.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use burn::train::Interrupter;

use crate::cli::dashboard;
use crate::error::{Error, Result};
use crate::util::files;

/// How long a file that is being written may keep the process from ending.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Ctrl-C, where the work was stopped by something else, such as a key in the dashboard.
const INTERRUPT: u8 = 2;

/// The signals received.
pub(super) struct Signals {
    first: Arc<AtomicU8>,
}

impl Signals {
    /// Listens from now on; the first signal stops `interrupter`.
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

    /// The exit code of a process that was stopped: 130 for Ctrl-C, 143 for a termination.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self.first.load(Ordering::SeqCst) {
            0 => ExitCode::from(code(INTERRUPT)),
            signal => ExitCode::from(code(signal)),
        }
    }
}

/// The shell's convention.
fn code(signal: u8) -> u8 {
    128u8.saturating_add(signal)
}

#[cfg(unix)]
fn handle(mut on_signal: impl FnMut(u8) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let heeded = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal));
    let mut signals = signal_hook::iterator::Signals::new(heeded)?;
    let listen = move || signals.forever().for_each(|signal| on_signal(signal as u8));
    std::thread::Builder::new().spawn(listen).map(drop)
}

/// Whether this process was started to ignore `signal`, as `nohup` has it for a closed terminal, and a script's shell for Ctrl-C in
/// what it runs in the background. A handler would take the place of that.
///
/// Linux says so in a file. Elsewhere nobody says so without unsafe code, and no signal counts as ignored.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status) & (1 << (signal - 1)) != 0
}

/// The signals that a process ignores, the first in the lowest bit, from its `/proc/self/status`.
#[cfg(unix)]
fn ignored_signals(status: &str) -> u64 {
    let digits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    digits.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(not(unix))]
fn handle(mut on_signal: impl FnMut(u8) + Send + 'static) -> std::result::Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || on_signal(INTERRUPT))
}

/// A file that grows beyond the limit set for it (`ulimit -f`) becomes an error of the write, as on a full disk, instead of
/// the end of the process.
#[cfg(unix)]
pub(super) fn survive_file_size_limit() {
    let flag = Arc::default();
    // Where that is not possible, the limit ends the process as it always has.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, flag);
}

#[cfg(not(unix))]
pub(super) fn survive_file_size_limit() {}

/// Memory that cannot be had ends a Rust program by an abort, after one line on standard error that says how much was asked
/// for. It is a failure like any other: exit code 1, and no file with the memory's contents.
#[cfg(unix)]
pub(super) fn fail_instead_of_aborting() {
    let always = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGABRT, 1, always);
}

#[cfg(not(unix))]
pub(super) fn fail_instead_of_aborting() {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_as_linux_writes_them() {
        let status = "Name:\tsmallnet\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n";
        assert_eq!(ignored_signals(status), 0b1_0000_0000_0001);
        assert_eq!(ignored_signals("Name:\tsmallnet\n"), 0);
    }
}
