//! Owns mixup (Zhang and others 2018, "mixup: Beyond Empirical Risk Minimization"): the share of each
//! image in a mixture of two, drawn per step, and the mixture's pixels. Depends on the random streams
//! of `util`. Must not know batches, labels or losses.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use rand::Rng;

use crate::util::rng::{RngStream, rng};

/// Mixture of two images: λ of the first and 1 − λ of the second, with λ from ½ to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mixup {
    /// λ in parts of [`WHOLE`]. So the pixels are computed with whole numbers, and every processor
    /// gives the same.
    parts: u32,
}

/// Number of parts of a whole.
const WHOLE: u32 = 1 << 16;

impl Mixup {
    /// Draws the mixture of a step, which is counted from 0 over the whole training. λ is drawn from
    /// the distribution Beta(`alpha`, `alpha`). This distribution is symmetric, and every image of a
    /// batch is once first and once second. So the larger share can be taken for the first image
    /// without another result, and the first image is the one that can be seen.
    ///
    /// `seed` is the experiment's. `alpha` must be at least 0.001. Large values are slow: the draws that
    /// are needed are 2 on average for 1, and 70 for 4.
    pub fn draw(alpha: f64, seed: u64, step: u64) -> Self {
        let mut rng = rng(seed, RngStream::Mixup, step);
        let share = draw_beta(alpha, &mut rng);
        Self { parts: (share.max(1.0 - share) * f64::from(WHOLE)).round() as u32 }
    }

    /// λ, the share of the first image, from ½ to 1.
    pub fn share(self) -> f64 {
        f64::from(self.parts) / f64::from(WHOLE)
    }

    /// Appends the mixture of two images of one size to `out`, pixel by pixel, rounded.
    pub(super) fn append(self, first: &[u8], second: &[u8], out: &mut Vec<u8>) {
        let (parts, rest) = (self.parts, WHOLE - self.parts);
        let mix = |(&first, &second): (&u8, &u8)| {
            ((u32::from(first) * parts + u32::from(second) * rest + WHOLE / 2) / WHOLE) as u8
        };
        out.extend(first.iter().zip(second).map(mix));
    }
}

/// Draws a number from Beta(`alpha`, `alpha`) by Jöhnk's method (1964): two uniform numbers to the
/// power of 1 / `alpha`, until their sum is at most 1; then the first one's share of the sum. In
/// logarithms, because for a small `alpha` the powers are below the range of numbers.
fn draw_beta(alpha: f64, rng: &mut impl Rng) -> f64 {
    // Multiples of 2⁻⁵³ above 0, up to 1.
    let mut log_power = || (((rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64).ln() / alpha;
    loop {
        let (first, second) = (log_power(), log_power());
        let (upper, lower) = (first.max(second), first.min(second));
        let log_sum = upper + (lower - upper).exp().ln_1p();
        if log_sum <= 0.0 {
            return (first - log_sum).exp();
        }
    }
}
