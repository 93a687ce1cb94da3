//! Denormal numbers: those below 2⁻¹²⁶ in single precision, which have fewer digits.
//!
//! Arithmetic on them is 20 to 100 times slower on some processors, and they stay: nine tenths of the smallest one,
//! rounded, is the smallest one. The moments and the momentum of a weight whose pixel is nearly always 0 end there.
//!
//! An update therefore writes 0 in place of a denormal number, in the same pass. A processor that flushes results to zero
//! does the same. Setting the processor to do so would be shorter, but Rust, like LLVM, compiles for the usual
//! floating-point environment and calls every other one undefined (`core::arch::x86_64::_mm_setcsr`); and here the same
//! numbers become 0 on every processor and on every thread.

/// Returns `value`, or 0 if it is denormal.
#[inline(always)]
pub(crate) fn flushed(value: f32) -> f32 {
    if value.abs() < f32::MIN_POSITIVE { 0.0 } else { value }
}

/// Writes 0 in place of every denormal number.
pub(crate) fn flush_denormals(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = flushed(*value));
}
