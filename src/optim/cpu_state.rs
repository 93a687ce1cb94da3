//! Owns the optimizers whose saved state is read into the memory of the CPU. Burn reads it onto the
//! default device. This opens the machine's GPU for a training on the CPU, and panics if there is
//! no GPU. In the next step, the state follows the weights to their device in any case.
//! Depends on Burn alone. Must not know the optimizer.

use burn::optim::{ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// Returns `optimizer` for a whole network. Its saved state is read into the memory of the CPU.
pub(crate) fn with_cpu_state(optimizer: impl Optimizer) -> ModuleOptimizer {
    ModuleOptimizer::from(CpuStateOptimizer(optimizer))
}

/// Optimizer that behaves like the one in it, except that its state is a [`CpuState`].
#[derive(Clone)]
struct CpuStateOptimizer<O>(O);

/// State that is read into the memory of the CPU.
#[derive(Clone)]
struct CpuState<S>(S);

impl<O: Optimizer> Optimizer for CpuStateOptimizer<O> {
    type State<const D: usize> = CpuState<O::State<D>>;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let (tensor, state) =
            self.0.step(learning_rate, tensor, gradient, state.map(|CpuState(state)| state));
        (tensor, state.map(CpuState))
    }

    fn to_device<const D: usize>(CpuState(state): Self::State<D>, device: &Device) -> Self::State<D> {
        CpuState(O::to_device(state, device))
    }
}

impl<S: RecordState> RecordState for CpuState<S> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.0.state_flatten(prefix, out);
    }

    // The default device is not used, see the head of this file.
    fn state_unflatten(prefix: &str, source: &mut StateSource, _default: &Device) -> Option<Self> {
        S::state_unflatten(prefix, source, &Device::flex()).map(Self)
    }
}
