//! Owns eˣ and ln x of single-precision numbers, computed in double precision, several at once. Must not know
//! losses or activations.
//!
//! The result is nearly always the closest number to the exact one: the error is below 0.51 units in the last
//! place for eˣ, and below 0.82 for ln x. The formulas and the numbers are those of Arm's optimized routines
//! (`expf.c` and `logf.c`, copyright 2017-2018 Arm Limited, MIT licence). Those of glibc and musl are the same
//! routines, so these functions give the same bits as `f32::exp` and `f32::ln` on Linux, and on every other
//! system, too. A call of those computes one value.

#[cfg(test)]
mod tests;

use pulp::{Simd, WithSimd};

use crate::dispatch;

/// Replaces each value x, at most 88, by eˣ: 0 for x below −103.97. NaN stays NaN.
pub(super) fn exp(values: &mut [f32]) {
    dispatch(Exp(values));
}

/// Replaces each value x by ln x, for 2⁻¹²⁶ ≤ x < ∞. NaN stays NaN; the result for other numbers has no meaning.
pub(super) fn ln(values: &mut [f32]) {
    dispatch(Ln(values));
}

/// An operation of its own: in a larger function the compiler computes one value at a time.
struct Exp<'a>(&'a mut [f32]);

impl WithSimd for Exp<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.0 {
            *value = exp_of(*value);
        }
    }
}

/// See [`Exp`].
struct Ln<'a>(&'a mut [f32]);

impl WithSimd for Ln<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.0 {
            *value = ln_of(*value);
        }
    }
}

#[inline(always)]
fn exp_of(x: f32) -> f32 {
    // x = (k / 32 + r / 32) · ln 2 with an integer k and r from −½ to ½.
    const SCALE: f64 = 32.0 * std::f64::consts::LOG2_E;
    let within = f64::from(x.clamp(-104.0, 88.5));
    let shifted = within.mul_add(SCALE, ROUND);
    let r = within.mul_add(SCALE, ROUND - shifted);
    // The lowest bits of the shifted number are k.
    let k = shifted.to_bits();
    let power = f64::from_bits(POWERS_OF_2[(k % 32) as usize].wrapping_add(k << 47));
    let [c0, c1, c2] = EXP_POLYNOMIAL;
    let (square, linear) = (r * r, c2.mul_add(r, 1.0));
    (c0.mul_add(r, c1).mul_add(square, linear) * power) as f32
}

#[inline(always)]
fn ln_of(x: f32) -> f32 {
    // x = 2ᵏ · z with an integer k and z from 0.7 to 1.4.
    const LOWEST: u32 = 0x3f33_0000;
    let offset = x.to_bits().wrapping_sub(LOWEST);
    let k = (offset as i32) >> 23;
    let z = f64::from(f32::from_bits(x.to_bits().wrapping_sub(offset & 0xff80_0000)));
    // ln x = ln (1 + r) + ln c + k · ln 2, where c is near z and r = z / c − 1.
    let index = (offset >> 19) as usize % 16;
    let (inverse, ln_c) = (f64::from_bits(INVERSES[index]), f64::from_bits(LOGARITHMS[index]));
    let r = z.mul_add(inverse, -1.0);
    let start = f64::from(k).mul_add(std::f64::consts::LN_2, ln_c);
    let [a0, a1, a2] = LN_POLYNOMIAL;
    let square = r * r;
    let result = a0.mul_add(square, a1.mul_add(r, a2)).mul_add(square, start + r) as f32;
    if x.is_nan() { x } else { result }
}

