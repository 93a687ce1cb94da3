//! Small picture files that are expensive to decode: the most expensive ones that are read, and
//! more expensive ones that must be refused.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Side of the largest square picture, in pixels: 8000 × 8000 is the maximum.
const SIDE: u16 = 8000;

/// Picture: the reason for its cost, and a function that makes its file, so that only one file is
/// in memory at a time.
pub type Picture = (&'static str, fn() -> Vec<u8>);

/// Pictures that are read within the bound on memory.
pub const DEAR: [Picture; 6] = [
    ("a colour bit by bit", || jpeg(PROGRESSIVE, SIDE, SIDE, 1, &bit_by_bit())),
    ("four colours and 256 MB", || {
        let mut large = jpeg(PROGRESSIVE, SIDE, SIDE, 4, &[first_scan(4, &[]), scan(1, 1, 63, 0, &[])]);
        // The file has the maximum size, with nearly all bytes between the last scan and the end.
        large.truncate(large.len() - END.len());
        large.resize(256_000_000 - END.len(), 0);
        large.extend(END);
        large
    }),
    ("200 MB of colour profiles", || {
        with_profiles(&jpeg(BASELINE, 8, 8, 1, &[scan(1, 0, 63, 0, &[0])]), 200_000_000)
    }),
    ("16 bits, interlaced", || png(8000, 8000, 16, 6, true, &[])),
    ("rows as long as may be", || png(65_535, 976, 16, 6, true, &[])),
    ("texts and profiles that unpack to 200 MB", || png(8, 8, 8, 2, false, &packed_chunks(200_000_000))),
];

/// Pictures that are refused, each with a part of the message.
pub const REFUSED: [(Picture, &str); 4] = [
    (
        ("progressive, a hundred scans", || jpeg(PROGRESSIVE, SIDE, SIDE, 1, &again(99))),
        "its scans give the same numbers again",
    ),
    (
        ("progressive, a number in each scan", || jpeg(PROGRESSIVE, SIDE, SIDE, 1, &number_by_number())),
        "blocks and more, expected at most 16000000",
    ),
    (
        ("baseline, three hundred scans", || {
            let scans: Vec<_> = (0..300).map(|_| scan(1, 0, 63, 0, &[0])).collect();
            jpeg(BASELINE, 976, 65_535, 3, &scans)
        }),
        "its scans give the same numbers again",
    ),
    (
        ("a row of 64 million pixels", || png(64_000_000, 1, 16, 6, true, &[])),
        "expected at most 65535 on a side",
    ),
];

const BASELINE: u8 = 0xC0;
const PROGRESSIVE: u8 = 0xC2;
const END: [u8; 2] = [0xFF, 0xD9];

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker][..], &length, content].concat()
}

/// Makes a JPEG with tables in which every code of zeros adds a number. So a scan without data
/// gives the maximum number of values.
fn jpeg(frame: u8, width: u16, height: u16, colours: u8, scans: &[Vec<u8>]) -> Vec<u8> {
    let quantization = segment(0xDB, &[&[0][..], &[1; 64]].concat());
    let lengths = [&[1, 1][..], &[0; 14]].concat();
    let huffman =
        |class: u8, symbols: [u8; 2]| segment(0xC4, &[&[class << 4][..], &lengths, &symbols].concat());
    let mut header = vec![8];
    header.extend(height.to_be_bytes());
    header.extend(width.to_be_bytes());
    header.push(colours);
    (1..=colours).for_each(|id| header.extend([id, 0x11, 0]));
    let tables = [quantization, huffman(0, [0, 1]), huffman(1, [1, 0])].concat();
    [&[0xFF, 0xD8][..], &tables, &segment(frame, &header), &scans.concat(), &END].concat()
}

/// Makes a scan of all colours: the mean of each block, or all values.
fn first_scan(colours: u8, data: &[u8]) -> Vec<u8> {
    let mut header = vec![colours];
    (1..=colours).for_each(|id| header.extend([id, 0]));
    header.extend([0, 0, 0]);
    [segment(0xDA, &header), data.to_vec()].concat()
}

