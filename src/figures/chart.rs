//! Owns line charts, such as the loss over the epochs. Knows points and names only.

use crate::error::Result;

use super::colour::{AXIS, GRID, INK, QUIET, series};
use super::heading::{Heading, MARGIN};
use super::legend;
use super::number::tick;
use super::picture::{Picture, check_size};
use super::scale::{LARGEST, Scale};
use super::scene::{Anchor, Point, Scene, Shape};
use super::svg;
use super::text::BODY;

/// Up to so many points get a mark each.
const MAX_MARKED: usize = 30;
const LINE_WIDTH: f64 = 2.5;
/// Smaller charts have no room for their own labels.
const MIN_SIZE: (usize, usize) = (320, 240);
/// Room for the x axis' labels and name.
const BELOW: f64 = 58.0;
/// Between the axes and the outermost points, so that marks stand free.
const INSET: f64 = 10.0;

/// A line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// x and y, in the order of the line; points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// Dashed rather than solid.
    pub dashed: bool,
    /// Which of the six series colours; from 6 on they start again.
    pub colour: usize,
}

/// A line chart with one or more series over a common x axis.
///
/// As SVG it has a transparent background and these colours, which a page's style can override, for instance with
/// `svg.chart [fill="#333333"]`: text `fill` `#333333` (title, legend, axis names) and `#666666` (subtitle, tick
/// labels), axes `stroke` `#777777`, grid lines `stroke` `#DDDDDD`. The series' colours can be read on white and on
/// `#16181d`.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart<'a> {
    /// What is shown, in bold; may be empty.
    pub title: &'a str,
    /// More about it; may be empty.
    pub subtitle: &'a str,
    /// The x axis' name and unit.
    pub x_name: &'a str,
    /// The y axis' name and unit.
    pub y_name: &'a str,
    /// Whether the x axis counts (epochs), so that its ticks are integers.
    pub x_whole: bool,
    /// The lines; the legend names them in this order.
    pub series: &'a [Series],
}

/// The rectangle between the axes, in pixels, and both scales.
struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Scale,
    y: Scale,
}

impl Plot {
    fn x(&self, value: f64) -> f64 {
        self.left + INSET + self.x.position(value) * (self.right - self.left - 2.0 * INSET)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.y.position(value) * (self.bottom - self.top)
    }
}

