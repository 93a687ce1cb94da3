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

const CONVERT_SUFFIX: &str = "\n\nhint: open the picture with an image program and save it as PNG or JPEG";
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
        let expected = format!("`x.png` has {width}x{height} pixels, expected at most 64000000 in all{hint}");
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
