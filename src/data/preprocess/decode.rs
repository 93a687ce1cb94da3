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
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;
    use std::time::{Duration, Instant};

    use super::*;

    fn read_gray(path: &Path) -> Result<GrayF32> {
        to_gray(path, read_file(path)?, 1024)
    }

    /// Message about a file with these `bytes`, in which the file is called `x.png`.
    fn message(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        std::fs::write(&path, bytes).unwrap();
        let message = read_gray(&path).unwrap_err().to_string();
        message.replace(&path.display().to_string(), "x.png")
    }

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let picture = image::GrayImage::from_fn(40, 30, |x, y| image::Luma([(x * y % 200) as u8]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Returns a PNG that ends after its header. The checksum of the header does not matter.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    const CONVERT_SUFFIX: &str =
        "\n\nhint: open the picture with an image program and save it as PNG or JPEG";
    const CORRUPT_SUFFIX: &str = "\n\nhint: copy, download or save the picture again";

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        let missing = read_gray(&path).unwrap_err().to_string();
        let expected = format!("cannot read `{}`: No such file or directory (os error 2)", path.display());
        assert_eq!(missing, expected);
        let directory = read_gray(folder.path()).unwrap_err().to_string();
        let expected = format!("cannot read `{}`: it is a folder, expected a file", folder.path().display());
        assert_eq!(directory, expected);
    }

    #[test]
    fn a_file_that_is_not_a_png_or_jpeg_is_named() {
        for (bytes, expected) in [
            (&b""[..], "`x.png` is empty, expected a PNG or JPEG image"),
            (b"hello, this is text", "`x.png` is not a PNG or JPEG image"),
            (b"GIF89a and more", "`x.png` is a GIF image, expected PNG or JPEG"),
            (b"RIFF\x20\0\0\0WEBPVP8 ", "`x.png` is a WebP image, expected PNG or JPEG"),
            (b"BM and more", "`x.png` is a BMP image, expected PNG or JPEG"),
        ] {
            assert_eq!(message(bytes), format!("{expected}{CONVERT_SUFFIX}"));
        }
    }

    #[test]
    fn a_truncated_file_is_damaged() {
        let png = encoded(ImageFormat::Png);
        let expected = format!("`x.png` is damaged: unexpected end of file{CORRUPT_SUFFIX}");
        assert_eq!(message(&png[..png.len() / 2]), expected);
        let jpeg = encoded(ImageFormat::Jpeg);
        let expected = format!("`x.png` is damaged: its end is missing{CORRUPT_SUFFIX}");
        assert_eq!(message(&jpeg[..jpeg.len() - 30]), expected);
        assert!(message(&jpeg[..100]).starts_with("`x.png` is damaged: "));
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
        // The largest size that is allowed fails later, because there are no pixels.
        assert!(message(&png_header(8_000, 8_000)).starts_with("`x.png` is damaged: "));
    }
}
