//! Owns the suggestion of a learning rate, a pure function of the losses of a range test.
//! Depends on the result of the range test. Must not know networks or devices.

use serde::Serialize;

use crate::training::{RangeTest, RatePoint};

/// Length of the sweep, divided by the length of a span. The fall of the loss is measured over a
/// span. A span is half a decade in the default sweep of seven decades. Noise does not cause such a
/// long fall.
const SPANS: usize = 14;
/// Smallest fall of the smoothed loss that counts as learning, as a fraction of the first loss.
/// Batches alone differ by some percent.
const MIN_DECREASE: f64 = 0.1;

/// Learning rates that a range test suggests, each above 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Suggestion {
    /// Rate to train with, rounded to two digits. A single sweep is not more precise.
    pub learning_rate: f64,
    /// Rate where the smoothed loss falls steepest per decade of rate.
    pub steepest: f64,
    /// Rate where the smoothed loss is lowest. It is mostly too large to train with: the steps
    /// after it make the loss larger.
    pub lowest: f64,
    /// A tenth of `lowest`, which fastai's `minimum` suggests.
    pub lowest_tenth: f64,
    /// Last rate before the loss diverged; `None` if it did not diverge.
    pub largest: Option<f64>,
}

/// Reason why a range test suggests no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSuggestion {
    /// The loss diverged. Before, the smoothed loss had not fallen by a tenth of itself.
    OnlyIncreased,
    /// The smoothed loss did not fall by a tenth of itself at any rate.
    NoDecrease,
    /// The smoothed loss was still falling at the last rate.
    StillFalling,
}

impl NoSuggestion {
    /// Returns a hint for the user: the option to change.
    pub fn hint(self) -> &'static str {
        match self {
            Self::OnlyIncreased => "start at a smaller learning rate with `--from`",
            Self::NoDecrease => {
                "end at a larger learning rate with `--to`, or take more steps with `--steps`"
            }
            Self::StillFalling => "end at a larger learning rate with `--to`",
        }
    }
}

impl std::fmt::Display for NoSuggestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OnlyIncreased => "the loss diverged without having fallen before",
            Self::NoDecrease => "the smoothed loss fell by less than a tenth of itself at all learning rates",
            Self::StillFalling => "the smoothed loss was still falling at the last learning rate",
        })
    }
}

impl RangeTest {
    /// Returns the rates that the losses suggest.
    ///
    /// The suggestion lies half-way, on the logarithmic axis, between the rate where the loss falls
    /// steepest and the rate where it is lowest. fastai's default, `valley`, has the same idea
    /// (half-way through the longest descent), but noise moves its ends more. fastai's `steep` and
    /// `minimum` are the steepest rate and a tenth of the lowest. They are mostly too small: this
    /// sweep is short, and rates that are just fast enough for it are slow ones.
    ///
    /// The table has the accuracy on 10,000 validation images after training with each rate (seed
    /// 42; 5 epochs for batches of 32 and for the network with layers of 512 and 256, else 10):
    ///
    /// | | steepest | half-way | lowest / 10 | lowest | best of those and 5 to 9 others |
    /// |---|---|---|---|---|---|
    /// | softmax, SGD | 0.9085 | 0.9128 | 0.9093 | 0.9076 | 0.9128 at 0.28 |
    /// | softmax, Adam | 0.9205 | 0.9102 | 0.9132 | 0.8838 | 0.9205 at 0.0027 |
    /// | 128, SGD | 0.9592 | 0.9690 | 0.9503 | 0.9729 | 0.9729 at 0.57 |
    /// | 128, momentum | 0.9619 | 0.9747 | 0.9699 | 0.9696 | 0.9759 at 0.1 |
    /// | 128, momentum, batches of 32 | 0.9675 | 0.9740 | 0.9699 | 0.9565 | 0.9740 at 0.031 |
    /// | 128, momentum, dropout 0.3 | 0.9609 | 0.9757 | 0.9719 | 0.9609 | 0.9757 at 0.055 |
    /// | 128, Adam | 0.9728 | 0.9760 | 0.9754 | 0.9539 | 0.9760 at 0.0044 |
    /// | 128, RMSprop | 0.9708 | 0.9766 | 0.9669 | 0.9716 | 0.9766 at 0.002 |
    /// | 128 three times, momentum | 0.9732 | 0.9708 | 0.9730 | 0.9523 | 0.9742 at 0.02 |
    /// | 512 and 256, Adam, cosine | 0.9669 | 0.9802 | 0.9779 | 0.9794 | 0.9810 at 0.002 |
    ///
    /// Each number is from one seed, so differences of 0.003 say little. The rule was chosen with
    /// sweeps of the same networks (other seeds) in view. Its largest error is for Adam on the
    /// softmax network: five times too large.
    ///
    /// # Errors
    /// The reason why there is no suggestion.
    pub fn suggestion(&self) -> std::result::Result<Suggestion, NoSuggestion> {
        let points = &self.points[..self.points.len() - usize::from(self.has_diverged)];
        let loss = |point: &RatePoint| point.smoothed_loss;
        let lowest = (0..points.len()).min_by(|&a, &b| loss(&points[a]).total_cmp(&loss(&points[b])));
        let has_fallen = |&lowest: &usize| loss(&points[lowest]) <= (1.0 - MIN_DECREASE) * loss(&points[0]);
        let Some(lowest) = lowest.filter(has_fallen) else {
            return Err(if self.has_diverged {
                NoSuggestion::OnlyIncreased
            } else {
                NoSuggestion::NoDecrease
            });
        };
        let span = (self.num_steps / SPANS).max(1);
        if !self.has_diverged && lowest + span >= points.len() {
            return Err(NoSuggestion::StillFalling);
        }
        // Steps are equally far apart on the logarithmic axis, so the span with the largest fall is
        // the steepest.
        let span = span.min(lowest);
        let fall = |start: usize| loss(&points[start]) - loss(&points[start + span]);
        let start = (0..=lowest - span).max_by(|&a, &b| fall(a).total_cmp(&fall(b))).unwrap_or_default();
        let steepest = half_way(points[start].learning_rate, points[start + span].learning_rate);
        let lowest = points[lowest].learning_rate;
        Ok(Suggestion {
            learning_rate: two_digits(half_way(steepest, lowest)),
            steepest,
            lowest,
            lowest_tenth: lowest / 10.0,
            largest: points.last().filter(|_| self.has_diverged).map(|last| last.learning_rate),
        })
    }
}

/// Returns the rate half-way between two rates on a logarithmic axis.
fn half_way(one: f64, other: f64) -> f64 {
    one.sqrt() * other.sqrt()
}

/// Rounds to two significant digits.
fn two_digits(number: f64) -> f64 {
    format!("{number:.1e}").parse().unwrap_or(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
