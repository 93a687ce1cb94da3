//! Owns the updates of weights and of their moving average in one pass: each weight, its gradient
//! and its moments are read once and written once. Depends on `util::denormal` and pulp. Must not know layers, schedules or
//! threads.
//!
//! In the formulas w is a weight and g its gradient. With a `weight_decay` (an L2 penalty), each
//! rule first sets g ← g + weight_decay · w. The new weights overwrite the gradient; only
//! [`sgd_per_column`] changes the weights in place. Operations and their order are those of Burn's
//! SGD, Adam, RMSprop and Lion, to the last bit. But 0 is stored for the next step in place of a denormal
//! number.

use pulp::{Simd, WithSimd};

use crate::denormal::flushed;
use crate::dispatch;

/// SGD: w ← w − rate · g, after g ← g + weight_decay · w if there is an L2 penalty.
///
/// # Panics
/// If the lengths differ.
pub fn sgd(rate: f32, weight_decay: Option<f32>, weights: &[f32], gradient: &mut [f32]) {
    assert_eq!(weights.len(), gradient.len(), "weights and gradient");
    dispatch(SgdPass { rate, weight_decay, weights, gradient });
}

struct SgdPass<'a> {
    rate: f32,
    weight_decay: Option<f32>,
    weights: &'a [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for SgdPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (slot, &weight) in self.gradient.iter_mut().zip(self.weights) {
            let gradient = penalized(*slot, self.weight_decay, weight);
            *slot = flushed(weight - gradient * self.rate);
        }
    }
}

/// Constants of a step of SGD with momentum.
#[derive(Debug, Clone, Copy)]
pub struct MomentumParams {
    /// Learning rate.
    pub rate: f32,
    /// Share of the last step's direction that is kept, in [0, 1).
    pub momentum: f32,
    /// Whether the momentum is Nesterov's (Sutskever and others 2013), which looks one step ahead
    /// along the momentum: see [`momentum`].
    pub is_nesterov: bool,
    /// L2 penalty: this times each weight is added to its gradient.
    pub weight_decay: Option<f32>,
}

/// SGD with momentum: v ← g + momentum · v, w ← w − rate · v. With Nesterov's momentum, w ← w −
/// rate · (g + momentum · v). v is `velocity`, 0 before the first step.
///
/// # Panics
/// If the lengths differ.
pub fn momentum(params: &MomentumParams, weights: &[f32], gradient: &mut [f32], velocity: &mut [f32]) {
    assert!([gradient.len(), velocity.len()] == [weights.len(); 2], "weights, gradient and velocity");
    dispatch(MomentumPass { params: *params, weights, gradient, velocity });
}

struct MomentumPass<'a> {
    params: MomentumParams,
    weights: &'a [f32],
    gradient: &'a mut [f32],
    velocity: &'a mut [f32],
}

impl WithSimd for MomentumPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let MomentumParams { rate, momentum, is_nesterov, weight_decay } = self.params;
        for ((slot, &weight), velocity) in self.gradient.iter_mut().zip(self.weights).zip(self.velocity) {
            let gradient = penalized(*slot, weight_decay, weight);
            *velocity = flushed(gradient + *velocity * momentum);
            let direction = if is_nesterov { *velocity * momentum + gradient } else { *velocity };
            *slot = flushed(weight - direction * rate);
        }
    }
}

/// SGD with one rate per column: w ← w − `rates[column]` · g, for `[rows, rates.len()]` weights and
/// gradient. The weights are changed in place.
///
/// # Panics
/// If the lengths differ.
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

/// Constants of a step of Adam (Kingma and Ba 2015) or, with `decay_factor`, of AdamW (Loshchilov
/// and Hutter 2019).
#[derive(Debug, Clone, Copy)]
pub struct AdamParams {
    /// Learning rate.
    pub rate: f32,
    /// Decay of the running mean of gradients, in [0, 1).
    pub beta_1: f32,
    /// Decay of the running mean of squared gradients, in [0, 1).
    pub beta_2: f32,
    /// Keeps the division finite.
    pub epsilon: f32,
    /// Number of the step, from 1.
    pub step: usize,
    /// L2 penalty: this times each weight is added to its gradient.
    pub weight_decay: Option<f32>,
    /// 1 − learning rate · decoupled weight decay: each weight is multiplied by it.
    pub decay_factor: Option<f32>,
}

