//! Owns the fonts: measuring, shortening and rasterizing one line of text. Must not know pictures.
//!
//! plotters places glyphs on whole pixels. Text is therefore rasterized at [`SUPERSAMPLING`] times
//! its size and averaged, which places glyphs on fractions of a pixel and smooths their edges.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

use crate::error::{Error, Result};

/// Name of the built-in font family in plotters. Browsers do not know it.
pub(super) const FAMILY: &str = "smallnet-sans";
const REGULAR: &[u8] = include_bytes!("../../data/fonts/DejaVuSans.subset.ttf");
const BOLD: &[u8] = include_bytes!("../../data/fonts/DejaVuSans-Bold.subset.ttf");
const SUPERSAMPLING: usize = 4;
/// (ascender − descender) / em of DejaVu Sans. plotters counts a font's size from descender to
/// ascender.
const LINE_PER_EM: f64 = 2384.0 / 2048.0;
/// Most characters of a text. Longer text fits into no picture; the limit bounds the time that
/// measuring takes.
const MAX_CHARS: usize = 1_000;

/// Size and weight of the font family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Font {
    /// The em, in pixels.
    pub(super) size: f64,
    /// True for the bold font, false for the regular one.
    pub(super) bold: bool,
}

/// Font of titles.
pub(super) const TITLE: Font = Font { size: 24.0, bold: true };
/// Font of emphasised names.
pub(super) const STRONG: Font = Font { size: 15.0, bold: true };
/// Font of everything else.
pub(super) const BODY: Font = Font { size: 14.0, bold: false };

