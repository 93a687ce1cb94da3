//! Owns the question whether the system gives memory: Rust ends a program at once that asks for some in vain, so what needs
//! much asks here before it begins. Knows nothing of what the memory is for.

use std::hint::black_box;

use crate::error::{Error, Result};

/// Checks that `bytes` of memory can be had at once for `what`; keeps none.
///
/// A limit such as `ulimit -v` is found out here. A system that promises more than it has (Linux, by default) is not: it kills a
/// process later.
///
/// # Errors
/// The system refuses.
pub(crate) fn check(bytes: u128, what: &str) -> Result<()> {
    let all = usize::try_from(bytes).unwrap_or(usize::MAX);
    reserve(all, what).map(|memory| drop(black_box(memory)))
}

/// An empty vector with room for exactly `bytes` for `what`.
///
/// # Errors
/// The system refuses.
pub(crate) fn reserve(bytes: usize, what: &str) -> Result<Vec<u8>> {
    let mut memory = Vec::new();
    match memory.try_reserve_exact(bytes) {
        Ok(()) => Ok(memory),
        Err(_) => Err(Error::resources(format!(
            "{what} needs {} MB of memory, and the system does not give that much",
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
    fn memory_that_cannot_be_had_is_an_error() {
        check(1_000_000, "a test").unwrap();
        assert_eq!(reserve(1000, "a test").unwrap().capacity(), 1000);
        // More than there are addresses.
        let error = check(1 << 62, "a test").unwrap_err();
        assert!(
            error.message().starts_with("a test needs 4611686018428 MB of memory, and the system"),
            "{error}"
        );
        assert!(check(u128::MAX, "a test").is_err());
    }
}
