//! Owns the indices of images on the command line: numbers and ranges, counted from 0.

use crate::data::Split;
use crate::error::Result;

/// Indices from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexRange {
    first: usize,
    last: usize,
}

impl IndexRange {
    /// Parses `7` or `0-99`.
    pub(super) fn parse(text: &str) -> std::result::Result<Self, &'static str> {
        let number = |text: &str| text.parse().map_err(|_| EXPECTED);
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(text)?, number(text)?),
        };
        if last < first {
            return Err("expected the smaller number first");
        }
        Ok(Self { first, last })
    }
}

const EXPECTED: &str = "expected a whole number from 0, or a range such as 0-99";

/// Returns all indices of `ranges`, or of the whole split, called `name`, if there are none.
///
/// # Errors
/// An index beyond the last image.
pub(super) fn indices(ranges: &[IndexRange], split: &Split, name: &str) -> Result<Vec<usize>> {
    if ranges.is_empty() {
        return Ok((0..split.len()).collect());
    }
    let mut indices = Vec::new();
    for range in ranges {
        split.get(range.last, name)?;
        indices.extend(range.first..=range.last);
    }
    Ok(indices)
}

#[cfg(test)]
mod tests;