impl Chart<'_> {
    /// The chart as pixels; sizes below 320 × 240 are raised to that.
    pub fn to_picture(&self, width: usize, height: usize) -> Result<Picture> {
        self.scene(width, height)?.to_picture()
    }

    /// The chart as an `<svg class="chart">` element to stand in an HTML page; sizes below 320 × 240 are raised.
    pub fn to_svg(&self, width: usize, height: usize) -> Result<String> {
        let label = if self.title.is_empty() {
            format!("{} over {}", self.y_name, self.x_name)
        } else {
            self.title.to_owned()
        };
        Ok(svg::write(&self.scene(width, height)?, &label))
    }

    fn scene(&self, width: usize, height: usize) -> Result<Scene> {
        let (width, height) = (width.max(MIN_SIZE.0), height.max(MIN_SIZE.1));
        check_size(width, height)?;
        let mut scene = Scene::new(width as f64, height as f64);
        let margin = MARGIN / 2.0;
        let inner = scene.width - 2.0 * margin;
        let heading = Heading::within(inner, self.title, self.subtitle)?;
        heading.draw(&mut scene, (margin, margin));
        let legend_top = margin + heading.height();
        let top = legend::draw(&mut scene, self.series, (margin, legend_top), inner)?;
        let plot = self.plot(&mut scene, top)?;
        self.axes(&mut scene, &plot)?;
        for line in self.series {
            draw_series(&mut scene, &plot, line);
        }
        Ok(scene)
    }

    /// Scales that hold every point, and as much room as their labels need.
    fn plot(&self, scene: &mut Scene, top: f64) -> Result<Plot> {
        let points = || self.series.iter().flat_map(finite_points);
        let bottom = (scene.height - BELOW).max(top + 60.0).floor() + 0.5;
        // A legend of many rows makes the chart higher rather than hide the lines.
        scene.height = scene.height.max((bottom + BELOW).floor());
        let y = Scale::round(points().map(|p| p.1), ((bottom - top) / 44.0).clamp(2.0, 8.0) as usize);
        let labels: Vec<String> = y.ticks.iter().map(|&value| tick(value, y.step)).collect();
        let label_width = BODY.measure_widest(labels.iter().map(String::as_str))?;
        let left = (MARGIN / 2.0 + 26.0 + label_width + 10.0).floor() + 0.5;
        let right = scene.width - MARGIN / 2.0 - 12.0;
        let x = Scale::tight(
            points().map(|p| p.0),
            ((right - left) / 64.0).clamp(2.0, 14.0) as usize,
            self.x_whole,
        );
        Ok(Plot { left, right, top: top.floor() + 0.5, bottom, x, y })
    }

    fn axes(&self, scene: &mut Scene, plot: &Plot) -> Result<()> {
        for &value in &plot.y.ticks {
            let y = plot.y(value).floor() + 0.5;
            scene.stroke(vec![(plot.left, y), (plot.right, y)], 1.0, GRID);
            let label = tick(value, plot.y.step);
            scene.text(&label, (plot.left - 10.0, y + BODY.centre()), BODY, QUIET, Anchor::End);
        }
        for &value in &plot.x.ticks {
            let x = plot.x(value).floor() + 0.5;
            scene.stroke(vec![(x, plot.top), (x, plot.bottom)], 1.0, GRID);
            scene.stroke(vec![(x, plot.bottom), (x, plot.bottom + 5.0)], 1.0, AXIS);
            let label = tick(value, plot.x.step);
            scene.text(&label, (x, plot.bottom + 21.0), BODY, QUIET, Anchor::Middle);
        }
        let corner = (plot.left, plot.bottom);
        scene.stroke(vec![(plot.left, plot.top), corner, (plot.right, plot.bottom)], 1.0, AXIS);
        let (width, height) = (plot.right - plot.left, plot.bottom - plot.top);
        let x_name = BODY.fit(self.x_name, width)?;
        scene.text(&x_name, (plot.left + width / 2.0, plot.bottom + 44.0), BODY, INK, Anchor::Middle);
        let y_name = BODY.fit(self.y_name, height)?;
        let at = (MARGIN / 2.0 + 12.0, plot.top + height / 2.0);
        scene.text_upwards(&y_name, at, BODY, INK, Anchor::Middle);
        Ok(())
    }
}

fn finite_points(line: &Series) -> impl Iterator<Item = (f64, f64)> + '_ {
    line.points.iter().copied().filter(|(x, y)| x.abs() <= LARGEST && y.abs() <= LARGEST)
}

fn draw_series(scene: &mut Scene, plot: &Plot, line: &Series) {
    let points: Vec<Point> = finite_points(line).map(|(x, y)| (plot.x(x), plot.y(y))).collect();
    if points.len() <= MAX_MARKED {
        let colour = series(line.colour);
        scene.shapes.extend(points.iter().map(|&at| Shape::Dot { at, radius: 4.0, colour }));
    }
    if points.len() > 1 {
        scene.shapes.push(stroke(points, line));
    }
}

