//! Owns the axes of a chart: their ranges, their ticks and the labels of the ticks. Depends on
//! `plots::text`, which measures labels. Must not know lines or marks.

use std::ops::{Range, RangeInclusive};

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;

use crate::error::Result;
use crate::plots::chart::style::LABEL_GAP;
use crate::plots::text::BODY;
use crate::util::format::grouped;

/// Largest absolute value that is drawn. Larger values and NaN are left out: beside them, all other
/// values would be in one place.
const MAX_SHOWN: f64 = 1e38;
/// Exponents of the powers of ten that are written in decimal notation: 0.00001 to 1,000,000.
const PLAIN_EXPONENTS: RangeInclusive<i32> = -5..=6;
/// Approximate number of ticks of an axis.
const NUM_TICKS: usize = 6;
/// Space between the data and each end of an axis, as a fraction of the data's range.
const PADDING: f64 = 0.04;
/// The same space on the y axis of a plot with labels.
const LABEL_PADDING: f64 = 0.14;

/// Scale of the x axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Linear: equal differences have equal distances.
    #[default]
    Linear,
    /// Linear with integer ticks, for an axis that counts epochs.
    Whole,
    /// Logarithmic: equal ratios have equal distances. The ticks are at powers of ten, or closer if
    /// there would be fewer than three. Values that are not positive are left out.
    Log,
    /// Logarithmic like [`Log`](Self::Log), with ticks at powers of two, for batch sizes.
    Log2,
}

/// Range of one axis, and its ticks with their labels in ascending order. Both are positions on the
/// axis: on a logarithmic axis, they are exponents. plotters draws the ticks as they are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    range: Range<f64>,
    ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Position of `x` on the axis: `x` itself, or its logarithm. `None` if it cannot be shown.
    pub(super) fn place(self, x: f64) -> Option<f64> {
        let shown =
            if self.is_log() { (MAX_SHOWN.recip()..=MAX_SHOWN).contains(&x) } else { can_be_shown(x) };
        let place = match self {
            Self::Linear | Self::Whole => x,
            Self::Log => x.log10(),
            Self::Log2 => x.log2(),
        };
        shown.then_some(place)
    }

    fn is_log(self) -> bool {
        matches!(self, Self::Log | Self::Log2)
    }
}

impl Axis {
    /// Creates the x axis for values at `places`, over `width` pixels. With error bars, and on
    /// logarithmic axes, there is space for a mark at both ends.
    pub(super) fn horizontal(
        scale: Scale,
        places: impl Iterator<Item = f64> + Clone,
        width: f64,
        has_error_bars: bool,
    ) -> Result<Self> {
        let (low, high) = min_max(places);
        // The axis of a single value reaches from one power below it to one power above it.
        let values = if scale.is_log() && !are_distinct(low, high) {
            low - 1.0..low + 1.0
        } else {
            pad_single_value(low, high)
        };
        let padding =
            if scale.is_log() || has_error_bars { PADDING * (values.end - values.start) } else { 0.0 };
        let range = values.start - padding..values.end + padding;
        let ticks = match scale {
            Scale::Linear => linear_ticks(&range),
            Scale::Log | Scale::Log2 => log_ticks(scale, &range, width)?,
            // There are no ticks between integers.
            Scale::Whole => {
                let most = (values.end - values.start).ceil().clamp(1.0, 9.0) + 1.0;
                key_points(&range, most as usize).map(|value| (value, integer_label(value))).collect()
            }
        };
        Ok(Self { range, ticks })
    }

    /// Creates the y axis for `values`. Its padding does not reach beyond `bounds`. Values beyond
    /// the bounds, such as those of an edited file, are on the axis all the same. If `has_labels`,
    /// there is space for one label above the data and one below.
    pub(super) fn vertical(
        values: impl Iterator<Item = f64> + Clone,
        bounds: (f64, f64),
        has_labels: bool,
    ) -> Self {
        let (low, high) = min_max(values);
        let range = pad_single_value(low, high);
        let padding = if has_labels { LABEL_PADDING } else { PADDING } * (range.end - range.start);
        let start = (range.start - padding).max(bounds.0).min(low);
        let end = (range.end + padding).min(bounds.1).max(high);
        let range = if are_distinct(start, end) { start..end } else { range };
        let ticks = linear_ticks(&range);
        Self { range, ticks }
    }
}

