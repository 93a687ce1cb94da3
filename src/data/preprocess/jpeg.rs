//! Owns JPEG files (ITU-T T.81): which of their bytes the decoder gets, how much work those may be, their pixels.
//! Must not know what the picture shows.
//!
//! A scan of some bytes can go through every block of a picture, whatever is in them, and profiles and comments are kept
//! by the decoder as often as it reads them. So the file is reduced to what makes its pixels, its scans are counted, and
//! none may give what an earlier one gave, before the decoder sees it.

use std::io::Cursor;
use std::ops::Range;
use std::path::Path;

use image::codecs::jpeg::JpegDecoder;
use image::{ImageDecoder, ImageError};

use crate::data::preprocess::colours::{BlockMeans, Colours};
use crate::data::preprocess::decode::{check_size, damaged, unusual};
use crate::error::{Error, Result};

/// The most blocks of 8 × 8 pixels that all scans of a file may go through, counted once for each scan and colour. A
/// progressive photograph of 64 million pixels in full colour, as libjpeg writes it, has 14 million. A block takes about
/// 0.4 µs where a scan gives all of its numbers for the first time, and a fifth of that where it makes them more precise.
const MOST_BLOCKS: u64 = 16_000_000;

/// The most bytes of tables and headers, all together: real files have some thousand.
const MOST_HEADER_BYTES: usize = 1_000_000;

/// The colours of the picture in `bytes`, which begin with a JPEG's marker.
pub(super) fn decode(path: &Path, mut bytes: Vec<u8>) -> Result<Colours> {
    reduce(path, &mut bytes)?;
    let failed = |error: ImageError| unreadable(path, error);
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let mut means = BlockMeans::new(width, height, decoder.orientation().map_err(failed)?);
    let channels = usize::from(decoder.color_type().channel_count());
    let mut values = vec![0; usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX)];
    decoder.read_image(&mut values).map_err(failed)?;
    let width = width as usize;
    for (at, pixel) in values.chunks_exact(channels).enumerate() {
        let value = |channel: usize| f32::from(pixel[channel]) / 255.0;
        let colour = match channels {
            1 | 2 => [value(0); 3],
            _ => [value(0), value(1), value(2)],
        };
        means.add(at % width, at / width, [colour[0], colour[1], colour[2], 1.0]);
    }
    Ok(means.finish())
}

fn unreadable(path: &Path, error: ImageError) -> Error {
    // The inner error says what is wrong; the outer one only repeats the format.
    let detail = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    let unreadable = match error {
        ImageError::Unsupported(_) => unusual(path, detail.trim_matches(['"', '.'])),
        _ => damaged(path, &detail),
    };
    unreadable.with_source(error)
}

/// Takes out of `bytes` what does not make the picture's pixels: comments, profiles, what follows its end.
///
/// # Errors
/// A file that does not lead to its end-of-image marker (the decoder fills what is missing with grey, and so would not
/// tell); one that is too large or too much work.
fn reduce(path: &Path, bytes: &mut Vec<u8>) -> Result<()> {
    let mut work = Work::default();
    // What is kept moves towards the start; behind `end`, the file is still as it was.
    let (mut at, mut end) = (2, 2);
    loop {
        let (marker, range) = next_segment(path, bytes, at)?;
        at = range.end;
        let is_kept = work.take(path, marker, &bytes[range.clone()])?;
        if marker == START_OF_SCAN {
            at = end_of_scan(bytes, at);
        }
        if is_kept {
            bytes.copy_within(range.start..at, end);
            end += at - range.start;
        }
        if marker == END_OF_IMAGE {
            bytes.truncate(end);
            return Ok(());
        }
    }
}

const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
/// Segments of application 1, of which one holds how the picture is turned.
const EXIF: u8 = 0xE1;

