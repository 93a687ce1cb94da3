//! Owns a chart's legend: where the names of its lines go, and what stands before each.

use plotters::prelude::*;

use super::style::{Area, FINE, MARGIN, MARK, cannot_draw, line_style, mark_style, text_style};
use super::{Chart, Line, Series};
use crate::error::Result;
use crate::figures::colour::INK;
use crate::figures::text::BODY;

/// The length of the line before a name, and the gaps after it and after the name, in pixels.
const SWATCH: i32 = 30;
const AFTER_SWATCH: i32 = 8;
const BETWEEN: i32 = 24;
/// Of a longer legend the rest is left out: a chart is no list.
const MAX_ROWS: i32 = 6;

/// A name in its place, with the line before it.
pub(super) struct LegendName<'a> {
    line: &'a Series,
    text: String,
    x: i32,
    middle: i32,
}

impl Chart<'_> {
    /// Where the names of all series go, above the plot, where they hide no line, and where the plot may begin.
    pub(super) fn legend(&self, width: i32) -> Result<(Vec<LegendName<'_>>, i32)> {
        let top = if self.title.is_empty() { MARGIN } else { MARGIN + 36 };
        let row = BODY.line_height() as i32;
        let (mut x, mut y, mut names) = (MARGIN, top, Vec::new());
        for line in self.all_series().filter(|line| !line.name.trim().is_empty()) {
            let text = BODY.fit(&line.name, f64::from(width - 2 * MARGIN - SWATCH - AFTER_SWATCH))?;
            let needed = SWATCH + AFTER_SWATCH + BODY.measure(&text)?.ceil() as i32;
            if x > MARGIN && x + needed > width - MARGIN {
                (x, y) = (MARGIN, y + row);
            }
            if (y - top) / row >= MAX_ROWS {
                break;
            }
            names.push(LegendName { line, text, x, middle: y + row / 2 });
            x += needed + BETWEEN;
        }
        let bottom = if names.is_empty() { top } else { y + row + 8 };
        Ok((names, bottom))
    }
}

impl LegendName<'_> {
    pub(super) fn draw(&self, area: &Area<'_>) -> Result<()> {
        let (left, right) = (self.x, self.x + SWATCH);
        // A dashed line is two dashes long.
        let pieces = match self.line.line {
            Line::Solid => &[[left, right]][..],
            Line::Dashed => &[[left, left + 12], [right - 12, right]],
            Line::None => &[],
        };
        for [from, to] in pieces {
            let points = vec![(from * FINE, self.middle * FINE), (to * FINE, self.middle * FINE)];
            area.draw(&PathElement::new(points, line_style(self.line))).map_err(cannot_draw)?;
        }
        if self.line.line == Line::None {
            let centre = ((left + SWATCH / 2) * FINE, self.middle * FINE);
            area.draw(&Circle::new(centre, MARK * FINE, mark_style(self.line))).map_err(cannot_draw)?;
        }
        let at = ((right + AFTER_SWATCH) * FINE, (self.middle - 7) * FINE);
        area.draw_text(&self.text, &text_style(BODY, INK)?, at).map_err(cannot_draw)
    }
}
