//! Owns the choice of vector instructions at run time for loops that the compiler vectorizes itself.
//! Depends on pulp. Must not know what is computed.
//!
//! Without the feature `cpu-engine`, such loops use the instructions that every processor has. The
//! results are the same: no instruction is used that rounds differently.

/// Computation that is compiled for several sets of vector instructions. All functions that
/// [`Vectorized::run`] calls in its loops must be `#[inline(always)]`, as it must be itself.
pub(crate) trait Vectorized {
    /// Result of the computation.
    type Output;

    /// Computes the result.
    fn run(self) -> Self::Output;
}

/// Runs `work` with the best vector instructions that this processor has.
#[cfg(feature = "cpu-engine")]
pub(crate) fn vectorized<W: Vectorized>(work: W) -> W::Output {
    struct Call<W>(W);
    impl<W: Vectorized> pulp::NullaryFnOnce for Call<W> {
        type Output = W::Output;

        #[inline(always)]
        fn call(self) -> W::Output {
            self.0.run()
        }
    }
    pulp::Arch::new().dispatch(Call(work))
}

/// Runs `work`.
#[cfg(not(feature = "cpu-engine"))]
pub(crate) fn vectorized<W: Vectorized>(work: W) -> W::Output {
    work.run()
}
