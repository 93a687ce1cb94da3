//! Optimizers whose saved state is read into the memory of the CPU. Burn reads it onto the default device, which opens the
//! GPU of a machine for a training on the CPU, and panics where there is none; in the next step, the state follows the
//! weights to their device in any case.

use burn::optim::{ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// `optimizer` for a whole network, with its state restored by way of the CPU.
pub(crate) fn with_cpu_state(optimizer: impl Optimizer) -> ModuleOptimizer {
    ModuleOptimizer::from(CpuStateOptimizer(optimizer))
}

#[derive(Clone)]
struct CpuStateOptimizer<O>(O);

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

    fn state_unflatten(prefix: &str, source: &mut StateSource, _default: &Device) -> Option<Self> {
        S::state_unflatten(prefix, source, &Device::flex()).map(Self)
    }
}
