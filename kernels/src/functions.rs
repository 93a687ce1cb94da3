//! Owns exp, erf and tanh as a few multiplications and one division, so that the compiler computes
//! several values at once. Those of the standard library and of `libm` are calls for one value each. Must
//! not know activations.
//!
//! The numbers are those of Cephes (exp) and of Eigen and XLA (erf and tanh).

/// eˣ, with a relative error below 2e-7. It is 0 below −87, where the result would be denormal, and
/// finite everywhere; NaN stays NaN.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const LOWEST: f32 = -87.0;
    let within = x.clamp(LOWEST, 88.0);
    // eˣ = 2ⁿ · eʳ with r from −½ ln 2 to ½ ln 2. ln 2 in two parts, of which n times the first is exact.
    let shifted = within * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = within - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let series =
        polynomial(r, [1.987_569_2e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5]);
    // The lowest bits of the shifted number are n.
    let power = f32::from_bits((shifted.to_bits() + 127) << 23);
    let result = (series * r * r + r + 1.0) * power;
    if x < LOWEST { 0.0 } else { result }
}

/// 1.5 · 2²³: a number between −2²² and 2²² plus and minus it is rounded to an integer.
const ROUND: f32 = 12_582_912.0;

/// Error function, with an absolute error below 5e-7; from −1 to 1.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    // Beyond 4, the result is ±1.
    quotient(
        x.clamp(-4.0, 4.0),
        [
            -2.726_142_3e-10,
            2.770_681_5e-8,
            -2.101_024e-6,
            -5.692_506_3e-5,
            -7.349_906_4e-4,
            -2.954_6e-3,
            -1.609_603_3e-2,
        ],
        [-1.456_607_2e-5, -2.133_740_5e-4, -1.682_827e-3, -7.373_329e-3, -1.426_474e-2],
    )
}

/// Hyperbolic tangent, with an absolute error below 4e-7; from −1 to 1.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // Beyond it, the result is ±1.
    quotient(
        x.clamp(-7.905_311, 7.905_311),
        [
            -2.760_768_5e-16,
            2.000_188e-13,
            -8.604_672e-11,
            5.122_297_2e-8,
            1.485_722_4e-5,
            6.372_619_3e-4,
            4.893_524_6e-3,
        ],
        [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3],
    )
}

/// Odd function x · P(x²) / Q(x²), from −1 to 1, of the polynomials' coefficients.
#[inline(always)]
fn quotient<const P: usize, const Q: usize>(x: f32, numerator: [f32; P], denominator: [f32; Q]) -> f32 {
    let square = x * x;
    (x * polynomial(square, numerator) / polynomial(square, denominator)).clamp(-1.0, 1.0)
}

/// Polynomial in `x`, highest power first.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for coefficient in &coefficients[1..] {
        sum = sum * x + coefficient;
    }
    sum
}
