//! Owns the choice of vector instructions at run time for loops that the compiler vectorizes itself.
//! Depends on pulp. Must not know what is computed.

use pulp::{Arch, NullaryFnOnce};

/// Computation that is compiled for several sets of vector instructions. All functions that
/// [`Vectorized::run`] calls in its loops must be `#[inline(always)]`, as it must be itself.
pub(crate) trait Vectorized {
    /// Result of the computation.
    type Output;

    /// Computes the result.
    fn run(self) -> Self::Output;
}

/// Runs `work` with the best vector instructions that this processor has. The results are the same on every
/// processor: no instruction is used that rounds differently.
pub(crate) fn vectorized<W: Vectorized>(work: W) -> W::Output {
    struct Call<W>(W);
    impl<W: Vectorized> NullaryFnOnce for Call<W> {
        type Output = W::Output;

        #[inline(always)]
        fn call(self) -> W::Output {
            self.0.run()
        }
    }
    Arch::new().dispatch(Call(work))
}
