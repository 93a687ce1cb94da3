//! Owns the removal of denormal numbers. Must not know the meaning of the numbers.
//!
//! A denormal number is smaller than 2⁻¹²⁶ in single precision and has fewer digits. Arithmetic on
//! denormal numbers is 20 to 100 times slower on some processors. They do not decay to 0 by
//! themselves: nine tenths of the smallest denormal number, rounded, is the same number. The
//! moments and the momentum of a weight whose pixel is nearly always 0 end there.
//!
//! So every number that is stored for later steps becomes 0 where it is denormal, in the same pass.
//! A processor in flush-to-zero mode does the same. Setting this mode would be shorter. But Rust,
//! like LLVM, compiles for the default floating-point environment and calls every other one
//! undefined (`core::arch::x86_64::_mm_setcsr`). And here the same numbers become 0 on every
//! processor and on every thread.

/// Returns `value`, or 0 if it is denormal.
#[inline(always)]
pub(crate) fn flushed(value: f32) -> f32 {
    if value.abs() < f32::MIN_POSITIVE { 0.0 } else { value }
}

/// Replaces every denormal number by 0.
pub fn flush_denormals(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = flushed(*value));
}