/// End of a text that is at its given point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Font {
    /// Distance between the baselines of two lines, in pixels.
    pub(super) fn line_height(self) -> f64 {
        (self.size * 1.36).round()
    }

    /// Distance from a point down to the baseline of text whose capitals are centred on that point.
    pub(super) fn centre(self) -> f64 {
        self.size * 0.365
    }

    /// Width of `text`, in pixels.
    pub(super) fn measure(self, text: &str) -> Result<f64> {
        self.measure_line(&to_one_line(text))
    }

    /// Width of the widest of `texts`, in pixels. 0 if there are none.
    pub(super) fn measure_widest<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> Result<f64> {
        texts.into_iter().try_fold(0.0, |widest: f64, text| Ok(widest.max(self.measure(text)?)))
    }

    /// Cuts `text` with an ellipsis where it is wider than `width`.
    pub(super) fn fit(self, text: &str, width: f64) -> Result<String> {
        let text = to_one_line(text);
        if self.measure_line(&text)? <= width {
            return Ok(text);
        }
        let chars: Vec<char> = text.chars().collect();
        let cut = |count: usize| chars[..count].iter().collect::<String>().trim_end().to_owned() + "…";
        let (mut fits, mut too_long) = (0, chars.len());
        while too_long - fits > 1 {
            let middle = usize::midpoint(fits, too_long);
            if self.measure_line(&cut(middle))? <= width { fits = middle } else { too_long = middle }
        }
        Ok(cut(fits))
    }

    /// Breaks `text` into lines of at most `width`, between words, and within a word that is longer
    /// than a line. The last of `max_lines` ends in an ellipsis where more would follow.
    pub(super) fn wrap(self, text: &str, width: f64, max_lines: usize) -> Result<Vec<String>> {
        let text = to_one_line(text);
        let mut lines: Vec<String> = Vec::new();
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            words.extend(self.pieces(word, width, max_lines)?);
        }
        for word in words {
            let full = lines.len() >= max_lines;
            if let Some(last) = lines.last_mut() {
                let longer = format!("{last} {word}");
                if full || self.measure_line(&longer)? <= width {
                    *last = longer;
                    continue;
                }
            }
            lines.push(word);
        }
        lines.into_iter().map(|line| self.fit(&line, width)).collect()
    }

    /// Breaks `word` into pieces as long as `width` allows, with at least one letter each. After
    /// `most` pieces, the rest is one piece.
    fn pieces(self, word: &str, width: f64, most: usize) -> Result<Vec<String>> {
        let mut rest: Vec<char> = word.chars().collect();
        let mut pieces = Vec::new();
        while pieces.len() < most && self.measure_line(&rest.iter().collect::<String>())? > width {
            let (mut fits, mut too_long) = (1, rest.len());
            while too_long - fits > 1 {
                let middle = usize::midpoint(fits, too_long);
                let start: String = rest[..middle].iter().collect();
                if self.measure_line(&start)? <= width { fits = middle } else { too_long = middle }
            }
            pieces.push(rest.drain(..fits).collect());
        }
        pieces.extend((!rest.is_empty()).then(|| rest.iter().collect()));
        Ok(pieces)
    }

    /// Returns the pixels of `text` that are not empty: distance right of its anchor, distance
    /// below the baseline, and coverage from 0 to 1.
    pub(super) fn rasterize(
        self,
        text: &str,
        anchor: Anchor,
    ) -> Result<impl Iterator<Item = (f64, f64, f32)>> {
        let text = to_one_line(text);
        let length = self.measure_line(&text)?;
        let width = length.ceil() as usize + self.size.ceil() as usize;
        let ascent = (self.size * 1.2).ceil() as usize;
        let height = ascent + (self.size * 0.4).ceil() as usize;
        let mut coverage = vec![0.0; width * height];
        let baseline = (ascent * SUPERSAMPLING) as i32 - self.supersampled_size() as i32 / 2;
        let mut ink = |x: i32, y: i32, strength: f32| -> std::result::Result<(), ()> {
            if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
                && x / SUPERSAMPLING < width
                && y / SUPERSAMPLING < height
            {
                coverage[y / SUPERSAMPLING * width + x / SUPERSAMPLING] +=
                    strength / (SUPERSAMPLING * SUPERSAMPLING) as f32;
            }
            Ok(())
        };
        let _drawn = self.description()?.draw(&text, (0, baseline), &mut ink).map_err(cannot_draw)?;
        let before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => length / 2.0,
            Anchor::End => length,
        };
        let inked = coverage.into_iter().enumerate().filter(|&(_, ink)| ink > 0.0);
        Ok(inked.map(move |(i, ink)| ((i % width) as f64 - before, (i / width) as f64 - ascent as f64, ink)))
    }

    fn measure_line(self, text: &str) -> Result<f64> {
        let (width, _) = self.description()?.box_size(text).map_err(cannot_draw)?;
        Ok(f64::from(width) / SUPERSAMPLING as f64)
    }

    /// Size of the enlarged font. It is even: plotters places the baseline at half of it, which is
    /// then a whole pixel.
    fn supersampled_size(self) -> f64 {
        (self.size * LINE_PER_EM * SUPERSAMPLING as f64 / 2.0).round() * 2.0
    }

    fn description(self) -> Result<FontDesc<'static>> {
        self.description_at(self.supersampled_size())
    }

    /// Returns the font for plotters, which counts `size` from the lowest to the highest point of
    /// its letters.
    pub(super) fn description_at(self, size: f64) -> Result<FontDesc<'static>> {
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        let registered = REGISTERED.get_or_init(|| {
            register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
                && register_font(FAMILY, FontStyle::Bold, BOLD).is_ok()
        });
        if !registered {
            return Err(Error::new("cannot read the built-in fonts"));
        }
        let style = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        Ok(FontDesc::new(FontFamily::Name(FAMILY), size, style))
    }
}

fn cannot_draw(error: impl std::fmt::Display) -> Error {
    Error::new(format!("cannot draw text: {error}"))
}

/// Makes one line of bounded length. Line breaks, tabs, control characters and characters that XML
/// forbids become spaces.
fn to_one_line(text: &str) -> String {
    let forbidden = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().take(MAX_CHARS).map(|c| if forbidden(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
