//! Owns the file of a picture: its format, its size limits and its error messages. It returns one
//! grey picture. Must not know what the picture shows.

use std::io::{self, Read};
use std::path::Path;

use image::ImageFormat;

use crate::data::preprocess::colours::to_clearest_gray;
use crate::data::preprocess::gray::GrayF32;
use crate::data::preprocess::{jpeg, png};
use crate::error::{Error, Result};
use crate::util::files;

/// Largest number of pixels of a picture.
const MAX_PIXELS: u64 = 64_000_000;

/// Longest side of a picture in pixels, which is also the limit of JPEG. A whole row is in memory.
const MAX_SIDE: u32 = 65_535;

/// Largest size of a file in bytes.
const MAX_BYTES: u64 = 256_000_000;

/// Hint for a file that is not a PNG or JPEG as cameras and programs write them.
const CONVERT_HINT: &str = "open the picture with an image program and save it as PNG or JPEG";

/// Decodes the bytes of the picture at `path`, which begin like a PNG or JPEG, as a person sees it:
/// upright and in grey, 0 to 255. See [`to_clearest_gray`]. A picture with a longer side than
/// `max_side` pixels is shrunk by averaging.
///
/// # Errors
/// The file is damaged or too large.
pub(super) fn to_gray(path: &Path, bytes: Vec<u8>, max_side: usize) -> Result<GrayF32> {
    let colours = match bytes[0] {
        0xFF => jpeg::decode(path, bytes, max_side)?,
        _ => png::decode(path, &bytes, max_side)?,
    };
    Ok(to_clearest_gray(&colours))
}

/// Reads the bytes of the file, if they begin like those of a PNG or JPEG.
///
/// # Errors
/// The file cannot be read, is not a PNG or JPEG, or is too large.
pub(in crate::data) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let failed = |error: io::Error| Error::io("read", path, error);
    let file = files::open_named(path).map_err(failed)?;
    let mut bytes = Vec::new();
    // The start is checked first: a file that is not a picture is not read to its end, which it may
    // not have.
    (&file).take(64).read_to_end(&mut bytes).map_err(failed)?;
    check_format(path, &bytes)?;
    // A vector that grows by doubling would be up to twice as large as the file.
    let size = file.metadata().map_err(failed)?.len().min(MAX_BYTES);
    bytes
        .try_reserve_exact(usize::try_from(size).unwrap_or(usize::MAX))
        .map_err(|error| failed(error.into()))?;
    (&file).take(MAX_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(path, "more bytes", &format!("at most {} MB", MAX_BYTES / 1_000_000)));
    }
    Ok(bytes)
}

/// Checks that the file begins like a PNG or JPEG.
fn check_format(path: &Path, start: &[u8]) -> Result<()> {
    let name = path.display();
    let error = match image::guess_format(start) {
        Ok(ImageFormat::Png | ImageFormat::Jpeg) => return Ok(()),
        _ if start.is_empty() => Error::data(format!("`{name}` is empty, expected a PNG or JPEG image")),
        Ok(other) => Error::data(format!("`{name}` is a {} image, expected PNG or JPEG", format_name(other))),
        Err(_) => Error::data(format!("`{name}` is not a PNG or JPEG image")),
    };
    Err(error.hint(CONVERT_HINT))
}

/// Usual name of the format.
fn format_name(format: ImageFormat) -> String {
    match format {
        ImageFormat::WebP => "WebP".to_owned(),
        _ => format.extensions_str().first().unwrap_or(&"unknown").to_uppercase(),
    }
}

/// Checks the size that the picture's header states.
pub(in crate::data) fn check_size(path: &Path, width: u32, height: u32) -> Result<()> {
    let (got, longer_side) = (format!("{width}x{height} pixels"), width.max(height));
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(too_large(path, &got, &format!("at most {MAX_PIXELS} in all")));
    }
    match longer_side <= MAX_SIDE {
        true => Ok(()),
        false => Err(too_large(path, &got, &format!("at most {MAX_SIDE} on a side"))),
    }
}

/// Error of a picture that is larger than a limit.
fn too_large(path: &Path, got: &str, expected: &str) -> Error {
    Error::data(format!("`{}` has {got}, expected {expected}", path.display()))
        .hint("shrink the picture, or cut the digit out of it")
}

/// Error of a valid picture that programs and cameras do not write.
pub(super) fn unsupported(path: &Path, detail: &str) -> Error {
    Error::data(format!("`{}` is of an unusual kind: {detail}", path.display())).hint(CONVERT_HINT)
}

/// Error of a picture that is damaged.
pub(in crate::data) fn corrupt(path: &Path, detail: &str) -> Error {
    // Only the first line, without a dump of the decoder's own types.
    let detail = detail.lines().next().unwrap_or_default().split(": ChunkType").next().unwrap_or_default();
    let detail = detail.trim_matches(['"', '.']);
    Error::data(format!("`{}` is damaged: {detail}", path.display()))
        .hint("copy, download or save the picture again")
}

#[cfg(test)]
mod tests;
