//! Owns one line of a chart: which of its points can be shown, and its marks, error bars and strokes.

use plotters::coord::cartesian::Cartesian2d;
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;

use super::axis::{Axis, Scale, can_be_shown};
use super::style::{DASH, FINE, MARK, cannot_draw, line_style, mark_style};
use super::{Line, Series};
use crate::error::Result;

/// Up to so many points of a line get a mark each.
const MAX_MARKED: usize = 30;

/// The inside of the plot, with a pair of axes.
pub(super) type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

/// A line with those of its points that can be shown; there is at least one.
pub(super) struct PlacedLine<'a> {
    series: &'a Series,
    pub(super) points: Vec<Point<'a>>,
}

pub(super) struct Point<'a> {
    /// Where it is on both axes.
    pub(super) at: (f64, f64),
    /// The ends of its error bar.
    pub(super) spread: Option<(f64, f64)>,
    /// May be empty.
    pub(super) label: &'a str,
}

impl<'a> PlacedLine<'a> {
    /// The lines that can be shown over an x axis.
    pub(super) fn all(lines: &'a [Series], scale: Scale) -> Vec<Self> {
        let placed = |series: &'a Series| {
            let points = (0..series.points.len()).filter_map(|index| Point::new(series, index, scale));
            Self { series, points: points.collect() }
        };
        lines.iter().map(placed).filter(|line| !line.points.is_empty()).collect()
    }

    /// All that the y axis has to cover.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.points.iter().flat_map(|point| {
            let [(_, low), (_, high)] = point.bar();
            [low, point.at.1, high]
        })
    }

    pub(super) fn draw(&self, plane: &Plane<'_>) -> Result<()> {
        let are_marked = self.series.line == Line::None || self.points.len() <= MAX_MARKED;
        let (mark, style) = (mark_style(self.series), line_style(self.series));
        for Point { at: (x, y), spread, .. } in &self.points {
            // plotters' error bars come with a mark as wide as they are.
            if let Some((low, high)) = *spread {
                let (style, width) = (mark.stroke_width(3 * FINE as u32 / 2), 2 * MARK * FINE);
                draw(plane, &ErrorBar::new_vertical(*x, low, *y, high, style, width as u32))?;
            } else if are_marked {
                draw(plane, &Circle::new((*x, *y), MARK * FINE, mark))?;
            }
        }
        let points: Vec<_> = self.points.iter().map(|point| point.at).collect();
        match self.series.line {
            Line::Solid => draw(plane, &PathElement::new(points, style)),
            Line::Dashed => draw_dashed(plane, points, DASH, style),
            Line::None => Ok(()),
        }
    }

    /// What is drawn between points: their bars (of no length where there is none), and the line from each to the next.
    pub(super) fn strokes(&self) -> impl Iterator<Item = [(f64, f64); 2]> + '_ {
        let joined = self.series.line != Line::None;
        let steps = self.points.windows(2).filter(move |_| joined).map(|pair| [pair[0].at, pair[1].at]);
        self.points.iter().map(Point::bar).chain(steps)
    }
}

impl<'a> Point<'a> {
    fn new(series: &'a Series, index: usize, scale: Scale) -> Option<Self> {
        let (x, y) = *series.points.get(index)?;
        let spread = series.spread.get(index).copied();
        Some(Self {
            at: (scale.place(x)?, can_be_shown(y).then_some(y)?),
            spread: spread.filter(|(low, high)| can_be_shown(*low) && can_be_shown(*high)),
            label: series.labels.get(index).map_or("", |label| label.trim()),
        })
    }

    /// The ends of its error bar: where it is itself, without one.
    fn bar(&self) -> [(f64, f64); 2] {
        let (x, y) = self.at;
        let (low, high) = self.spread.unwrap_or((y, y));
        [(x, low), (x, high)]
    }
}

/// A dashed line with a dash and a gap of so many pixels.
pub(super) fn draw_dashed(
    plane: &Plane<'_>,
    points: Vec<(f64, f64)>,
    (dash, gap): (i32, i32),
    style: ShapeStyle,
) -> Result<()> {
    for line in DashedLineSeries::new(points, dash * FINE, gap * FINE, style) {
        draw(plane, &line)?;
    }
    Ok(())
}

fn draw<'a, 'b, E>(plane: &Plane<'a>, element: &'b E) -> Result<()>
where
    &'b E: PointCollection<'b, (f64, f64)>,
    E: Drawable<SVGBackend<'a>>,
{
    plane.draw(element).map_err(cannot_draw)
}
