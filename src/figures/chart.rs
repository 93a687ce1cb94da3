//! Owns line charts, such as the loss over the epochs, drawn by plotters. Knows points and names only.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::colour::{AXIS, GRID, INK, NUM_COLOURS, QUIET, Rgb, series};
use super::picture::check_size;
use super::text::{BODY, FAMILY, Font, TITLE};
use crate::error::{Error, Result};

/// plotters' SVG has whole-number coordinates: everything is drawn this many times larger, and shown smaller.
const FINE: i32 = 4;
/// plotters counts a font's size from its lowest to its highest point, and divides by this in SVG.
const SIZE_PER_EM: f64 = 1.24;
/// Up to so many points get a mark each.
const MAX_MARKED: usize = 30;
/// Larger numbers are left out, as those that are no numbers are: nobody could read the others beside them.
const LARGEST: f64 = 1e38;
/// Smaller charts have no room for their own labels.
const MIN_SIZE: (usize, usize) = (320, 240);
/// Around the chart, in pixels.
const MARGIN: i32 = 16;
/// The length of the line before a name in the legend, and the gaps after it and after the name.
const SWATCH: i32 = 30;
const AFTER_SWATCH: i32 = 8;
const BETWEEN: i32 = 24;
/// Of a longer legend the rest is left out: a chart is no list.
const MAX_LEGEND_ROWS: i32 = 6;

/// A line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// x and y, in the order of the line; points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// Dashed rather than solid.
    pub dashed: bool,
    /// Which of the six series colours; from 6 on they start again, with hollow marks.
    pub colour: usize,
}

/// A line chart with one or more series over a common x axis.
///
/// It has a transparent background and these colours, which a page's style can override with attribute selectors,
/// for instance `.chart [fill="#333333"]`: text `fill` `#333333` (title, legend, axis names) and `#666666` (tick labels),
/// axes `stroke` `#777777`, grid lines `stroke` `#DDDDDD`. The series' colours can be read on white and on `#16181d`.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart<'a> {
    /// What is shown, in bold; may be empty.
    pub title: &'a str,
    /// The x axis' name and unit.
    pub x_name: &'a str,
    /// The y axis' name and unit.
    pub y_name: &'a str,
    /// Whether the x axis counts (epochs), so that its ticks are whole numbers.
    pub x_whole: bool,
    /// The least and the largest value that y can have: the axis ends there.
    pub y_bounds: (f64, f64),
    /// The lines; the legend names them in this order.
    pub series: &'a [Series],
}

