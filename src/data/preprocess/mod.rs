//! Owns pictures of digits: turns a PNG or JPEG file into an image like those of MNIST.
//! Depends on `error` and `util`. Must not know tensors, networks or data sets.
//!
//! The page of `smallnet draw` prepares drawings in the browser by the same steps and numbers, in
//! `src/draw/page/prepare.js`. Both change together.
//!
//! The authors of MNIST (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to
//! document recognition", section III.A) fitted black and white digits into a box of 20×20 pixels
//! and kept their aspect ratio. Anti-aliasing gave grey levels. Then they placed the digits into
//! 28×28 pixels by their centre of mass.

mod background;
mod colours;
mod components;
pub(in crate::data) mod decode;
/// Drawn digits, which the integration tests use, too.
#[cfg(test)]
#[path = "../../../tests/common/digits.rs"]
mod digits;
mod doubt;
mod frame;
mod gray;
pub(in crate::data) mod jpeg;
mod lighting;
mod lines;
mod normalize;
mod png;
mod segment;
mod sheet;

use std::path::Path;

use crate::error::{Error, Result};
pub use doubt::Doubt;
use gray::GrayF32;
use normalize::normalize;
use segment::segment;
pub use sheet::{DigitSheet, SheetDigit, SheetPicture, read_sheet};

/// Longest side of the picture of one digit. A larger picture is shrunk to it by averaging. The ink
/// stays many times larger than its final 20 pixels, and noise averages out.
const MAX_SIDE: usize = 1024;

/// A picture that is ready for a network, and what is doubtful about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreparedPicture {
    /// Pixels, row-major: 0 is background, 255 is ink.
    pub pixels: Vec<u8>,
    /// Reasons to mistrust an answer, each at most once.
    pub doubts: Vec<Doubt>,
}

/// Reads a digit from a PNG or JPEG file and prepares it for a network whose images have `height` ×
/// `width` pixels.
///
/// The result is row-major, with 0 for background and 255 for ink, whatever the size, the colours
/// and the polarity of the file are. As in MNIST, the ink's longer side is 20/28 of the image's,
/// its proportions stay, its edges are grey, and its centre of mass is at the middle. Frames, the
/// lines of ruled and squared paper, and parts of other things at the edge are left out. What
/// remains doubtful is in [`PreparedPicture::doubts`].
///
/// One thing differs from MNIST: strokes that would become thinner than 2 of 28 pixels are
/// thickened to this width. MNIST was written with pens on small forms. A thin line in a large
/// photograph would fade when it is shrunk, to a shape that no network was trained on.
///
/// `height` and `width` are at least 1.
///
/// # Errors
/// The file cannot be read, is not a PNG or JPEG, is damaged or too large, or shows nothing. See
/// the tests.
pub fn read_digit(path: &Path, height: usize, width: usize) -> Result<PreparedPicture> {
    digit_of(path, decode::read_file(path)?, height, width)
}

/// As [`read_digit`], with the bytes of the file at `path`.
pub(in crate::data) fn digit_of(
    path: &Path,
    bytes: Vec<u8>,
    height: usize,
    width: usize,
) -> Result<PreparedPicture> {
    let gray = decode::to_gray(path, bytes, MAX_SIDE)?;
    prepare(&gray, height, width).ok_or_else(|| no_digit(path, &gray))
}

/// Prepares the digit on a grey picture (0 to 255). Returns nothing if no ink stands out from the
/// background.
fn prepare(gray: &GrayF32, height: usize, width: usize) -> Option<PreparedPicture> {
    let segmented = segment(gray)?;
    let pixels = normalize(&segmented.ink, height, width)?;
    Some(PreparedPicture { pixels, doubts: segmented.doubts })
}

/// Error of a picture without a digit.
fn no_digit(path: &Path, gray: &GrayF32) -> Error {
    // Averages of equal pixels may differ in their last digits.
    let is_uniform = gray.values.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.01);
    let found =
        if is_uniform { "all its pixels are alike" } else { "nothing stands out from its background" };
    Error::data(format!("there is no digit in `{}`: {found}", path.display()))
        .hint("the picture must show one digit, darker or lighter than what is around it")
}

#[cfg(test)]
mod tests;
