//! Owns how the passes of a network are computed.

pub mod cpu;
pub(crate) mod metrics;

pub use metrics::{LazyMetrics, MetricSums, StepMetrics};