/// A name of the legend in its place, with the line before it.
struct LegendName<'a> {
    line: &'a Series,
    text: String,
    x: i32,
    middle: i32,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

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

    /// Where the names of all series go, above the plot, where they hide no line, and where the plot may begin.
    fn legend(&self, width: i32) -> Result<(Vec<LegendName<'_>>, i32)> {
        let top = if self.title.is_empty() { MARGIN } else { MARGIN + 36 };
        let row = BODY.line_height() as i32;
        let (mut x, mut y, mut names) = (MARGIN, top, Vec::new());
        for line in self.series.iter().filter(|line| !line.name.trim().is_empty()) {
            let text = BODY.fit(&line.name, f64::from(width - 2 * MARGIN - SWATCH - AFTER_SWATCH))?;
            let needed = SWATCH + AFTER_SWATCH + BODY.measure(&text)?.ceil() as i32;
            if x > MARGIN && x + needed > width - MARGIN {
                (x, y) = (MARGIN, y + row);
            }
            if (y - top) / row >= MAX_LEGEND_ROWS {
                break;
            }
            names.push(LegendName { line, text, x, middle: y + row / 2 });
            x += needed + BETWEEN;
        }
        let bottom = if names.is_empty() { top } else { y + row + 8 };
        Ok((names, bottom))
    }

    fn plot(&self, area: &Area<'_>) -> Result<()> {
        let points = || self.series.iter().flat_map(finite_points);
        let (x, y) = (range(points().map(|point| point.0)), range(points().map(|point| point.1)));
        // A whole-number axis has no ticks between its numbers, so it needs none closer than 1.
        let x_ticks = if self.x_whole { (x.end - x.start).ceil().clamp(1.0, 9.0) + 1.0 } else { 6.0 };
        let room = 0.04 * (y.end - y.start);
        let within = (y.start - room).max(self.y_bounds.0)..(y.end + room).min(self.y_bounds.1);
        // Values beyond their bounds, of an edited file, are shown as they are.
        let y = if within.start < within.end { within } else { y };
        let (x_step, y_step) = ((x.end - x.start) / 6.0, (y.end - y.start) / 6.0);
        let mut chart = ChartBuilder::on(area)
            .margin_left(4 * FINE)
            .margin_right(MARGIN * FINE)
            .margin_top(6 * FINE)
            .margin_bottom(4 * FINE)
            .x_label_area_size(52 * FINE)
            .y_label_area_size(72 * FINE)
            .build_cartesian_2d(x, y)
            .map_err(cannot_draw)?;
        chart
            .configure_mesh()
            .max_light_lines(0)
            .bold_line_style(stroke(GRID, 1))
            .axis_style(stroke(AXIS, 1))
            .set_all_tick_mark_size(4 * FINE)
            .label_style(text_style(BODY, QUIET)?)
            .axis_desc_style(text_style(BODY, INK)?)
            .x_desc(self.x_name)
            .y_desc(self.y_name)
            .x_labels(x_ticks as usize)
            .y_labels(6)
            .x_label_formatter(&|value| if self.x_whole { whole(*value) } else { tick(*value, x_step) })
            .y_label_formatter(&|value| tick(*value, y_step))
            .draw()
            .map_err(cannot_draw)?;
        for line in self.series {
            let (points, style) = (finite_points(line).collect::<Vec<_>>(), line_style(line));
            if points.len() <= MAX_MARKED {
                // From the seventh line on, colours occur again, with hollow marks.
                let marked = if line.colour < NUM_COLOURS { style.filled() } else { style };
                let mark = |&point: &(f64, f64)| Circle::new(point, 4 * FINE, marked);
                chart.draw_series(points.iter().map(mark)).map_err(cannot_draw)?;
            }
            match line.dashed {
                false => chart.draw_series(LineSeries::new(points, style)).map_err(cannot_draw)?,
                true => chart
                    .draw_series(DashedLineSeries::new(points, 8 * FINE, 6 * FINE, style))
                    .map_err(cannot_draw)?,
            };
        }
        Ok(())
    }
}

fn finite_points(line: &Series) -> impl Iterator<Item = (f64, f64)> + Clone + '_ {
    line.points.iter().copied().filter(|(x, y)| x.abs() <= LARGEST && y.abs() <= LARGEST)
}

/// From the smallest to the largest value, with room around a single one.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let low = values.clone().reduce(f64::min).unwrap_or(0.0);
    let high = values.reduce(f64::max).unwrap_or(1.0);
    // As much apart as single precision tells: plotters looks for ticks between them.
    let least = 1e-6 * low.abs().max(high.abs()).max(1e-3);
    if high - low > least {
        low..high
    } else {
        low - 0.5 * low.abs().max(1.0)..low + 0.5 * low.abs().max(1.0)
    }
}

/// A tick label on an axis that counts; nothing between the numbers.
fn whole(value: f64) -> String {
    if (value - value.round()).abs() < 1e-6 { format!("{value:.0}") } else { String::new() }
}

/// A tick label with as many decimals as the distance between ticks needs.
fn tick(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let value = if value.abs() < step * 1e-3 { 0.0 } else { value };
    if value.abs() < 1e6 { format!("{value:.decimals$}") } else { format!("{value:.1e}") }
}

