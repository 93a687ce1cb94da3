//! Owns every colour: text and axes, data series, and the scales that turn a value into a colour. Knows no shape.
//!
//! The colours can be told apart with the common kinds of colour blindness: series are Okabe and Ito's, scales are
//! ColorBrewer's.

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

pub(super) const WHITE: Rgb = [0xFF, 0xFF, 0xFF];
/// Titles and text.
pub(super) const INK: Rgb = [0x33, 0x33, 0x33];
/// Subtitles, tick labels and remarks.
pub(super) const QUIET: Rgb = [0x66, 0x66, 0x66];
/// Axis lines and arrows.
pub(super) const AXIS: Rgb = [0x77, 0x77, 0x77];
/// Grid lines and frames.
pub(super) const GRID: Rgb = [0xDD, 0xDD, 0xDD];
/// What is right, recognised or most probable.
pub(super) const RIGHT: Rgb = [0x00, 0x72, 0xB2];
/// What is wrong: Okabe and Ito's vermilion, darkened so that small text keeps contrast.
pub(super) const WRONG: Rgb = [0xB8, 0x4A, 0x00];
/// Bars that are not emphasised.
pub(super) const FAINT: Rgb = [0xB4, 0xC7, 0xD6];
/// A value that is not a number: no scale contains this grey.
pub(super) const NOT_A_NUMBER: Rgb = [0x66, 0x66, 0x66];

/// How many series have a colour of their own.
pub(super) const NUM_COLOURS: usize = 6;
/// Okabe and Ito's colours without black and yellow; orange and sky blue are darkened. All have a contrast of 3:1
/// to white and to `#16181d`.
const SERIES: [Rgb; NUM_COLOURS] = [
    [0x00, 0x72, 0xB2],
    [0xD5, 0x5E, 0x00],
    [0x00, 0x9E, 0x73],
    [0xCC, 0x79, 0xA7],
    [0xB8, 0x86, 0x00],
    [0x3A, 0x96, 0xCC],
];

/// The colour of series `index`; after the sixth they start again.
pub(super) fn series(index: usize) -> Rgb {
    SERIES[index % SERIES.len()]
}

/// Blue for `-limit`, white for zero, red for `+limit`; values beyond are clipped.
pub(super) fn diverging(value: f32, limit: f32) -> Rgb {
    if value.is_nan() {
        return NOT_A_NUMBER;
    }
    let t = 0.5 - 0.5 * f64::from(value) / f64::from(limit);
    colorous::RED_BLUE.eval_continuous(t.clamp(0.0, 1.0)).as_array()
}

/// Blue for the share of a class that was recognised: white for 0, dark for 1.
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

/// The WCAG contrast ratio, 1 to 21.
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
mod tests {
    use super::*;

    #[test]
    fn series_can_be_read_on_white_and_on_a_dark_page() {
        for colour in SERIES {
            assert!(contrast(colour, WHITE) >= 3.0, "{colour:?} on white: {}", contrast(colour, WHITE));
            let dark = contrast(colour, [0x16, 0x18, 0x1d]);
            assert!(dark >= 3.0, "{colour:?} on dark: {dark}");
        }
        assert_eq!(series(6), series(0));
    }

    #[test]
    fn small_text_keeps_its_contrast() {
        for colour in [INK, QUIET, RIGHT, WRONG] {
            assert!(contrast(colour, WHITE) >= 4.5, "{colour:?}");
        }
        for i in 0..=100 {
            for background in [recognised(f64::from(i) / 100.0), mistaken(f64::from(i) / 100.0)] {
                assert!(contrast(text_on(background), background) >= 4.5, "{background:?}");
            }
        }
    }

    #[test]
    fn weights_are_blue_white_red() {
        let [low, zero, high] = [-2.0, 0.0, 2.0].map(|v| diverging(v, 2.0));
        assert!(low[2] > low[0] + 50 && high[0] > high[2] + 50, "{low:?} {high:?}");
        assert!(zero.iter().all(|&c| c > 0xE8), "{zero:?}");
        assert_eq!(diverging(f32::INFINITY, 2.0), high);
        assert_eq!(diverging(f32::NEG_INFINITY, 2.0), low);
        assert_eq!(diverging(f32::NAN, 2.0), NOT_A_NUMBER);
    }
}
