//! Owns one line of a chart: the points that can be shown, and its marks, error bars and strokes.
//! Depends on `axis`, `mark` and `style`. Must not know legend, flags or labels.

use plotters::coord::cartesian::Cartesian2d;
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;

use crate::error::Result;
use crate::plots::chart::axis::{Axis, Scale, can_be_shown};
use crate::plots::chart::mark::draw_mark;
use crate::plots::chart::style::{Area, DASH, MARK, SUBPIXELS, cannot_draw, line_style};
use crate::plots::chart::{Line, Series};

/// Largest number of points of a line of which all get a mark.
const MAX_MARKED: usize = 30;
/// Approximate number of marks of a line with more points, if marks distinguish lines.
const NUM_MARKS: usize = 10;

/// The inside of the plot, with its axes.
pub(super) type PlotArea<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

/// A line with the points that can be shown, at least one.
pub(super) struct PlacedLine<'a> {
    series: &'a Series,
    pub(super) points: Vec<Point<'a>>,
}

/// A point that can be shown.
pub(super) struct Point<'a> {
    /// Position on both axes.
    pub(super) at: (f64, f64),
    /// Lower and upper end of the error bar, as y values. `None` without an error bar.
    pub(super) spread: Option<(f64, f64)>,
    /// Text beside the mark. May be empty.
    pub(super) label: &'a str,
}

impl<'a> PlacedLine<'a> {
    /// Returns those of `lines` that have points to show on an x axis of this scale.
    pub(super) fn all(lines: &'a [Series], scale: Scale) -> Vec<Self> {
        let placed = |series: &'a Series| {
            let points = (0..series.points.len()).filter_map(|index| Point::new(series, index, scale));
            Self { series, points: points.collect() }
        };
        lines.iter().map(placed).filter(|line| !line.points.is_empty()).collect()
    }

    /// Values that the y axis has to cover: those of the points and of their error bars.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.points.iter().flat_map(|point| {
            let [(_, low), (_, high)] = point.bar();
            [low, point.at.1, high]
        })
    }

    /// True if the point at `index` has a mark. `place` is the index of its line among all
    /// `num_lines` lines.
    ///
    /// All points of a line with up to [`MAX_MARKED`] points have marks, and all points that are
    /// not joined. Of a longer line, about [`NUM_MARKS`] points have marks if there are more than
    /// two lines. Their indices differ from line to line, so that marks of lines with equal points
    /// are apart.
    pub(super) fn has_mark(&self, index: usize, place: usize, num_lines: usize) -> bool {
        if self.series.line == Line::None || self.points.len() <= MAX_MARKED {
            return true;
        }
        let every = self.points.len().div_ceil(NUM_MARKS);
        num_lines > 2 && index % every == (2 * place + 1) * every / (2 * num_lines)
    }

    /// Draws the error bars and the line.
    pub(super) fn draw_strokes(&self, plot_area: &PlotArea<'_>) -> Result<()> {
        let style = line_style(self.series);
        for Point { at: (x, _), spread, .. } in &self.points {
            if let Some((low, high)) = *spread {
                draw_bar(plot_area, *x, (low, high), style.stroke_width(3 * SUBPIXELS as u32 / 2))?;
            }
        }
        let points: Vec<_> = self.points.iter().map(|point| point.at).collect();
        match self.series.line {
            Line::Solid => draw(plot_area, &PathElement::new(points, style)),
            Line::Dashed => draw_dashed(plot_area, points, DASH, style),
            Line::None => Ok(()),
        }
    }

    /// Draws the marks. `centre` returns the position of a point in `area`, in subpixels.
    pub(super) fn draw_marks(
        &self,
        area: &Area<'_>,
        centre: impl Fn((f64, f64)) -> (i32, i32),
        (place, num_lines): (usize, usize),
    ) -> Result<()> {
        for (index, point) in self.points.iter().enumerate() {
            if self.has_mark(index, place, num_lines) {
                draw_mark(area, centre(point.at), self.series)?;
            }
        }
        Ok(())
    }

    /// Strokes of the line: the error bar of each point (of length 0 if there is none), and the
    /// segment from each point to the next.
    pub(super) fn strokes(&self) -> impl Iterator<Item = [(f64, f64); 2]> + '_ {
        let joined = self.series.line != Line::None;
        let steps = self.points.windows(2).filter(move |_| joined).map(|pair| [pair[0].at, pair[1].at]);
        self.points.iter().map(Point::bar).chain(steps)
    }
}

impl<'a> Point<'a> {
    /// Returns the point at `index` of a series. `None` if it cannot be shown.
    fn new(series: &'a Series, index: usize, scale: Scale) -> Option<Self> {
        let (x, y) = *series.points.get(index)?;
        let spread = series.spread.get(index).copied();
        Some(Self {
            at: (scale.place(x)?, can_be_shown(y).then_some(y)?),
            spread: spread.filter(|(low, high)| can_be_shown(*low) && can_be_shown(*high)),
            label: series.labels.get(index).map_or("", |label| label.trim()),
        })
    }

    /// Ends of the error bar. Both are the point itself if there is none.
    fn bar(&self) -> [(f64, f64); 2] {
        let (x, y) = self.at;
        let (low, high) = self.spread.unwrap_or((y, y));
        [(x, low), (x, high)]
    }
}

/// Draws an error bar with a cap at both ends.
fn draw_bar(plot_area: &PlotArea<'_>, x: f64, (low, high): (f64, f64), style: ShapeStyle) -> Result<()> {
    draw(plot_area, &PathElement::new(vec![(x, low), (x, high)], style))?;
    let half = MARK * SUBPIXELS;
    for end in [low, high] {
        let cap = EmptyElement::at((x, end)) + PathElement::new(vec![(-half, 0), (half, 0)], style);
        draw(plot_area, &cap)?;
    }
    Ok(())
}

/// Draws a dashed line. `dash` and `gap` are in pixels.
pub(super) fn draw_dashed(
    plot_area: &PlotArea<'_>,
    points: Vec<(f64, f64)>,
    (dash, gap): (i32, i32),
    style: ShapeStyle,
) -> Result<()> {
    for line in DashedLineSeries::new(points, dash * SUBPIXELS, gap * SUBPIXELS, style) {
        draw(plot_area, &line)?;
    }
    Ok(())
}

/// Draws an element of plotters, with plotters' error as smallnet's.
fn draw<'a, 'b, E>(plot_area: &PlotArea<'a>, element: &'b E) -> Result<()>
where
    &'b E: PointCollection<'b, (f64, f64)>,
    E: Drawable<SVGBackend<'a>>,
{
    plot_area.draw(element).map_err(cannot_draw)
}
