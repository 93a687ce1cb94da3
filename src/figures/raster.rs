//! Owns turning rectangles and text into pixels. Knows no kind of picture.

use super::colour::Rgb;
use super::picture::Picture;
use super::scene::{Anchor, Point, Shape, Text};
use crate::error::Result;

/// Draws `shape` over what `picture` already shows.
pub(super) fn draw(picture: &mut Picture, shape: &Shape) -> Result<()> {
    match shape {
        Shape::Fill { at, width, height, colour } => fill(picture, *at, *width, *height, *colour),
        Shape::Text(line) => text(picture, line)?,
    }
    Ok(())
}

/// Edges are put on whole pixels, so that neighbouring rectangles neither overlap nor leave a gap.
fn fill(picture: &mut Picture, (left, top): Point, width: f64, height: f64, colour: Rgb) {
    let columns = pixels(left, left + width, picture.width);
    for y in pixels(top, top + height, picture.height) {
        for x in columns.clone() {
            picture.blend(x, y, colour, 1.0);
        }
    }
}

/// The pixels from `low` to `high` that lie inside the picture. A cast saturates, so any number is fine.
fn pixels(low: f64, high: f64, size: usize) -> std::ops::Range<usize> {
    (low.round() as usize).min(size)..(high.round() as usize).min(size)
}

fn text(picture: &mut Picture, line: &Text) -> Result<()> {
    let mask = line.font.rasterize(&line.text)?;
    let before = match line.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => line.font.measure(&line.text)? / 2.0,
        Anchor::End => line.font.measure(&line.text)?,
    };
    let (x, y) = line.at;
    for (i, &covered) in mask.coverage.iter().enumerate() {
        let along = (i % mask.width) as f64 - before;
        let down = (i / mask.width) as f64 - mask.ascent as f64;
        let (right, down) = if line.upwards { (x + down, y - along - 1.0) } else { (x + along, y + down) };
        let (right, down) = (right.round(), down.round());
        if right >= 0.0 && down >= 0.0 {
            picture.blend(right as usize, down as usize, line.colour, covered);
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::colour::{INK, WHITE};
    use super::super::scene::Scene;
    use super::super::text::BODY;
    use super::*;

    fn dark(picture: &Picture) -> Vec<(usize, usize)> {
        (0..picture.width * picture.height)
            .map(|i| (i % picture.width, i / picture.width))
            .filter(|&(x, y)| picture.at(x, y)[0] < 0x80)
            .collect()
    }

    #[test]
    fn a_rectangle_covers_its_pixels_only() {
        let mut scene = Scene::new(6.0, 5.0);
        scene.fill((1.0, 2.0), 3.0, 2.0, INK);
        let picture = scene.to_picture().unwrap();
        assert_eq!(dark(&picture), [(1, 2), (2, 2), (3, 2), (1, 3), (2, 3), (3, 3)]);
        assert_eq!((picture.at(1, 2), picture.at(0, 2)), (INK, WHITE));
    }

    #[test]
    fn upwards_text_is_the_same_text_turned() {
        let draw = |upwards| {
            let mut scene = Scene::new(60.0, 60.0);
            let add = if upwards { Scene::text_upwards } else { Scene::text };
            add(&mut scene, "Lj 4", (20.0, 40.0), BODY, INK, Anchor::Start);
            dark(&scene.to_picture().unwrap())
        };
        let mut turned: Vec<_> = draw(false).iter().map(|&(x, y)| (20 + y - 40, 40 - (x - 20) - 1)).collect();
        turned.sort_by_key(|&(x, y)| (y, x));
        assert!(turned.len() > 20);
        assert_eq!(draw(true), turned);
    }

    #[test]
    fn shapes_outside_the_picture_are_left_out() {
        let mut scene = Scene::new(9.0, 9.0);
        scene.text("outside", (-900.0, 1e12), BODY, INK, Anchor::End);
        scene.fill((-5.0, -5.0), f64::INFINITY, 2.0, INK);
        assert!(dark(&scene.to_picture().unwrap()).is_empty());
    }
}
