//! Owns a picture that is one image of a data set: a PNG or JPEG in memory becomes grey bytes, as
//! they are, without the preparation of photographs of digits. Depends on the limits and decoders
//! of `preprocess`. Must not know files, folders or labels.

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, Limits};

use crate::data::preprocess::decode::{check_size, corrupt};
use crate::data::preprocess::jpeg;
use crate::data::sources::array::grey_byte;
use crate::error::{Error, Result};

/// A grey picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::data) struct GrayPicture {
    /// Rows, at least 1.
    pub(in crate::data) height: usize,
    /// Columns, at least 1.
    pub(in crate::data) width: usize,
    /// `height * width` bytes, row-major, 0 is black.
    pub(in crate::data) pixels: Vec<u8>,
    /// True if a pixel of the file was not grey.
    pub(in crate::data) is_coloured: bool,
}

/// Decodes a PNG or JPEG to grey bytes, turned upright if it says how the camera was held.
///
/// Colours become grey to the last bit as with Pillow's `convert("L")`. Transparency is ignored.
/// Values of 16 bits are rounded to bytes.
///
/// # Errors
/// The bytes are no PNG or JPEG, are damaged, or the picture is too large. The text says what the
/// picture is, to be put behind its name: `is damaged: its end is missing`.
pub(in crate::data) fn decode_gray(bytes: &[u8]) -> std::result::Result<GrayPicture, String> {
    decode(bytes).map_err(|error| error.message().trim_start_matches("`` ").to_owned())
}

/// Resizes a picture. Its proportions change if `height` and `width`, both at least 1, have other
/// ones.
pub(in crate::data) fn resize(picture: GrayPicture, height: usize, width: usize) -> GrayPicture {
    let GrayPicture { is_coloured, .. } = picture;
    if (picture.height, picture.width) == (height, width) {
        return picture;
    }
    // Sides come from pictures and from options, which are far below 2^32.
    let from = GrayImage::from_raw(picture.width as u32, picture.height as u32, picture.pixels);
    let to =
        image::imageops::resize(&from.unwrap_or_default(), width as u32, height as u32, FilterType::Triangle);
    GrayPicture { height, width, pixels: to.into_raw(), is_coloured }
}

/// The picture's name in the errors of `preprocess`: it is known to the caller alone.
fn nameless() -> &'static Path {
    Path::new("")
}

/// As [`decode_gray`], with messages that begin with an empty name in backquotes.
fn decode(bytes: &[u8]) -> Result<GrayPicture> {
    match image::guess_format(bytes) {
        // The default limits are 512 MiB in all, as much as the largest picture has.
        Ok(ImageFormat::Png) => PngDecoder::with_limits(Cursor::new(bytes), Limits::default())
            .map_err(damaged)
            .and_then(|decoder| to_gray(decoder, damaged)),
        Ok(ImageFormat::Jpeg) => {
            let mut bytes = bytes.to_vec();
            jpeg::reduce(nameless(), &mut bytes)?;
            let failed = |error| jpeg::decoder_error(nameless(), error);
            JpegDecoder::new(Cursor::new(bytes)).map_err(failed).and_then(|decoder| to_gray(decoder, failed))
        }
        _ => Err(Error::data("`` is no PNG or JPEG picture")),
    }
}

/// Error of a damaged PNG.
fn damaged(error: ImageError) -> Error {
    let detail = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    corrupt(nameless(), &detail)
}

/// Decodes the pixels. `failed` translates the errors of the decoder.
fn to_gray(mut decoder: impl ImageDecoder, failed: impl Fn(ImageError) -> Error) -> Result<GrayPicture> {
    let (width, height) = decoder.dimensions();
    check_size(nameless(), width, height)?;
    let orientation = decoder.orientation().map_err(&failed)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(&failed)?;
    picture.apply_orientation(orientation);
    let (height, width) = (picture.height() as usize, picture.width() as usize);
    if !picture.color().has_color() {
        return Ok(GrayPicture {
            height,
            width,
            pixels: picture.into_luma8().into_raw(),
            is_coloured: false,
        });
    }
    let colours = picture.into_rgb8();
    let is_coloured = colours.pixels().any(|pixel| pixel.0[0] != pixel.0[1] || pixel.0[0] != pixel.0[2]);
    let pixels = colours.pixels().map(|pixel| grey_byte(pixel.0)).collect();
    Ok(GrayPicture { height, width, pixels, is_coloured })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
