//! Owns pictures of digits: a PNG or JPEG file in, an image made as MNIST's were made out.
//! Must not know tensors, networks or data sets.
//!
//! MNIST (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition",
//! section III.A): black and white digits were fitted into a box of 20×20 pixels keeping their aspect ratio,
//! which gave grey levels by anti-aliasing, and placed into 28×28 by their centre of mass. [`read_digit`] does
//! the same, after it has found the ink. It departs from it in one thing: strokes that would be thinner than
//! [`frame::THINNEST_STROKE`] pixels of the result are thickened. MNIST's writers used pens on small forms;
//! a thin line in a large photograph, merely shrunk, would fade to a shape that no network has seen.

mod background;
mod decode;
mod frame;
mod ink;
mod light;
mod plane;

use std::path::Path;

use crate::error::{Error, Result};
use plane::Plane;

/// A digit from a PNG or JPEG file, prepared for a network whose images are `height` × `width`: row-major,
/// 0 background, 255 ink, whatever the file's size, colours and polarity.
///
/// The ink's longer side is 20/28 of the image's, its centre of mass is at the middle.
///
/// # Errors
/// The file cannot be read, is no PNG or JPEG, is damaged or too large, or shows nothing; see the tests.
pub fn read_digit(path: &Path, height: usize, width: usize) -> Result<Vec<u8>> {
    let grey = decode::read_grey(path)?;
    prepare(&grey, height, width).ok_or_else(|| no_digit(path, &grey))
}

/// The digit on a grey picture (0 to 255), or nothing where no ink stands out from the background.
fn prepare(grey: &Plane, height: usize, width: usize) -> Option<Vec<u8>> {
    let ink = ink::find(grey)?;
    frame::fit(&ink, height, width)
}

fn no_digit(path: &Path, grey: &Plane) -> Error {
    let alike = grey.values.windows(2).all(|pair| pair[0] == pair[1]);
    let found = if alike { "all its pixels are alike" } else { "nothing stands out from its background" };
    Error::new(format!("there is no digit in `{}`: {found}", path.display()))
        .hint("the picture must show one digit, darker or lighter than what is around it")
}