/// 1.5 · 2⁵²: a number between −2⁵¹ and 2⁵¹ plus and minus it is rounded to an integer.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// 2^(i / 32) for i from 0 to 31, as bits, less i · 2⁴⁷: so k · 2⁴⁷ added to entry k mod 32 gives the bits of
/// 2^(k / 32).
const POWERS_OF_2: [u64; 32] = [
    0x3ff0_0000_0000_0000,
    0x3fef_d9b0_d315_8574,
    0x3fef_b558_6cf9_890f,
    0x3fef_9301_d012_5b51,
    0x3fef_72b8_3c7d_517b,
    0x3fef_5487_3168_b9aa,
    0x3fef_387a_6e75_6238,
    0x3fef_1e9d_f51f_dee1,
    0x3fef_06fe_0a31_b715,
    0x3fee_f1a7_373a_a9cb,
    0x3fee_dea6_4c12_3422,
    0x3fee_ce08_6061_892d,
    0x3fee_bfda_d536_2a27,
    0x3fee_b42b_569d_4f82,
    0x3fee_ab07_dd48_5429,
    0x3fee_a47e_b03a_5585,
    0x3fee_a09e_667f_3bcd,
    0x3fee_9f75_e8ec_5f74,
    0x3fee_a114_73eb_0187,
    0x3fee_a589_994c_ce13,
    0x3fee_ace5_422a_a0db,
    0x3fee_b737_b0cd_c5e5,
    0x3fee_c491_82a3_f090,
    0x3fee_d503_b23e_255d,
    0x3fee_e89f_995a_d3ad,
    0x3fee_ff76_f2fb_5e47,
    0x3fef_199b_dd85_529c,
    0x3fef_3720_dcef_9069,
    0x3fef_5818_dcfb_a487,
    0x3fef_7c97_337b_9b5f,
    0x3fef_a4af_a2a4_90da,
    0x3fef_d076_5b6e_4540,
];

/// Coefficients of 2^(r / 32) for r from −½ to ½, highest power first; the last one, 1, is left out.
const EXP_POLYNOMIAL: [f64; 3] =
    [1.693_835_925_092_021_2e-6, 2.345_980_978_950_900_4e-4, 0.021_660_849_396_613_134];

/// 1 / c for a c in each sixteenth of the range of z, as bits.
const INVERSES: [u64; 16] = [
    0x3ff6_61ec_79f8_f3be,
    0x3ff5_71ed_4aaf_883d,
    0x3ff4_9539_f0f0_10b0,
    0x3ff3_c995_b0b8_0385,
    0x3ff3_0d19_0c88_64a5,
    0x3ff2_5e22_7b0b_8ea0,
    0x3ff1_bb4a_4a1a_343f,
    0x3ff1_2358_f08a_e5ba,
    0x3ff0_953f_4199_00a7,
    0x3ff0_0000_0000_0000,
    0x3fee_608c_fd9a_47ac,
    0x3fec_a4b3_1f02_6aa0,
    0x3feb_2036_576a_fce6,
    0x3fe9_c2d1_63a1_aa2d,
    0x3fe8_86e6_0378_41ed,
    0x3fe7_67dc_f553_4862,
];

/// ln c for the same numbers, as bits.
const LOGARITHMS: [u64; 16] = [
    0xbfd5_7bf7_808c_aade,
    0xbfd2_bef0_a7c0_6ddb,
    0xbfd0_1eae_7f51_3a67,
    0xbfcb_31d8_a682_24e9,
    0xbfc6_574f_0ac0_7758,
    0xbfc1_aa2b_c79c_8100,
    0xbfba_4e76_ce8c_0e5e,
    0xbfb1_973c_5a61_1ccc,
    0xbfa2_52f4_38e1_0c1e,
    0x0000_0000_0000_0000,
    0x3faa_a5aa_5df2_5984,
    0x3fbc_5e53_aa36_2eb4,
    0x3fc5_26e5_7720_db08,
    0x3fcb_c286_0d22_4770,
    0x3fd1_058b_c8a0_7ee1,
    0x3fd4_0430_57b6_ee09,
];

/// Coefficients of ln (1 + r) for r near 0, highest power first; the last ones, 1 and 0, are left out.
const LN_POLYNOMIAL: [f64; 3] = [-0.250_893_422_142_371_54, 0.333_456_765_744_066, -0.499_999_748_580_210_3];
