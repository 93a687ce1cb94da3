//! Tests of whole charts. They look at the elements of the SVG.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::plots::chart::labels::LABEL;

/// Series in the colour of this index. That of colour 1 is dashed.
fn line(name: &str, points: Vec<(f64, f64)>, colour: usize) -> Series {
    let line = if colour == 1 { Line::Dashed } else { Line::Solid };
    Series { name: name.to_owned(), points, line, colour: Colour::Category(colour), ..Series::default() }
}

/// Chart of the loss per epoch with these series.
fn chart(series: &[Series]) -> Chart<'_> {
    let x_scale = Scale::Whole;
    Chart { title: "Loss", x_name: "epoch", y_name: "loss", x_scale, series, ..Chart::default() }
}

const SCALES: [Scale; 4] = [Scale::Linear, Scale::Whole, Scale::Log, Scale::Log2];

/// The same series with unusual error bars and labels, and without lines.
fn elaborate(series: &[Series]) -> Vec<Series> {
    let ends = [(0.0, 1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (9.0, -9.0), (-1e38, 1e38)];
    let elaborate = |line: &Series| Series {
        spread: line.points.iter().zip(ends.iter().cycle()).map(|(_, &ends)| ends).collect(),
        labels: line.points.iter().skip(1).map(|point| format!("{point:?}\n日")).collect(),
        line: Line::None,
        ..line.clone()
    };
    series.iter().map(elaborate).collect()
}

/// Centres of all marks of a colour, of any shape. Those in the legend come first.
fn marks(svg: &str, colour: usize) -> Vec<(i32, i32)> {
    let [red, green, blue] = Colour::Category(colour).on_white();
    let hex = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
    let value = |text: &str, name: &str| {
        let value = text.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
        Some(value.to_owned())
    };
    let centre = |element: &str| -> Option<(i32, i32)> {
        let text = element.split('>').next().filter(|text| text.contains(&hex))?;
        if element.starts_with("circle ") {
            return Some((value(text, "cx")?.parse().ok()?, value(text, "cy")?.parse().ok()?));
        }
        let points = value(text, "points").filter(|_| element.starts_with("polygon "))?;
        let corners: Vec<Vec<i32>> = points
            .split_whitespace()
            .map(|corner| corner.split(',').filter_map(|side| side.parse().ok()).collect())
            .collect();
        let middle = |side: usize| {
            let (low, high) =
                (corners.iter().map(|c| c[side]).min()?, corners.iter().map(|c| c[side]).max()?);
            Some(i32::midpoint(low, high))
        };
        Some((middle(0)?, middle(1)?))
    };
    svg.split('<').filter_map(centre).collect()
}

/// x and y of [`marks`], without the one in the legend.
fn plotted(svg: &str, colour: usize) -> (Vec<i32>, Vec<i32>) {
    marks(svg, colour).into_iter().skip(1).unzip()
}

/// Values of [`attributes`] as numbers.
fn numbers(svg: &str, element: &str, name: &str) -> Vec<i32> {
    attributes(svg, element, name).iter().map(|number| number.parse().unwrap()).collect()
}

/// Elements of a kind that contain all of `parts`, with their texts.
fn elements<'a>(svg: &'a str, element: &str, parts: &[&str]) -> Vec<&'a str> {
    let start = format!("<{element} ");
    let elements = svg.split(&start).skip(1).filter_map(|rest| rest.split('<').next());
    elements.filter(|text| parts.iter().all(|part| text.contains(part))).collect()
}

/// Values of an attribute of all elements of a kind, in their order.
fn attributes(svg: &str, element: &str, name: &str) -> Vec<String> {
    let value = |text: &str| text.split(&format!(" {name}=\"")).nth(1)?.split('"').next().map(str::to_owned);
    let start = format!("<{element} ");
    let elements = svg.split(&start).skip(1).filter_map(|rest| rest.split('<').next());
    elements.filter_map(|text| value(&format!(" {}", text.split('>').next()?))).collect()
}

/// Contents of all text elements, in their order.
fn texts(svg: &str) -> Vec<&str> {
    svg.split("<text ")
        .skip(1)
        .map(|part| part.split_once('>').unwrap().1.split('<').next().unwrap().trim())
        .collect()
}

#[test]
fn every_finite_point_is_marked_in_its_place() {
    let bad = vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, f64::INFINITY), (5.0, 0.5)];
    let series = [line("training", vec![(1.0, 1.0), (3.0, 0.5), (5.0, 0.0)], 0), line("bad", bad, 4)];
    let svg = chart(&series).to_svg(720, 420).unwrap();
    let (x, y) = plotted(&svg, 0);
    let (bad_x, bad_y) = plotted(&svg, 4);
    assert_eq!((x.len(), bad_x.len()), (3, 2), "three points and two finite ones");
    // A later point is further right, a larger value is higher, and equal values have equal
    // positions.
    assert!(x[0] < x[1] && x[1] < x[2] && y[0] < y[1] && y[1] < y[2], "{x:?} {y:?}");
    assert_eq!((bad_x[0], bad_x[1], bad_y[0]), (x[0], x[2], y[1]));
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

