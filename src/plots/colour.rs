//! Owns every colour: text and axes, data series, and the scales from a value to a colour. Must not
//! know shapes.
//!
//! The colours can be distinguished with the common kinds of colour blindness: series are Okabe and
//! Ito's, scales are ColorBrewer's.

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

pub(super) const WHITE: Rgb = [0xFF, 0xFF, 0xFF];
/// Titles and text.
pub(super) const TEXT: Rgb = [0x33, 0x33, 0x33];
/// Subtitles, tick labels and notes.
pub(super) const MUTED: Rgb = [0x66, 0x66, 0x66];
/// Axis lines and arrows.
pub(super) const AXIS: Rgb = [0x77, 0x77, 0x77];
/// Grid lines and frames.
pub(super) const GRID: Rgb = [0xDD, 0xDD, 0xDD];
/// Correct, recognised or most probable.
pub(super) const RIGHT: Rgb = [0x00, 0x72, 0xB2];
/// Wrong. Okabe and Ito's vermilion, darkened so that small text keeps its contrast.
pub(super) const WRONG: Rgb = [0xB8, 0x4A, 0x00];
/// Bars that are not emphasised.
pub(super) const MUTED_BAR: Rgb = [0xB4, 0xC7, 0xD6];
/// A value that is NaN. No scale contains this grey.
pub(super) const NOT_A_NUMBER: Rgb = [0x66, 0x66, 0x66];

/// A colour on white, and its replacement on a dark page.
type LightAndDark = (Rgb, Rgb);

/// Colours of series without an order. The first six are Okabe and Ito's without black and yellow,
/// orange and sky blue darkened. The last two are Tol's. On white all have a contrast of 3:1, as
/// lines need it, and on a dark page of 4.5:1.
const CATEGORIES: [LightAndDark; 8] = [
    ([0x00, 0x72, 0xB2], [0x4A, 0xA8, 0xE0]),
    ([0xD5, 0x5E, 0x00], [0xF0, 0x7C, 0x2E]),
    ([0x00, 0x9E, 0x73], [0x2B, 0xBF, 0x93]),
    ([0xCC, 0x79, 0xA7], [0xE0, 0x9C, 0xC4]),
    ([0xB8, 0x86, 0x00], [0xD9, 0xA5, 0x14]),
    ([0x3A, 0x96, 0xCC], [0x7C, 0xC4, 0xF0]),
    ([0x33, 0x22, 0x88], [0xA9, 0x9C, 0xF5]),
    ([0x88, 0x22, 0x55], [0xE0, 0x56, 0x7F]),
];
/// Number of steps on the scale of ordered series.
const NUM_STEPS: usize = 9;
/// Parts of matplotlib's plasma that are readable on white and on a dark page: from dark blue over
/// purple to orange, and from red to yellow. Both become lighter, so that the order can be seen
/// without colours.
const ON_WHITE: (f64, f64) = (0.0, 0.62);
const ON_DARK: (f64, f64) = (0.56, 1.0);

/// Colour of a series in a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// One of several series without an order. After the eighth, the colours repeat.
    Category(usize),
    /// A place in an order, such as a learning rate among others: dark blue for the first, orange
    /// for the last.
    Ordered {
        /// The place, from 0, less than `of`.
        place: usize,
        /// Number of places.
        of: usize,
    },
    /// The colour of text, for a line that explains in the legend how others are drawn.
    Text,
}

impl Default for Colour {
    fn default() -> Self {
        Self::Category(0)
    }
}

impl Colour {
    /// The colour on white. [`dark_style`] replaces it on a dark page.
    pub(super) fn on_white(self) -> Rgb {
        match self {
            Self::Category(index) => CATEGORIES[index % CATEGORIES.len()].0,
            Self::Ordered { place, of } => {
                let last = of.saturating_sub(1).max(1);
                step((place.min(last) as f64 / last as f64 * (NUM_STEPS - 1) as f64).round() as usize).0
            }
            Self::Text => TEXT,
        }
    }
}

/// A step on the scale of ordered series.
fn step(index: usize) -> LightAndDark {
    let t = index as f64 / (NUM_STEPS - 1) as f64;
    let at =
        |(start, end): (f64, f64)| colorous::PLASMA.eval_continuous(start + t * (end - start)).as_array();
    (at(ON_WHITE), at(ON_DARK))
}

/// Every colour that a series can have.
fn series_colours() -> impl Iterator<Item = LightAndDark> {
    CATEGORIES.into_iter().chain((0..NUM_STEPS).map(step))
}

/// Style rules that replace the colours of series on a dark page, for a media query.
pub(crate) fn dark_style() -> String {
    let hex = |[red, green, blue]: Rgb| format!("#{red:02X}{green:02X}{blue:02X}");
    let rule = |(light, dark): LightAndDark| {
        let (light, dark) = (hex(light), hex(dark));
        format!(
            ".chart [fill=\"{light}\"] {{ fill: {dark}; }}\n.chart [stroke=\"{light}\"] {{ stroke: {dark}; }}\n"
        )
    };
    series_colours().map(rule).collect()
}

/// Blue for `-limit`, white for zero, red for `+limit`. Values beyond are clipped.
pub(super) fn diverging(value: f32, limit: f32) -> Rgb {
    if value.is_nan() {
        return NOT_A_NUMBER;
    }
    let t = 0.5 - 0.5 * f64::from(value) / f64::from(limit);
    colorous::RED_BLUE.eval_continuous(t.clamp(0.0, 1.0)).as_array()
}

/// Blue for the fraction of a class that was recognised: white for 0, dark for 1.
pub(super) fn recognised(share: f64) -> Rgb {
    sequential(colorous::BLUES, share)
}

/// Orange for a kind of mistake: white for 0, dark for 1.
pub(super) fn mistaken(strength: f64) -> Rgb {
    sequential(colorous::ORANGES, strength)
}

fn sequential(gradient: colorous::Gradient, t: f64) -> Rgb {
    if t > 0.0 { gradient.eval_continuous(0.06 + 0.82 * t.min(1.0)).as_array() } else { WHITE }
}

/// White or black, whichever is easier to read on `background`.
pub(super) fn text_on(background: Rgb) -> Rgb {
    let black = [0, 0, 0];
    if contrast(WHITE, background) > contrast(black, background) { WHITE } else { black }
}

/// WCAG contrast ratio, 1 to 21.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: Rgb) -> f64 {
    let linear = colour.map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

#[cfg(test)]
mod tests;
