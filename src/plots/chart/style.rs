//! Owns the style of a chart's strokes, marks and texts, in plotters' types. Depends on
//! `plots::colour` and `plots::text`.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::error::{Error, Result};
use crate::plots::chart::Series;
use crate::plots::colour::Rgb;
use crate::plots::text::Font;

/// Number of subpixels per pixel. plotters' SVG has integer coordinates. So everything is drawn
/// this many times larger, and the page shows it in its real size.
pub(super) const SUBPIXELS: i32 = 4;
/// Size of a font for plotters, per em: plotters counts from the lowest to the highest point of the
/// letters, and divides by this in SVG.
const SIZE_PER_EM: f64 = 1.24;
/// Space around the chart, in pixels.
pub(super) const MARGIN: i32 = 16;
/// Least distance between two tick labels, in pixels.
pub(super) const LABEL_GAP: f64 = 10.0;
/// Half the width of a mark, in pixels.
pub(super) const MARK: i32 = 4;
/// Length of a dash of a dashed line and of the gap after it, in pixels.
pub(super) const DASH: (i32, i32) = (8, 6);
/// The same lengths for the vertical lines of flags.
pub(super) const MARKER_DASH: (i32, i32) = (4, 4);

/// A part of the drawing, in subpixels from its upper left corner.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Style of a series' line: its colour on white, 2.5 pixels wide.
pub(super) fn line_style(line: &Series) -> ShapeStyle {
    ShapeStyle { color: rgb(line.colour.on_white()), filled: false, stroke_width: 5 * SUBPIXELS as u32 / 2 }
}

/// Style of a stroke that is `width` pixels wide.
pub(super) fn stroke(colour: Rgb, width: i32) -> ShapeStyle {
    ShapeStyle { color: rgb(colour), filled: false, stroke_width: (width * SUBPIXELS) as u32 }
}

fn rgb([red, green, blue]: Rgb) -> RGBAColor {
    RGBColor(red, green, blue).to_rgba()
}

/// Style of a text in this font and colour.
pub(super) fn text_style(font: Font, colour: Rgb) -> Result<TextStyle<'static>> {
    let size = font.size * f64::from(SUBPIXELS) * SIZE_PER_EM;
    Ok(font.description_at(size)?.color(&rgb(colour)))
}

/// Turns an error of plotters into an error of smallnet.
pub(super) fn cannot_draw(error: impl std::fmt::Display) -> Error {
    Error::new(format!("cannot draw a chart: {error}"))
}
