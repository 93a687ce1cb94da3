use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;
use crate::data::preprocess::colours::to_clearest_gray;
use crate::data::preprocess::gray::GrayF32;

/// Returns a grey PNG of these rows of bytes, with the number of the filter (0, none) before
/// each row.
fn png(width: u32, height: u32, interlaced: bool, rows: &[Vec<u8>]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut checksum = flate2::Crc::new();
        checksum.update(kind);
        checksum.update(data);
        let length = (data.len() as u32).to_be_bytes();
        [&length[..], kind, data, &checksum.sum().to_be_bytes()].concat()
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 0, 0, 0, u8::from(interlaced)]);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    rows.iter().for_each(|row| packed.write_all(&[&[0][..], row].concat()).unwrap());
    let (header, pixels) = (chunk(b"IHDR", &header), chunk(b"IDAT", &packed.finish().unwrap()));
    [b"\x89PNG\r\n\x1a\n".to_vec(), header, pixels, chunk(b"IEND", &[])].concat()
}

fn decoded(bytes: &[u8]) -> GrayF32 {
    to_clearest_gray(&decode(Path::new("x.png"), bytes, 1024).unwrap())
}

/// The seven passes of the standard's table for 9 × 10 pixels, written by hand. Every pixel has
/// another grey.
#[test]
fn an_interlaced_picture_is_the_same_picture() {
    let (width, height) = (9u8, 10u8);
    let pixel = |column: u8, row: u8| width * row + column;
    let row = |columns: &[u8], row: u8| columns.iter().map(|&column| pixel(column, row)).collect::<Vec<_>>();
    let all: Vec<u8> = (0..width).collect();
    let plain: Vec<_> = (0..height).map(|y| row(&all, y)).collect();
    let passes: [(&[u8], &[u8]); 7] = [
        (&[0, 8], &[0, 8]),
        (&[4], &[0, 8]),
        (&[0, 4, 8], &[4]),
        (&[2, 6], &[0, 4, 8]),
        (&[0, 2, 4, 6, 8], &[2, 6]),
        (&[1, 3, 5, 7], &[0, 2, 4, 6, 8]),
        (&all, &[1, 3, 5, 7, 9]),
    ];
    let passes = passes.iter().flat_map(|(columns, rows)| rows.iter().map(|&y| row(columns, y)));
    let interlaced = png(width.into(), height.into(), true, &passes.collect::<Vec<_>>());
    assert_eq!(decoded(&interlaced), decoded(&png(width.into(), height.into(), false, &plain)));
}

/// Every pixel occurs once, whatever the size is.
#[test]
fn the_passes_of_an_interlaced_picture_cover_it() {
    for (width, height) in [(1, 1), (1, 9), (9, 1), (3, 5), (8, 8), (17, 12)] {
        for interlaced in [false, true] {
            let mut seen = vec![0; width * height];
            for (first, step, row) in stored_rows(width, height, interlaced) {
                (first..width).step_by(step).for_each(|column| seen[row * width + column] += 1);
            }
            assert!(seen.iter().all(|&times| times == 1), "{width}x{height}");
        }
    }
}
