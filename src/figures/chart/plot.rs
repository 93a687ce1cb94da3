//! Owns what is below the legend: axes and grid, with the markers, lines and labels between them.

use std::ops::Range;

use plotters::chart::DualCoordChartContext;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::labels::{LABEL, Space};
use super::line::{PlacedLine, Plane, draw_dashed};
use super::style::{Area, FINE, MARGIN, MARKER_DASH, cannot_draw, stroke, text_style};
use super::{Chart, RightAxis};
use crate::error::Result;
use crate::figures::colour::{AXIS, GRID, INK, QUIET, Rgb, series};
use crate::figures::text::BODY;

/// Beside the labels of the axes, above the plot, and for the labels of an axis, in pixels.
const NARROW: i32 = 4;
const ABOVE: i32 = 6;
const X_LABELS: i32 = 52;
const Y_LABELS: i32 = 72;

/// plotters' chart with its axes at the left and at the right.
type Frame<'a, 'b> =
    DualCoordChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>, Cartesian2d<Axis, Axis>>;

impl Chart<'_> {
    pub(super) fn plot(&self, area: &Area<'_>) -> Result<()> {
        let left = PlacedLine::all(self.series, self.x_scale);
        let right = self.right.map_or(Vec::new(), |right| PlacedLine::all(right.series, self.x_scale));
        let mut frame = self.frame(area, &left, &right)?;
        self.draw_left_axes(&mut frame)?;
        if let Some(right) = &self.right {
            self.draw_right_axis(&mut frame, right)?;
        }
        let plane = frame.plotting_area();
        let markers = self.markers(plane);
        let Range { start, end } = plane.get_y_range();
        for (place, _) in &markers {
            draw_dashed(plane, vec![(*place, start), (*place, end)], MARKER_DASH, stroke(AXIS, 1))?;
        }
        let right_plane = frame.secondary_plotting_area();
        let left = left.iter().map(|line| (line, plane));
        let lines: Vec<_> = left.chain(right.iter().map(|line| (line, right_plane))).collect();
        for (line, plane) in &lines {
            line.draw(plane)?;
        }
        write_labels(plane, &lines, &markers)
    }

    /// The room that the axes leave, and what they cover.
    fn frame<'a, 'b>(
        &self,
        area: &'a Area<'b>,
        left: &[PlacedLine<'_>],
        right: &[PlacedLine<'_>],
    ) -> Result<Frame<'a, 'b>> {
        let (margin, labels) = if self.right.is_some() { (NARROW, Y_LABELS) } else { (MARGIN, 0) };
        let width = area.dim_in_pixel().0 as i32 / FINE - NARROW - Y_LABELS - labels - margin;
        let points = || left.iter().chain(right).flat_map(|line| &line.points);
        let have_bars = points().any(|point| point.spread.is_some());
        let places = points().map(|point| point.at.0);
        let x = Axis::horizontal(self.x_scale, places, width.into(), have_bars)?;
        let are_labelled = points().any(|point| !point.label.is_empty());
        let y_axis = |lines: &[PlacedLine<'_>], bounds| {
            Axis::vertical(lines.iter().flat_map(PlacedLine::values), bounds, are_labelled)
        };
        let right_y = y_axis(right, self.right.map_or(self.y_bounds, |right| right.bounds));
        let chart = ChartBuilder::on(area)
            .margin_left(NARROW * FINE)
            .margin_right(margin * FINE)
            .margin_top(ABOVE * FINE)
            .margin_bottom(NARROW * FINE)
            .x_label_area_size(X_LABELS * FINE)
            .y_label_area_size(Y_LABELS * FINE)
            .right_y_label_area_size(labels * FINE)
            .build_cartesian_2d(x.clone(), y_axis(left, self.y_bounds))
            .map_err(cannot_draw)?;
        Ok(chart.set_secondary_coord(x, right_y))
    }

    fn draw_left_axes(&self, frame: &mut Frame<'_, '_>) -> Result<()> {
        let colour = self.axis_colour(self.series);
        // The name of the y axis on its own: plotters writes the names of both axes in the same colour.
        frame
            .configure_mesh()
            .disable_mesh()
            .disable_axes()
            .axis_desc_style(text_style(BODY, colour.unwrap_or(INK))?)
            .y_desc(self.y_name)
            .draw()
            .map_err(cannot_draw)?;
        frame
            .configure_mesh()
            .bold_line_style(stroke(GRID, 1))
            .axis_style(stroke(AXIS, 1))
            .set_all_tick_mark_size(4 * FINE)
            .x_label_style(text_style(BODY, QUIET)?)
            .y_label_style(text_style(BODY, colour.unwrap_or(QUIET))?)
            .axis_desc_style(text_style(BODY, INK)?)
            .x_desc(self.x_name)
            .draw()
            .map_err(cannot_draw)
    }

    fn draw_right_axis(&self, frame: &mut Frame<'_, '_>, right: &RightAxis<'_>) -> Result<()> {
        let colour = self.axis_colour(right.series);
        frame
            .configure_secondary_axes()
            .axis_style(stroke(AXIS, 1))
            .set_all_tick_mark_size(4 * FINE)
            .label_style(text_style(BODY, colour.unwrap_or(QUIET))?)
            .axis_desc_style(text_style(BODY, colour.unwrap_or(INK))?)
            .y_desc(right.name)
            .draw()
            .map_err(cannot_draw)
    }

    /// The colour of the y axis of `lines`, where there are two axes: that of its first line.
    fn axis_colour(&self, lines: &[super::Series]) -> Option<Rgb> {
        let first = lines.first().filter(|_| self.right.is_some());
        first.map(|line| series(line.colour))
    }

    /// The marked places on the x axis, with their labels.
    fn markers(&self, plane: &Plane<'_>) -> Vec<(f64, &str)> {
        let Range { start, end } = plane.get_x_range();
        let placed = self.marks.iter().filter_map(|&(x, label)| Some((self.x_scale.place(x)?, label.trim())));
        placed.filter(|(place, _)| (start..=end).contains(place)).collect()
    }
}

/// The labels of markers and points. Last, since each needs to know where all lines are.
fn write_labels(
    plane: &Plane<'_>,
    lines: &[(&PlacedLine<'_>, &Plane<'_>)],
    markers: &[(f64, &str)],
) -> Result<()> {
    let (width, height) = plane.dim_in_pixel();
    let mut space = Space::new((width as i32, height as i32));
    for (x, _) in markers.iter().map(|marker| place(plane, (marker.0, 0.0))) {
        space.add_line((x, 0), (x, height as i32));
    }
    for (line, plane) in lines {
        for [from, to] in line.strokes() {
            space.add_line(place(plane, from), place(plane, to));
        }
    }
    let inside = plane.strip_coord_spec();
    let style = text_style(LABEL, QUIET)?.pos(Pos::new(HPos::Left, VPos::Center));
    let mut write = |label: &str, choose: &mut dyn FnMut(&mut Space, &str) -> _| -> Result<()> {
        let text = LABEL.fit(label, f64::from(width) / f64::from(2 * FINE))?;
        match choose(&mut space, &text)? {
            Some(at) => inside.draw_text(&text, &style, at).map_err(cannot_draw),
            None => Ok(()),
        }
    };
    for (at, label) in markers.iter().filter(|marker| !marker.1.is_empty()) {
        let (x, _) = place(plane, (*at, 0.0));
        write(label, &mut |space, text| space.on_top(x, text))?;
    }
    for (line, plane) in lines {
        for point in line.points.iter().filter(|point| !point.label.is_empty()) {
            let mark = place(plane, point.at);
            write(point.label, &mut |space, text| space.beside(mark, text))?;
        }
    }
    Ok(())
}

/// Where a point is, from the upper left corner of the plot.
fn place(plane: &Plane<'_>, point: (f64, f64)) -> (i32, i32) {
    let ((x, y), (left, top)) = (plane.map_coordinate(&point), plane.get_base_pixel());
    (x - left, y - top)
}
