//! Owns how a chart's strokes, marks and texts look to plotters.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::error::{Error, Result};
use crate::plots::chart::Series;
use crate::plots::colour::Rgb;
use crate::plots::text::Font;

/// plotters' SVG has whole-number coordinates: everything is drawn this many times larger, and
/// shown smaller.
pub(super) const SUBPIXELS: i32 = 4;
/// plotters counts a font's size from its lowest to its highest point, and divides by this in SVG.
const SIZE_PER_EM: f64 = 1.24;
/// Around the chart, in pixels.
pub(super) const MARGIN: i32 = 16;
/// The least distance between two tick labels, in pixels.
pub(super) const LABEL_GAP: f64 = 10.0;
/// Half as wide as a mark, in pixels.
pub(super) const MARK: i32 = 4;
/// A dash and the gap after it, in pixels.
pub(super) const DASH: (i32, i32) = (8, 6);
pub(super) const MARKER_DASH: (i32, i32) = (4, 4);

/// A part of the drawing, in fine pixels from its upper left corner.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) fn line_style(line: &Series) -> ShapeStyle {
    ShapeStyle { color: rgb(line.colour.on_white()), filled: false, stroke_width: 5 * SUBPIXELS as u32 / 2 }
}

pub(super) fn stroke(colour: Rgb, width: i32) -> ShapeStyle {
    ShapeStyle { color: rgb(colour), filled: false, stroke_width: (width * SUBPIXELS) as u32 }
}

fn rgb([red, green, blue]: Rgb) -> RGBAColor {
    RGBColor(red, green, blue).to_rgba()
}

pub(super) fn text_style(font: Font, colour: Rgb) -> Result<TextStyle<'static>> {
    let size = font.size * f64::from(SUBPIXELS) * SIZE_PER_EM;
    Ok(font.description_at(size)?.color(&rgb(colour)))
}

pub(super) fn cannot_draw(error: impl std::fmt::Display) -> Error {
    Error::new(format!("cannot draw a chart: {error}"))
}
