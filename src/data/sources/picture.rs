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
mod tests {
    use super::*;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn rgba(pixels: &[[u8; 4]]) -> DynamicImage {
        image::RgbaImage::from_raw(pixels.len() as u32, 1, pixels.concat()).unwrap().into()
    }

    /// Pillow 13 gives these bytes for `convert("L")`, whatever the transparency is.
    #[test]
    fn colours_become_grey_and_transparency_is_ignored() {
        let colours = rgba(&[[255, 0, 0, 0], [0, 255, 0, 9], [0, 0, 255, 255], [10, 200, 30, 1]]);
        let picture = decode_gray(&encoded(&colours, ImageFormat::Png)).unwrap();
        let expected = GrayPicture { height: 1, width: 4, pixels: vec![76, 150, 29, 124], is_coloured: true };
        assert_eq!(picture, expected);
        // Grey stored as colours is grey.
        let grey = decode_gray(&encoded(&rgba(&[[7, 7, 7, 0], [255; 4]]), ImageFormat::Png)).unwrap();
        assert_eq!((grey.pixels, grey.is_coloured), (vec![7, 255], false));
    }

    #[test]
    fn sixteen_bits_become_bytes() {
        let wide = image::ImageBuffer::from_raw(3, 1, vec![0u16, 257 * 7, 65535]).unwrap();
        let picture = decode_gray(&encoded(&DynamicImage::ImageLuma16(wide), ImageFormat::Png)).unwrap();
        assert_eq!(picture.pixels, [0, 7, 255]);
    }

    #[test]
    fn a_jpeg_is_read_and_its_end_is_needed() {
        let grey = GrayImage::from_pixel(16, 8, image::Luma([128]));
        let bytes = encoded(&grey.into(), ImageFormat::Jpeg);
        let picture = decode_gray(&bytes).unwrap();
        assert_eq!(picture, GrayPicture { height: 8, width: 16, pixels: vec![128; 128], is_coloured: false });
        assert_eq!(decode_gray(&bytes[..bytes.len() - 4]).unwrap_err(), "is damaged: its end is missing");
    }

    #[test]
    fn other_bytes_are_refused() {
        assert_eq!(decode_gray(b"hello").unwrap_err(), "is no PNG or JPEG picture");
        let png = encoded(&rgba(&[[1, 2, 3, 4]; 9]), ImageFormat::Png);
        let error = decode_gray(&png[..png.len() - 20]).unwrap_err();
        assert!(error.starts_with("is damaged: "), "{error}");
        // The header alone, which promises 8000 × 8001 pixels.
        let mut large = png;
        large[16..24].copy_from_slice(&[0, 0, 0x1f, 0x40, 0, 0, 0x1f, 0x41]);
        let checksum = {
            let mut checksum = flate2::Crc::new();
            checksum.update(&large[12..29]);
            checksum.sum().to_be_bytes()
        };
        large[29..33].copy_from_slice(&checksum);
        assert_eq!(
            decode_gray(&large).unwrap_err(),
            "has 8000x8001 pixels, expected at most 64000000 in all"
        );
    }

    /// Half the size: each pixel is the weighted mean of its neighbours, so that edges become grey.
    #[test]
    fn resizing_averages() {
        let picture = |height, width, pixels| GrayPicture { height, width, pixels, is_coloured: true };
        let flat = resize(picture(4, 6, vec![90; 24]), 2, 3);
        assert_eq!(flat, picture(2, 3, vec![90; 6]));
        let same = picture(1, 2, vec![3, 4]);
        assert_eq!(resize(same.clone(), 1, 2), same);
        // A triangle 4 pixels wide around 0.5 pixels: weights 3/8, 3/8, 1/8 at the left edge,
        // normalized to 3/7, 3/7, 1/7; so 100 · 1/7 and 100 · 6/7.
        assert_eq!(resize(picture(1, 4, vec![0, 0, 100, 100]), 1, 2).pixels, [14, 86]);
    }
}
