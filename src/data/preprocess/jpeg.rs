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
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker][..], &length, content].concat()
    }

    /// Returns a frame of `width` × `height` pixels, with one component per pair of sampling
    /// factors.
    fn frame(marker: u8, width: u16, height: u16, factors: &[u8]) -> Vec<u8> {
        let mut content = vec![8];
        content.extend(height.to_be_bytes());
        content.extend(width.to_be_bytes());
        content.push(factors.len() as u8);
        factors.iter().zip(1..).for_each(|(&factors, id)| content.extend([id, factors, 0]));
        segment(marker, &content)
    }

    /// Returns a scan of these components with the coefficients `first` to `last`, followed by
    /// compressed `data`. `bits` are the bits known before and after.
    fn band(components: &[u8], [first, last]: [u8; 2], bits: u8, data: &[u8]) -> Vec<u8> {
        let mut content = vec![components.len() as u8];
        components.iter().for_each(|&id| content.extend([id, 0]));
        content.extend([first, last, bits]);
        [segment(START_OF_SCAN, &content), data.to_vec()].concat()
    }

    /// Returns a scan of all coefficients of these components.
    fn scan(components: &[u8], data: &[u8]) -> Vec<u8> {
        band(components, [0, 63], 0, data)
    }

    fn jpeg(parts: &[Vec<u8>]) -> Vec<u8> {
        [&[0xFF, 0xD8][..], &parts.concat(), &[0xFF, END_OF_IMAGE]].concat()
    }

    fn reduced(bytes: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = bytes.to_vec();
        reduce(Path::new("x.jpg"), &mut bytes)?;
        Ok(bytes)
    }

    fn message(bytes: &[u8]) -> String {
        reduced(bytes).unwrap_err().message().to_owned()
    }

    #[test]
    fn segments_without_pixels_are_removed() {
        let exif = segment(0xE1, b"Exif\0\0MM\0*");
        let adobe = segment(0xEE, b"Adobe\0d\0\0\0\0\x01");
        let (tables, frame) = (segment(0xDB, &[1; 65]), frame(0xC2, 16, 16, &[0x22, 0x11, 0x11]));
        let data = [1, 0xFF, 0, 2, 0xFF, 0xD3, 3, 0xFF, 0xFF, 0xD4, 4];
        let scans =
            [band(&[1, 2, 3], [0, 0], 0, &data), segment(0xC4, &[7; 20]), band(&[1], [1, 63], 0, &[5])];
        let scans = scans.concat();
        let pixels = [exif.clone(), adobe.clone(), tables.clone(), frame.clone(), scans.clone()];
        let whole = jpeg(&pixels);
        assert_eq!(reduced(&whole).unwrap(), whole, "nothing of a file without extras");
        // A comment, a profile, a second Exif segment, other segments of both applications, bytes
        // between segments, and a second picture after the end. One APP1 segment contains an
        // end-of-image marker.
        let profile = [b"ICC_PROFILE\0\x01\x01".to_vec(), vec![9; 60_000]].concat();
        let extras = [
            segment(0xFE, b"comment"),
            exif,
            segment(0xE2, &profile),
            segment(0xE1, &[b"Exif\0\0".to_vec(), vec![0xFF, 0xD9]].concat()),
            segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0"),
            adobe,
            segment(0xEE, b"Adobe"),
            vec![0, 7, 0xFF, 0xD8, 0xFF, 0xFF],
            tables,
            frame,
            segment(0xE0, b"JFIF\0"),
            scans,
        ];
        let with_extras = [jpeg(&extras), whole.clone()].concat();
        assert_eq!(reduced(&with_extras).unwrap(), whole);
    }

    #[test]
    fn a_truncated_or_contradictory_file_is_damaged() {
        let whole = jpeg(&[frame(0xC0, 8, 8, &[0x11]), scan(&[1], &[1, 2])]);
        for length in 2..whole.len() {
            assert_eq!(message(&whole[..length]), "`x.jpg` is damaged: its end is missing", "{length}");
        }
        let short = jpeg(&[vec![0xFF, 0xE0, 0, 1]]);
        assert_eq!(message(&short), "`x.jpg` is damaged: a segment is shorter than its own length");
    }

    /// Computed by hand: 17 × 9 pixels in units of 16 × 16 are 2 × 1 units. Each has 4 blocks of
    /// the first component and 1 of each other component.
    #[test]
    fn the_blocks_of_scans_are_counted() {
        let header = frame(0xC0, 17, 9, &[0x22, 0x11, 0x11]);
        let blocks = |components: &[u8]| Frame::new(&header[4..], true).add_scan(&scan(components, &[])[4..]);
        assert_eq!(blocks(&[1, 2, 3]), Some(12));
        assert_eq!((blocks(&[1]), blocks(&[3, 2]), blocks(&[9])), (Some(8), Some(4), Some(0)));
    }

    #[test]
    fn a_scan_that_repeats_coefficients_is_refused() {
        let repeated = "`x.jpg` is of an unusual kind: its scans give the same numbers again";
        let sequential = |scans: &[Vec<u8>]| {
            let frame = frame(0xC0, 8, 8, &[0x11; 3]);
            reduced(&jpeg(&[vec![frame], scans.to_vec()].concat()))
                .map_err(|error| error.message().to_owned())
        };
        assert!(sequential(&[scan(&[1], &[]), scan(&[3], &[]), scan(&[2], &[])]).is_ok());
        assert_eq!(sequential(&[scan(&[1, 2], &[]), scan(&[3, 2], &[])]), Err(repeated.to_owned()));
        let progressive = |bands: &[([u8; 2], u8)]| {
            let scans = bands.iter().map(|&(range, bits)| band(&[1], range, bits, &[]));
            let frame = frame(0xC2, 8, 8, &[0x11]);
            reduced(&jpeg(&[vec![frame], scans.collect()].concat()))
                .map_err(|error| error.message().to_owned())
        };
        // The mean without its lowest bit, two bands without two bits, these two bits, then the
        // mean's lowest bit.
        let whole = [
            ([0, 0], 0x01),
            ([1, 5], 0x02),
            ([6, 63], 0x02),
            ([1, 63], 0x21),
            ([1, 63], 0x10),
            ([0, 0], 0x10),
        ];
        assert!(progressive(&whole).is_ok());
        for wrong in [
            // The mean again, a known band, its lowest bit again.
            ([0, 0], 0x01),
            ([5, 6], 0x00),
            ([1, 63], 0x10),
        ] {
            let scans = [&whole[..], &[wrong]].concat();
            assert_eq!(progressive(&scans), Err(repeated.to_owned()), "{wrong:?}");
        }
        // A skipped bit, bits of unknown coefficients, fewer bits than are known. Then bands that
        // do not exist.
        for wrong in [
            [([1, 5], 0x03), ([1, 5], 0x21)],
            [([1, 5], 0x02), ([6, 7], 0x21)],
            [([1, 5], 0x02), ([1, 5], 0x23)],
        ] {
            assert_eq!(progressive(&wrong), Err(repeated.to_owned()), "{wrong:?}");
        }
        assert_eq!(progressive(&[([1, 64], 0)]), Err(repeated.to_owned()));
        assert_eq!(progressive(&[([9, 3], 0)]), Err(repeated.to_owned()));
    }

    #[test]
    fn endless_scans_and_tables_are_refused() {
        let with_scans = |count: u8| {
            let scans = (0..count).map(|index| band(&[1], [index, index], 0, &[]));
            jpeg(&[vec![frame(0xC2, 8000, 8000, &[0x11])], scans.collect()].concat())
        };
        assert!(reduced(&with_scans(16)).is_ok());
        let expected = "`x.jpg` is of an unusual kind: its scans go through 17000000 blocks and more, expected at most 16000000";
        assert_eq!(message(&with_scans(17)), expected);
        let with_tables = |count| jpeg(&vec![segment(0xC4, &[0; 49_996]); count]);
        assert!(reduced(&with_tables(20)).is_ok());
        let expected =
            "`x.jpg` is of an unusual kind: its tables are 1050000 bytes and more, expected at most 1000000";
        assert_eq!(message(&with_tables(21)), expected);
    }
}
