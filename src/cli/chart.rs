//! Curves on the terminal.

use super::terminal;
use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Style};
use ratatui_core::symbols::Marker;
use ratatui_core::widgets::Widget;
use ratatui_widgets::chart::{Axis, Chart, Dataset, GraphType};

/// Characters across at the most, and down.
const SIZE: (u16, u16) = (76, 16);
/// Okabe and Ito's colours, which colour-blind readers tell apart, as near as xterm's 256 come.
const COLORS: [u8; 6] = [32, 214, 36, 166, 175, 74];
/// What lines are made of where there are no colours.
const MARKERS: [(Marker, &str); 5] = [
    (Marker::Braille, "⠒"),
    (Marker::Dot, "•"),
    (Marker::Block, "█"),
    (Marker::HalfBlock, "▀"),
    (Marker::Bar, "▄"),
];

/// A curve with its name: points of x and y.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) points: &'a [(f64, f64)],
}

/// Draws the curves over one another, a legend below; `x_label` names the ends of the x axis. Nothing where there is no point.
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
            let marker = if colors { Marker::Braille } else { MARKERS[index % MARKERS.len()].0 };
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
    rows.map(|cells| line(cells, colors)).chain([legend(curves, colors)]).collect()
}

/// The smallest and the largest value, a little apart where they are one.
fn range(values: impl Iterator<Item = f64> + Clone) -> Option<[f64; 2]> {
    let low = values.clone().reduce(f64::min)?;
    let high = values.reduce(f64::max)?;
    let room = if high > low { 0.0 } else { 0.5 * low.abs().max(0.01) };
    Some([low - room, high + room])
}

fn color(index: usize) -> Style {
    Style::new().fg(Color::Indexed(COLORS[index % COLORS.len()]))
}

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

fn legend(curves: &[Curve<'_>], colors: bool) -> String {
    let entry = |(index, curve): (usize, &Curve<'_>)| {
        let sign = if colors { "━" } else { MARKERS[index % MARKERS.len()].1 };
        match colors {
            true => format!("\x1b[38;5;{}m{sign}\x1b[0m {}", COLORS[index % COLORS.len()], curve.name),
            false => format!("{sign} {}", curve.name),
        }
    };
    curves.iter().enumerate().map(entry).collect::<Vec<_>>().join("   ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(x: f64) -> String {
        format!("epoch {x}")
    }

    #[test]
    fn a_rising_and_a_falling_curve_cross() {
        let rising = [(1.0, 0.5), (10.0, 1.0)];
        let falling = [(1.0, 1.0), (10.0, 0.5)];
        let curves = [Curve { name: "up", points: &rising }, Curve { name: "down", points: &falling }];
        let lines = chart(&curves, label, false);
        assert!(lines[0].starts_with("1.000 │•") && lines[0].ends_with('⠉'), "{lines:#?}");
        assert_eq!(lines.last().map(String::as_str), Some("⠒ up   • down"));
        assert!(!lines.concat().contains('\x1b'));
        assert!(chart(&curves, label, true).concat().contains("\x1b[38;5;214m"));
    }

    #[test]
    fn one_point_is_drawn_and_none_are_not() {
        let point = [(1.0, 0.9)];
        let lines = chart(&[Curve { name: "one", points: &point }], label, false);
        assert!(
            lines.iter().any(|line| line.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c))),
            "{lines:#?}"
        );
        assert_eq!(chart(&[Curve { name: "none", points: &[] }], label, true), Vec::<String>::new());
    }
}
