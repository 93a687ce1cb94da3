//! What every page has around its content.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style of all pages: light and dark, screen and paper, phone and desk.
const STYLE: &str = include_str!("style.css");

/// Nothing may be fetched: whatever a page needs is in it.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A page of `sections` under `header`.
pub(super) fn page(title: &str, header: &Markup, sections: &[Markup]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "smallnet " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header { (header) }
                    @for section in sections { (section) }
                    footer { "Written by smallnet " (env!("CARGO_PKG_VERSION")) " from the run's own records." }
                }
            }
        }
    };
    page.into_string()
}

/// A titled part of a page.
pub(super) fn section(title: &str, content: &Markup) -> Markup {
    html! { section { h2 { (title) } (content) } }
}