/// The style sheet of pages names these colours; see `src/report/style.css`.
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
    // Of more than two long lines, each has some marks. They are not all at the same positions.
    let long = |i: usize| (1..=200).map(|epoch| (f64::from(epoch), 0.1 * i as f64)).collect();
    let series: Vec<Series> = (0..6).map(|i| line(&i.to_string(), long(i), i)).collect();
    let svg = chart(&series).to_svg(520, 340).unwrap();
    let places: Vec<Vec<i32>> = [0, 2, 3].map(|i| plotted(&svg, i).0).to_vec();
    assert!(places.iter().all(|x| (8..=12).contains(&x.len())), "{places:?}");
    assert!(places[0] != places[1] && places[1] != places[2], "{places:?}");
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
fn equal_ratios_are_equally_far_apart_on_a_logarithmic_axis() {
    let points = vec![(0.01, 1.0), (0.0, 9.0), (0.1, 1.0), (-1.0, 9.0), (1.0, 2.0)];
    let batch_sizes = vec![(16.0, 1.0), (256.0, 1.0), (4096.0, 2.0)];
    for (x_scale, points) in [(Scale::Log, points), (Scale::Log2, batch_sizes)] {
        let series = [line("", points, 0)];
        let x = numbers(&Chart { x_scale, ..chart(&series) }.to_svg(520, 270).unwrap(), "circle", "cx");
        let [first, second, third] = x[..] else { return assert_eq!(x.len(), 3) };
        assert!((third - second - (second - first)).abs() <= 1 && first < second, "{x:?}");
    }
}

#[test]
fn error_bars_end_at_their_values() {
    let mean = Series {
        spread: vec![(0.25, 0.75), (f64::NAN, 0.6), (0.5, 2.0)],
        ..line("mean", vec![(1.0, 0.5), (2.0, 0.5), (3.0, 0.5)], 0)
    };
    let ends = line("ends", vec![(1.0, 0.25), (1.0, 0.75), (3.0, 2.0)], 4);
    let svg = chart(&[mean.clone(), ends]).to_svg(520, 270).unwrap();
    let ((x, y), (_, end)) = (plotted(&svg, 0), plotted(&svg, 4));
    assert_eq!((x.len(), end.len()), (3, 3), "one mark for each point, with and without a bar");
    let has_line = |from: (i32, i32), to: (i32, i32)| {
        let points = format!("points=\"{},{} {},{} \"", from.0, from.1, to.0, to.1);
        !elements(&svg, "polyline", &[&points]).is_empty()
    };
    assert!(has_line((x[0], end[0]), (x[0], end[1])), "from 0.25 to 0.75 at 1");
    assert!(has_line((x[2], y[2]), (x[2], end[2])), "from 0.5 to 2 at 3");
    let bars = elements(&svg, "polyline", &["stroke=\"#0072B2\"", "stroke-width=\"6\""]);
    assert_eq!(bars.len(), 6, "two bars of a line and two caps each");
    // The axis covers the bars, too.
    let svg = chart(&[mean]).to_svg(520, 270).unwrap();
    let ticks = texts(&svg).iter().filter_map(|text| text.parse().ok()).fold(0.0, f64::max);
    assert!(ticks > 1.5, "{ticks}");
}

#[test]
fn marks_alone_are_not_joined() {
    let points: Vec<_> = (0..40).map(|i| (f64::from(i), f64::from(i % 7))).collect();
    let alone = Series { line: Line::None, ..line("alone", points.clone(), 0) };
    let joined = line("joined", points, 2);
    let svg = chart(&[alone, joined]).to_svg(520, 270).unwrap();
    // There are forty marks, and one in the legend. The points of the joined line have no marks,
    // since there are more than 30.
    assert_eq!(elements(&svg, "circle", &["#0072B2"]).len(), 41);
    assert!(elements(&svg, "polyline", &["#0072B2"]).is_empty());
    assert!(elements(&svg, "circle", &["#009E73"]).is_empty());
    assert_eq!(elements(&svg, "polyline", &["#009E73"]).len(), 2, "in the legend and in the plot");
}

/// Without colours, as on a black and white print, marks and dashes distinguish the series.
#[test]
fn the_legend_has_every_name_with_the_mark_of_its_line() {
    let name = |i: usize| format!("2026-11-25-softmax-with-a-long-name-that-is-cut-nowhere-{i}");
    let series: Vec<Series> = (0..9)
        .map(|i| Series { line: Line::Solid, ..line(&name(i), vec![(1.0, 0.1 * i as f64), (2.0, 0.5)], i) })
        .collect();
    let keys = [Line::Solid, Line::Dashed].map(|line| Series {
        name: format!("{line:?}"),
        line,
        colour: Colour::Text,
        ..Series::default()
    });
    let all = [&series[..], &keys].concat();
    let svg = chart(&all).to_svg(520, 270).unwrap();
    for i in 0..9 {
        assert!(texts(&svg).contains(&&*name(i)), "{} is missing in {:?}", name(i), texts(&svg));
    }
    assert!(texts(&svg).contains(&"Solid") && texts(&svg).contains(&"Dashed"));
    for i in 0..8 {
        assert_eq!(marks(&svg, i).len(), 3, "series {i}: one mark in the legend and two in the plot");
    }
}

