//! Owns the file: its format, its limits, its orientation, its colours; one grey picture comes out.
//! Must not know what the picture shows.

use std::io::{self, Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbaImage};

use super::plane::Plane;
use crate::error::{Error, Result};
use crate::files;

/// The most pixels of a picture: at 8 bytes a pixel, the most a PNG has, they take 512 MB.
const MOST_PIXELS: u64 = 64_000_000;

/// The most bytes of a file.
const MOST_BYTES: u64 = 256_000_000;

/// The longest side of the grey picture. A larger file is shrunk to it by averaging: the ink stays many times
/// larger than the 20 pixels that it will be, and noise averages out.
const LONGEST_SIDE: usize = 1024;

/// The way out where the file is no PNG or JPEG as cameras and programs write them.
const CONVERT: &str = "open the picture with an image program and save it as PNG or JPEG";

/// ITU-R BT.601, as JPEG's own luminance.
const LUMINANCE: [f32; 3] = [0.299, 0.587, 0.114];

/// How many times more a colour channel must vary than the luminance to be taken in its place.
const CLEARLY_MORE: f64 = 2.0;

/// The picture in `path` as a person sees it: upright, on white where it is transparent, in grey, 0 to 255.
///
/// Where the ink would vanish, another view is taken: on black, where that shows more (white ink on a
/// transparent background); one colour channel, where it shows much more than the luminance (yellow on
/// white).
pub(super) fn read_grey(path: &Path) -> Result<Plane> {
    let bytes = read_file(path)?;
    let picture = decode(path, &bytes)?;
    Ok(clearest_view(&Colours::shrunk(&picture)))
}

/// The file's bytes, if they begin like a PNG or JPEG.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    let failed = |error: io::Error| Error::io("read", path, error);
    let file = files::open_named(path).map_err(failed)?;
    let mut bytes = Vec::new();
    // The start alone first: what is no picture need not be read to its end, if it has one.
    (&file).take(64).read_to_end(&mut bytes).map_err(failed)?;
    check_format(path, &bytes)?;
    (&file).take(MOST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_large(path, "more bytes", &format!("at most {} MB", MOST_BYTES / 1_000_000)));
    }
    Ok(bytes)
}

fn check_format(path: &Path, start: &[u8]) -> Result<()> {
    let name = path.display();
    let error = match image::guess_format(start) {
        Ok(ImageFormat::Png | ImageFormat::Jpeg) => return Ok(()),
        _ if start.is_empty() => Error::new(format!("`{name}` is empty, expected a PNG or JPEG image")),
        Ok(other) => Error::new(format!("`{name}` is a {} image, expected PNG or JPEG", format_name(other))),
        Err(_) => Error::new(format!("`{name}` is not a PNG or JPEG image")),
    };
    Err(error.hint(CONVERT))
}

/// What people call the format.
fn format_name(format: ImageFormat) -> String {
    match format {
        ImageFormat::WebP => "WebP".to_owned(),
        _ => format.extensions_str().first().unwrap_or(&"unknown").to_uppercase(),
    }
}

fn decode(path: &Path, bytes: &[u8]) -> Result<RgbaImage> {
    // Before any decoder sees it: the size in the header alone is enough to refuse a file.
    if let Some(&[_, _, _, _, w0, w1, w2, w3, h0, h1, h2, h3]) = bytes.get(12..24)
        && bytes[1..4] == *b"PNG"
    {
        check_size(path, u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]))?;
    }
    let failed = |error| unreadable(path, &error);
    let mut decoder = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| Error::io("read", path, error))?
        .into_decoder()
        .map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_size(path, width, height)?;
    if bytes[0] == 0xFF && !ends_as_jpeg(bytes) {
        return Err(damaged(path, "its end is missing"));
    }
    let orientation = decoder.orientation().map_err(failed)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(failed)?.into_rgba8();
    // Turning takes a second picture: better one of 4 bytes a pixel than of 8.
    let mut picture = DynamicImage::from(picture);
    picture.apply_orientation(orientation);
    Ok(picture.into_rgba8())
}

fn check_size(path: &Path, width: u32, height: u32) -> Result<()> {
    if u64::from(width) * u64::from(height) <= MOST_PIXELS {
        return Ok(());
    }
    Err(too_large(path, &format!("{width}x{height} pixels"), &format!("at most {MOST_PIXELS} in all")))
}

