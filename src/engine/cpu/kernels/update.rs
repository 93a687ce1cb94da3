//! Updates of weights in one pass: each weight, its gradient and its moments are read once and written once. The new weights
//! take the place of the gradient. Operations and their order are those of Burn's SGD, Adam and RMSprop, to the last bit; but
//! what is kept for the next step is 0 where it would be denormal.

use pulp::{Simd, WithSimd};

use crate::engine::cpu::kernels::dispatch;
use crate::util::denormal::flushed;

/// w ← w − rate · g, with g ← g + penalty · w before, where there is a penalty.
///
/// # Panics
/// When the lengths differ.
pub fn sgd(rate: f32, penalty: Option<f32>, weights: &[f32], gradient: &mut [f32]) {
    assert_eq!(weights.len(), gradient.len(), "weights and gradient");
    dispatch(SgdPass { rate, penalty, weights, gradient });
}

struct SgdPass<'a> {
    rate: f32,
    penalty: Option<f32>,
    weights: &'a [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for SgdPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (place, &weight) in self.gradient.iter_mut().zip(self.weights) {
            let gradient = penalized(*place, self.penalty, weight);
            *place = flushed(weight - gradient * self.rate);
        }
    }
}

/// The constants of a step of SGD with momentum.
#[derive(Debug, Clone, Copy)]
pub struct MomentumParams {
    /// The learning rate.
    pub rate: f32,
    /// How much of the last step's direction is kept, in [0, 1).
    pub momentum: f32,
    /// Whether the gradient looks ahead along the momentum (Sutskever and others 2013).
    pub is_nesterov: bool,
    /// This times each weight is added to its gradient.
    pub penalty: Option<f32>,
}

/// v ← g + momentum · v, w ← w − rate · v; with Nesterov's momentum, w ← w − rate · (momentum · v + g).
///
/// # Panics
/// When the lengths differ.
pub fn momentum(step: &MomentumParams, weights: &[f32], gradient: &mut [f32], velocity: &mut [f32]) {
    assert!([gradient.len(), velocity.len()] == [weights.len(); 2], "weights, gradient and velocity");
    dispatch(MomentumPass { step: *step, weights, gradient, velocity });
}

struct MomentumPass<'a> {
    step: MomentumParams,
    weights: &'a [f32],
    gradient: &'a mut [f32],
    velocity: &'a mut [f32],
}

impl WithSimd for MomentumPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let MomentumParams { rate, momentum, is_nesterov, penalty } = self.step;
        for ((place, &weight), velocity) in self.gradient.iter_mut().zip(self.weights).zip(self.velocity) {
            let gradient = penalized(*place, penalty, weight);
            *velocity = flushed(gradient + *velocity * momentum);
            let direction = if is_nesterov { *velocity * momentum + gradient } else { *velocity };
            *place = flushed(weight - direction * rate);
        }
    }
}

/// w ← w − rate · g, with a rate for each column of `[rows, rates.len()]` weights and gradient.
///
/// # Panics
/// When the lengths differ.
pub fn sgd_per_column(rates: &[f32], gradient: &[f32], weights: &mut [f32]) {
    assert_eq!(weights.len(), gradient.len(), "weights and gradient");
    dispatch(SgdPerColumnPass { rates, gradient, weights });
}

struct SgdPerColumnPass<'a> {
    rates: &'a [f32],
    gradient: &'a [f32],
    weights: &'a mut [f32],
}

impl WithSimd for SgdPerColumnPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let width = self.rates.len();
        for (weights, gradient) in self.weights.chunks_exact_mut(width).zip(self.gradient.chunks_exact(width))
        {
            for ((weight, gradient), rate) in weights.iter_mut().zip(gradient).zip(self.rates) {
                *weight = flushed(*weight - gradient * rate);
            }
        }
    }
}

/// The constants of a step of Adam (Kingma and Ba 2015) or, with `keep`, AdamW (Loshchilov and Hutter 2019).
#[derive(Debug, Clone, Copy)]
pub struct AdamParams {
    /// The learning rate.
    pub rate: f32,
    /// The decay of the running mean of gradients, in [0, 1).
    pub beta_1: f32,
    /// The decay of the running mean of squared gradients, in [0, 1).
    pub beta_2: f32,
    /// Keeps the division finite.
    pub epsilon: f32,
    /// This step's number, from 1.
    pub time: usize,
    /// This times each weight is added to its gradient.
    pub penalty: Option<f32>,
    /// The share of each weight that is left beside its update.
    pub keep: Option<f32>,
}

/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← keep · w − rate · m̂ / (√v̂ + ε).
///
/// # Panics
/// When the lengths differ.
pub fn adam(
    step: &AdamParams,
    weights: &[f32],
    gradient: &mut [f32],
    moment_1: &mut [f32],
    moment_2: &mut [f32],
) {
    let len = weights.len();
    assert!([gradient.len(), moment_1.len(), moment_2.len()] == [len; 3], "weights, gradient and moments");
    dispatch(AdamPass { step: *step, weights, gradient, moment_1, moment_2 });
}

struct AdamPass<'a> {
    step: AdamParams,
    weights: &'a [f32],
    gradient: &'a mut [f32],
    moment_1: &'a mut [f32],
    moment_2: &'a mut [f32],
}

