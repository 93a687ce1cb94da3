//! Owns the check that the system has enough memory. Rust aborts a program when an allocation
//! fails, so code that needs much memory checks here before it begins. Must not know the use of the
//! memory.

use std::hint::black_box;

use crate::error::{Error, Result};

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
        .hint("close other programs, or raise the limit (`ulimit -v`)")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_allocation_is_an_error() {
        check(1_000_000, "a test").unwrap();
        assert_eq!(reserve(1000, "a test").unwrap().capacity(), 1000);
        // More bytes than there are addresses.
        let error = check(1 << 62, "a test").unwrap_err();
        assert!(
            error.message().starts_with("a test needs 4611686018428 MB of memory, and the system"),
            "{error}"
        );
        assert!(check(u128::MAX, "a test").is_err());
    }
}
