//! Pieces that pages are made of: tables, facts, pictures.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, Render, html};

use crate::run::RunInfo;
use crate::util::format::counted;
use crate::util::table::{Align, TextTable};

/// A table with a header; every column but the first `left` is aligned to the right.
pub(crate) fn table(header: &[impl Render], rows: &[impl AsRef<[String]>], left: usize) -> Markup {
    aligned_table(header, rows, |index| index < left)
}

/// A table whose columns were declared once for the terminal and the pages.
pub(crate) fn text_table(table: &TextTable) -> Markup {
    let names: Vec<&str> = table.headers.iter().map(|header| header.name.as_str()).collect();
    aligned_table(&names, &table.rows, |index| table.headers[index].align == Align::Left)
}

fn aligned_table(
    header: &[impl Render],
    rows: &[impl AsRef<[String]>],
    is_left: impl Fn(usize) -> bool,
) -> Markup {
    let class = |index: usize| if is_left(index) { "left" } else { "right" };
    html! {
        div.scroll {
            table {
                thead { tr { @for (index, name) in header.iter().enumerate() { th class=(class(index)) { (name) } } } }
                tbody {
                    @for row in rows {
                        tr { @for (index, cell) in row.as_ref().iter().enumerate() {
                            td class={ (class(index)) @if is_long(cell) { " long" } } { (unbroken(cell)) }
                        } }
                    }
                }
            }
        }
    }
}

/// Whether a cell holds several words, which may stand in two lines where a table would be too
/// wide.
fn is_long(cell: &str) -> bool {
    cell.chars().count() >= 14 && cell.contains(' ')
}

/// A cell; in a long one, percent signs stay with their numbers.
fn unbroken(cell: &str) -> String {
    if is_long(cell) { cell.replace(" %", "\u{a0}%") } else { cell.to_owned() }
}

/// Large numbers with what they are under them.
pub(crate) fn stat_tiles(tiles: &[(String, String)]) -> Markup {
    html! {
        div.numbers {
            @for (value, name) in tiles { div { strong { (value) } span { (name) } } }
        }
    }
}

/// Names with their values, a line each.
pub(crate) fn definition_list(entries: &[(&str, String)]) -> Markup {
    html! {
        dl { @for (name, value) in entries { dt { (name) } dd { (value) } } }
    }
}

/// Where and with what something was computed.
pub(crate) fn origin(info: &RunInfo) -> [(&'static str, String); 5] {
    [
        ("smallnet", format!("{}, commit {}", info.version, info.git_commit.as_deref().unwrap_or("unknown"))),
        (
            "backend",
            format!("{} on {}, {}", info.backend, info.adapter, counted(info.threads, "thread", "threads")),
        ),
        ("data", info.data.describe()),
        ("data digest", info.data.sha256.clone()),
        ("seed", info.seed.to_string()),
    ]
}

/// A sentence in which `this` is code.
pub(crate) fn inline_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A word as a shell must be given it.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%=".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A drawing that smallnet made itself; its texts are escaped already.
pub(crate) fn svg_figure(svg: String) -> Markup {
    html! { figure.drawing { (PreEscaped(svg)) } }
}

/// The same, larger: what a page is about.
pub(crate) fn large_svg_figure(svg: String) -> Markup {
    html! { figure.drawing.large { (PreEscaped(svg)) } }
}

/// A small picture with its caption, a line each; the first is the heading.
pub(super) fn tile(png: &[u8], lines: &[String]) -> Markup {
    let heading = lines.first().map_or("", String::as_str);
    html! {
        figure.tile {
            (image(png, heading))
            figcaption {
                @for (index, line) in lines.iter().enumerate() {
                    @if index == 0 { strong { (line) } } @else { span { (line) } }
                }
            }
        }
    }
}

/// A picture inside the page.
pub(crate) fn image(png: &[u8], description: &str) -> Markup {
    html! { img src={ "data:image/png;base64," (BASE64_STANDARD.encode(png)) } alt=(description); }
}
