//! Owns the file: its format, its limits, its orientation, its colours; one grey picture comes out.
//! Must not know what the picture shows.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbaImage};

use super::Plane;
use crate::error::{Error, Result};

/// The most pixels of a picture: at 8 bytes a pixel, the most a PNG has, they take 512 MB.
const MOST_PIXELS: u64 = 64_000_000;

/// The most bytes of a file.
const MOST_BYTES: u64 = 256_000_000;

/// The longest side of the grey picture. A larger file is shrunk to it by averaging: the ink stays many times
/// larger than the 20 pixels that it will be, and noise averages out.
const LONGEST_SIDE: usize = 1024;

/// ITU-R BT.601, as JPEG's own luminance.
const LUMINANCE: [f32; 3] = [0.299, 0.587, 0.114];

/// How many times more a colour channel must vary than the luminance to be taken in its place.
const CLEARLY_MORE: f64 = 2.0;

/// The picture in `path` as a person sees it: upright, on white where it is transparent, in grey, 0 to 255.
///
/// Where the ink would vanish, another view is taken: on black, where that shows more (white ink on a
/// transparent background); one colour channel, where it shows much more than the luminance (yellow on white).
pub(super) fn read_grey(path: &Path) -> Result<Plane> {
    let bytes = read_file(path)?;
    let picture = decode(path, &bytes)?.into_rgba8();
    Ok(clearest_view(&Colours::shrunk(&picture)))
}

/// The file's bytes, if they begin like a PNG or JPEG.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    let failed = |error: io::Error| Error::io("read", path, error);
    let file = File::open(path).map_err(failed)?;
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
    Err(error.hint("save the picture as PNG or JPEG with any image program; its name does not matter"))
}

/// What people call the format.
fn format_name(format: ImageFormat) -> String {
    match format {
        ImageFormat::WebP => "WebP".to_owned(),
        _ => format.extensions_str().first().unwrap_or(&"unknown").to_uppercase(),
    }
}

fn decode(path: &Path, bytes: &[u8]) -> Result<DynamicImage> {
    // Before any decoder sees it: the size in the header alone is enough to refuse a file.
    if let Some(&[_, _, _, _, w0, w1, w2, w3, h0, h1, h2, h3]) = bytes.get(12..24)
        && bytes[1..4] == *b"PNG"
    {
        check_size(path, u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]))?;
    }
    let damaged = |error| unreadable(path, &error);
    let mut decoder = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| Error::io("read", path, error))?
        .into_decoder()
        .map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_size(path, width, height)?;
    if bytes[0] == 0xFF && !ends_as_jpeg(bytes) {
        return Err(Error::new(format!("`{}` is damaged: the end of the file is missing", path.display())));
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    Ok(picture)
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
    let what = if matches!(error, ImageError::Unsupported(_)) { "cannot be decoded" } else { "is damaged" };
    let detail = detail.lines().next().unwrap_or_default().trim_end_matches('.');
    Error::new(format!("`{}` {what}: {detail}", path.display()))
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
