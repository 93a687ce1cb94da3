use super::*;

/// A square of 3 × 3 in 5 × 5: 9 of 25 pixels, 12 steps of 255 at its edges, 1 pixel inside.
#[test]
fn measures_of_a_square() {
    let inside = |at: usize| (1..4).contains(&(at / 5)) && (1..4).contains(&(at % 5));
    let square: Vec<u8> = (0..25).map(|at| if inside(at) { 255 } else { 0 }).collect();
    let expected = [9.0 / 25.0, 12.0 / 9.0, 1.0 / 9.0];
    assert_eq!(measure(&square, 5, Polarity::LightOnDark), expected);
    let inverted: Vec<u8> = square.iter().map(|value| 255 - value).collect();
    assert_eq!(measure(&inverted, 5, Polarity::DarkOnLight), expected);
}

#[test]
fn each_kind_of_strange_image_has_its_doubt() {
    let shape = Shape { ink: [0.1, 0.2], roughness: [0.5, 1.0], filled: [0.0, 0.3] };
    let about = |image: &[u8]| shape.doubt_about(image, 12, Polarity::LightOnDark);
    let draw = |is_ink: fn(usize, usize) -> bool| -> Vec<u8> {
        (0..144).map(|at| if is_ink(at / 12, at % 12) { 255 } else { 0 }).collect()
    };
    assert_eq!(about(&draw(|_, _| false)), Some(Doubt::LittleInk));
    assert_eq!(about(&draw(|row, column| row % 3 == 0 && column % 3 == 0)), Some(Doubt::Rough));
    assert_eq!(about(&draw(|row, column| row.max(column) < 7)), Some(Doubt::Filled));
    assert_eq!(about(&draw(|row, column| row < 10 && column / 3 == 2)), None);
}
