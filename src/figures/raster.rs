//! Owns turning one shape into pixels with smooth edges. Knows no kind of picture.

use crate::error::Result;

use super::colour::Rgb;
use super::picture::Picture;
use super::scene::{Anchor, DASH, Point, Shape, Text};

/// Draws `shape` over what `picture` already shows.
pub(super) fn draw(picture: &mut Picture, shape: &Shape) -> Result<()> {
    match shape {
        Shape::Fill { at, width, height, colour } => fill(picture, *at, *width, *height, *colour),
        Shape::Stroke { points, width, dashed: false, colour } => stroke(picture, points, *width, *colour),
        Shape::Stroke { points, width, dashed: true, colour } => {
            for dash in dashes(points) {
                stroke(picture, &dash, *width, *colour);
            }
        }
        Shape::Dot { at, radius, colour } => stroke(picture, &[*at], 2.0 * radius, *colour),
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

/// A line through `points`; a single point becomes a disc. How much of a pixel is covered follows from its distance
/// to the line.
fn stroke(picture: &mut Picture, points: &[Point], width: f64, colour: Rgb) {
    let reach = width / 2.0 + 1.0;
    let bounds = |low: fn(&Point) -> f64, size| {
        let (min, max) = points.iter().map(low).fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        pixels(min - reach, max + reach, size)
    };
    let (columns, rows) = (bounds(|p| p.0, picture.width), bounds(|p| p.1, picture.height));
    let mut coverage = vec![0.0_f32; columns.len() * rows.len()];
    let last = points.len().saturating_sub(1);
    for (i, &from) in points.iter().enumerate() {
        let to = points[(i + 1).min(last)];
        for y in pixels(from.1.min(to.1) - reach, from.1.max(to.1) + reach, rows.end) {
            for x in pixels(from.0.min(to.0) - reach, from.0.max(to.0) + reach, columns.end) {
                let distance = distance((x as f64 + 0.5, y as f64 + 0.5), from, to);
                let covered = (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0) as f32;
                let cell = &mut coverage[(y - rows.start) * columns.len() + x - columns.start];
                *cell = cell.max(covered);
            }
        }
    }
    for (i, covered) in coverage.iter().enumerate() {
        picture.blend(columns.start + i % columns.len(), rows.start + i / columns.len(), colour, *covered);
    }
}

/// From `point` to the nearest point of the segment.
fn distance(point: Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    let squared = dx * dx + dy * dy;
    let t = if squared > 0.0 { ((px * dx + py * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
    (px - t * dx).hypot(py - t * dy)
}

/// The drawn pieces of a dashed line: [`DASH`] drawn, [`DASH`] left out.
fn dashes(points: &[Point]) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = vec![points.iter().copied().take(1).collect()];
    let (mut drawing, mut left) = (true, DASH);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let end = if length <= left { to } else { along(from, to, left / length) };
            if let (true, Some(piece)) = (drawing, pieces.last_mut()) {
                piece.push(end);
            }
            if length <= left {
                left -= length;
                break;
            }
            drawing = !drawing;
            if drawing {
                pieces.push(vec![end]);
            }
            (from, left) = (end, DASH);
        }
    }
    pieces
}

fn along(from: Point, to: Point, t: f64) -> Point {
    (from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t)
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
    fn a_line_between_pixel_centres_is_crisp() {
        let mut scene = Scene::new(8.0, 3.0);
        scene.stroke(vec![(1.5, 1.5), (6.5, 1.5)], 1.0, INK);
        let picture = scene.to_picture().unwrap();
        assert_eq!(dark(&picture), (1..=6).map(|x| (x, 1)).collect::<Vec<_>>());
        assert_eq!((picture.at(3, 0), picture.at(3, 1)), (WHITE, INK));
    }

    #[test]
    fn a_dashed_line_is_drawn_by_half_around_corners() {
        let pieces = dashes(&[(0.0, 0.0), (10.0, 0.0), (10.0, 25.0)]);
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[0], [(0.0, 0.0), (7.0, 0.0)]);
        assert_eq!(pieces[1], [(10.0, 4.0), (10.0, 11.0)]);
        assert_eq!(pieces[2], [(10.0, 18.0), (10.0, 25.0)]);
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
        scene.stroke(vec![(-50.0, -50.0), (-20.0, -50.0)], 3.0, INK);
        scene.stroke(vec![], 3.0, INK);
        scene.shapes.push(Shape::Stroke { points: vec![], width: 1.0, dashed: true, colour: INK });
        assert!(dark(&scene.to_picture().unwrap()).is_empty());
    }
}
