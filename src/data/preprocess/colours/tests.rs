use image::{DynamicImage, Rgba, RgbaImage};

use super::*;

fn colours(picture: &RgbaImage, orientation: Orientation) -> Colours {
    let mut means = BlockMeans::new(picture.width(), picture.height(), orientation, 1024);
    for (x, y, pixel) in picture.enumerate_pixels() {
        means.add(x as usize, y as usize, pixel.0.map(|value| f32::from(value) / 255.0));
    }
    means.finish()
}

#[test]
fn a_large_picture_is_averaged() {
    let picture = RgbaImage::from_fn(2 * 1024, 6, |x, _| Rgba([255 * (x % 2) as u8; 4].map(|v| v)));
    let colours = colours(&picture, Orientation::NoTransforms);
    assert_eq!((colours.height, colours.width), (3, 1024));
    // Every second column is white and opaque, the others transparent.
    assert_eq!(colours.to_gray(LUMINANCE, 0.0).at(1, 7).round(), 128.0);
    assert_eq!(colours.to_gray(LUMINANCE, 1.0).at(1, 7).round(), 255.0);
}

#[test]
fn ink_of_equal_luminance_is_seen_in_another_channel() {
    let picture = RgbaImage::from_fn(20, 20, |x, _| Rgba([255, 255, if x < 4 { 0 } else { 255 }, 255]));
    let view = to_clearest_gray(&colours(&picture, Orientation::NoTransforms));
    assert_eq!((view.at(0, 0), view.at(0, 9)), (0.0, 255.0));
}

/// The reference is the image crate, which turns a whole picture.
#[test]
fn every_orientation_is_turned_upright() {
    let picture = RgbaImage::from_fn(5, 3, |x, y| Rgba([(17 * (5 * y + x)) as u8, 0, 0, 255]));
    for exif in 1..=8 {
        let orientation = Orientation::from_exif(exif).unwrap_or(Orientation::NoTransforms);
        let mut turned = DynamicImage::from(picture.clone());
        turned.apply_orientation(orientation);
        let expected = colours(&turned.into_rgba8(), Orientation::NoTransforms);
        let found = colours(&picture, orientation);
        assert_eq!((found.height, found.width), (expected.height, expected.width), "{exif}");
        assert_eq!(found.pixels, expected.pixels, "{exif}");
    }
}
