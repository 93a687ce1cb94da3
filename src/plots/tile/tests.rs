use super::*;

#[test]
fn a_grey_png_is_the_stored_image_enlarged() {
    let png = gray_png(&[0, 255, 7, 128, 1, 2], 2, 3, 2).unwrap();
    let image = image::load_from_memory(&png).unwrap();
    assert_eq!(image.color(), image::ColorType::L8);
    assert_eq!((image.width(), image.height()), (6, 4));
    let row = |values: [u8; 3]| values.into_iter().flat_map(|v| [v, v]).collect::<Vec<u8>>();
    let (top, bottom) = (row([0, 255, 7]), row([128, 1, 2]));
    assert_eq!(image.to_luma8().into_raw(), [top.clone(), top, bottom.clone(), bottom].concat());
}

#[test]
fn weights_have_the_colours_of_the_scale() {
    let png = weight_png(&[0.0, 2.0, -2.0, 50.0], 2, 2, 2.0, 1).unwrap();
    let image = image::load_from_memory(&png).unwrap().to_rgb8();
    let ends = [0.5, 0.0, 1.0].map(|t| colorous::RED_BLUE.eval_continuous(t).as_array());
    assert_eq!(image.get_pixel(0, 0).0, ends[0]);
    assert_eq!(image.get_pixel(1, 0).0, ends[1]);
    assert_eq!(image.get_pixel(0, 1).0, ends[2]);
    assert_eq!(image.get_pixel(1, 1).0, ends[1], "clipped");
}

#[test]
fn shapes_scales_and_limits_that_make_no_sense_are_refused() {
    assert!(gray_png(&[0; 6], 2, 2, 1).is_err());
    assert!(gray_png(&[], 0, 0, 1).is_err());
    assert!(gray_png(&[0; 4], 2, 2, 0).is_err());
    assert!(gray_png(&[0; 4], 2, 2, usize::MAX).is_err());
    assert!(gray_png(&[0; 4], usize::MAX, 2, 1).is_err());
    for limit in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(weight_png(&[0.0; 4], 2, 2, limit, 1).is_err(), "{limit}");
    }
}

#[test]
fn a_limit_can_always_be_used() {
    assert_eq!(symmetric_limit(&[0.5, -3.0, 2.0]), 3.0);
    assert_eq!(symmetric_limit(&[f32::NAN, 0.25, f32::NEG_INFINITY]), 0.25);
    for values in [vec![], vec![0.0, -0.0], vec![f32::NAN], vec![f32::INFINITY]] {
        assert_eq!(symmetric_limit(&values), 1.0, "{values:?}");
    }
}

#[test]
fn zoom_factors_are_whole() {
    assert_eq!(Zoom::towards(112.0, 28, 28), Zoom::Enlarge(4));
    assert_eq!(Zoom::towards(112.0, 28, 20), Zoom::Enlarge(4));
    assert_eq!(Zoom::towards(112.0, 1, 1), Zoom::Enlarge(112));
    assert_eq!(Zoom::towards(112.0, 150, 150), Zoom::Enlarge(1));
    assert_eq!(Zoom::towards(112.0, 200, 200), Zoom::Shrink(2));
    assert_eq!(Zoom::Shrink(3).side(28), 10);
}

#[test]
fn shrinking_takes_a_mean() {
    let values: Vec<u8> = (0..16).map(|i| if i % 4 < 2 { 40 } else { 200 }).collect();
    let shrunk = Zoom::Shrink(2).picture(&values, 4, 4, |v| [v; 3]).unwrap();
    assert_eq!(shrunk.dimensions(), (2, 2));
    let [left, right] = [0, 1].map(|x| shrunk.get_pixel(x, 1).0[0]);
    assert!((41..=80).contains(&left) && (160..200).contains(&right), "{left} {right}");
}