impl Axis {
    /// Fraction of the axis before `place`, from 0 to 1. `None` if the axis does not cover `place`.
    pub(super) fn share(&self, place: f64) -> Option<f64> {
        let Range { start, end } = self.range;
        (start..=end).contains(&place).then(|| (place - start) / (end - start))
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range.clone()).map(place, limit)
    }

    /// The ticks, with one grid line each. There are no lighter lines between them.
    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let ticks = self.ticks.iter().map(|tick| tick.0);
        if hint.weight().allow_light_points() { Vec::new() } else { ticks.collect() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    /// Label of the tick at `place`.
    fn format_ext(&self, place: &f64) -> String {
        self.ticks.iter().find(|tick| tick.0 == *place).map(|tick| tick.1.clone()).unwrap_or_default()
    }
}

/// True if `value` is not NaN and its absolute value is at most [`MAX_SHOWN`].
pub(super) fn can_be_shown(value: f64) -> bool {
    value.abs() <= MAX_SHOWN
}

/// Smallest and largest value. They are 0 and 1 if there are no values.
fn min_max(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    (values.clone().reduce(f64::min).unwrap_or(0.0), values.reduce(f64::max).unwrap_or(1.0))
}

/// True if the values differ by more than the rounding of single precision. plotters cannot find
/// ticks between closer values.
fn are_distinct(low: f64, high: f64) -> bool {
    high - low > 1e-6 * low.abs().max(high.abs()).max(1e-3)
}

/// Range from `low` to `high`. If they are one value, there is space below and above it.
fn pad_single_value(low: f64, high: f64) -> Range<f64> {
    if are_distinct(low, high) {
        return low..high;
    }
    let padding = 0.5 * low.abs().max(1.0);
    low - padding..low + padding
}

/// At most about `most` round numbers in a range, as plotters chooses them.
fn key_points(range: &Range<f64>, most: usize) -> impl Iterator<Item = f64> + use<> {
    RangedCoordf64::from(range.clone()).key_points(most).into_iter()
}

/// Ticks at round numbers, each with its label.
fn linear_ticks(range: &Range<f64>) -> Vec<(f64, String)> {
    let step = (range.end - range.start) / NUM_TICKS as f64;
    key_points(range, NUM_TICKS).map(|value| (value, tick_label(value, step))).collect()
}

/// Ticks at powers of the base, as many as have room for their labels over `width` pixels. If they
/// are fewer than three, closer ticks are chosen.
fn log_ticks(scale: Scale, range: &Range<f64>, width: f64) -> Result<Vec<(f64, String)>> {
    let per_unit = width / (range.end - range.start);
    let powers = if scale == Scale::Log { decades(range, &[1]) } else { octaves(range) };
    let widest = BODY.measure_widest(powers.iter().map(|tick| &*tick.1))?;
    let every = ((widest + LABEL_GAP) / per_unit).ceil().max(1.0) as usize;
    let mut ticks: Vec<_> = powers.into_iter().step_by(every).collect();
    let steps = if scale == Scale::Log { decades(range, &[1, 2, 5]) } else { Vec::new() };
    for finer in [steps, between_powers(scale, range)] {
        if ticks.len() < 3 && finer.len() > ticks.len() {
            ticks = finer;
        }
    }
    clear_overlapping_labels(&mut ticks, per_unit)?;
    Ok(ticks)
}

