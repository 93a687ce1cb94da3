//! Owns the threads that share a step.

mod autotune;
pub mod pool;
