use super::*;
use std::collections::HashSet;

/// Shape of a mark without its position and colour.
fn shape_of(index: usize) -> String {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (400, 400)).into_drawing_area();
    let series = Series { colour: Colour::Category(index), ..Series::default() };
    assert!(draw_mark(&area, (200, 200), &series).is_ok());
    drop(area);
    let shape = svg.split_once('>').map(|(_, shape)| shape.to_owned()).unwrap_or_default();
    shape.split('"').filter(|part| !part.starts_with('#')).collect()
}

#[test]
fn marks_of_nine_series_differ_without_their_colours() {
    let shapes: HashSet<String> = (0..SHAPES.len()).map(shape_of).collect();
    assert_eq!(shapes.len(), 9, "{shapes:?}");
    // The ninth series has the first colour again, but another mark.
    assert_eq!(Colour::Category(8).on_white(), Colour::Category(0).on_white());
    assert_ne!(shape_of(8), shape_of(0));
}
