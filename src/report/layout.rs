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
mod tests;