fn too_large(path: &Path, got: &str, expected: &str) -> Error {
    Error::new(format!("`{}` has {got}, expected {expected}", path.display()))
        .hint("shrink the picture, or cut the digit out of it")
}

fn unreadable(path: &Path, error: &ImageError) -> Error {
    // The inner error says what is wrong; the outer one only repeats the format.
    let detail = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    // Its first line, without a dump of the decoder's own types.
    let detail = detail.lines().next().unwrap_or_default().split(": ChunkType").next().unwrap_or_default();
    let detail = detail.trim_matches(['"', '.']);
    if matches!(error, ImageError::Unsupported(_)) {
        return Error::new(format!("`{}` is of an unusual kind: {detail}", path.display())).hint(CONVERT);
    }
    damaged(path, detail)
}

fn damaged(path: &Path, detail: &str) -> Error {
    Error::new(format!("`{}` is damaged: {detail}", path.display()))
        .hint("copy, download or save the picture again")
}

/// Whether a JPEG's markers lead to its end-of-image marker (ITU-T T.81, B.1). The decoder fills what a
/// truncated file lacks with grey, and so would not tell.
fn ends_as_jpeg(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[first, second]) = bytes.get(at..at + 2) {
        at += match (first, second) {
            (0xFF, 0xD9) => return true,
            // Outside of a segment: compressed data, fill bytes, and markers that stand alone.
            (0xFF, 0xFF) | (0..0xFF, _) => 1,
            (0xFF, 0x00 | 0x01 | 0xD0..=0xD8) => 2,
            (0xFF, _) => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        };
    }
    false
}

/// A picture of manageable size in colour.
struct Colours {
    height: usize,
    width: usize,
    /// Red, green and blue times alpha, and alpha, each 0 to 1.
    pixels: Vec<[f32; 4]>,
}

impl Colours {
    /// Averages blocks of pixels so that no side exceeds [`LONGEST_SIDE`].
    fn shrunk(picture: &RgbaImage) -> Self {
        let (full_width, full_height) = (picture.width() as usize, picture.height() as usize);
        let block = full_width.max(full_height).div_ceil(LONGEST_SIDE).max(1);
        let (height, width) = (full_height.div_ceil(block), full_width.div_ceil(block));
        let mut sums = vec![[0.0f32; 5]; height * width];
        for (x, y, pixel) in picture.enumerate_pixels() {
            let [r, g, b, alpha] = pixel.0.map(|value| f32::from(value) / 255.0);
            let sum = &mut sums[y as usize / block * width + x as usize / block];
            for (sum, value) in sum.iter_mut().zip([r * alpha, g * alpha, b * alpha, alpha, 1.0]) {
                *sum += value;
            }
        }
        let pixels =
            sums.into_iter().map(|[r, g, b, alpha, n]| [r, g, b, alpha].map(|sum| sum / n)).collect();
        Self { height, width, pixels }
    }

    /// One number a pixel, 0 to 255: the weighted colour in front of `behind`, 0 for black to 1 for white.
    fn view(&self, weights: [f32; 3], behind: f32) -> Plane {
        let blend = |&[r, g, b, alpha]: &[f32; 4]| {
            255.0 * (weights[0] * r + weights[1] * g + weights[2] * b + (1.0 - alpha) * behind)
        };
        Plane { height: self.height, width: self.width, values: self.pixels.iter().map(blend).collect() }
    }
}

fn clearest_view(colours: &Colours) -> Plane {
    let [on_white, on_black] = [1.0, 0.0].map(|behind| colours.view(LUMINANCE, behind));
    let (mut best, behind) =
        if variance(&on_black) > variance(&on_white) { (on_black, 0.0) } else { (on_white, 1.0) };
    let mut most = variance(&best) * CLEARLY_MORE * CLEARLY_MORE;
    for channel in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
        let view = colours.view(channel, behind);
        if variance(&view) > most {
            (most, best) = (variance(&view), view);
        }
    }
    best
}

