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
    let scans = [band(&[1, 2, 3], [0, 0], 0, &data), segment(0xC4, &[7; 20]), band(&[1], [1, 63], 0, &[5])];
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
        reduced(&jpeg(&[vec![frame], scans.to_vec()].concat())).map_err(|error| error.message().to_owned())
    };
    assert!(sequential(&[scan(&[1], &[]), scan(&[3], &[]), scan(&[2], &[])]).is_ok());
    assert_eq!(sequential(&[scan(&[1, 2], &[]), scan(&[3, 2], &[])]), Err(repeated.to_owned()));
    let progressive = |bands: &[([u8; 2], u8)]| {
        let scans = bands.iter().map(|&(range, bits)| band(&[1], range, bits, &[]));
        let frame = frame(0xC2, 8, 8, &[0x11]);
        reduced(&jpeg(&[vec![frame], scans.collect()].concat())).map_err(|error| error.message().to_owned())
    };
    // The mean without its lowest bit, two bands without two bits, these two bits, then the
    // mean's lowest bit.
    let whole =
        [([0, 0], 0x01), ([1, 5], 0x02), ([6, 63], 0x02), ([1, 63], 0x21), ([1, 63], 0x10), ([0, 0], 0x10)];
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
    for wrong in
        [[([1, 5], 0x03), ([1, 5], 0x21)], [([1, 5], 0x02), ([6, 7], 0x21)], [([1, 5], 0x02), ([1, 5], 0x23)]]
    {
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
