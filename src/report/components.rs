//! Owns the components of pages: tables, lists, figures.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, Render, html};

use crate::run::RunInfo;
use crate::util::format::counted;
use crate::util::table::{Align, TextTable};

/// HTML table with a header. The first `left` columns are aligned to the left, all others to the
/// right.
pub(crate) fn table(header: &[impl Render], rows: &[impl AsRef<[String]>], left: usize) -> Markup {
    aligned_table(header, rows, |index| index < left)
}

/// HTML table of columns that were declared once for the terminal and the pages.
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

/// True if a cell holds several words, which may be broken into two lines where a table would be
/// too wide.
fn is_long(cell: &str) -> bool {
    cell.chars().count() >= 14 && cell.contains(' ')
}

/// Text of a cell. In a long one, percent signs stay with their numbers.
fn unbroken(cell: &str) -> String {
    if is_long(cell) { cell.replace(" %", "\u{a0}%") } else { cell.to_owned() }
}

/// Tiles with a large number each, and its name below.
pub(crate) fn stat_tiles(tiles: &[(String, String)]) -> Markup {
    html! {
        div.numbers {
            @for (value, name) in tiles { div { strong { (value) } span { (name) } } }
        }
    }
}

/// List of names with their values, one line each.
pub(crate) fn definition_list(entries: &[(&str, String)]) -> Markup {
    html! {
        dl { @for (name, value) in entries { dt { (name) } dd { (value) } } }
    }
}

/// Entries about the program, the machine and the data of a computation.
pub(crate) fn origin(info: &RunInfo) -> [(&'static str, String); 5] {
    [
        ("smallnet", format!("{}, commit {}", info.version, info.git_commit.as_deref().unwrap_or("unknown"))),
        (
            "backend",
            format!(
                "{} on {}, engine {}, {}",
                info.backends(),
                info.adapter,
                info.engine(),
                counted(info.num_threads, "thread", "threads")
            ),
        ),
        ("data", info.data.describe()),
        ("data digest", info.data.sha256.clone()),
        ("seed", info.seed.to_string()),
    ]
}

/// Text with the words between backticks as `<code>`.
pub(crate) fn inline_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Quotes a word for a shell where necessary.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%=".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Figure of an SVG drawing that smallnet made. Its texts are already escaped.
pub(crate) fn svg_figure(svg: String) -> Markup {
    html! { figure.drawing { (PreEscaped(svg)) } }
}

/// Larger figure, for the main drawing of a page.
pub(crate) fn large_svg_figure(svg: String) -> Markup {
    html! { figure.drawing.large { (PreEscaped(svg)) } }
}

/// Small picture with a caption of one or more lines. The first line is the heading.
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

/// Image that is embedded in the page, with its description for screen readers.
pub(crate) fn image(png: &[u8], description: &str) -> Markup {
    html! { img src={ "data:image/png;base64," (BASE64_STANDARD.encode(png)) } alt=(description); }
}
