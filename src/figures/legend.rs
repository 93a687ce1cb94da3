//! Owns a chart's legend: above the plot, so that it never hides a line. Does not know the points.

use crate::error::Result;

use super::chart::{Series, stroke};
use super::colour::INK;
use super::scene::{Anchor, Point, Scene};
use super::text::BODY;

/// The length of the line before a name.
const SWATCH: f64 = 30.0;
const AFTER_SWATCH: f64 = 8.0;
const BETWEEN: f64 = 26.0;

/// Draws the names of all `series` in as many rows as they need and returns where the plot may begin.
pub(super) fn draw(scene: &mut Scene, series: &[Series], (left, top): Point, width: f64) -> Result<f64> {
    let (mut x, mut baseline) = (left, top + BODY.size);
    let named: Vec<&Series> = series.iter().filter(|line| !line.name.trim().is_empty()).collect();
    for line in &named {
        let name = BODY.fit(&line.name, width - SWATCH - AFTER_SWATCH)?;
        let needed = SWATCH + AFTER_SWATCH + BODY.measure(&name)?;
        if x > left && x + needed > left + width {
            (x, baseline) = (left, baseline + BODY.line_height());
        }
        let middle = baseline - BODY.centre();
        scene.shapes.push(stroke(vec![(x + 2.0, middle), (x + SWATCH - 2.0, middle)], line));
        scene.text(&name, (x + SWATCH + AFTER_SWATCH, baseline), BODY, INK, Anchor::Start);
        x += needed + BETWEEN;
    }
    Ok(if named.is_empty() { top + 8.0 } else { baseline + 18.0 })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::scene::Shape;
    use super::*;

    #[test]
    fn names_take_as_many_rows_as_they_need() {
        let line = |name: &str| Series { name: name.to_owned(), points: vec![], dashed: false, colour: 0 };
        let bottom = |names: &[&str]| {
            let series: Vec<Series> = names.iter().map(|name| line(name)).collect();
            let mut scene = Scene::new(400.0, 300.0);
            let bottom = draw(&mut scene, &series, (10.0, 0.0), 300.0).unwrap();
            for shape in scene.shapes {
                if let Shape::Text(text) = shape {
                    assert!(text.at.0 + text.font.measure(&text.text).unwrap() <= 310.0, "{}", text.text);
                }
            }
            bottom
        };
        assert_eq!(bottom(&[]), bottom(&["", " "]));
        assert_eq!(bottom(&["training"]), bottom(&["training", "validation"]));
        assert_eq!(bottom(&["training"; 4]), bottom(&["training"]) + BODY.line_height());
        assert_eq!(bottom(&[&"long ".repeat(99)]), bottom(&["training"]));
    }
}