fn variance(plane: &Plane) -> f64 {
    let count = plane.values.len().max(1) as f64;
    let mean = plane.values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    plane.values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, Instant};

    use super::*;

    /// What reading `bytes` from a file says, with the file called `x.png`.
    fn message(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        std::fs::write(&path, bytes).unwrap();
        let message = read_grey(&path).unwrap_err().to_string();
        message.replace(&path.display().to_string(), "x.png")
    }

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let picture = image::GrayImage::from_fn(40, 30, |x, y| image::Luma([(x * y % 200) as u8]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A PNG that ends after its header, whose checksum does not matter.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    const CONVERT_HINT: &str = "\n\nhint: open the picture with an image program and save it as PNG or JPEG";
    const DAMAGED_HINT: &str = "\n\nhint: copy, download or save the picture again";

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        let missing = read_grey(&path).unwrap_err().to_string();
        let expected = format!("cannot read `{}`: No such file or directory (os error 2)", path.display());
        assert_eq!(missing, expected);
        let directory = read_grey(folder.path()).unwrap_err().to_string();
        let expected = format!("cannot read `{}`: it is a folder, expected a file", folder.path().display());
        assert_eq!(directory, expected);
    }

    #[test]
    fn what_is_no_png_or_jpeg_is_named() {
        for (bytes, expected) in [
            (&b""[..], "`x.png` is empty, expected a PNG or JPEG image"),
            (b"hello, this is text", "`x.png` is not a PNG or JPEG image"),
            (b"GIF89a and more", "`x.png` is a GIF image, expected PNG or JPEG"),
            (b"RIFF\x20\0\0\0WEBPVP8 ", "`x.png` is a WebP image, expected PNG or JPEG"),
            (b"BM and more", "`x.png` is a BMP image, expected PNG or JPEG"),
        ] {
            assert_eq!(message(bytes), format!("{expected}{CONVERT_HINT}"));
        }
    }

    #[test]
    fn a_truncated_file_is_damaged() {
        let png = encoded(ImageFormat::Png);
        let expected = format!("`x.png` is damaged: unexpected end of file{DAMAGED_HINT}");
        assert_eq!(message(&png[..png.len() / 2]), expected);
        let jpeg = encoded(ImageFormat::Jpeg);
        let expected = format!("`x.png` is damaged: its end is missing{DAMAGED_HINT}");
        assert_eq!(message(&jpeg[..jpeg.len() - 30]), expected);
        assert!(message(&jpeg[..100]).starts_with("`x.png` is damaged: "));
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_file() {
        let mut jpeg = encoded(ImageFormat::Jpeg);
        assert!(ends_as_jpeg(&jpeg));
        // APP1 with a whole JPEG's end inside.
        jpeg.splice(2..2, [0xFF, 0xE1, 0, 6, 0xFF, 0xD9, 0xFF, 0xD9]);
        assert!(ends_as_jpeg(&jpeg));
        assert!(!ends_as_jpeg(&jpeg[..jpeg.len() - 2]));
    }

    #[test]
    fn the_header_alone_refuses_a_large_picture() {
        let start = Instant::now();
        let hint = "\n\nhint: shrink the picture, or cut the digit out of it";
        for (width, height) in [(50_000, 50_000), (8_000, 8_001), (u32::MAX, u32::MAX)] {
            let expected =
                format!("`x.png` has {width}x{height} pixels, expected at most 64000000 in all{hint}");
            assert_eq!(message(&png_header(width, height)), expected);
        }
        let mut jpeg = encoded(ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 9].fill(0xFF);
        let expected = format!("`x.png` has 65535x65535 pixels, expected at most 64000000 in all{hint}");
        assert_eq!(message(&jpeg), expected);
        assert!(start.elapsed() < Duration::from_secs(2));
        // The largest that is allowed fails only later, for want of pixels.
        assert!(message(&png_header(8_000, 8_000)).starts_with("`x.png` is damaged: "));
    }

    #[test]
    fn a_large_picture_is_averaged() {
        let picture =
            RgbaImage::from_fn(2 * 1024, 6, |x, _| image::Rgba([255 * (x % 2) as u8; 4].map(|v| v)));
        let colours = Colours::shrunk(&picture);
        assert_eq!((colours.height, colours.width), (3, 1024));
        // Every second column is white and opaque, the others transparent.
        assert_eq!(colours.view(LUMINANCE, 0.0).at(1, 7).round(), 128.0);
        assert_eq!(colours.view(LUMINANCE, 1.0).at(1, 7).round(), 255.0);
    }

    #[test]
    fn ink_of_equal_luminance_is_seen_in_another_channel() {
        let picture =
            RgbaImage::from_fn(20, 20, |x, _| image::Rgba([255, 255, if x < 4 { 0 } else { 255 }, 255]));
        let view = clearest_view(&Colours::shrunk(&picture));
        assert_eq!((view.at(0, 0), view.at(0, 9)), (0.0, 255.0));
    }
}