/// Adam and AdamW: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← decay_factor · w − rate ·
/// m̂ / (√v̂ + ε).
///
/// m is `moment_1` and v is `moment_2`, both 0 before the first step. In step t, m̂ = m / (1 − β₁ᵗ)
/// and v̂ = v / (1 − β₂ᵗ).
///
/// # Panics
/// If the lengths differ.
pub fn adam(
    params: &AdamParams,
    weights: &[f32],
    gradient: &mut [f32],
    moment_1: &mut [f32],
    moment_2: &mut [f32],
) {
    let len = weights.len();
    assert!([gradient.len(), moment_1.len(), moment_2.len()] == [len; 3], "weights, gradient and moments");
    dispatch(AdamPass { params: *params, weights, gradient, moment_1, moment_2 });
}

struct AdamPass<'a> {
    params: AdamParams,
    weights: &'a [f32],
    gradient: &'a mut [f32],
    moment_1: &'a mut [f32],
    moment_2: &'a mut [f32],
}

impl WithSimd for AdamPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let AdamParams { rate, beta_1, beta_2, epsilon, step, weight_decay, decay_factor } = self.params;
        // With c = √(1 − β₂ᵗ), m̂ / (√v̂ + ε) is m · c / (1 − β₁ᵗ) / (√v + c · ε). So each weight
        // needs one division.
        let correction = (1.0 - beta_2.powi(step as i32)).sqrt();
        let factor = correction / (1.0 - beta_1.powi(step as i32));
        let epsilon = epsilon * correction;
        let (rest_1, rest_2) = (1.0 - beta_1, 1.0 - beta_2);
        let moments = self.moment_1.iter_mut().zip(self.moment_2);
        for ((slot, &weight), (moment_1, moment_2)) in self.gradient.iter_mut().zip(self.weights).zip(moments)
        {
            let gradient = penalized(*slot, weight_decay, weight);
            *moment_1 = flushed(*moment_1 * beta_1 + gradient * rest_1);
            *moment_2 = flushed(*moment_2 * beta_2 + (gradient * gradient) * rest_2);
            let direction = *moment_1 * factor / (moment_2.sqrt() + epsilon);
            let weight = decay_factor.map_or(weight, |decay_factor| weight * decay_factor);
            *slot = flushed(weight - direction * rate);
        }
    }
}

/// Constants of a step of RMSprop (Tieleman and Hinton 2012).
#[derive(Debug, Clone, Copy)]
pub struct RmsPropParams {
    /// Learning rate.
    pub rate: f32,
    /// Decay of the running means, in [0, 1).
    pub rho: f32,
    /// Share of the last step's direction that is kept, in [0, 1).
    pub momentum: f32,
    /// Keeps the division finite.
    pub epsilon: f32,
    /// L2 penalty: this times each weight is added to its gradient.
    pub weight_decay: Option<f32>,
}

/// RMSprop: s ← ρ s + (1 − ρ) g², u ← momentum · u + g / (√s + ε), w ← w − rate · u.
///
/// s is `square_mean` and u is `velocity`, both 0 before the first step. An empty `velocity` means
/// no momentum: u is g / (√s + ε). If `mean` is not empty, RMSprop is centred: m ← ρ m + (1 − ρ) g,
/// and the root is taken of s − m² in place of s, or of 0 where s is 0.
///
/// # Panics
/// If the lengths differ.
pub fn rmsprop(
    params: &RmsPropParams,
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
    let params = *params;
    match (mean.is_empty(), velocity.is_empty()) {
        (true, true) => {
            dispatch(RmsPropPass::<false, false> { params, weights, gradient, square_mean, mean, velocity });
        }
        (true, false) => {
            dispatch(RmsPropPass::<false, true> { params, weights, gradient, square_mean, mean, velocity });
        }
        (false, true) => {
            dispatch(RmsPropPass::<true, false> { params, weights, gradient, square_mean, mean, velocity });
        }
        (false, false) => {
            dispatch(RmsPropPass::<true, true> { params, weights, gradient, square_mean, mean, velocity });
        }
    }
}

