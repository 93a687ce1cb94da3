//! smallnet trains, inspects and tunes small dense networks (Flatten → Linear → Softmax, with optional hidden
//! layers) on MNIST-like image data, on CPU or GPU, with the [Burn](https://burn.dev) framework.
//!
//! Data flows one way, and each module is a room that knows only the rooms before it:
//!
//! ```text
//! data → model → training → config → plan → run → study → report → workflow → cli
//!             ↘ evaluation ─────────────────↗               ↑
//!                                                  figures
//! ```
//!
//! | to change … | go to |
//! |---|---|
//! | the command line, what is printed | [`cli`] |
//! | the experiment file's form and its messages | [`config`] |
//! | where images come from, splits, batches | [`data`] |
//! | the network, its initial weights, its loss | [`model`] |
//! | optimizers, schedules, the loop over epochs | [`training`] |
//! | how fast the CPU computes | [`kernels`] |
//! | predictions, accuracy, confusion matrix, calibration | [`evaluation`] |
//! | layers, weights and steps of an experiment, in words | [`plan`] |
//! | warnings about a network that has learned nothing | [`diagnosis`] |
//! | a run folder's files | [`run`] |
//! | intervals, probabilities, tests | [`statistics`] |
//! | studies: trials, folds, verdicts | [`study`] |
//! | what a picture looks like | [`figures`] |
//! | what a page says | [`report`] |
//! | the order of all this | [`workflow`] |
//! | CPU or GPU | [`backend`] |

pub mod backend;
pub mod cli;
pub mod data;
pub mod engine;
pub mod error;
pub mod evaluation;
#[cfg(feature = "exercise")]
pub mod exercise;
pub mod experiment;
pub mod model;
pub mod optim;
pub mod pipeline;
pub mod plots;
pub mod report;
pub mod run;
pub mod statistics;
pub mod study;
pub mod training;
mod util;
