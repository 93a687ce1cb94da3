use super::*;

/// Looks at images of `height` × `width` bytes.
fn of(pixels: &[u8], height: usize, width: usize) -> Appearance {
    Appearance::of(&Pixels::Bytes(pixels.to_vec()), height, width)
}

fn polarity(pixels: &[u8]) -> Polarity {
    of(pixels, 3, 3).polarity
}

#[test]
fn the_border_decides_the_polarity() {
    use Polarity::*;
    let dot = [0, 0, 0, 0, 200, 0, 0, 0, 0];
    // Paper is not white, and its pen not black.
    let pen = [150, 140, 150, 145, 30, 150, 150, 148, 150];
    let slope = [0, 0, 0, 128, 128, 128, 255, 255, 255];
    assert_eq!((polarity(&dot), polarity(&pen), polarity(&slope)), (LightOnDark, DarkOnLight, Undecided));
    assert_eq!((polarity(&[7; 9]), polarity(&[])), (Undecided, Undecided));
    // Blank images do not count; 4 of 5 images are enough, 3 of 4 are not.
    assert_eq!(polarity(&[&dot[..], &[9; 9], &dot, &dot, &dot, &pen].concat()), LightOnDark);
    assert_eq!(polarity(&[&dot[..], &[9; 9], &dot, &dot, &pen].concat()), Undecided);
}

/// One image of 4×5 pixels with ink of 100 and 40 (of 100) at rows 1 and 3.
#[test]
fn size_and_place_of_the_ink() {
    let light = [0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 10];
    let dark: Vec<u8> = light.iter().map(|value| 200 - value).collect();
    for pixels in [&light[..], &dark] {
        let ink = of(pixels, 4, 5).ink.unwrap();
        // 10 is no ink. The last row has ink, so the border is not empty.
        assert_eq!((ink.height_share, ink.width_share, ink.longer_share), (0.75, 0.6, 0.75));
        assert_eq!((ink.border_empty_share, ink.mean), (0.0, 1.5 / 20.0));
        // Rows (100 · 1 + 50 · 3) / 150 = 5 / 3, columns (100 · 1 + 40 · 3 + 10 · 4) / 150 = 26 / 15.
        assert!((ink.centre_row_offset - ((5.0 / 3.0 + 0.5) / 4.0 - 0.5)).abs() < 1e-12);
        assert!((ink.centre_column_offset - ((26.0 / 15.0 + 0.5) / 5.0 - 0.5)).abs() < 1e-12);
        assert!(ink.centre_row_std < 1e-6 && !ink.is_centred_by_mass() && !ink.has_empty_border());
    }
}

#[test]
fn deviations_are_between_images() {
    let mut pixels = [0; 50];
    // Ink at row 1, column 2, and at row 3, column 2.
    (pixels[7], pixels[25 + 17]) = (255, 9);
    let ink = of(&pixels, 5, 5).ink.unwrap();
    assert!((ink.centre_row_offset).abs() < 1e-12 && (ink.centre_row_std - 0.2).abs() < 1e-12);
    assert!(ink.centre_column_std < 1e-6 && ink.has_empty_border() && !ink.is_centred_by_mass());
}

/// Every second of 20,000 images is dark on light.
#[test]
fn a_sample_does_not_follow_a_regular_order() {
    let pair = [0, 0, 0, 0, 200, 0, 0, 0, 0, 200, 200, 200, 200, 0, 200, 200, 200, 200];
    let appearance = of(&pair.repeat(10_000), 3, 3);
    assert_eq!((appearance.light_on_dark_share, appearance.dark_on_light_share), (0.5, 0.5));
}

#[test]
fn sides_beyond_the_sums_are_not_measured() {
    let mut pixels = vec![0; MAX_SIDE + 1];
    pixels[9] = 255;
    assert!(of(&pixels, 1, MAX_SIDE + 1).ink.is_none());
    assert!(of(&pixels[1..], 1, MAX_SIDE).ink.is_some());
}
