//! Owns the range and the ticks of an axis, and how a value becomes a position on it. Knows no shape and no text.

use std::ops::RangeInclusive;

/// Values beyond are not drawn: their differences would overflow.
pub(super) const LARGEST: f64 = 1e300;

/// One axis: its range, and ticks at round numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    /// The distance between two ticks.
    pub(super) step: f64,
    /// Where the ticks are, ascending, all in range.
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    /// From the smallest to the largest of `values`, with room around a single one; `whole` ticks are integers.
    pub(super) fn tight(values: impl Iterator<Item = f64>, max_ticks: usize, whole: bool) -> Self {
        let (low, high) = span(values, whole);
        let step = round_step((high - low) / max_ticks.max(1) as f64, whole);
        Self { low, high, step, ticks: multiples(low..=high, step) }
    }

    /// Like [`Scale::tight`], but extended to ticks at both ends.
    pub(super) fn round(values: impl Iterator<Item = f64>, max_ticks: usize) -> Self {
        let (low, high) = span(values, false);
        let step = round_step((high - low) / max_ticks.max(1) as f64, false);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { low, high, step, ticks: multiples(low..=high, step) }
    }

    /// Where `value` is: 0 at the axis' low end, 1 at its high end.
    pub(super) fn position(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The smallest and the largest value, never the same; 0 and 1 without values.
fn span(values: impl Iterator<Item = f64>, whole: bool) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let size = low.abs().max(high.abs());
    // Closer values could not be told apart by ticks that are doubles.
    if high - low > size * 1e-9 {
        return (low, high);
    }
    let room = if whole || size == 0.0 { (size * 1e-8).max(0.5) } else { size * 0.5 };
    (low - room, high + room)
}

/// 1, 2 or 5 times a power of ten, at least `smallest`; at least 1 where ticks are to be `whole` numbers.
fn round_step(smallest: f64, whole: bool) -> f64 {
    let power = 10_f64.powf(smallest.log10().floor());
    let step =
        [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|&step| step >= smallest * 0.999);
    let step = step.unwrap_or(10.0 * power).max(f64::MIN_POSITIVE);
    if whole { step.max(1.0) } else { step }
}

fn multiples(range: RangeInclusive<f64>, step: f64) -> Vec<f64> {
    let slack = step * 1e-6;
    let first = ((range.start() - slack) / step).ceil();
    // A scale asks for a dozen ticks; the bound is for numbers so odd that rounding spoils the count.
    (0..100).map(|i| (first + f64::from(i)) * step).take_while(|tick| *tick <= range.end() + slack).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        let scale = Scale::round([0.073, 0.61].into_iter(), 6);
        assert_eq!(scale.step, 0.1);
        assert_eq!(scale.ticks.len(), 8);
        for (value, position) in [(0.0, 0.0), (0.35, 0.5), (0.7, 1.0)] {
            assert!((scale.position(value) - position).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn epochs_get_whole_ticks() {
        assert_eq!(Scale::tight([1.0].into_iter(), 10, true).ticks, [1.0]);
        assert_eq!(Scale::tight([7.0].into_iter(), 10, true).ticks, [7.0]);
        assert_eq!(Scale::tight([1.0, 3.0].into_iter(), 10, true).ticks, [1.0, 2.0, 3.0]);
        assert_eq!(
            Scale::tight([1.0, 60.0].into_iter(), 10, true).ticks,
            [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
        );
    }

    #[test]
    fn any_values_give_a_scale() {
        let cases: [&[f64]; 9] = [
            &[],
            &[0.0],
            &[-3.0],
            &[LARGEST, -LARGEST],
            &[LARGEST],
            &[5e-324, 0.0],
            &[1e16, 1e16 + 2.0],
            &[1e-300, 2e-300],
            &[1.0, 1.0 + 1e-15],
        ];
        for values in cases {
            for scale in [
                Scale::round(values.iter().copied(), 6),
                Scale::tight(values.iter().copied(), 6, true),
                Scale::tight(values.iter().copied(), 6, false),
            ] {
                assert!(scale.ticks.len() <= 14, "{values:?}: {scale:?}");
                for &value in values {
                    let position = scale.position(value);
                    assert!((0.0..=1.0).contains(&position), "{value} at {position} in {scale:?}");
                }
            }
        }
    }
}
