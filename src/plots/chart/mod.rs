//! Owns line charts, such as the loss per epoch. The library plotters draws them. Depends on
//! `colour`, `picture` and `text` of `plots`. Must not know the meaning of points and names.
//!
//! | to change … | go to |
//! |---|---|
//! | scales, ticks and their labels | `axis` |
//! | the names above the plot | `legend` |
//! | lines, error bars, which points have marks | `line` |
//! | the shapes of marks | `mark` |
//! | axes and grid | `plot` |
//! | labels of marked places on the x axis | `flags` |
//! | positions of labels beside marks | `labels` |
//! | strokes, and the size of marks | `style` |

mod axis;
mod flags;
mod labels;
mod legend;
mod line;
mod mark;
mod plot;
mod style;
#[cfg(test)]
mod tests;

use plotters::prelude::*;

use crate::error::Result;
pub(crate) use crate::plots::chart::axis::Scale;
use crate::plots::chart::style::{MARGIN, SUBPIXELS, cannot_draw, text_style};
use crate::plots::colour::{Colour, TEXT};
use crate::plots::picture::check_size;
use crate::plots::text::{FAMILY, STRONG};

/// Smallest width and height in pixels. Smaller charts have no room for the labels of their axes.
const MIN_SIZE: (usize, usize) = (320, 240);
/// Fraction of its height by which a plot gets higher if labels have no room.
const HEIGHT_STEP: f64 = 0.25;
/// Largest number of times that a plot gets higher.
const MAX_HEIGHT_STEPS: usize = 6;
/// Largest number of labels for which a plot gets higher. Nobody could read more, so some of them
/// may be left out.
const MANY_LABELS: usize = 60;

/// Way in which the points of a series are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Line {
    /// A solid line.
    #[default]
    Solid,
    /// A dashed line.
    Dashed,
    /// No line. Every point has a mark.
    None,
}

/// One series of points in a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Series {
    /// Name in the legend. A series without a name is not in the legend.
    pub name: String,
    /// x and y of each point, in the order of the line. Points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// Lower and upper end of each point's error bar, as y values. Empty for none. A bar whose ends
    /// are not both finite is left out.
    pub spread: Vec<(f64, f64)>,
    /// Short text of each point, beside its mark or with a line to it. Empty for none. If the chart
    /// has up to 60 labels and some have no room, the plot gets higher.
    pub labels: Vec<String>,
    /// Way in which the points are joined.
    pub line: Line,
    /// Colour of the line and the marks, which also decides the shape of the marks. Each of the
    /// first nine has its own shape.
    pub colour: Colour,
}

/// A line chart with one or more series over a common x axis.
///
/// It has a transparent background and these colours, which a page's style can override with
/// attribute selectors, for instance `.chart [fill="#333333"]`: text `fill` `#333333` (title,
/// legend, axis names) and `#666666` (tick labels and labels in the plot), axes and markers
/// `stroke` `#777777`, grid lines `stroke` `#DDDDDD`. The series' colours are for white;
/// [`dark_style`](crate::plots::dark_style) has those for a dark page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart<'a> {
    /// Title, in bold. May be empty.
    pub title: &'a str,
    /// Name and unit of the x axis.
    pub x_name: &'a str,
    /// Name and unit of the y axis.
    pub y_name: &'a str,
    /// Scale of the x axis.
    pub x_scale: Scale,
    /// Smallest and largest possible y value. The axis ends there at the latest, unless there are
    /// values beyond.
    pub y_bounds: (f64, f64),
    /// The series. The legend names them in this order, with those that have no points.
    pub series: &'a [Series],
    /// x values marked with a dashed vertical line, each with a short label. Values outside the
    /// axis are left out.
    pub marks: &'a [(f64, &'a str)],
}

impl Default for Chart<'_> {
    /// A chart without names, series or bounds, over a linear x axis.
    fn default() -> Self {
        Self {
            title: "",
            x_name: "",
            y_name: "",
            x_scale: Scale::Linear,
            y_bounds: (f64::MIN, f64::MAX),
            series: &[],
            marks: &[],
        }
    }
}

impl Chart<'_> {
    /// Draws the chart as an `<svg class="chart">` element for an HTML page. It is `width` pixels
    /// wide, and as high as title, legend and a plot of `height` pixels need. It is higher where
    /// labels need it. Sizes below 320 × 240 are raised to that.
    ///
    /// # Errors
    /// A size above the limits of pictures (`check_size`).
    pub(crate) fn to_svg(&self, width: usize, height: usize) -> Result<String> {
        let (width, height) = (width.max(MIN_SIZE.0), height.max(MIN_SIZE.1));
        check_size(width, height)?;
        let mut tries =
            (0..=MAX_HEIGHT_STEPS).map(|more| height + (height as f64 * HEIGHT_STEP) as usize * more);
        let mut drawn = self.draw_svg(width, tries.next().unwrap_or(height))?;
        let num_labels = self.series.iter().map(|series| series.labels.len()).sum::<usize>();
        for higher in tries {
            if drawn.1 == 0 || num_labels > MANY_LABELS {
                break;
            }
            drawn = self.draw_svg(width, higher)?;
        }
        Ok(drawn.0)
    }

    /// Draws the chart with a plot of this height. Also returns the number of labels without room.
    fn draw_svg(&self, width: usize, height: usize) -> Result<(String, usize)> {
        let (names, top) = self.legend(width as i32)?;
        // A legend of many rows makes the chart higher, and leaves the height of the plot as it is.
        // So do flags.
        let height = height + (top - MARGIN) as usize + self.marks.len() * flags::row_height() as usize;
        let fine = |side: usize| side as u32 * SUBPIXELS as u32;
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (fine(width), fine(height))).into_drawing_area();
        if !self.title.is_empty() {
            let title = STRONG.fit(self.title, (width as i32 - 2 * MARGIN).into())?;
            let at = (MARGIN * SUBPIXELS, MARGIN * SUBPIXELS);
            area.draw_text(&title, &text_style(STRONG, TEXT)?, at).map_err(cannot_draw)?;
        }
        for name in &names {
            name.draw(&area)?;
        }
        let num_without_room = self.plot(&area.split_vertically(top * SUBPIXELS).1)?;
        area.present().map_err(cannot_draw)?;
        drop(area);
        let label = if self.title.is_empty() { self.y_name } else { self.title };
        Ok((embed(&svg, label, width, (fine(width), fine(height))), num_without_room))
    }
}

/// Turns plotters' SVG, `right` × `bottom` subpixels large, into an element of a page. The element
/// is at most `width` pixels wide, shrinks with its parent, and has `label` for screen readers.
fn embed(svg: &str, label: &str, width: usize, (right, bottom): (u32, u32)) -> String {
    let shapes =
        svg.split_once('>').map_or("", |(_, shapes)| shapes).replace(FAMILY, "system-ui, sans-serif");
    let label = label.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {right} {bottom}\" width=\"{width}\" \
         style=\"max-width:100%;height:auto\" role=\"img\" aria-label=\"{label}\">{shapes}"
    )
}