impl LegendName<'_> {
    fn draw(&self, area: &Area<'_>) -> Result<()> {
        let (left, right) = (self.x, self.x + SWATCH);
        // A dashed line is two dashes long.
        let dashes = [[left, left + 12], [right - 12, right]];
        let pieces = if self.line.dashed { &dashes[..] } else { &[[left, right]] };
        for [from, to] in pieces {
            let points = vec![(from * FINE, self.middle * FINE), (to * FINE, self.middle * FINE)];
            area.draw(&PathElement::new(points, line_style(self.line))).map_err(cannot_draw)?;
        }
        let at = ((right + AFTER_SWATCH) * FINE, (self.middle - 7) * FINE);
        area.draw_text(&self.text, &text_style(BODY, INK)?, at).map_err(cannot_draw)
    }
}

fn line_style(line: &Series) -> ShapeStyle {
    ShapeStyle { color: rgb(series(line.colour)), filled: false, stroke_width: 5 * FINE as u32 / 2 }
}

fn stroke(colour: Rgb, width: i32) -> ShapeStyle {
    ShapeStyle { color: rgb(colour), filled: false, stroke_width: (width * FINE) as u32 }
}

fn rgb([red, green, blue]: Rgb) -> RGBAColor {
    RGBColor(red, green, blue).to_rgba()
}

fn text_style(font: Font, colour: Rgb) -> Result<TextStyle<'static>> {
    let size = font.size * f64::from(FINE) * SIZE_PER_EM;
    Ok(font.description_at(size)?.color(&rgb(colour)))
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

