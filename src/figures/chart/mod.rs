//! Owns line charts, such as the loss over the epochs, drawn by plotters. Knows points and names only.
//!
//! | to change … | go to |
//! |---|---|
//! | scales, ticks and their labels | `axis` |
//! | the names above the plot | `legend` |
//! | lines, marks, error bars | `line` |
//! | axes, grid, markers | `plot` |
//! | where labels beside marks go | `labels` |
//! | strokes, and the size of marks | `style` |

mod axis;
mod labels;
mod legend;
mod line;
mod plot;
mod style;
#[cfg(test)]
mod tests;

use plotters::prelude::*;

pub use self::axis::Scale;
use self::style::{FINE, MARGIN, cannot_draw, text_style};
use super::colour::INK;
use super::picture::check_size;
use super::text::{FAMILY, TITLE};
use crate::error::Result;

/// Smaller charts have no room for their own labels.
const MIN_SIZE: (usize, usize) = (320, 240);

/// How the points of a series are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Line {
    /// By a solid line.
    #[default]
    Solid,
    /// By a dashed line.
    Dashed,
    /// Not at all: each point has a mark, however many there are.
    None,
}

/// A line of a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Its name in the legend; one without is not in it.
    pub name: String,
    /// x and y, in the order of the line; points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// For each point the lower and upper end of its error bar, as y values. Empty for none; a bar whose ends are not
    /// both finite is left out.
    pub spread: Vec<(f64, f64)>,
    /// For each point a short text beside its mark. Empty for none; one without room is left out.
    pub labels: Vec<String>,
    /// How the points are joined.
    pub line: Line,
    /// Which of the six series colours; from 6 on they start again, with hollow marks.
    pub colour: usize,
}

/// A second y axis, at the right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RightAxis<'a> {
    /// Its name and unit.
    pub name: &'a str,
    /// The least and the largest value that it can have: the axis ends there.
    pub bounds: (f64, f64),
    /// The lines that it measures; in the legend they follow those of the left axis.
    pub series: &'a [Series],
}

/// A line chart with one or more series over a common x axis.
///
/// It has a transparent background and these colours, which a page's style can override with attribute selectors,
/// for instance `.chart [fill="#333333"]`: text `fill` `#333333` (title, legend, axis names) and `#666666` (tick labels
/// and labels in the plot), axes and markers `stroke` `#777777`, grid lines `stroke` `#DDDDDD`. The series' colours can
/// be read on white and on `#16181d`; with two y axes, each has its name and tick labels in its first series' colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart<'a> {
    /// What is shown, in bold; may be empty.
    pub title: &'a str,
    /// The x axis' name and unit.
    pub x_name: &'a str,
    /// The y axis' name and unit.
    pub y_name: &'a str,
    /// How x values are laid out.
    pub x_scale: Scale,
    /// The least and the largest value that y can have: the axis ends there.
    pub y_bounds: (f64, f64),
    /// The lines; the legend names them in this order.
    pub series: &'a [Series],
    /// A second y axis.
    pub right: Option<RightAxis<'a>>,
    /// x values marked with a dashed vertical line, each with a short label; those outside the data are left out.
    pub marks: &'a [(f64, &'a str)],
}

impl Default for Chart<'_> {
    /// Without names, lines and bounds, over a linear x axis.
    fn default() -> Self {
        Self {
            title: "",
            x_name: "",
            y_name: "",
            x_scale: Scale::Linear,
            y_bounds: (f64::MIN, f64::MAX),
            series: &[],
            right: None,
            marks: &[],
        }
    }
}

impl Chart<'_> {
    /// The chart as an `<svg class="chart">` element to stand in an HTML page, `width` pixels wide and as high as title,
    /// legend and a plot of `height` need; sizes below 320 × 240 are raised to that.
    ///
    /// # Errors
    /// A size that nobody could look at.
    pub fn to_svg(&self, width: usize, height: usize) -> Result<String> {
        let (width, height) = (width.max(MIN_SIZE.0), height.max(MIN_SIZE.1));
        check_size(width, height)?;
        let (names, top) = self.legend(width as i32)?;
        // A legend of many rows makes the chart higher rather than its plot lower.
        let height = height + (top - MARGIN) as usize;
        let fine = |side: usize| side as u32 * FINE as u32;
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (fine(width), fine(height))).into_drawing_area();
        if !self.title.is_empty() {
            let title = TITLE.fit(self.title, (width as i32 - 2 * MARGIN).into())?;
            let at = (MARGIN * FINE, MARGIN * FINE);
            area.draw_text(&title, &text_style(TITLE, INK)?, at).map_err(cannot_draw)?;
        }
        for name in &names {
            name.draw(&area)?;
        }
        self.plot(&area.split_vertically(top * FINE).1)?;
        area.present().map_err(cannot_draw)?;
        drop(area);
        let label = if self.title.is_empty() { self.y_name } else { self.title };
        Ok(embeddable(&svg, label, width, (fine(width), fine(height))))
    }

    /// In the order of the legend.
    fn all_series(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().chain(self.right.iter().flat_map(|right| right.series))
    }
}

/// plotters' SVG as an element of a page: it fills the width of what it stands in, up to its own, and says what it is.
fn embeddable(svg: &str, label: &str, width: usize, (right, bottom): (u32, u32)) -> String {
    let shapes =
        svg.split_once('>').map_or("", |(_, shapes)| shapes).replace(FAMILY, "system-ui, sans-serif");
    let label = label.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {right} {bottom}\" width=\"{width}\" \
         style=\"max-width:100%;height:auto\" role=\"img\" aria-label=\"{label}\">{shapes}"
    )
}