/// Makes a scan of the colour `id` over the values `first` to `last` of each block.
fn scan(id: u8, first: u8, last: u8, low: u8, data: &[u8]) -> Vec<u8> {
    [segment(0xDA, &[1, id, 0, first, last, low]), data.to_vec()].concat()
}

/// Makes scans of one colour: the means, then all other values repeatedly.
fn again(count: usize) -> Vec<Vec<u8>> {
    let again = (1..count).map(|_| scan(1, 1, 63, 1, &[0; 8]));
    [first_scan(1, &[0; 8])].into_iter().chain(again).collect()
}

/// Makes scans of one colour: the means, the other values without their 13 lowest bits, and then
/// those bits one by one.
fn bit_by_bit() -> Vec<Vec<u8>> {
    let bits = (0..13).rev().map(|bit| scan(1, 1, 63, (bit + 1) << 4 | bit, &[0; 8]));
    [first_scan(1, &[0; 8]), scan(1, 1, 63, 13, &[0; 8])].into_iter().chain(bits).collect()
}

/// Makes scans of one colour, each with one value per block.
fn number_by_number() -> Vec<Vec<u8>> {
    (0..64).map(|number| scan(1, number, number, 0, &[0; 8])).collect()
}

fn with_profiles(jpeg: &[u8], bytes: usize) -> Vec<u8> {
    let profile = segment(0xE2, &[&b"ICC_PROFILE\0\x01\xFF"[..], &[0; 65_000]].concat());
    let mut dressed = jpeg[..2].to_vec();
    (0..bytes / profile.len()).for_each(|_| dressed.extend(&profile));
    dressed.extend(&jpeg[2..]);
    dressed
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(kind);
    checksum.update(data);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], kind, data, &checksum.sum().to_be_bytes()].concat()
}

/// Compresses `count` zeros.
fn zeros(mut count: usize) -> Vec<u8> {
    let block = [0; 1 << 16];
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    while count > 0 {
        let part = count.min(block.len());
        encoder.write_all(&block[..part]).unwrap();
        count -= part;
    }
    encoder.finish().unwrap()
}

/// Makes a black picture. `extras` come before its pixels.
fn png(width: u32, height: u32, depth: u8, colour: u8, interlaced: bool, extras: &[u8]) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([depth, colour, 0, 0, u8::from(interlaced)]);
    let channels = if colour == 6 { 4 } else { 3 };
    let row = |pixels: u32| 1 + pixels as usize * channels * usize::from(depth) / 8;
    let passes: &[[u32; 4]] = match interlaced {
        true => &[
            [0, 8, 0, 8],
            [4, 8, 0, 8],
            [0, 4, 4, 8],
            [2, 4, 0, 4],
            [0, 2, 2, 4],
            [1, 2, 0, 2],
            [0, 1, 1, 2],
        ],
        false => &[[0, 1, 0, 1]],
    };
    let count = |size: u32, first: u32, step: u32| size.saturating_sub(first).div_ceil(step);
    let size: usize = passes
        .iter()
        .map(|&[left, right, top, down]| (count(width, left, right), count(height, top, down)))
        .filter(|(columns, _)| *columns > 0)
        .map(|(columns, rows)| rows as usize * row(columns))
        .sum();
    let signature = b"\x89PNG\r\n\x1a\n";
    let (header, pixels) = (chunk(b"IHDR", &header), chunk(b"IDAT", &zeros(size)));
    [&signature[..], &header, extras, &pixels, &chunk(b"IEND", &[])].concat()
}

/// Makes compressed chunks of a profile and of two kinds of text, each of `size` bytes.
fn packed_chunks(size: usize) -> Vec<u8> {
    let packed = zeros(size);
    let with = |kind: &[u8; 4], start: &[u8]| chunk(kind, &[start, &packed].concat());
    [with(b"iCCP", b"x\0\0"), with(b"zTXt", b"k\0\0"), with(b"iTXt", b"k\0\x01\0\0\0")].concat()
}
