//! Owns bars and pictures made of characters, and the width that is available for them.

use console::measure_text_width;
use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};

/// Maximum width of a printed picture, in characters.
const MAX_IMAGE_WIDTH: usize = 64;

/// Returns the width of a line in characters: `COLUMNS` if it is set, else the width of the
/// terminal, else `u16::MAX`. The result is at least [`MIN_WIDTH`].
pub(super) fn width() -> u16 {
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let stated = stated.filter(|&columns: &u16| columns > 0);
    let columns = stated.or_else(|| console::Term::stdout().size_checked().map(|(_, columns)| columns));
    columns.map_or(u16::MAX, |columns| columns.max(MIN_WIDTH))
}

/// Minimum width of output, in characters. A narrower terminal breaks the lines itself.
const MIN_WIDTH: u16 = 20;

/// Draws a bar of `share` · `width` characters, rounded to eighths of a character. `share` is from
/// 0 to 1.
pub(super) fn bar(share: f64, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let last = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + last
}

/// Joins two blocks of lines horizontally, with a gap of three spaces between them.
pub(super) fn beside(left: &[String], right: &[String]) -> Vec<String> {
    let width = left.iter().map(|line| measure_text_width(line)).max().unwrap_or(0);
    let line = |index: usize| {
        let left = left.get(index).map_or("", String::as_str);
        let gap = " ".repeat(width - measure_text_width(left) + 3);
        let right = right.get(index).map_or("", String::as_str);
        format!("{left}{gap}{right}").trim_end().to_owned()
    };
    (0..left.len().max(right.len())).map(line).collect()
}

/// Draws a grey image of `height` × `width` `pixels`, two rows of pixels per line. With `colors` it
/// is drawn in shades of grey, else in half blocks. An image wider than the available width is
/// shrunk.
pub(super) fn image(pixels: &[u8], height: usize, width: usize, colors: bool) -> Vec<String> {
    let shrunk = shrink(pixels, height, width);
    let (columns, rows) = shrunk.dimensions();
    let at = |x, y| if y < rows { shrunk.get_pixel(x, y).0[0] } else { 0 };
    let threshold = shrunk.pixels().map(|Luma([value])| *value).max().unwrap_or(0).div_ceil(2).max(1);
    (0..rows)
        .step_by(2)
        .map(|y| {
            let cells = (0..columns).map(|x| (at(x, y), at(x, y + 1)));
            if colors { shades(cells) } else { blocks(cells, threshold) }
        })
        .collect()
}

fn shrink(pixels: &[u8], height: usize, width: usize) -> GrayImage {
    let image = GrayImage::from_raw(width as u32, height as u32, pixels.to_vec()).unwrap_or_default();
    let (largest, limit) = (width.max(height), MAX_IMAGE_WIDTH.min(usize::from(self::width())));
    if largest <= limit {
        return image;
    }
    let scaled = |side: usize| (side * limit).div_ceil(largest).max(1) as u32;
    imageops::resize(&image, scaled(width), scaled(height), FilterType::Triangle)
}

/// Draws one line of `(upper, lower)` pixels: the upper half of a character in the foreground
/// colour, the lower half in the background colour.
fn shades(cells: impl Iterator<Item = (u8, u8)>) -> String {
    let mut line = String::new();
    for (upper, lower) in cells {
        line += &format!("\x1b[38;5;{};48;5;{}m▀", shade(upper), shade(lower));
    }
    line + "\x1b[0m"
}

/// Returns the nearest of xterm's 256 colours: 24 greys from 8 in steps of 10, and black and white.
fn shade(value: u8) -> u8 {
    match value {
        0..=3 => 16,
        4..=243 => 232 + (value - 4) / 10,
        244..=255 => 231,
    }
}

/// Draws one line of `(upper, lower)` pixels in half blocks. A pixel of at least `threshold` is
/// drawn.
fn blocks(cells: impl Iterator<Item = (u8, u8)>, threshold: u8) -> String {
    let line: String = cells
        .map(|(upper, lower)| match (upper >= threshold, lower >= threshold) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        })
        .collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
