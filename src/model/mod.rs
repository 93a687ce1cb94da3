//! Owns the network: Flatten → Linear (→ activation → dropout → Linear)* → Softmax. Also owns its
//! `[model]` section, initial weights, loss, summary and digest, and the reading of saved weights.
//! Depends on `backend`, `error` and `util`. Must not know data sets, file paths or optimizers.

mod activation;
mod config;
mod digest;
pub(crate) mod dropout;
mod init;
mod loss;
mod mlp;
mod summary;
mod weights;

pub use activation::Activation;
pub use config::MlpConfig;
pub use digest::weights_sha256;
pub use dropout::Dropout;
pub use init::Initializer;
pub use loss::cross_entropy;
pub(crate) use mlp::{Combination, read_tensor};
pub use mlp::{LayerWeights, Mlp};
pub use summary::{LayerKind, LayerSummary};
pub use weights::load_weights;
pub(crate) use weights::{has_finite_weights, max_record_size, max_weights_size, weights_to_bytes};
