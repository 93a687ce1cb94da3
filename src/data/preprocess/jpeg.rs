//! Owns JPEG files (ITU-T T.81): the bytes that the decoder gets, the limit of its work, and the
//! pixels. Must not know what the picture shows.
//!
//! A scan of a few bytes can go through every block of a picture, whatever the blocks contain. The
//! decoder keeps each profile and each comment that it reads. So a small file can cost much time
//! and memory. Three things happen before the decoder sees the file: it is reduced to the bytes
//! that make its pixels, its scans are counted, and a scan that repeats an earlier one is refused.

use std::io::Cursor;
use std::ops::Range;
use std::path::Path;

use image::codecs::jpeg::JpegDecoder;
use image::{ImageDecoder, ImageError};

use crate::data::preprocess::colours::{BlockMeans, Colours};
use crate::data::preprocess::decode::{check_size, corrupt, unsupported};
use crate::error::{Error, Result};

/// Largest number of blocks of 8 × 8 pixels in all scans of a file, counted once per scan and
/// component. A progressive photograph of 64 million pixels in full colour, as libjpeg writes it,
/// has 14 million. A block takes about 0.4 µs in a scan that has all of its coefficients for the
/// first time, and a fifth of that in a scan that makes them more precise.
const MAX_BLOCKS: u64 = 16_000_000;

/// Largest number of bytes of all tables and headers. Real files have some thousand.
const MAX_HEADER_BYTES: usize = 1_000_000;

/// Decodes the picture in `bytes`, which begin with the marker of a JPEG, with sides of at most
/// `max_side` pixels.
///
/// # Errors
/// The file is damaged, too large, too much work, or of a kind that the decoder does not support.
pub(super) fn decode(path: &Path, mut bytes: Vec<u8>, max_side: usize) -> Result<Colours> {
    reduce(path, &mut bytes)?;
    let failed = |error: ImageError| decoder_error(path, error);
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let mut means = BlockMeans::new(width, height, decoder.orientation().map_err(failed)?, max_side);
    let channels = usize::from(decoder.color_type().channel_count());
    let mut values = vec![0; usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX)];
    decoder.read_image(&mut values).map_err(failed)?;
    let width = width as usize;
    for (index, pixel) in values.chunks_exact(channels).enumerate() {
        let value = |channel: usize| f32::from(pixel[channel]) / 255.0;
        let colour = match channels {
            1 | 2 => [value(0); 3],
            _ => [value(0), value(1), value(2)],
        };
        means.add(index % width, index / width, [colour[0], colour[1], colour[2], 1.0]);
    }
    Ok(means.finish())
}

/// Translates an error of the decoder.
pub(in crate::data) fn decoder_error(path: &Path, error: ImageError) -> Error {
    // The inner error has the reason. The outer one only repeats the format.
    let detail = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    let translated = match error {
        ImageError::Unsupported(_) => unsupported(path, detail.trim_matches(['"', '.'])),
        _ => corrupt(path, &detail),
    };
    translated.with_source(error)
}

/// Removes from `bytes` everything that does not make the picture's pixels: comments, profiles, and
/// bytes after its end.
///
/// # Errors
/// The file has no end-of-image marker, is too large, or is too much work. The decoder would not
/// report a missing end: it fills the missing pixels with grey.
pub(in crate::data) fn reduce(path: &Path, bytes: &mut Vec<u8>) -> Result<()> {
    let mut work = DecodingWork::default();
    // Kept bytes move towards the start. Bytes from `end` on are still those of the file.
    let (mut position, mut end) = (2, 2);
    loop {
        let (marker, range) = next_segment(path, bytes, position)?;
        position = range.end;
        let is_kept = work.add_segment(path, marker, &bytes[range.clone()])?;
        if marker == START_OF_SCAN {
            position = end_of_scan(bytes, position);
        }
        if is_kept {
            bytes.copy_within(range.start..position, end);
            end += position - range.start;
        }
        if marker == END_OF_IMAGE {
            bytes.truncate(end);
            return Ok(());
        }
    }
}

