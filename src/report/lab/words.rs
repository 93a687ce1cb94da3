//! Sentences that several answers need.

use crate::evaluation::Evaluation;
use crate::number::{counted, grouped};
use crate::run::Records;
use crate::study::wilson;

/// `9,239 of 10,000`.
pub(super) fn right_of_all(test: &Evaluation) -> String {
    format!("{} of {}", grouped(test.confusion.num_correct() as usize), grouped(test.num_images))
}

/// The images that were taken for something else.
pub(super) fn num_wrong(test: &Evaluation) -> usize {
    test.num_images - test.confusion.num_correct() as usize
}

/// The test of a run; the exercise goes on with tested runs only.
pub(super) fn tested(run: &Records) -> Option<&Evaluation> {
    run.test.as_ref().map(|test| &test.evaluation)
}

/// Wilson's 95 % interval of an accuracy.
pub(super) fn interval(test: &Evaluation) -> (f64, f64) {
    wilson(test.accuracy, test.num_images)
}

/// An image's place as people call it: `row 5, column 12`, counted from 0.
pub(super) fn place(index: usize, width: usize) -> String {
    format!("row {}, column {}", index / width, index % width)
}

/// `1 image`, `2 images`.
pub(super) fn images(number: usize) -> String {
    counted(number, "image", "images")
}
