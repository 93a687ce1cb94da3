//! Owns the computation of networks on the CPU without tensors.

#[cfg(test)]
#[allow(clippy::panic)]
mod cores;
pub mod kernels;
pub(crate) mod network;
pub(crate) mod optimizer;
pub(crate) mod stack;
pub(crate) mod step;
#[cfg(test)]
#[allow(clippy::panic)]
mod tests;
pub mod threads;

pub(crate) use network::{CpuNetwork, ForwardCache, MAX_CHUNK};