/// The next marker that begins a segment, or ends the image, and where its bytes are, the marker's among them (T.81,
/// B.1.1). What lies between segments is passed over.
fn next_segment(path: &Path, bytes: &[u8], mut at: usize) -> Result<(u8, Range<usize>)> {
    let cut_off = || damaged(path, "its end is missing");
    loop {
        at += bytes[at.min(bytes.len())..].iter().position(|&byte| byte == 0xFF).ok_or_else(cut_off)?;
        let marker = *bytes.get(at + 1).ok_or_else(cut_off)?;
        let length = match marker {
            0xFF => 1,
            // Stuffed bytes and markers that stand alone.
            0x00 | 0x01 | 0xD0..=0xD8 => 2,
            END_OF_IMAGE => return Ok((marker, at..at + 2)),
            _ => {
                let length = bytes.get(at + 2..at + 4).ok_or_else(cut_off)?;
                let end = at + 2 + usize::from(number(length, 0));
                return match end {
                    end if end > bytes.len() => Err(cut_off()),
                    end if end < at + 4 => Err(damaged(path, "a segment is shorter than its own length")),
                    end => Ok((marker, at..end)),
                };
            }
        };
        at += length;
    }
}

/// Where the compressed data ends that begins at `at`: at the next marker that is no restart (T.81, B.1.1.5).
fn end_of_scan(bytes: &[u8], mut at: usize) -> usize {
    while let Some(next) = bytes[at..].iter().position(|&byte| byte == 0xFF) {
        at += next;
        match bytes.get(at + 1) {
            Some(0x00 | 0xD0..=0xD7) => at += 2,
            Some(0xFF) => at += 1,
            _ => return at,
        }
    }
    bytes.len()
}

/// Two bytes of a segment as a number; 0 where it is shorter.
fn number(segment: &[u8], at: usize) -> u16 {
    segment.get(at..at + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]))
}

/// What the decoder will have to do.
#[derive(Default)]
struct Work {
    frame: Option<Frame>,
    has_exif: bool,
    header_bytes: usize,
    blocks: u64,
}

impl Work {
    /// Counts a segment, from its marker on, and says whether it makes the picture's pixels.
    fn take(&mut self, path: &Path, marker: u8, segment: &[u8]) -> Result<bool> {
        let content = segment.get(4..).unwrap_or_default();
        match marker {
            END_OF_IMAGE => return Ok(true),
            // Frames of every kind: what the decoder cannot do, it says itself.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                check_size(path, number(content, 3).into(), number(content, 1).into())?;
                let is_sequential = matches!(marker, 0xC0 | 0xC1);
                self.frame.get_or_insert(Frame::new(content, is_sequential));
            }
            START_OF_SCAN => {
                let again = || unusual(path, "its scans give the same numbers again");
                let blocks = self.frame.as_mut().map_or(Some(0), |frame| frame.scan(content));
                self.blocks += blocks.ok_or_else(again)?;
            }
            // Tables: Huffman, arithmetic, quantization; the number of lines; restarts.
            0xC4 | 0xCC | 0xDB..=0xDD => {}
            EXIF if content.starts_with(b"Exif\0\0") && !self.has_exif => self.has_exif = true,
            // Adobe's says of which kind the colours are, and AVI's that tables are left out.
            0xEE if content.starts_with(b"Adobe") && content.len() >= 12 => {}
            0xE0 if content.starts_with(b"AVI1\0") => {}
            _ => return Ok(false),
        }
        self.header_bytes += segment.len();
        self.check(path)?;
        Ok(true)
    }

    fn check(&self, path: &Path) -> Result<()> {
        if self.header_bytes > MOST_HEADER_BYTES {
            return Err(unusual(
                path,
                &format!(
                    "its tables are {} bytes and more, expected at most {MOST_HEADER_BYTES}",
                    self.header_bytes
                ),
            ));
        }
        match self.blocks > MOST_BLOCKS {
            true => Err(unusual(
                path,
                &format!(
                    "its scans go through {} blocks and more, expected at most {MOST_BLOCKS}",
                    self.blocks
                ),
            )),
            false => Ok(()),
        }
    }
}

