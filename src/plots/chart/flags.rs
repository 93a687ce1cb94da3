//! Owns the flags of a chart. A flag is a vertical line at a marked position on the x axis, with a
//! label above the plot. The label stands at the upper end of its line, and no line crosses the
//! label of another flag. Depends on `axis`. Must not know the series.

use crate::error::Result;
use crate::plots::chart::axis::{Axis, Scale};
use crate::plots::chart::labels::LABEL;
use crate::plots::chart::style::{Area, MARKER_DASH, SUBPIXELS, cannot_draw, stroke, text_style};
use crate::plots::colour::{AXIS, MUTED};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Space between a line and its label, in pixels.
const GAP: f64 = 4.0;

/// A marked position on the x axis, with its label.
struct Flag {
    /// Position on the axis.
    place: f64,
    /// Approximate distance from the left end of the plot, in pixels.
    x: f64,
    /// Text of the label, shortened to half the plot's width. May be empty.
    text: String,
    /// Width of the label with the gap to its line, in pixels.
    width: f64,
    /// Row of the label, counted upwards from the plot, from 0.
    row: usize,
    /// True if the label is at the left of its line, false if it is at the right.
    is_left: bool,
}

/// All flags of a chart.
pub(super) struct Flags {
    flags: Vec<Flag>,
}

impl Flags {
    /// Creates the flags of those `marks` (x value and label) that are on the axis. The plot is
    /// `width` pixels wide.
    pub(super) fn new(marks: &[(f64, &str)], scale: Scale, axis: &Axis, width: f64) -> Result<Self> {
        let mut flags = Vec::new();
        for &(x, label) in marks {
            let place = scale.place(x).and_then(|place| Some((place, axis.share(place)?)));
            if let Some((place, share)) = place {
                let text = LABEL.fit(label.trim(), width / 2.0 - GAP)?;
                let text_width = LABEL.measure(&text)?;
                let (x, width) = (share * width, text_width + GAP);
                flags.push(Flag { place, x, text, width, row: 0, is_left: false });
            }
        }
        flags.sort_by(|a, b| a.x.total_cmp(&b.x));
        choose_sides(&mut flags, width);
        choose_rows(&mut flags);
        Ok(Self { flags })
    }

    /// Space that the labels need above the plot, in pixels.
    pub(super) fn height(&self) -> i32 {
        let labelled = self.flags.iter().filter(|flag| !flag.text.is_empty());
        labelled.map(|flag| flag.row as i32 + 1).max().unwrap_or(0) * row_height()
    }

    /// Positions of the flags on the axis.
    pub(super) fn places(&self) -> impl Iterator<Item = f64> + '_ {
        self.flags.iter().map(|flag| flag.place)
    }

    /// Draws lines and labels in `area`, the part of the chart below its legend. The plot is
    /// between the heights `plot_top` and `bottom`, in subpixels. `across` returns the x coordinate
    /// of a position on the axis.
    pub(super) fn draw(
        &self,
        area: &Area<'_>,
        (plot_top, bottom): (i32, i32),
        across: impl Fn(f64) -> i32,
    ) -> Result<()> {
        for flag in &self.flags {
            let (x, top) = (across(flag.place), plot_top - flag.row as i32 * row_height() * SUBPIXELS);
            let half = row_height() * SUBPIXELS / 2;
            let end = if flag.text.is_empty() { plot_top } else { top - 2 * half };
            let (dash, gap) = MARKER_DASH;
            let line = vec![(x, bottom), (x, end)];
            for dash in DashedLineSeries::new(line, dash * SUBPIXELS, gap * SUBPIXELS, stroke(AXIS, 1)) {
                area.draw(&dash).map_err(cannot_draw)?;
            }
            let side = if flag.is_left { HPos::Right } else { HPos::Left };
            let style = text_style(LABEL, MUTED)?.pos(Pos::new(side, VPos::Center));
            let away = if flag.is_left { -to_subpixels(GAP) } else { to_subpixels(GAP) };
            area.draw_text(&flag.text, &style, (x + away, top - half)).map_err(cannot_draw)?;
        }
        Ok(())
    }
}

/// Height of a row of labels, in pixels.
pub(super) fn row_height() -> i32 {
    LABEL.line_height() as i32
}

/// Converts pixels to subpixels.
fn to_subpixels(pixels: f64) -> i32 {
    (pixels * f64::from(SUBPIXELS)).round() as i32
}

/// Chooses the side of each label. All labels are at the right of their lines if there is room,
/// otherwise all at the left. If neither is possible, a label without room at the right is at the
/// left. So is a label with room at the left that the line of such a label would cross at the
/// right.
fn choose_sides(flags: &mut [Flag], width: f64) {
    let fit_right = flags.iter().all(|flag| flag.x + flag.width <= width);
    let fit_left = flags.iter().all(|flag| flag.x >= flag.width);
    let mut first_left = f64::INFINITY;
    for flag in flags.iter_mut().rev() {
        let end = flag.x + flag.width;
        let is_crossed = flag.x >= flag.width && first_left <= end;
        flag.is_left = !fit_right && (fit_left || end > width || is_crossed);
        if flag.is_left {
            first_left = flag.x;
        }
    }
}

/// Chooses the row of each label: above all labels that it would overlap. A line ends at its own
/// label, so it crosses no label in a higher row.
fn choose_rows(flags: &mut [Flag]) {
    // Of the labels at the right, the first may be crossed by the most lines. Of those at the left,
    // it is the last. Labels that come later in this order get higher rows.
    let rights = (0..flags.len()).rev().filter(|&index| !flags[index].is_left);
    let lefts = (0..flags.len()).filter(|&index| flags[index].is_left);
    let order: Vec<usize> = rights.chain(lefts).collect();
    for (done, &index) in order.iter().enumerate() {
        let (start, end) = span(&flags[index]);
        let below = order[..done].iter().map(|&other| &flags[other]);
        let crossed = below.filter(|other| {
            let (from, to) = span(other);
            from < end + GAP && start < to + GAP
        });
        flags[index].row = crossed.map(|other| other.row + 1).max().unwrap_or(0);
    }
}

/// Left and right end of a label with its gap, in pixels from the left end of the plot. The line is
/// at one of these ends.
fn span(flag: &Flag) -> (f64, f64) {
    if flag.is_left { (flag.x - flag.width, flag.x) } else { (flag.x, flag.x + flag.width) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