/// Labels of points that are close together cannot all be beside their points. The others are
/// further away, and none is left out.
#[test]
fn every_label_is_written() {
    let names = |count: usize| (0..count).map(|i| format!("hidden 128-128-{i}")).collect::<Vec<_>>();
    for count in [1, 8, 30] {
        let points = (0..count).map(|i| (1e4 + i as f64, 0.97 + 1e-4 * i as f64)).chain([(1e6, 0.9)]);
        let series =
            [Series { labels: names(count), line: Line::None, ..line("networks", points.collect(), 0) }];
        let svg = Chart { x_scale: Scale::Log, ..chart(&series) }.to_svg(560, 290).unwrap();
        let written = texts(&svg);
        for name in names(count) {
            assert!(written.contains(&&*name), "{name} of {count} is missing");
        }
    }
}

#[test]
fn labels_and_markers_are_in_the_plot() {
    let labels = ["low", "middle", "high"].map(str::to_owned).to_vec();
    let series = [Series { labels, ..line("", vec![(0.01, 0.0), (0.1, 0.5), (1.0, 1.0)], 0) }];
    let marks = [(0.1, "suggested"), (100.0, "outside"), (-1.0, "nowhere")];
    let (title, x_scale) = ("", Scale::Log);
    let svg = Chart { title, x_scale, marks: &marks, ..chart(&series) }.to_svg(520, 270).unwrap();
    let marks_at = numbers(&svg, "circle", "cx");
    assert_eq!(marks_at.len(), 3);
    let start_of = |name: &str| {
        let element = elements(&svg, "text", &[&format!("\n{name}\n")]);
        element.first().map(|text| numbers(&format!("<text {text}"), "text", "x")[0])
    };
    // The plot lies between the labels of the axis and the margin.
    for name in ["low", "middle", "high", "suggested"] {
        let (start, width) = (start_of(name).unwrap(), 4.0 * LABEL.measure(name).unwrap());
        assert!(start >= 4 * 76 && start + width as i32 <= 4 * (520 - 16), "{name} at {start}");
    }
    assert!((start_of("suggested").unwrap() - marks_at[1]).abs() < 400);
    assert_eq!((start_of("outside"), start_of("nowhere")), (None, None));
    // The marker is the only vertical line in the axis colour inside the plot. All its dashes are
    // at its value.
    let at_marker = format!("points=\"{},", marks_at[1]);
    assert!(elements(&svg, "polyline", &["#777777", &at_marker]).len() > 10);
}

#[test]
fn odd_charts_do_not_panic() {
    let long = "name ".repeat(500);
    let odd: [Vec<Series>; _] = [
        vec![],
        vec![line("nothing", vec![], 0)],
        vec![line("no number", vec![(f64::NAN, 1.0), (1.0, f64::NEG_INFINITY)], 0)],
        vec![line("huge", vec![(1e308, -1e308), (1e38, 1e38), (-1e38, -1e38)], usize::MAX)],
        vec![line("tiny", vec![(5e-324, 1e-300), (0.0, 2e-300)], 1)],
        vec![line("close", vec![(1.0, 1e12), (2.0, 1e12 + 1.0)], 0)],
        vec![line("equal", vec![(64.0, 0.5); 3], 0)],
        vec![line("close in x", vec![(1e-30, 0.1), (1.00001e-30, 0.2)], 0)],
        vec![line("close to 1", vec![(1.0, 0.1), (1.0 + 1e-12, 0.2), (1.0 + 1e-5, 0.2)], 0)],
        (0..200).map(|i| line(&long, vec![(1.0, 2.0); i], i)).collect(),
    ];
    let all_bounds = [(0.0, 1.0), (f64::MIN, f64::MAX), (7.0, 3.0), (f64::NAN, f64::INFINITY)];
    let marks = [(f64::NAN, "no"), (0.0, &*long), (1.0, &*long), (1.0, "日本\u{7}"), (1e300, "far")];
    for series in odd.iter().flat_map(|series| [series.clone(), elaborate(series)]) {
        for (x_scale, bounds) in SCALES.into_iter().zip(all_bounds) {
            for marks in [&[][..], &marks] {
                let (x_name, y_name, series) = (&*long, "日本\u{7}", &series[..]);
                let chart = Chart { title: &long, x_name, y_name, x_scale, y_bounds: bounds, series, marks };
                let svg = chart.to_svg(0, 0).unwrap();
                assert!(svg.contains("</svg>") && !svg.contains("NaN"));
            }
        }
    }
    assert!(chart(&[]).to_svg(9_000, 300).is_err());
}
