//! Owns the shapes of marks. Each of the first nine series has a shape of its own, so that lines
//! can be distinguished without colours. Depends on `style`. Must not know axes or lines.

use plotters::prelude::*;

use crate::error::Result;
use crate::plots::chart::style::{Area, MARK, SUBPIXELS, cannot_draw, line_style};
use crate::plots::chart::{Colour, Series};

/// Width of the outline of a hollow mark, in subpixels.
const HOLLOW: u32 = 7;

/// Shape of a mark. The corners are positions to the right of its centre and below it, in
/// hundredths of half the width of a mark.
enum Shape {
    Disc,
    Ring,
    Filled(&'static [(i32, i32)]),
    Hollow(&'static [(i32, i32)]),
}

/// Shapes of marks. There are nine shapes and eight colours, so the ninth series has the first
/// colour and another shape.
const SHAPES: [Shape; 9] = [
    Shape::Disc,
    Shape::Filled(&[(-95, -95), (95, -95), (95, 95), (-95, 95)]),
    Shape::Filled(&[(0, -130), (125, 95), (-125, 95)]),
    Shape::Filled(&[(0, -140), (140, 0), (0, 140), (-140, 0)]),
    Shape::Filled(&CROSS),
    Shape::Filled(&[(0, 130), (125, -95), (-125, -95)]),
    Shape::Ring,
    Shape::Filled(&PLUS),
    Shape::Hollow(&[(-95, -95), (95, -95), (95, 95), (-95, 95)]),
];
/// Corners of a plus.
const PLUS: [(i32, i32); 12] = [
    (-40, -140),
    (40, -140),
    (40, -40),
    (140, -40),
    (140, 40),
    (40, 40),
    (40, 140),
    (-40, 140),
    (-40, 40),
    (-140, 40),
    (-140, -40),
    (-40, -40),
];
/// Corners of the plus, turned by 45 degrees.
const CROSS: [(i32, i32); 12] = [
    (71, -127),
    (127, -71),
    (57, 0),
    (127, 71),
    (71, 127),
    (0, 57),
    (-71, 127),
    (-127, 71),
    (-57, 0),
    (-127, -71),
    (-71, -127),
    (0, -57),
];

/// Draws the mark of `series` with its centre at `(x, y)`, in subpixels. A series in the colour of
/// text has no mark.
pub(super) fn draw_mark(area: &Area<'_>, (x, y): (i32, i32), series: &Series) -> Result<()> {
    let index = match series.colour {
        Colour::Category(index) => index,
        Colour::Ordered { place, .. } => place,
        Colour::Text => return Ok(()),
    };
    let half = MARK * SUBPIXELS;
    let corners = |shape: &[(i32, i32)]| -> Vec<(i32, i32)> {
        shape.iter().map(|(right, down)| (x + right * half / 100, y + down * half / 100)).collect()
    };
    let style = line_style(series);
    let drawn = match SHAPES[index % SHAPES.len()] {
        Shape::Disc => area.draw(&Circle::new((x, y), half, style.filled())),
        Shape::Ring => area.draw(&Circle::new((x, y), half, style.stroke_width(HOLLOW))),
        Shape::Filled(shape) => area.draw(&Polygon::new(corners(shape), style.filled())),
        Shape::Hollow(shape) => {
            let mut outline = corners(shape);
            outline.extend_from_within(..1);
            area.draw(&PathElement::new(outline, style.stroke_width(HOLLOW)))
        }
    };
    drawn.map_err(cannot_draw)
}

#[cfg(test)]
mod tests;