/// A line in the look of a series.
pub(super) fn stroke(points: Vec<Point>, line: &Series) -> Shape {
    Shape::Stroke { points, width: LINE_WIDTH, dashed: line.dashed, colour: series(line.colour) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(name: &str, points: Vec<(f64, f64)>, colour: usize) -> Series {
        Series { name: name.to_owned(), points, dashed: colour == 1, colour }
    }

    fn chart(series: &[Series]) -> Chart<'_> {
        Chart { title: "Loss", subtitle: "", x_name: "epoch", y_name: "loss", x_whole: true, series }
    }

    #[test]
    fn the_svg_holds_every_point_and_escapes_names() {
        let bad = vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, f64::INFINITY), (4.0, 0.2)];
        let series = [
            line("a<b>", (1..=5).map(|e| (f64::from(e), 1.0 / f64::from(e))).collect(), 0),
            line("", bad, 1),
        ];
        let svg = chart(&series).to_svg(720, 420).unwrap();
        assert_eq!(svg.matches("<circle").count(), 7, "5 and 2 finite points");
        let drawn: Vec<usize> = svg
            .lines()
            .filter(|text| text.contains("stroke-width=\"2.5\""))
            .map(|text| text.split("points=\"").nth(1).unwrap().split('"').next().unwrap().split(' ').count())
            .collect();
        assert_eq!(drawn, [2, 5, 2], "the legend and both lines");
        assert!(svg.contains("a&lt;b&gt;") && !svg.contains("NaN") && !svg.contains("inf"));
        assert!(svg.contains("viewBox=\"0 0 720 420\"") && svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("stroke-dasharray").count(), 1);
    }

    #[test]
    fn the_svg_uses_the_documented_colours_only() {
        let svg = chart(&[line("a", vec![(1.0, 1.0), (2.0, 2.0)], 0)]).to_svg(720, 420).unwrap();
        for part in svg.split("=\"#").skip(1) {
            let colour = &part[..6];
            assert!(["333333", "666666", "777777", "DDDDDD", "0072B2"].contains(&colour), "{colour}");
        }
    }

    #[test]
    fn one_epoch_is_a_visible_point_over_its_number() {
        let series = [line("training", vec![(1.0, 0.3)], 2)];
        let picture = chart(&series).to_picture(960, 560).unwrap();
        assert_eq!((picture.width, picture.height), (960, 560));
        let green = super::super::colour::series(2);
        let inside = (150..900).flat_map(|x| (120..500).map(move |y| (x, y)));
        let dot = inside.filter(|&(x, y)| picture.at(x, y) == green).count();
        assert!((30..70).contains(&dot), "a disc of radius 4 has {dot} pixels");
        let svg = chart(&series).to_svg(960, 560).unwrap();
        assert!(svg.contains(">1</text>") && !svg.contains(">0.5</text>") && !svg.contains(">1.5</text>"));
    }

    #[test]
    fn higher_values_are_higher_and_later_ones_further_right() {
        let mut scene = Scene::new(800.0, 500.0);
        let series = [line("a", vec![(1.0, 5.0), (9.0, 6.0)], 0)];
        let plot = chart(&series).plot(&mut scene, 60.0).unwrap();
        assert!(plot.x(9.0) > plot.x(1.0) + 500.0 && plot.y(6.0) < plot.y(5.0) - 200.0);
        assert!(plot.y(5.0) <= plot.bottom && plot.y(6.0) >= plot.top && plot.x(9.0) <= plot.right);
    }

    #[test]
    fn odd_charts_do_not_panic() {
        let long = "name ".repeat(500);
        let odd = [
            vec![],
            vec![line("nothing", vec![], 0)],
            vec![line("no number", vec![(f64::NAN, 1.0), (1.0, f64::NEG_INFINITY)], 0)],
            vec![line("huge", vec![(1e308, -1e308), (1e299, 1e300), (-1e299, -1e300)], usize::MAX)],
            vec![line("tiny", vec![(5e-324, 1e-300), (0.0, 2e-300)], 1)],
            (0..200).map(|i| line(&long, vec![(1.0, 2.0); i], i)).collect(),
        ];
        for series in &odd {
            let chart =
                Chart {
                    title: &long, subtitle: &long, x_name: &long, y_name: "日本\u{7}", ..chart(series)
                };
            assert!(chart.to_svg(0, 0).unwrap().contains("</svg>"));
            assert!(chart.to_picture(400, 300).unwrap().width == 400);
        }
        assert!(chart(&[]).to_picture(9_000, 300).is_err());
    }
}
