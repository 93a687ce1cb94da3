use super::*;
use crate::plots::colour::TEXT;
use crate::plots::text::BODY;

fn dark(picture: &Picture) -> Vec<(i32, i32)> {
    let inked = picture.image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] < 0x80);
    inked.map(|(x, y, _)| (x as i32, y as i32)).collect()
}

#[test]
fn a_png_holds_the_pixels() {
    let picture = Picture { image: RgbImage::from_raw(2, 1, vec![1, 2, 3, 250, 251, 252]).unwrap() };
    let image = image::load_from_memory(&picture.to_png().unwrap()).unwrap();
    assert_eq!(image.color(), image::ColorType::Rgb8);
    assert_eq!(image.to_rgb8(), picture.image);
}

#[test]
fn impossible_sizes_are_refused() {
    for (width, height) in [(0.0, 5.0), (5.0, 0.0), (8_001.0, 5.0), (5.0, 8_001.0), (8e3, 8e3), (1e30, 2.0)] {
        assert!(Picture::blank(width, height).is_err(), "{width} × {height}");
    }
    assert!(Picture::blank(8_000.0, 5_000.0).is_ok());
}

#[test]
fn a_rectangle_covers_its_pixels_only_and_a_frame_surrounds_them() {
    let mut picture = Picture::blank(7.0, 6.0).unwrap();
    picture.frame((2.0, 2.0), 3.0, 2.0);
    assert_eq!(picture.image.pixels().filter(|pixel| pixel.0 == GRID).count(), 14);
    picture.fill((2.0, 2.0), 3.0, 2.0, TEXT);
    assert_eq!(dark(&picture), [(2, 2), (3, 2), (4, 2), (2, 3), (3, 3), (4, 3)]);
    assert_eq!(picture.image.pixels().filter(|pixel| pixel.0 == GRID).count(), 14);
}

#[test]
fn upwards_text_is_the_same_text_turned() {
    let draw = |upwards| {
        let mut picture = Picture::blank(60.0, 60.0).unwrap();
        let add = if upwards { Picture::text_upwards } else { Picture::text };
        add(&mut picture, "Lj 4", (20.0, 40.0), BODY, TEXT, Anchor::Start).unwrap();
        dark(&picture)
    };
    let mut turned: Vec<_> = draw(false).iter().map(|&(x, y)| (20 + y - 40, 40 - (x - 20) - 1)).collect();
    turned.sort_by_key(|&(x, y)| (y, x));
    assert!(turned.len() > 20);
    assert_eq!(draw(true), turned);
}

#[test]
fn what_is_outside_the_picture_is_left_out() {
    let mut picture = Picture::blank(9.0, 9.0).unwrap();
    picture.text("outside", (-900.0, 1e12), BODY, TEXT, Anchor::End).unwrap();
    picture.fill((-5.0, -5.0), 70.0, 2.0, TEXT);
    picture.fill((5.0, 5.0), -7.0, 2.0, TEXT);
    picture.fill((500.0, 5.0), 7.0, 2.0, TEXT);
    assert!(dark(&picture).is_empty());
    picture.fill((7.0, 7.0), 5.0, 5.0, TEXT);
    assert_eq!(dark(&picture).len(), 4);
}