/// Marker of the end of the picture.
const END_OF_IMAGE: u8 = 0xD9;
/// Marker of a scan's header, which compressed data follows.
const START_OF_SCAN: u8 = 0xDA;
/// Marker of application segment 1. One such segment has the orientation of the picture.
const EXIF: u8 = 0xE1;

/// Finds the next marker that begins a segment or ends the image. Returns the marker and the range
/// of the segment, which includes the marker (T.81, B.1.1). Bytes between segments are skipped.
fn next_segment(path: &Path, bytes: &[u8], mut position: usize) -> Result<(u8, Range<usize>)> {
    let truncated = || corrupt(path, "its end is missing");
    loop {
        position +=
            bytes[position.min(bytes.len())..].iter().position(|&byte| byte == 0xFF).ok_or_else(truncated)?;
        let marker = *bytes.get(position + 1).ok_or_else(truncated)?;
        let length = match marker {
            0xFF => 1,
            // Stuffed bytes and markers without a segment.
            0x00 | 0x01 | 0xD0..=0xD8 => 2,
            END_OF_IMAGE => return Ok((marker, position..position + 2)),
            _ => {
                let length = bytes.get(position + 2..position + 4).ok_or_else(truncated)?;
                let end = position + 2 + usize::from(number_at(length, 0));
                return match end {
                    end if end > bytes.len() => Err(truncated()),
                    end if end < position + 4 => {
                        Err(corrupt(path, "a segment is shorter than its own length"))
                    }
                    end => Ok((marker, position..end)),
                };
            }
        };
        position += length;
    }
}

/// Returns the end of the compressed data that begins at `position`: the next marker other than a
/// restart (T.81, B.1.1.5).
fn end_of_scan(bytes: &[u8], mut position: usize) -> usize {
    while let Some(next) = bytes[position..].iter().position(|&byte| byte == 0xFF) {
        position += next;
        match bytes.get(position + 1) {
            Some(0x00 | 0xD0..=0xD7) => position += 2,
            Some(0xFF) => position += 1,
            _ => return position,
        }
    }
    bytes.len()
}

/// Number in two bytes of a segment, 0 if the segment is shorter.
fn number_at(segment: &[u8], offset: usize) -> u16 {
    segment.get(offset..offset + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]))
}

/// The work that a file causes in the decoder, as far as its segments were read.
#[derive(Default)]
struct DecodingWork {
    frame: Option<Frame>,
    has_exif: bool,
    header_bytes: usize,
    blocks: u64,
}

impl DecodingWork {
    /// Counts a segment, which includes its marker. Returns true if the segment is needed for the
    /// picture's pixels.
    fn add_segment(&mut self, path: &Path, marker: u8, segment: &[u8]) -> Result<bool> {
        let content = segment.get(4..).unwrap_or_default();
        match marker {
            END_OF_IMAGE => return Ok(true),
            // Frames of every kind. The decoder itself reports kinds that it does not support.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                check_size(path, number_at(content, 3).into(), number_at(content, 1).into())?;
                let is_sequential = matches!(marker, 0xC0 | 0xC1);
                self.frame.get_or_insert(Frame::new(content, is_sequential));
            }
            START_OF_SCAN => {
                let repeated = || unsupported(path, "its scans give the same numbers again");
                let blocks = self.frame.as_mut().map_or(Some(0), |frame| frame.add_scan(content));
                self.blocks += blocks.ok_or_else(repeated)?;
            }
            // Tables (Huffman, arithmetic, quantization), the number of lines, and the restart
            // interval.
            0xC4 | 0xCC | 0xDB..=0xDD => {}
            EXIF if content.starts_with(b"Exif\0\0") && !self.has_exif => self.has_exif = true,
            // Adobe's segment has the kind of the colours. AVI's states that the tables are
            // missing.
            0xEE if content.starts_with(b"Adobe") && content.len() >= 12 => {}
            0xE0 if content.starts_with(b"AVI1\0") => {}
            _ => return Ok(false),
        }
        self.header_bytes += segment.len();
        self.check(path)?;
        Ok(true)
    }

    /// Checks the work against its limits.
    fn check(&self, path: &Path) -> Result<()> {
        if self.header_bytes > MAX_HEADER_BYTES {
            return Err(unsupported(
                path,
                &format!(
                    "its tables are {} bytes and more, expected at most {MAX_HEADER_BYTES}",
                    self.header_bytes
                ),
            ));
        }
        match self.blocks > MAX_BLOCKS {
            true => Err(unsupported(
                path,
                &format!(
                    "its scans go through {} blocks and more, expected at most {MAX_BLOCKS}",
                    self.blocks
                ),
            )),
            false => Ok(()),
        }
    }
}

