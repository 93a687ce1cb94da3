//! Owns the HTML skeleton of all pages.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::plots;

/// Style sheet of all pages: light and dark, screen and paper, phone and desktop.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Content security policy. Nothing may be fetched: the page contains all that it needs.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// Builds a page of `sections` under `header`, made from saved records.
pub(crate) fn page(title: &str, header: &Markup, sections: &[Markup]) -> String {
    page_from("from saved records alone", title, header, sections)
}

/// Builds a page of `sections` under `header`. `origin` names its source in the footer.
pub(crate) fn page_from(origin: &str, title: &str, header: &Markup, sections: &[Markup]) -> String {
    let style = [STYLE, &chart_style()].concat();
    let body = html! {
        main {
            header { (header) }
            @for section in sections { (section) }
            (footer(origin))
        }
    };
    document(title, POLICY, &style, &body)
}

/// Builds an HTML file with this content security policy and style sheet.
pub(crate) fn document(title: &str, policy: &str, style: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "smallnet " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// Last line of a page. `origin` names its source.
pub(crate) fn footer(origin: &str) -> Markup {
    html! { footer { "Written by smallnet " (env!("CARGO_PKG_VERSION")) " " (origin) "." } }
}

/// Colours of charts on a dark page. Paper is never dark.
fn chart_style() -> String {
    format!("@media screen and (prefers-color-scheme: dark) {{\n{}}}\n", plots::dark_style())
}

/// Section of a page, with its title.
pub(crate) fn section(title: &str, content: &Markup) -> Markup {
    html! { section { h2 { (title) } (content) } }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
            svg.contains("fill=\"#333333\"")
                && STYLE.contains(".chart [fill=\"#333333\"] { fill: var(--ink); }")
        );
    }
}
