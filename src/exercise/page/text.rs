//! Sentences that several answers need.

use crate::evaluation::Evaluation;
use crate::util::format::grouped;

/// `9,239 of 10,000`.
pub(super) fn right_of_all(test: &Evaluation) -> String {
    format!("{} of {}", grouped(test.confusion.num_correct() as usize), grouped(test.num_images))
}

/// The images that were taken for something else.
pub(super) fn num_wrong(test: &Evaluation) -> usize {
    test.num_images - test.confusion.num_correct() as usize
}

/// A difference of two shares with its sign, without its unit, percentage points: `+0.24`.
pub(super) fn signed_points(difference: f64) -> String {
    let sign = if difference < 0.0 { '−' } else { '+' };
    format!("{sign}{:.2}", 100.0 * difference.abs())
}

/// A setting as programs write it: `1.0`, `0.001`.
pub(super) fn decimals(value: f64) -> String {
    format!("{value:?}")
}

/// An image's place as people call it: `row 5, column 12`, counted from 0.
pub(super) fn place(index: usize, width: usize) -> String {
    format!("row {}, column {}", index / width, index % width)
}
