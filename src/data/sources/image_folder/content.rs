//! Owns what a file in an image folder is, by its first bytes, and the reading of a picture's bytes.
//! Depends on `util::files`, which refuses pipes and devices. Must not know the decoding.

use std::io::{self, Read};
use std::path::Path;

use image::ImageFormat;

use crate::data::sources::array::read_up_to;
use crate::util::files;

/// Number of bytes that are read to find out what a file is. Most pictures of digits are smaller.
const HEAD_BYTES: usize = 4096;

/// Largest size of a picture's file in bytes.
const MAX_BYTES: u64 = 64_000_000;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A PNG or JPEG.
    Picture,
    /// A picture of a kind that is not read.
    OtherPicture,
    /// Anything else.
    NoPicture,
}

impl Content {
    /// Kind of a file that begins with these bytes.
    fn of(head: &[u8]) -> Self {
        match image::guess_format(head) {
            Ok(ImageFormat::Png | ImageFormat::Jpeg) => Self::Picture,
            Ok(ImageFormat::Gif | ImageFormat::Bmp | ImageFormat::WebP | ImageFormat::Tiff) => {
                Self::OtherPicture
            }
            _ => Self::NoPicture,
        }
    }
}

/// Reads a file into `bytes`: a picture as a whole, of anything else only the start.
///
/// # Errors
/// The file cannot be read, is no regular file, or is a picture of more than 64 MB.
pub(super) fn read(path: &Path, bytes: &mut Vec<u8>) -> io::Result<Content> {
    bytes.clear();
    bytes.resize(HEAD_BYTES, 0);
    let file = files::open_named(path)?;
    let filled = read_up_to(&mut &file, bytes)?;
    bytes.truncate(filled);
    let content = Content::of(bytes);
    if content == Content::Picture && filled == HEAD_BYTES {
        let size = file.metadata()?.len().min(MAX_BYTES);
        bytes.try_reserve(usize::try_from(size).unwrap_or(usize::MAX))?;
        (&file).take(MAX_BYTES).read_to_end(bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(io::Error::other(format!("it is larger than {} MB", MAX_BYTES / 1_000_000)));
        }
    }
    Ok(content)
}

/// True if the file at `path` is a PNG or JPEG. False if it cannot be read.
pub(super) fn is_picture(path: &Path) -> bool {
    let mut head = [0; 16];
    let read = files::open_named(path).and_then(|mut file| read_up_to(&mut file, &mut head));
    read.is_ok_and(|_| Content::of(&head) == Content::Picture)
}

/// True if the file's name says that it is a PNG or JPEG.
pub(in crate::data) fn is_named_as_picture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    matches!(ending.as_str(), "png" | "jpg" | "jpeg" | "jpe" | "jfif")
}