impl WithSimd for AdamPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let AdamParams { rate, beta_1, beta_2, epsilon, time, penalty, keep } = self.step;
        let correction = (1.0 - beta_2.powi(time as i32)).sqrt();
        let factor = correction / (1.0 - beta_1.powi(time as i32));
        let epsilon = epsilon * correction;
        let (rest_1, rest_2) = (1.0 - beta_1, 1.0 - beta_2);
        let moments = self.moment_1.iter_mut().zip(self.moment_2);
        for ((place, &weight), (moment_1, moment_2)) in
            self.gradient.iter_mut().zip(self.weights).zip(moments)
        {
            let gradient = penalized(*place, penalty, weight);
            *moment_1 = flushed(*moment_1 * beta_1 + gradient * rest_1);
            *moment_2 = flushed(*moment_2 * beta_2 + (gradient * gradient) * rest_2);
            let direction = *moment_1 * factor / (moment_2.sqrt() + epsilon);
            let weight = keep.map_or(weight, |keep| weight * keep);
            *place = flushed(weight - direction * rate);
        }
    }
}

/// The constants of a step of RMSprop (Tieleman and Hinton 2012).
#[derive(Debug, Clone, Copy)]
pub struct RmsPropParams {
    /// The learning rate.
    pub rate: f32,
    /// The decay of the running means, in [0, 1).
    pub rho: f32,
    /// How much of the last step's direction is kept, in [0, 1).
    pub momentum: f32,
    /// Keeps the division finite.
    pub epsilon: f32,
    /// This times each weight is added to its gradient.
    pub penalty: Option<f32>,
}

/// s ← ρ s + (1 − ρ) g², u ← momentum · u + g / (√s + ε), w ← w − rate · u.
///
/// Where there is a `mean` (and not an empty slice), it is m ← ρ m + (1 − ρ) g, and the root is of s − m², or 0 where s is. Where there is no
/// `velocity` u, there is no momentum.
///
/// # Panics
/// When the lengths differ.
pub fn rmsprop(
    step: &RmsPropParams,
    weights: &[f32],
    gradient: &mut [f32],
    square_mean: &mut [f32],
    mean: &mut [f32],
    velocity: &mut [f32],
) {
    let len = weights.len();
    let is_len = |other: &[f32]| other.is_empty() || other.len() == len;
    assert!([gradient.len(), square_mean.len()] == [len; 2], "weights, gradient and mean of squares");
    assert!(is_len(mean) && is_len(velocity), "mean and velocity");
    let step = *step;
    match (mean.is_empty(), velocity.is_empty()) {
        (true, true) => {
            dispatch(RmsPropPass::<false, false> { step, weights, gradient, square_mean, mean, velocity });
        }
        (true, false) => {
            dispatch(RmsPropPass::<false, true> { step, weights, gradient, square_mean, mean, velocity });
        }
        (false, true) => {
            dispatch(RmsPropPass::<true, false> { step, weights, gradient, square_mean, mean, velocity });
        }
        (false, false) => {
            dispatch(RmsPropPass::<true, true> { step, weights, gradient, square_mean, mean, velocity });
        }
    }
}

struct RmsPropPass<'a, const CENTERED: bool, const MOMENTUM: bool> {
    step: RmsPropParams,
    weights: &'a [f32],
    gradient: &'a mut [f32],
    square_mean: &'a mut [f32],
    mean: &'a mut [f32],
    velocity: &'a mut [f32],
}

impl<const CENTERED: bool, const MOMENTUM: bool> WithSimd for RmsPropPass<'_, CENTERED, MOMENTUM> {
    type Output = ();

    #[inline(always)]
    // Two of the slices may be empty, so they cannot be zipped with the others.
    #[allow(clippy::needless_range_loop)]
    fn with_simd<S: Simd>(self, _: S) {
        let RmsPropParams { rate, rho, momentum, epsilon, penalty } = self.step;
        let rest = 1.0 - rho;
        let Self { weights, gradient, square_mean, mean, velocity, .. } = self;
        // So long as the compiler knows that all are of one length, it looks at no bounds in the loop.
        let len = weights.len();
        let (gradient, square_mean) = (&mut gradient[..len], &mut square_mean[..len]);
        let mean = &mut mean[..if CENTERED { len } else { 0 }];
        let velocity = &mut velocity[..if MOMENTUM { len } else { 0 }];
        for index in 0..len {
            let weight = weights[index];
            let gradient_here = penalized(gradient[index], penalty, weight);
            let squares = flushed(square_mean[index] * rho + (gradient_here * gradient_here) * rest);
            square_mean[index] = squares;
            let mut variance = squares;
            if CENTERED {
                mean[index] = flushed(mean[index] * rho + gradient_here * rest);
                // Where the mean of squares is too small for a number, so is the variance: it must not be less than 0.
                variance = if squares == 0.0 { 0.0 } else { squares - mean[index] * mean[index] };
            }
            let mut direction = gradient_here / (variance.sqrt() + epsilon);
            if MOMENTUM {
                direction = flushed(velocity[index] * momentum + direction);
                velocity[index] = direction;
            }
            gradient[index] = flushed(weight - direction * rate);
        }
    }
}

#[inline(always)]
fn penalized(gradient: f32, penalty: Option<f32>, weight: f32) -> f32 {
    penalty.map_or(gradient, |penalty| weight * penalty + gradient)
}
