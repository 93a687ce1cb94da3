use super::*;

fn statistics(pixels: &[u8], height: usize, width: usize) -> PixelStatistics {
    PixelStatistics::new(&Pixels::Bytes(pixels.to_vec()), height, width)
}

fn exchanged(pixels: &[u8], height: usize, width: usize) -> bool {
    has_exchanged_sides(&Pixels::Bytes(pixels.to_vec()), height, width)
}

#[test]
fn pixels_are_counted() {
    let counted = statistics(&[3, 9, 3, 3, 3, 8, 1], 1, 2);
    // The third byte alone is no image.
    let expected = PixelStatistics { images: 3, blank_images: 1, constant_pixels: 1, byte_range: (3, 9) };
    assert_eq!(counted, expected);
    let one_pixel = statistics(&[3, 9], 1, 1);
    assert_eq!((one_pixel.images, one_pixel.blank_images), (2, 0));
    assert_eq!(statistics(&[], 1, 2).byte_range, (0, 0));
}

/// Upright lines, 5 or 8 pixels a row.
#[test]
fn exchanged_sides_are_seen() {
    let columns =
        |width: usize| (0..40_usize).map(|index| [0, 90, 250][index % width % 3]).collect::<Vec<u8>>();
    assert!(exchanged(&columns(5), 5, 8) && !exchanged(&columns(5), 8, 5));
    assert!(!exchanged(&columns(8), 5, 8) && exchanged(&columns(8), 8, 5));
    let mixed: Vec<u8> = (0..40_usize).map(|index| (index * index * 37 % 251) as u8).collect();
    assert!(!exchanged(&mixed, 5, 8) && !exchanged(&mixed, 8, 5));
    assert!(!exchanged(&[7; 40], 5, 8) && !exchanged(&columns(8), 40, 1));
}
