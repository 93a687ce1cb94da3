//! Owns the drawing of curves on the terminal.

use crate::cli::terminal;
use console::measure_text_width;
use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Style};
use ratatui_core::symbols::Marker;
use ratatui_core::widgets::Widget;
use ratatui_widgets::chart::{Axis, Chart, Dataset, GraphType};

/// Maximum width and height of a chart, in characters.
const SIZE: (u16, u16) = (76, 16);
/// The xterm colours nearest to those of Okabe and Ito, which colour-blind readers can distinguish.
const COLORS: [u8; 6] = [32, 214, 36, 166, 175, 74];
/// Markers of lines without colours, or after the last colour, each with its sign in the legend. No
/// marker is a part of another.
const MARKERS: [(Marker, char); 10] = [
    (Marker::Braille, '⠒'),
    (Marker::Dot, '•'),
    (Marker::Custom('x'), 'x'),
    (Marker::Custom('+'), '+'),
    (Marker::Custom('o'), 'o'),
    (Marker::Custom('#'), '#'),
    (Marker::Custom('*'), '*'),
    (Marker::Custom('%'), '%'),
    (Marker::Custom('='), '='),
    (Marker::Custom('@'), '@'),
];

/// Curve with its name and its `(x, y)` points.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) points: &'a [(f64, f64)],
}

/// Draws the curves in one chart with a legend below. `x_label` formats the ends of the x axis.
/// Returns no line if there is no point.
pub(super) fn chart(curves: &[Curve<'_>], x_label: impl Fn(f64) -> String, colors: bool) -> Vec<String> {
    let points = || curves.iter().flat_map(|curve| curve.points);
    let (Some([left, right]), Some([low, high])) =
        (range(points().map(|point| point.0)), range(points().map(|point| point.1)))
    else {
        return Vec::new();
    };
    let datasets = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| {
            let marker = marker(index, colors).0;
            let kind = if curve.points.len() > 1 { GraphType::Line } else { GraphType::Scatter };
            Dataset::default().data(curve.points).marker(marker).graph_type(kind).style(color(index))
        })
        .collect();
    let values = [low, (low + high) / 2.0, high].map(|value| format!("{value:.3}"));
    let chart = Chart::new(datasets)
        .x_axis(Axis::default().bounds([left, right]).labels([left, right].map(x_label)))
        .y_axis(Axis::default().bounds([low, high]).labels(values));
    let area = Rect::new(0, 0, SIZE.0.min(terminal::width()), SIZE.1);
    let mut buffer = Buffer::empty(area);
    chart.render(area, &mut buffer);
    let rows = buffer.content().chunks(usize::from(area.width));
    rows.map(|cells| line(cells, colors)).chain(legend(curves, colors, usize::from(area.width))).collect()
}

/// Returns the smallest and the largest value, moved apart a little if they are equal.
fn range(values: impl Iterator<Item = f64> + Clone) -> Option<[f64; 2]> {
    let low = values.clone().reduce(f64::min)?;
    let high = values.reduce(f64::max)?;
    let margin = if high > low { 0.0 } else { 0.5 * low.abs().max(0.01) };
    Some([low - margin, high + margin])
}

/// Returns the colour of the curve `index`.
fn color(index: usize) -> Style {
    Style::new().fg(Color::Indexed(COLORS[index % COLORS.len()]))
}

/// Returns the marker of the curve `index` and its sign in the legend. With colours, markers differ
/// only after the last colour. Capital letters follow the last marker.
fn marker(index: usize, colors: bool) -> (Marker, char) {
    let number = if colors { index / COLORS.len() } else { index };
    let letters = || ('A'..='Z').cycle().nth((number - MARKERS.len()) % 26).unwrap_or('A');
    match MARKERS.get(number) {
        Some(&(Marker::Braille, _)) if colors => (Marker::Braille, '━'),
        Some(&marker) => marker,
        None => (Marker::Custom(letters()), letters()),
    }
}

/// Formats one row of the chart, without trailing spaces.
fn line(cells: &[Cell], colors: bool) -> String {
    let mut text = String::new();
    for cell in cells {
        match cell.fg {
            Color::Indexed(number) if colors => {
                text += &format!("\x1b[38;5;{number}m{}\x1b[0m", cell.symbol())
            }
            _ => text += cell.symbol(),
        }
    }
    text.trim_end().to_owned()
}

/// Formats the names of all curves, as many per line as fit into `width` characters.
fn legend(curves: &[Curve<'_>], colors: bool, width: usize) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for (index, curve) in curves.iter().enumerate() {
        let sign = marker(index, colors).1;
        let entry = match colors {
            true => format!("\x1b[38;5;{}m{sign}\x1b[0m {}", COLORS[index % COLORS.len()], curve.name),
            false => format!("{sign} {}", curve.name),
        };
        let needed = 2 + measure_text_width(curve.name);
        match lines.last_mut() {
            Some((line, used)) if *used + 3 + needed <= width => {
                *line += &format!("   {entry}");
                *used += 3 + needed;
            }
            _ => lines.push((entry, needed)),
        }
    }
    lines.into_iter().map(|(line, _)| line).collect()
}

#[cfg(test)]
mod tests;
