//! Denormal numbers: those of less than 2⁻¹²⁶ in single precision, which have fewer digits. Arithmetic on them is 20 to 100 times
//! slower on some processors, and they stay: nine tenths of the smallest of them, rounded, is the smallest of them. The moments
//! and the momentum of a weight whose pixel is nearly always 0 end there.
//!
//! What is written and read again in later steps is therefore 0 in the place of a denormal number, in the same pass. That is what
//! a processor does that flushes results to zero. Setting it to do so would be shorter, but Rust, like LLVM, compiles for
//! the usual floating-point environment and calls every other one undefined (`core::arch::x86_64::_mm_setcsr`); and here the same
//! numbers become 0 on every processor and on every thread.

use pulp::{Simd, WithSimd};

use crate::engine::cpu::kernels::dispatch;

/// `value`, or 0 where it is denormal.
#[inline(always)]
pub(crate) fn flushed(value: f32) -> f32 {
    if value.abs() < f32::MIN_POSITIVE { 0.0 } else { value }
}

/// Puts 0 in the place of every denormal number.
pub(crate) fn flush_denormals(values: &mut [f32]) {
    struct Flush<'a>(&'a mut [f32]);
    impl WithSimd for Flush<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            self.0.iter_mut().for_each(|value| *value = flushed(*value));
        }
    }
    dispatch(Flush(values));
}