/// The colours of a picture, and what its scans have given of them so far.
struct Frame {
    /// Whether a scan gives all numbers of a block at once.
    is_sequential: bool,
    colours: Vec<Colour>,
}

struct Colour {
    id: u8,
    /// How many blocks of 8 × 8 pixels it has.
    blocks: u64,
    /// Of each of a block's numbers, the lowest bit that is known.
    known: [Option<u8>; 64],
}

impl Frame {
    /// Out of a frame's header (T.81, B.2.2): precision, height, width, number of colours, and for each its identifier,
    /// its sampling factors and its table.
    fn new(content: &[u8], is_sequential: bool) -> Self {
        let colours = content.get(6..).unwrap_or_default().chunks_exact(3);
        let factors = |colour: &[u8]| [u64::from(colour[1] >> 4), u64::from(colour[1] & 15)];
        let largest = |most: [u64; 2], factors: [u64; 2]| [most[0].max(factors[0]), most[1].max(factors[1])];
        let [across, down] = colours.clone().map(factors).fold([1, 1], largest);
        // Units of as many blocks as the factors say; those at the edges are whole, too.
        let units = |size: u16, factor: u64| u64::from(size).div_ceil(8 * factor);
        let units = units(number(content, 3), across) * units(number(content, 1), down);
        let colour = |colour: &[u8]| {
            let blocks = units * factors(colour).iter().product::<u64>();
            Colour { id: colour[0], blocks, known: [None; 64] }
        };
        Self { is_sequential, colours: colours.map(colour).collect() }
    }

