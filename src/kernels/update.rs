//! Updates of weights in one pass: each weight, its gradient and its moments are read once and written once. The new weights
//! take the place of the gradient. Operations and their order are those of Burn's SGD and Adam, to the last bit.

use pulp::{Simd, WithSimd};

use super::run;

/// w ← w − rate · g, with g ← g + penalty · w before, where there is a penalty.
///
/// # Panics
/// When the lengths differ.
pub fn sgd(rate: f32, penalty: Option<f32>, weights: &[f32], gradient: &mut [f32]) {
    assert_eq!(weights.len(), gradient.len(), "weights and gradient");
    run(SgdPass { rate, penalty, weights, gradient });
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
            *place = weight - gradient * self.rate;
        }
    }
}

/// The constants of a step of Adam (Kingma and Ba 2015) or, with `keep`, AdamW (Loshchilov and Hutter 2019).
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
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
    step: &AdamStep,
    weights: &[f32],
    gradient: &mut [f32],
    moment_1: &mut [f32],
    moment_2: &mut [f32],
) {
    let len = weights.len();
    assert!([gradient.len(), moment_1.len(), moment_2.len()] == [len; 3], "weights, gradient and moments");
    run(AdamPass { step: *step, weights, gradient, moment_1, moment_2 });
}

struct AdamPass<'a> {
    step: AdamStep,
    weights: &'a [f32],
    gradient: &'a mut [f32],
    moment_1: &'a mut [f32],
    moment_2: &'a mut [f32],
}

impl WithSimd for AdamPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let AdamStep { rate, beta_1, beta_2, epsilon, time, penalty, keep } = self.step;
        let correction = (1.0 - beta_2.powi(time as i32)).sqrt();
        let factor = correction / (1.0 - beta_1.powi(time as i32));
        let epsilon = epsilon * correction;
        let (rest_1, rest_2) = (1.0 - beta_1, 1.0 - beta_2);
        let moments = self.moment_1.iter_mut().zip(self.moment_2);
        for ((place, &weight), (moment_1, moment_2)) in
            self.gradient.iter_mut().zip(self.weights).zip(moments)
        {
            let gradient = penalized(*place, penalty, weight);
            *moment_1 = *moment_1 * beta_1 + gradient * rest_1;
            *moment_2 = *moment_2 * beta_2 + (gradient * gradient) * rest_2;
            let direction = *moment_1 * factor / (moment_2.sqrt() + epsilon);
            let weight = keep.map_or(weight, |keep| weight * keep);
            *place = weight - direction * rate;
        }
    }
}

#[inline(always)]
fn penalized(gradient: f32, penalty: Option<f32>, weight: f32) -> f32 {
    penalty.map_or(gradient, |penalty| weight * penalty + gradient)
}