/// Ticks at the products of `mantissas` (1 to 9) and powers of ten, in a range of exponents. Either
/// all labels are in decimal notation, or none is.
fn decades(range: &Range<f64>, mantissas: &[u8]) -> Vec<(f64, String)> {
    let exponents = range.start.floor() as i32..=range.end.ceil() as i32;
    let place = |exponent: i32, mantissa: u8| f64::from(exponent) + f64::from(mantissa).log10();
    let all = exponents.flat_map(|exponent| mantissas.iter().map(move |&mantissa| (exponent, mantissa)));
    let shown: Vec<_> =
        all.filter(|&(exponent, mantissa)| range.contains(&place(exponent, mantissa))).collect();
    let are_plain = shown.iter().all(|(exponent, _)| PLAIN_EXPONENTS.contains(exponent));
    let tick = |&(exponent, mantissa): &(i32, u8)| {
        let label =
            if are_plain { decimal_label(mantissa, exponent) } else { format!("{mantissa}e{exponent}") };
        (place(exponent, mantissa), label)
    };
    shown.iter().map(tick).collect()
}

/// Ticks at powers of two, in a range of exponents.
fn octaves(range: &Range<f64>) -> Vec<(f64, String)> {
    let exponents = range.start.ceil() as i32..=range.end.floor() as i32;
    let label = |exponent: i32| match exponent {
        -3..=-1 => 2_f64.powi(exponent).to_string(),
        0..=20 => grouped(1 << exponent),
        _ => format!("2^{exponent}"),
    };
    exponents.map(|exponent| (f64::from(exponent), label(exponent))).collect()
}

/// Ticks at round numbers, in a range of exponents that is too short for other ticks.
fn between_powers(scale: Scale, range: &Range<f64>) -> Vec<(f64, String)> {
    let base: f64 = if scale == Scale::Log { 10.0 } else { 2.0 };
    let values = base.powf(range.start)..base.powf(range.end);
    let step = (values.end - values.start) / NUM_TICKS as f64;
    let points = key_points(&values, NUM_TICKS);
    points.filter_map(|value| Some((scale.place(value)?, precise_label(value, step)))).collect()
}

/// Clears each label that would overlap the last label before it.
fn clear_overlapping_labels(ticks: &mut [(f64, String)], per_unit: f64) -> Result<()> {
    let mut free_from = f64::NEG_INFINITY;
    for (place, label) in ticks {
        let half = (BODY.measure(label)? + LABEL_GAP) / 2.0;
        if *place * per_unit - half < free_from {
            label.clear();
        } else {
            free_from = *place * per_unit + half;
        }
    }
    Ok(())
}

/// Decimal notation of `mantissa` × 10^`exponent`, for an exponent of [`PLAIN_EXPONENTS`].
fn decimal_label(mantissa: u8, exponent: i32) -> String {
    match usize::try_from(exponent) {
        Ok(zeros) => grouped(usize::from(mantissa) * 10_usize.pow(zeros.min(9) as u32)),
        Err(_) => {
            format!("{:.*}", exponent.unsigned_abs() as usize, f64::from(mantissa) * 10_f64.powi(exponent))
        }
    }
}

/// Label of a tick on an axis that counts. Empty for a number that is not an integer.
fn integer_label(value: f64) -> String {
    if (value - value.round()).abs() < 1e-6 { format!("{value:.0}") } else { String::new() }
}

/// Label of a tick, with as many decimals as the distance `step` between ticks needs.
fn tick_label(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let value = if value.abs() < step * 1e-3 { 0.0 } else { value };
    match value.abs() {
        count if decimals == 0 && (1e3..1e6).contains(&count) => {
            format!("{}{}", if value < 0.0 { "-" } else { "" }, grouped(count.round() as usize))
        }
        small if small < 1e6 => format!("{value:.decimals$}"),
        _ => format!("{value:.1e}"),
    }
}

/// Label of a tick like that of [`tick_label`]. Below 0.0001 and from 1,000,000, it is in
/// scientific notation with as many digits as `step` needs.
fn precise_label(value: f64, step: f64) -> String {
    if (1e-4..1e6).contains(&value) {
        return tick_label(value, step);
    }
    let digits = (value / step).log10().ceil().clamp(0.0, 9.0) as usize;
    format!("{value:.digits$e}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
