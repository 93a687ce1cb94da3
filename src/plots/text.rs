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
mod tests {
    use super::*;

    /// Pixels of a text: distance right of its start, distance below its baseline.
    fn inked(font: Font, text: &str) -> Vec<(f64, f64)> {
        let pixels = font.rasterize(text, Anchor::Start).unwrap();
        pixels.filter(|p| p.2 > 0.3).map(|p| (p.0, p.1)).collect()
    }

    fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    }

    #[test]
    fn capitals_stand_on_the_baseline() {
        for size in [13.0, 14.0, 15.0, 24.0, 40.0] {
            for bold in [false, true] {
                let (top, bottom) = ends(inked(Font { size, bold }, "H").iter().map(|p| p.1));
                assert_eq!(bottom, -1.0, "size {size}");
                assert!((-top - 0.729 * size).abs() <= 1.0, "size {size}: {} high", -top);
            }
        }
    }

    /// plotters draws every glyph without the space before it. The font files compensate for that.
    #[test]
    fn glyphs_keep_the_space_before_them() {
        let (left, right) = ends(inked(Font { size: 100.0, bold: false }, "l").iter().map(|p| p.0));
        assert!((8.0..=11.0).contains(&left), "the stem of an l begins at {left}");
        assert!((17.0..=19.0).contains(&right), "the stem of an l ends at {right}");
    }

    #[test]
    fn every_promised_character_is_in_the_fonts() {
        let missing = inked(BODY, "\u{4e00}");
        for bold in [false, true] {
            for c in "Aä×→−–—·…±²³≤≥≈√∞•✓✗Σλ".chars() {
                let glyph = inked(Font { bold, ..BODY }, &c.to_string());
                assert!(!glyph.is_empty() && glyph != missing, "{c}");
            }
        }
    }

    #[test]
    fn text_hangs_on_its_anchor() {
        let middle_of = |anchor| {
            let (left, right) = ends(BODY.rasterize("mmmm", anchor).unwrap().map(|p| p.0));
            (left + right) / 2.0
        };
        let half = BODY.measure("mmmm").unwrap() / 2.0;
        assert!((middle_of(Anchor::Start) - half).abs() < 1.5);
        assert!(middle_of(Anchor::Middle).abs() < 1.5);
        assert!((middle_of(Anchor::End) + half).abs() < 1.5);
    }

    #[test]
    fn long_text_is_cut_to_its_width() {
        assert_eq!(BODY.fit("short", 100.0).unwrap(), "short");
        for text in ["a rather long caption", &"W".repeat(100_000), "ééééééééééééééééééé"]
        {
            let cut = BODY.fit(text, 60.0).unwrap();
            assert!(cut.ends_with('…') && BODY.measure(&cut).unwrap() <= 60.0, "{cut}");
            assert!(BODY.measure(&cut).unwrap() > 40.0, "{cut} is shorter than needed");
        }
        assert_eq!(BODY.fit("long", 0.0).unwrap(), "…");
        assert_eq!(BODY.fit("two\nlines\t", 100.0).unwrap(), "two lines ");
    }

    #[test]
    fn wrapping_keeps_all_words_or_ends_in_an_ellipsis() {
        let text = "one two three four five six seven";
        let lines = BODY.wrap(text, 90.0, 9).unwrap();
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), text);
        let cut = BODY.wrap(text, 90.0, 2).unwrap();
        assert_eq!((cut.len(), &cut[0]), (2, &lines[0]));
        assert!(cut[1].ends_with('…'));
        assert!(BODY.wrap("", 90.0, 2).unwrap().is_empty());
        // A word that is longer than a line loses no letters.
        let name = "2026-11-25-softmax-learning-rate-cross-validation-2";
        let lines = BODY.wrap(name, 90.0, 9).unwrap();
        assert!(lines.len() > 3 && lines.iter().all(|line| BODY.measure(line).unwrap() <= 90.0), "{lines:?}");
        assert_eq!(lines.concat(), name);
        assert_eq!(BODY.wrap("abc", 0.0, 9).unwrap().len(), 3);
    }
}
