use super::*;

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn rgba(pixels: &[[u8; 4]]) -> DynamicImage {
    image::RgbaImage::from_raw(pixels.len() as u32, 1, pixels.concat()).unwrap().into()
}

/// Pillow 13 gives these bytes for `convert("L")`, whatever the transparency is.
#[test]
fn colours_become_grey_and_transparency_is_ignored() {
    let colours = rgba(&[[255, 0, 0, 0], [0, 255, 0, 9], [0, 0, 255, 255], [10, 200, 30, 1]]);
    let picture = decode_gray(&encoded(&colours, ImageFormat::Png)).unwrap();
    let expected = GrayPicture { height: 1, width: 4, pixels: vec![76, 150, 29, 124], is_coloured: true };
    assert_eq!(picture, expected);
    // Grey stored as colours is grey.
    let grey = decode_gray(&encoded(&rgba(&[[7, 7, 7, 0], [255; 4]]), ImageFormat::Png)).unwrap();
    assert_eq!((grey.pixels, grey.is_coloured), (vec![7, 255], false));
}

#[test]
fn sixteen_bits_become_bytes() {
    let wide = image::ImageBuffer::from_raw(3, 1, vec![0u16, 257 * 7, 65535]).unwrap();
    let picture = decode_gray(&encoded(&DynamicImage::ImageLuma16(wide), ImageFormat::Png)).unwrap();
    assert_eq!(picture.pixels, [0, 7, 255]);
}

#[test]
fn a_jpeg_is_read_and_its_end_is_needed() {
    let grey = GrayImage::from_pixel(16, 8, image::Luma([128]));
    let bytes = encoded(&grey.into(), ImageFormat::Jpeg);
    let picture = decode_gray(&bytes).unwrap();
    assert_eq!(picture, GrayPicture { height: 8, width: 16, pixels: vec![128; 128], is_coloured: false });
    assert_eq!(decode_gray(&bytes[..bytes.len() - 4]).unwrap_err(), "is damaged: its end is missing");
}

#[test]
fn other_bytes_are_refused() {
    assert_eq!(decode_gray(b"hello").unwrap_err(), "is no PNG or JPEG picture");
    let png = encoded(&rgba(&[[1, 2, 3, 4]; 9]), ImageFormat::Png);
    let error = decode_gray(&png[..png.len() - 20]).unwrap_err();
    assert!(error.starts_with("is damaged: "), "{error}");
    // The header alone, which promises 8000 × 8001 pixels.
    let mut large = png;
    large[16..24].copy_from_slice(&[0, 0, 0x1f, 0x40, 0, 0, 0x1f, 0x41]);
    let checksum = {
        let mut checksum = flate2::Crc::new();
        checksum.update(&large[12..29]);
        checksum.sum().to_be_bytes()
    };
    large[29..33].copy_from_slice(&checksum);
    assert_eq!(decode_gray(&large).unwrap_err(), "has 8000x8001 pixels, expected at most 64000000 in all");
}

/// Half the size: each pixel is the weighted mean of its neighbours, so that edges become grey.
#[test]
fn resizing_averages() {
    let picture = |height, width, pixels| GrayPicture { height, width, pixels, is_coloured: true };
    let flat = resize(picture(4, 6, vec![90; 24]), 2, 3);
    assert_eq!(flat, picture(2, 3, vec![90; 6]));
    let same = picture(1, 2, vec![3, 4]);
    assert_eq!(resize(same.clone(), 1, 2), same);
    // A triangle 4 pixels wide around 0.5 pixels: weights 3/8, 3/8, 1/8 at the left edge,
    // normalized to 3/7, 3/7, 1/7; so 100 · 1/7 and 100 · 6/7.
    assert_eq!(resize(picture(1, 4, vec![0, 0, 100, 100]), 1, 2).pixels, [14, 86]);
}
