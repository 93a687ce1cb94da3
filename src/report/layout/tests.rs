use crate::plots::{Chart, Series};
use crate::report::layout::STYLE;

/// Without these colours in the style sheet, a chart's text and axes would be dark on dark.
#[test]
fn the_style_knows_every_colour_of_a_chart_but_its_lines() {
    let line = Series { name: "a".to_owned(), points: vec![(1.0, 1.0), (2.0, 3.0)], ..Series::default() };
    let chart = Chart {
        title: "t",
        x_name: "x",
        y_name: "y",
        series: &[line],
        marks: &[(1.5, "m")],
        ..Chart::default()
    };
    let svg = chart.to_svg(400, 300).unwrap();
    for part in svg.split("=\"#").skip(1) {
        let selector = format!("=\"#{}\"]", &part[..6]);
        assert!(STYLE.contains(&selector) || selector.contains("0072B2"), "{selector}");
    }
    // A line that explains in the legend how others are drawn has the colour of text.
    assert!(STYLE.contains(".chart [stroke=\"#333333\"] { stroke: var(--ink); }"));
    assert!(
        svg.contains("fill=\"#333333\"") && STYLE.contains(".chart [fill=\"#333333\"] { fill: var(--ink); }")
    );
}