    /// The blocks that a scan goes through, by its header (T.81, B.2.3): the number of its colours, for each its
    /// identifier and its tables, the first and the last number of a block that it gives, and the bits of them that are
    /// known before and after. None where it gives something again (G.1.1.1.1).
    fn scan(&mut self, content: &[u8]) -> Option<u64> {
        let count = usize::from(*content.first()?);
        let &[first, last, bits] = content.get(1 + 2 * count..)?.first_chunk()?;
        let (numbers, before, after) = match self.is_sequential {
            true => (0..64, None, 0),
            false => {
                let before = Some(bits >> 4).filter(|&bit| bit > 0);
                (usize::from(first)..usize::from(last) + 1, before, bits & 15)
            }
        };
        let mut blocks = 0;
        for id in content[1..].iter().step_by(2).take(count) {
            let Some(colour) = self.colours.iter_mut().find(|colour| colour.id == *id) else { continue };
            let known = colour.known.get_mut(numbers.clone())?;
            let is_next =
                before.is_none_or(|before| after < before) && known.iter().all(|bit| *bit == before);
            known.fill(is_next.then_some(Some(after))?);
            blocks += colour.blocks;
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

    /// A frame of so many pixels, with a colour for each pair of sampling factors.
    fn frame(marker: u8, width: u16, height: u16, factors: &[u8]) -> Vec<u8> {
        let mut content = vec![8];
        content.extend(height.to_be_bytes());
        content.extend(width.to_be_bytes());
        content.push(factors.len() as u8);
        factors.iter().zip(1..).for_each(|(&factors, id)| content.extend([id, factors, 0]));
        segment(marker, &content)
    }

    /// A scan of these colours that gives the numbers of a band, and the compressed data behind it. `bits` are those
    /// known before and after.
    fn band(colours: &[u8], [first, last]: [u8; 2], bits: u8, data: &[u8]) -> Vec<u8> {
        let mut content = vec![colours.len() as u8];
        colours.iter().for_each(|&id| content.extend([id, 0]));
        content.extend([first, last, bits]);
        [segment(START_OF_SCAN, &content), data.to_vec()].concat()
    }

    /// A scan of these colours as a whole.
    fn scan(colours: &[u8], data: &[u8]) -> Vec<u8> {
        band(colours, [0, 63], 0, data)
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
    fn what_makes_no_pixels_is_left_out() {
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
        // A comment, a profile, a second Exif, other kinds of both applications, bytes between segments, and a second
        // picture behind the end. APP1 has a whole JPEG's end inside.
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
        let dressed = [jpeg(&extras), whole.clone()].concat();
        assert_eq!(reduced(&dressed).unwrap(), whole);
    }

    #[test]
    fn what_is_cut_off_or_contradicts_itself_is_damaged() {
        let whole = jpeg(&[frame(0xC0, 8, 8, &[0x11]), scan(&[1], &[1, 2])]);
        for length in 2..whole.len() {
            assert_eq!(message(&whole[..length]), "`x.jpg` is damaged: its end is missing", "{length}");
        }
        let short = jpeg(&[vec![0xFF, 0xE0, 0, 1]]);
        assert_eq!(message(&short), "`x.jpg` is damaged: a segment is shorter than its own length");
    }

    /// By hand: 17 × 9 pixels in units of 16 × 16 are 2 × 1 units, of 4 blocks of the first colour and 1 of the others.
    #[test]
    fn the_blocks_of_scans_are_counted() {
        let header = frame(0xC0, 17, 9, &[0x22, 0x11, 0x11]);
        let blocks = |colours: &[u8]| Frame::new(&header[4..], true).scan(&scan(colours, &[])[4..]);
        assert_eq!(blocks(&[1, 2, 3]), Some(12));
        assert_eq!((blocks(&[1]), blocks(&[3, 2]), blocks(&[9])), (Some(8), Some(4), Some(0)));
    }

    #[test]
    fn a_scan_gives_what_none_has_given() {
        let again = "`x.jpg` is of an unusual kind: its scans give the same numbers again";
        let sequential = |scans: &[Vec<u8>]| {
            let frame = frame(0xC0, 8, 8, &[0x11; 3]);
            reduced(&jpeg(&[vec![frame], scans.to_vec()].concat()))
                .map_err(|error| error.message().to_owned())
        };
        assert!(sequential(&[scan(&[1], &[]), scan(&[3], &[]), scan(&[2], &[])]).is_ok());
        assert_eq!(sequential(&[scan(&[1, 2], &[]), scan(&[3, 2], &[])]), Err(again.to_owned()));
        let progressive = |bands: &[([u8; 2], u8)]| {
            let scans = bands.iter().map(|&(numbers, bits)| band(&[1], numbers, bits, &[]));
            let frame = frame(0xC2, 8, 8, &[0x11]);
            reduced(&jpeg(&[vec![frame], scans.collect()].concat()))
                .map_err(|error| error.message().to_owned())
        };
        // The mean but for its lowest bit, two bands but for two bits, those two bits, the mean's.
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
            // The mean once more; a band that is known; its lowest bit once more.
            ([0, 0], 0x01),
            ([5, 6], 0x00),
            ([1, 63], 0x10),
        ] {
            let scans = [&whole[..], &[wrong]].concat();
            assert_eq!(progressive(&scans), Err(again.to_owned()), "{wrong:?}");
        }
        // A bit left out; bits of what is not known; less than is known. And no band at all.
        for wrong in [
            [([1, 5], 0x03), ([1, 5], 0x21)],
            [([1, 5], 0x02), ([6, 7], 0x21)],
            [([1, 5], 0x02), ([1, 5], 0x23)],
        ] {
            assert_eq!(progressive(&wrong), Err(again.to_owned()), "{wrong:?}");
        }
        assert_eq!(progressive(&[([1, 64], 0)]), Err(again.to_owned()));
        assert_eq!(progressive(&[([9, 3], 0)]), Err(again.to_owned()));
    }

    #[test]
    fn endless_scans_and_tables_are_refused() {
        let with_scans = |count: u8| {
            let scans = (0..count).map(|number| band(&[1], [number, number], 0, &[]));
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
