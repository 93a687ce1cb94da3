//! Owns the check that the system has enough memory. Rust aborts a program when an allocation
//! fails, so code that needs much memory checks here before it begins. Must not know the use of the
//! memory.

use std::hint::black_box;

use crate::error::{Error, Result};

/// Hint of an error about missing memory. Windows has no limit such as `ulimit -v`.
const HINT: &str = match cfg!(unix) {
    true => "close other programs, or raise the limit (`ulimit -v`)",
    false => "close other programs",
};

/// Checks that `bytes` of memory can be allocated at once, then frees them. `purpose` names their
/// use in the message.
///
/// The check detects a limit such as `ulimit -v`. It does not detect that the system has promised
/// more memory than it has, as Linux does by default: Linux kills a process later.
///
/// # Errors
/// The allocation fails.
pub(crate) fn check(bytes: u128, purpose: &str) -> Result<()> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    reserve(bytes, purpose).map(|memory| drop(black_box(memory)))
}

/// Allocates an empty vector with room for exactly `bytes` bytes. `purpose` names their use in the
/// message.
///
/// # Errors
/// The allocation fails.
pub(crate) fn reserve(bytes: usize, purpose: &str) -> Result<Vec<u8>> {
    let mut memory = Vec::new();
    match memory.try_reserve_exact(bytes) {
        Ok(()) => Ok(memory),
        Err(_) => Err(Error::resources(format!(
            "{purpose} needs {} MB of memory, and the system does not give that much",
            bytes.div_ceil(1_000_000)
        ))
        .hint(HINT)),
    }
}

/// Checks that `bytes` of memory are free on this machine, as far as the system says so. `purpose`
/// names their use in the message. It is for sizes that a file claims.
///
/// # Errors
/// As [`check`], or less memory is free.
pub(crate) fn check_available(bytes: u128, purpose: &str) -> Result<()> {
    match available() {
        Some(available) if bytes > available => Err(Error::resources(format!(
            "{purpose} needs {} MB of memory, and {} MB are free",
            bytes.div_ceil(1_000_000),
            available / 1_000_000
        ))
        .hint("close other programs, or use a machine with more memory")),
        _ => check(bytes, purpose),
    }
}

/// Bytes of memory that programs can still get. `None` where the system does not say it.
fn available() -> Option<u128> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u128 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
