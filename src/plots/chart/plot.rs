//! Owns the drawing of everything below the legend: axes and grid, flags, lines, marks and labels.
//! Depends on `axis`, `flags`, `labels` and `line`.

use plotters::chart::ChartContext;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::Result;
use crate::plots::chart::Chart;
use crate::plots::chart::axis::Axis;
use crate::plots::chart::flags::Flags;
use crate::plots::chart::labels::{LABEL, Label, LabelSpace, Position};
use crate::plots::chart::line::{PlacedLine, PlotArea};
use crate::plots::chart::style::{Area, MARGIN, SUBPIXELS, cannot_draw, stroke, text_style};
use crate::plots::colour::{AXIS, GRID, MUTED, TEXT};
use crate::plots::text::BODY;

/// Space between the labels of the axes and the border of the chart, in pixels.
const NARROW_MARGIN: i32 = 4;
/// Space above the plot and its flags, in pixels.
const TOP_MARGIN: i32 = 6;
/// Height of the tick labels and the name of the x axis, in pixels.
const X_LABELS_HEIGHT: i32 = 52;
/// Width of the tick labels and the name of the y axis, in pixels.
const Y_LABELS_WIDTH: i32 = 72;

/// Chart of plotters, with its axes.
type Frame<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

impl Chart<'_> {
    /// Draws everything below the legend. Returns the number of labels without room.
    pub(super) fn plot(&self, area: &Area<'_>) -> Result<usize> {
        let lines = PlacedLine::all(self.series, self.x_scale);
        let (mut frame, flags) = self.frame(area, &lines)?;
        self.draw_axes(&mut frame)?;
        let plot_area = frame.plotting_area();
        // Marks are drawn on the whole area. plotters would cut them at the border of the plot.
        let base = area.get_base_pixel();
        let at = |point: (f64, f64)| {
            let (x, y) = plot_area.map_coordinate(&point);
            (x - base.0, y - base.1)
        };
        let y = plot_area.get_y_range();
        flags.draw(area, (at((0.0, y.end)).1, at((0.0, y.start)).1), |x| at((x, 0.0)).0)?;
        for line in &lines {
            line.draw_strokes(plot_area)?;
        }
        for (index, line) in lines.iter().enumerate() {
            line.draw_marks(area, at, (index, lines.len()))?;
        }
        draw_labels(plot_area, &lines, &flags)
    }

    /// Creates the axes, the space that they leave for the plot, and the flags above the plot.
    fn frame<'a, 'b>(&self, area: &'a Area<'b>, lines: &[PlacedLine<'_>]) -> Result<(Frame<'a, 'b>, Flags)> {
        let width =
            f64::from(area.dim_in_pixel().0 as i32 / SUBPIXELS - NARROW_MARGIN - Y_LABELS_WIDTH - MARGIN);
        let points = || lines.iter().flat_map(|line| &line.points);
        let has_error_bars = points().any(|point| point.spread.is_some());
        let x = Axis::horizontal(self.x_scale, points().map(|point| point.at.0), width, has_error_bars)?;
        let has_labels = points().any(|point| !point.label.is_empty());
        let y = Axis::vertical(lines.iter().flat_map(PlacedLine::values), self.y_bounds, has_labels);
        let flags = Flags::new(self.marks, self.x_scale, &x, width)?;
        let frame = ChartBuilder::on(area)
            .margin_left(NARROW_MARGIN * SUBPIXELS)
            .margin_right(MARGIN * SUBPIXELS)
            .margin_top((TOP_MARGIN + flags.height()) * SUBPIXELS)
            .margin_bottom(NARROW_MARGIN * SUBPIXELS)
            .x_label_area_size(X_LABELS_HEIGHT * SUBPIXELS)
            .y_label_area_size(Y_LABELS_WIDTH * SUBPIXELS)
            .build_cartesian_2d(x, y)
            .map_err(cannot_draw)?;
        Ok((frame, flags))
    }

    /// Draws the axes with their names, ticks and grid lines.
    fn draw_axes(&self, frame: &mut Frame<'_, '_>) -> Result<()> {
        frame
            .configure_mesh()
            .bold_line_style(stroke(GRID, 1))
            .axis_style(stroke(AXIS, 1))
            .set_all_tick_mark_size(4 * SUBPIXELS)
            .label_style(text_style(BODY, MUTED)?)
            .axis_desc_style(text_style(BODY, TEXT)?)
            .x_desc(self.x_name)
            .y_desc(self.y_name)
            .draw()
            .map_err(cannot_draw)
    }
}

/// Draws the labels of points. They come last, since their positions depend on all lines and marks.
/// Returns the number of labels without room.
fn draw_labels(plot_area: &PlotArea<'_>, lines: &[PlacedLine<'_>], flags: &Flags) -> Result<usize> {
    let (width, height) = plot_area.dim_in_pixel();
    let mut space = LabelSpace::new((width as i32, height as i32));
    for x in flags.places().map(|x| to_plot(plot_area, (x, 0.0)).0) {
        space.add_line((x, 0), (x, height as i32));
    }
    for line in lines {
        for [from, to] in line.strokes() {
            space.add_line(to_plot(plot_area, from), to_plot(plot_area, to));
        }
        for point in line.points.iter().filter(|point| !point.label.is_empty()) {
            space.add_mark(to_plot(plot_area, point.at));
        }
    }
    let inside = plot_area.strip_coord_spec();
    let style = text_style(LABEL, MUTED)?.pos(Pos::new(HPos::Left, VPos::Center));
    let mut num_without_room = 0;
    for point in lines.iter().flat_map(|line| &line.points).filter(|point| !point.label.is_empty()) {
        let mark = to_plot(plot_area, point.at);
        let text = LABEL.fit(point.label, f64::from(width) / f64::from(2 * SUBPIXELS))?;
        let Some(Label { at, line_to }) = space.label(mark, &text)? else {
            num_without_room += 1;
            continue;
        };
        if let Some(end) = line_to {
            inside.draw(&PathElement::new(vec![mark, end], stroke(AXIS, 1))).map_err(cannot_draw)?;
        }
        inside.draw_text(&text, &style, at).map_err(cannot_draw)?;
    }
    Ok(num_without_room)
}

/// Position of a point, in subpixels from the upper left corner of the plot.
fn to_plot(plot_area: &PlotArea<'_>, point: (f64, f64)) -> Position {
    let ((x, y), (left, top)) = (plot_area.map_coordinate(&point), plot_area.get_base_pixel());
    (x - left, y - top)
}
