//! Owns phrases that several answers need.

use crate::evaluation::Evaluation;
use crate::util::format::grouped;

/// Formats the number of correctly classified images as `9,239 of 10,000`.
pub(super) fn num_correct_of_all(test: &Evaluation) -> String {
    format!("{} of {}", grouped(test.confusion.num_correct() as usize), grouped(test.num_images))
}

/// Returns the number of misclassified images.
pub(super) fn num_wrong(test: &Evaluation) -> usize {
    test.num_images - test.confusion.num_correct() as usize
}

/// Formats a difference of two shares in percentage points, with its sign and without a unit:
/// `+0.24`.
pub(super) fn signed_points(difference: f64) -> String {
    let sign = if difference < 0.0 { '−' } else { '+' };
    format!("{sign}{:.2}", 100.0 * difference.abs())
}

/// Formats the value of a setting as programs write it: `1.0`, `0.001`.
pub(super) fn decimals(value: f64) -> String {
    format!("{value:?}")
}

/// Formats the position of a pixel as `row 5, column 12`, counted from 0.
pub(super) fn place(index: usize, width: usize) -> String {
    format!("row {}, column {}", index / width, index % width)
}