fn cannot_draw(error: impl std::fmt::Display) -> Error {
    Error::new(format!("cannot draw a chart: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(name: &str, points: Vec<(f64, f64)>, colour: usize) -> Series {
        Series { name: name.to_owned(), points, dashed: colour == 1, colour }
    }

    fn chart(series: &[Series]) -> Chart<'_> {
        Chart {
            title: "Loss",
            x_name: "epoch",
            y_name: "loss",
            x_whole: true,
            y_bounds: (f64::MIN, f64::MAX),
            series,
        }
    }

    /// The values of an attribute of all elements of a kind, in their order.
    fn attributes(svg: &str, element: &str, name: &str) -> Vec<String> {
        let value =
            |text: &str| text.split(&format!(" {name}=\"")).nth(1)?.split('"').next().map(str::to_owned);
        let start = format!("<{element} ");
        let elements = svg.split(&start).skip(1);
        elements.filter_map(|text| value(&format!(" {}", text.split('>').next()?))).collect()
    }

    fn texts(svg: &str) -> Vec<&str> {
        svg.split("<text ")
            .skip(1)
            .map(|part| part.split_once('>').unwrap().1.split('<').next().unwrap().trim())
            .collect()
    }

    #[test]
    fn every_finite_point_is_marked_in_its_place() {
        let bad = vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, f64::INFINITY), (5.0, 0.5)];
        let series = [line("training", vec![(1.0, 1.0), (3.0, 0.5), (5.0, 0.0)], 0), line("", bad, 2)];
        let svg = chart(&series).to_svg(720, 420).unwrap();
        let place = |name| -> Vec<i32> {
            attributes(&svg, "circle", name).iter().map(|place| place.parse().unwrap()).collect()
        };
        let (x, y) = (place("cx"), place("cy"));
        assert_eq!(x.len(), 5, "three points and two finite ones");
        // Later is further right, more is higher, and what is equal is at the same place.
        assert!(x[0] < x[1] && x[1] < x[2] && y[0] < y[1] && y[1] < y[2], "{x:?} {y:?}");
        assert_eq!((x[3], x[4], y[3]), (x[0], x[2], y[1]));
        assert_eq!(y[1] * 2, y[0] + y[2]);
        assert!(x.iter().all(|x| (0..2880).contains(x)) && y.iter().all(|y| (0..2000).contains(y)));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn names_are_escaped_and_no_font_of_ours_is_asked_for() {
        let series = [line("a<b>&", vec![(1.0, 1.0), (2.0, 2.0)], 1)];
        let svg = Chart { title: "\"x\" < y", ..chart(&series) }.to_svg(520, 340).unwrap();
        assert!(svg.contains("a&lt;b&gt;&amp;") && !svg.contains("a<b>"), "{svg}");
        assert!(svg.contains("aria-label=\"&quot;x&quot; &lt; y\""));
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("viewBox=\"0 0 2080 ") && svg.contains("\" width=\"520\" "));
        assert!(!svg.contains(FAMILY));
    }

    /// A page's style names these colours; see `src/report/style.css`.
    #[test]
    fn the_documented_colours_and_no_others() {
        let svg = chart(&[line("a", vec![(1.0, 1.0), (2.0, 2.0)], 0)]).to_svg(720, 420).unwrap();
        let mut colours: Vec<&str> = svg.split("=\"#").skip(1).map(|part| &part[..6]).collect();
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(colours, ["0072B2", "333333", "666666", "777777", "DDDDDD"]);
    }

    #[test]
    fn an_epoch_axis_counts() {
        for (last, expected) in [(1, &["1"][..]), (2, &["1", "2"]), (5, &["1", "2", "3", "4", "5"])] {
            let points = (1..=last).map(|epoch| (f64::from(epoch), 0.5)).collect();
            let svg = chart(&[line("", points, 0)]).to_svg(520, 340).unwrap();
            let numbers: Vec<_> = texts(&svg)
                .into_iter()
                .filter(|text| !text.contains('.') && text.parse::<f64>().is_ok())
                .collect();
            assert_eq!(numbers, expected);
            assert_eq!(svg.matches("<circle").count(), last as usize, "a single epoch is a visible point");
        }
        let long = (1..=200).map(|epoch| (f64::from(epoch), 0.5)).collect();
        let svg = chart(&[line("", long, 0)]).to_svg(520, 340).unwrap();
        assert!(texts(&svg).contains(&"100") && !svg.contains("<circle"), "{:?}", texts(&svg));
    }

    #[test]
    fn an_axis_ends_where_values_must() {
        let series = [line("", vec![(1.0, 0.99)], 0)];
        let ticks = |y_bounds| -> Vec<f64> {
            let svg = Chart { y_bounds, ..chart(&series) }.to_svg(520, 340).unwrap();
            texts(&svg).iter().filter(|text| text.contains('.')).map(|text| text.parse().unwrap()).collect()
        };
        assert!(ticks((0.0, 1.0)).iter().all(|tick| (0.0..=1.0).contains(tick)), "{:?}", ticks((0.0, 1.0)));
        assert!(ticks((f64::MIN, f64::MAX)).iter().any(|tick| *tick > 1.0));
    }

    #[test]
    fn ticks_have_the_decimals_they_need() {
        assert_eq!(
            [tick(0.25, 0.05), tick(3.0, 1.0), tick(-1e-17, 0.1), tick(2e7, 1e6)],
            ["0.25", "3", "0.0", "2.0e7"]
        );
    }

    #[test]
    fn odd_charts_do_not_panic() {
        let long = "name ".repeat(500);
        let odd = [
            vec![],
            vec![line("nothing", vec![], 0)],
            vec![line("no number", vec![(f64::NAN, 1.0), (1.0, f64::NEG_INFINITY)], 0)],
            vec![line("huge", vec![(1e308, -1e308), (1e38, 1e38), (-1e38, -1e38)], usize::MAX)],
            vec![line("tiny", vec![(5e-324, 1e-300), (0.0, 2e-300)], 1)],
            vec![line("close", vec![(1.0, 1e12), (2.0, 1e12 + 1.0)], 0)],
            (0..200).map(|i| line(&long, vec![(1.0, 2.0); i], i)).collect(),
        ];
        for series in &odd {
            for (x_whole, y_bounds) in [(false, (0.0, 1.0)), (true, (f64::MIN, f64::MAX)), (true, (7.0, 3.0))]
            {
                let chart =
                    Chart { title: &long, x_name: &long, y_name: "日本\u{7}", x_whole, y_bounds, series };
                assert!(chart.to_svg(0, 0).unwrap().contains("</svg>"));
            }
        }
        assert!(chart(&[]).to_svg(9_000, 300).is_err());
    }
}
