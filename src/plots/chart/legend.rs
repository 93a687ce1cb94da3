//! Owns the legend of a chart, above the plot: the names of the series, each with its line and mark
//! before it. Depends on `mark` and `style`. Must not know axes.

use plotters::prelude::*;

use crate::error::Result;
use crate::plots::chart::mark::draw_mark;
use crate::plots::chart::style::{Area, MARGIN, SUBPIXELS, cannot_draw, line_style, text_style};
use crate::plots::chart::{Chart, Line, Series};
use crate::plots::colour::TEXT;
use crate::plots::text::BODY;

/// Length of the line before a name, in pixels.
const SWATCH: i32 = 40;
/// Space between that line and the name, in pixels.
const SWATCH_GAP: i32 = 8;
/// Space after a name, in pixels.
const NAME_GAP: i32 = 24;
/// Largest number of rows of a name. A name has several rows if it is wider than the chart.
const MAX_ROWS_OF_NAME: usize = 4;

/// A name with its position, and the series whose line stands before its first row.
pub(super) struct LegendName<'a> {
    line: &'a Series,
    rows: Vec<String>,
    /// Left end of the line before the name, in pixels.
    x: i32,
    /// Top of the first row, in pixels.
    top: i32,
}

impl Chart<'_> {
    /// Places the names of all series above the plot of a chart that is `width` pixels wide. There,
    /// they hide no line. Also returns the top of the plot, in pixels.
    pub(super) fn legend(&self, width: i32) -> Result<(Vec<LegendName<'_>>, i32)> {
        let first = if self.title.is_empty() { MARGIN } else { MARGIN + 28 };
        let row = row_height();
        let (mut x, mut top, mut bottom, mut names) = (MARGIN, first, first, Vec::new());
        let padding = f64::from(width - 2 * MARGIN - SWATCH - SWATCH_GAP);
        for line in self.series.iter().filter(|line| !line.name.trim().is_empty()) {
            let rows = BODY.wrap(&line.name, padding, MAX_ROWS_OF_NAME)?;
            let text = BODY.measure_widest(rows.iter().map(String::as_str))?;
            let needed = SWATCH + SWATCH_GAP + text.ceil() as i32;
            if x > MARGIN && x + needed > width - MARGIN {
                (x, top) = (MARGIN, bottom);
            }
            bottom = bottom.max(top + row * rows.len() as i32);
            names.push(LegendName { line, rows, x, top });
            x += needed + NAME_GAP;
        }
        let bottom = if names.is_empty() { first } else { bottom + 8 };
        Ok((names, bottom))
    }
}

/// Distance between the middles of two rows, in pixels.
fn row_height() -> i32 {
    BODY.line_height() as i32
}

impl LegendName<'_> {
    /// Draws the name, with the line and the mark of its series.
    pub(super) fn draw(&self, area: &Area<'_>) -> Result<()> {
        let (left, right, middle) = (self.x, self.x + SWATCH, self.top + row_height() / 2);
        // A dashed line consists of two dashes.
        let pieces = match self.line.line {
            Line::Solid => &[[left, right]][..],
            Line::Dashed => &[[left, left + 13], [right - 13, right]],
            Line::None => &[],
        };
        for [from, to] in pieces {
            let points = vec![(from * SUBPIXELS, middle * SUBPIXELS), (to * SUBPIXELS, middle * SUBPIXELS)];
            area.draw(&PathElement::new(points, line_style(self.line))).map_err(cannot_draw)?;
        }
        draw_mark(area, ((left + SWATCH / 2) * SUBPIXELS, middle * SUBPIXELS), self.line)?;
        let style = text_style(BODY, TEXT)?;
        for (index, row) in self.rows.iter().enumerate() {
            let y = middle + index as i32 * row_height() - 7;
            area.draw_text(row, &style, ((right + SWATCH_GAP) * SUBPIXELS, y * SUBPIXELS))
                .map_err(cannot_draw)?;
        }
        Ok(())
    }
}
