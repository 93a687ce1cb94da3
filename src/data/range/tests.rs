use super::*;

#[test]
fn the_range_follows_from_the_training_images() {
    for ((min, max), (black, white)) in [
        ((0.0, 1.0), (0.0, 1.0)),
        ((0.0, 0.7), (0.0, 1.0)),
        ((0.0, 1.000_000_1), (0.0, 1.0)),
        ((0.0, 15.0), (0.0, 16.0)),
        ((0.0, 17.0), (0.0, 255.0)),
        ((12.0, 255.0), (0.0, 255.0)),
        ((0.0, 256.0), (0.0, 1023.0)),
        ((0.0, 70_000.0), (0.0, 70_000.0)),
        ((-1.0, 1.0), (-1.0, 1.0)),
        ((-0.424, 2.82), (-0.424, 2.82)),
        ((-7.0, -7.0), (-7.0, -6.0)),
        ((0.0, 0.0), (0.0, 255.0)),
    ] {
        assert_eq!(ValueRange::of_training_images(min, max), ValueRange { black, white }, "{min} to {max}");
    }
}

#[test]
fn each_range_becomes_bytes() {
    let bytes = RawPixels::Bytes(vec![0, 1, 7, 8, 16, 17]);
    let range = ValueRange { black: 0.0, white: 16.0 };
    // 7 / 16 · 255 = 111.56, 8 / 16 · 255 = 127.5.
    assert_eq!(range.scale(bytes.clone()).unwrap(), [0, 16, 112, 128, 255, 255]);
    assert_eq!(ValueRange::BYTES.scale(bytes).unwrap(), [0, 1, 7, 8, 16, 17]);
    let mut blocks = Vec::new();
    for value in [-2.0, -1.0, 0.0, 0.5, 1.0, f32::NAN] {
        RawPixels::push_float(&mut blocks, value);
    }
    let range = ValueRange { black: -1.0, white: 1.0 };
    assert_eq!(range.scale(RawPixels::Floats(blocks)).unwrap(), [0, 0, 128, 191, 255, 0]);
}

#[test]
fn bytes_above_16_have_the_range_of_bytes() {
    for (bytes, white) in [(vec![0, 1], 1.0), (vec![0, 16, 2], 16.0), (vec![0, 17], 255.0)] {
        assert_eq!(ValueRange::of_pixels(&RawPixels::Bytes(bytes)), ValueRange { black: 0.0, white });
    }
}

/// Keras' `x / 255` in 32-bit floats.
#[test]
fn a_byte_divided_by_255_is_that_byte_again() {
    let mut blocks = Vec::new();
    (0..=u8::MAX).for_each(|byte| RawPixels::push_float(&mut blocks, f32::from(byte) / 255.0));
    let range = ValueRange { black: 0.0, white: 1.0 };
    assert_eq!(range.scale(RawPixels::Floats(blocks)).unwrap(), (0..=u8::MAX).collect::<Vec<_>>());
}