/// RMSprop, compiled once for each combination, so that the loop has no branches on the options.
struct RmsPropPass<'a, const CENTERED: bool, const MOMENTUM: bool> {
    params: RmsPropParams,
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
        let RmsPropParams { rate, rho, momentum, epsilon, weight_decay } = self.params;
        let rest = 1.0 - rho;
        let Self { weights, gradient, square_mean, mean, velocity, .. } = self;
        // The compiler knows that all slices have one length, so it leaves out the checks of bounds
        // in the loop.
        let len = weights.len();
        let (gradient, square_mean) = (&mut gradient[..len], &mut square_mean[..len]);
        let mean = &mut mean[..if CENTERED { len } else { 0 }];
        let velocity = &mut velocity[..if MOMENTUM { len } else { 0 }];
        for index in 0..len {
            let weight = weights[index];
            let gradient_here = penalized(gradient[index], weight_decay, weight);
            let squares = flushed(square_mean[index] * rho + (gradient_here * gradient_here) * rest);
            square_mean[index] = squares;
            let mut variance = squares;
            if CENTERED {
                mean[index] = flushed(mean[index] * rho + gradient_here * rest);
                // A mean of squares that became 0 instead of a denormal number makes the variance
                // 0, too. It must not be negative.
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

/// Constants of a step of Lion (Chen and others 2023).
#[derive(Debug, Clone, Copy)]
pub struct LionParams {
    /// Learning rate.
    pub rate: f32,
    /// Share of the momentum in the direction of a step, in [0, 1).
    pub beta_1: f32,
    /// Decay of the momentum, in [0, 1).
    pub beta_2: f32,
    /// 1 − learning rate · decoupled weight decay: each weight is multiplied by it.
    pub decay_factor: Option<f32>,
}

/// Lion: w ← decay_factor · w − rate · sign(β₁ m + (1 − β₁) g), m ← β₂ m + (1 − β₂) g. m is
/// `momentum`, 0 before the first step. The sign of 0 is 0.
///
/// # Panics
/// If the lengths differ.
pub fn lion(params: &LionParams, weights: &[f32], gradient: &mut [f32], momentum: &mut [f32]) {
    assert!([gradient.len(), momentum.len()] == [weights.len(); 2], "weights, gradient and momentum");
    dispatch(LionPass { params: *params, weights, gradient, momentum });
}

struct LionPass<'a> {
    params: LionParams,
    weights: &'a [f32],
    gradient: &'a mut [f32],
    momentum: &'a mut [f32],
}

impl WithSimd for LionPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let LionParams { rate, beta_1, beta_2, decay_factor } = self.params;
        let (rest_1, rest_2) = (1.0 - beta_1, 1.0 - beta_2);
        for ((slot, &weight), momentum) in self.gradient.iter_mut().zip(self.weights).zip(self.momentum) {
            let gradient = *slot;
            let direction = sign(*momentum * beta_1 + gradient * rest_1);
            *momentum = flushed(*momentum * beta_2 + gradient * rest_2);
            let weight = decay_factor.map_or(weight, |decay_factor| weight * decay_factor);
            *slot = flushed(weight - direction * rate);
        }
    }
}

/// Returns 1, −1, or `value` itself where it is 0 or not a number.
#[inline(always)]
fn sign(value: f32) -> f32 {
    let negative = if value < 0.0 { -1.0 } else { value };
    if value > 0.0 { 1.0 } else { negative }
}

/// Step of a moving average of the weights: a ← a + share · (w − a). a is `average`.
///
/// # Panics
/// If the lengths differ.
pub fn moving_average(share: f32, weights: &[f32], average: &mut [f32]) {
    assert_eq!(weights.len(), average.len(), "weights and average");
    dispatch(MovingAveragePass { share, weights, average });
}

struct MovingAveragePass<'a> {
    share: f32,
    weights: &'a [f32],
    average: &'a mut [f32],
}

impl WithSimd for MovingAveragePass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (average, &weight) in self.average.iter_mut().zip(self.weights) {
            *average = flushed(*average + (weight - *average) * self.share);
        }
    }
}

/// Returns g + weight_decay · w, or g if there is no L2 penalty.
#[inline(always)]
fn penalized(gradient: f32, weight_decay: Option<f32>, weight: f32) -> f32 {
    weight_decay.map_or(gradient, |weight_decay| weight * weight_decay + gradient)
}
