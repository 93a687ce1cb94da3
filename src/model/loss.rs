//! Owns the loss: the cross-entropy of logits, as Burn's tensors. Must not know how `engine::cpu`
//! computes it on slices.

use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Returns the cross-entropy of each image in nats, `[batch]`, from `logits`, `[batch, classes]`,
/// and the true classes in `targets`, `[batch]`.
///
/// With `label_smoothing` ε, the target distribution is 1 − ε at the true class plus ε spread
/// evenly over all classes (Szegedy et al. 2016). PyTorch and Keras define it in the same way.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>, label_smoothing: f64) -> Tensor<1> {
    let log_probabilities = log_softmax(logits, 1); // [batch, classes]
    let truth = -log_probabilities.clone().gather(1, targets.unsqueeze_dim::<2>(1)).squeeze_dim::<1>(1); // [batch]
    if label_smoothing == 0.0 {
        return truth;
    }
    let even = -log_probabilities.mean_dim(1).squeeze_dim::<1>(1); // [batch]
    truth * (1.0 - label_smoothing) + even * label_smoothing
}