/// The components of a picture, and the coefficients in its scans so far.
struct Frame {
    /// True if a scan has all coefficients of a block at once.
    is_sequential: bool,
    components: Vec<Component>,
}

/// A colour component, such as the luminance.
struct Component {
    id: u8,
    /// Number of its blocks of 8 × 8 pixels.
    num_blocks: u64,
    /// Lowest known bit of each of a block's coefficients, nothing before the first scan with it.
    known_bits: [Option<u8>; 64],
}

impl Frame {
    /// Reads a frame's header (T.81, B.2.2): precision, height, width, number of components, and
    /// for each component its identifier, its sampling factors and its table.
    fn new(content: &[u8], is_sequential: bool) -> Self {
        let headers = content.get(6..).unwrap_or_default().chunks_exact(3);
        let factors = |header: &[u8]| [u64::from(header[1] >> 4), u64::from(header[1] & 15)];
        let max = |a: [u64; 2], b: [u64; 2]| [a[0].max(b[0]), a[1].max(b[1])];
        let [across, down] = headers.clone().map(factors).fold([1, 1], max);
        // A unit has as many blocks as the factors state. Units at the edges are whole, too.
        let units = |size: u16, factor: u64| u64::from(size).div_ceil(8 * factor);
        let units = units(number_at(content, 3), across) * units(number_at(content, 1), down);
        let component = |header: &[u8]| {
            let num_blocks = units * factors(header).iter().product::<u64>();
            Component { id: header[0], num_blocks, known_bits: [None; 64] }
        };
        Self { is_sequential, components: headers.map(component).collect() }
    }

    /// Records a scan and returns the number of its blocks, or nothing if it repeats known
    /// coefficients (G.1.1.1.1).
    ///
    /// `content` is the scan's header (T.81, B.2.3): the number of its components, for each
    /// component its identifier and its tables, the first and the last coefficient of a block in
    /// the scan, and the lowest bits of them that are known before and after the scan.
    fn add_scan(&mut self, content: &[u8]) -> Option<u64> {
        let count = usize::from(*content.first()?);
        let &[first, last, bits] = content.get(1 + 2 * count..)?.first_chunk()?;
        let (coefficients, before, after) = match self.is_sequential {
            true => (0..64, None, 0),
            false => {
                let before = Some(bits >> 4).filter(|&bit| bit > 0);
                (usize::from(first)..usize::from(last) + 1, before, bits & 15)
            }
        };
        let mut blocks = 0;
        for id in content[1..].iter().step_by(2).take(count) {
            let Some(component) = self.components.iter_mut().find(|it| it.id == *id) else { continue };
            let known = component.known_bits.get_mut(coefficients.clone())?;
            let is_next =
                before.is_none_or(|before| after < before) && known.iter().all(|bit| *bit == before);
            known.fill(is_next.then_some(Some(after))?);
            blocks += component.num_blocks;
        }
        Some(blocks)
    }
}

#[cfg(test)]
mod tests;
