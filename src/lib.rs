//! smallnet trains, inspects and tunes small dense networks (Flatten → Linear → Softmax, with
//! optional hidden layers) on MNIST-like image data, on CPU or GPU, with the
//! [Burn](https://burn.dev) framework.
//!
//! ```
//! use smallnet::{Experiment, evaluate, predict, train};
//!
//! # let artifacts = tempfile::tempdir()?;
//! let mut experiment = Experiment::default(); // a softmax network on MNIST, SGD
//! experiment.training.num_epochs = 2;
//! let run = train(experiment, &artifacts)?; // a run folder with weights, metrics and a page
//!
//! let evaluation = evaluate(&run)?; // on the 10,000 test images
//! println!("test accuracy {:.4}", evaluation.accuracy);
//!
//! for image in predict(&run, &[0, 1, 2])? {
//!     println!("{}: a {}", image.image.name(), image.prediction.class);
//! }
//! # assert!(evaluation.accuracy > 0.89);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The names above, and [`Study`], [`Mlp`], [`Error`] and [`ErrorKind`], are all that most programs
//! need. `examples/` in the repository has a program for each; `examples/custom_loop.rs` is the
//! training loop with Burn alone.
//!
//! Data flows one way: a module knows only the modules above it in this list.
//!
//! | module | owns |
//! |---|---|
//! | [`error`] | messages with hints, and [`ErrorKind`] to match on |
//! | `util`, `statistics` | files, formats, random streams, threads; intervals and tests |
//! | [`backend`] | flex, ndarray, wgpu, cuda |
//! | [`data`] | data sets and their sources, splits, batches, pictures |
//! | [`model`] | the network, its activations, dropout, initial weights, loss |
//! | [`optim`] | one file per optimizer; learning-rate schedules |
//! | [`engine`] | how passes are computed: Burn's tensors or smallnet's CPU kernels |
//! | [`training`] | the loop in Burn's Learner, callbacks, checkpoints, the learning-rate range test |
//! | [`tracking`] | files for trackers: TensorBoard's event files, CSV |
//! | [`exchange`] | networks in the formats of other programs: ONNX, safetensors, PyTorch, Keras |
//! | [`evaluation`] | predictions, confusion matrix, calibration |
//! | `plots` | pictures and charts |
//! | [`experiment`] | the experiment file |
//! | [`run`] | the run folder |
//! | `report` | pages |
//! | [`pipeline`] | train, resume, evaluate, predict, compare: the order of all this |
//! | [`draw`] | the page on which one draws for a network |
//! | [`study`] | studies: trials, statistics, their page |
//! | `exercise` | the page of the exercise |
//! | `cli` | the command line; the only module that prints |

mod api;
pub mod backend;
#[doc(hidden)]
pub mod cli;
pub mod data;
pub mod draw;
pub mod engine;
pub mod error;
pub mod evaluation;
pub mod exchange;
#[cfg(feature = "exercise")]
mod exercise;
pub mod experiment;
pub mod model;
pub mod optim;
pub mod pipeline;
mod plots;
#[doc(hidden)]
pub mod report;
pub mod run;
mod statistics;
pub mod study;
pub mod tracking;
pub mod training;
mod util;

pub use api::{Run, evaluate, predict, predict_files, run_study, train, train_from, train_with};
pub use backend::Engine;
pub use error::{Error, ErrorKind, Result};
pub use experiment::Experiment;
pub use model::Mlp;
pub use study::Study;
pub use training::{Callback, Observers, on_epoch_end};
pub use util::notice::{Notice, NoticeObserver, observe_notices};
