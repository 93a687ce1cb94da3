//! Owns what is said of a network's answers: accuracy and loss over a split. Trains nothing, prints nothing.

use burn::tensor::{Device, Transaction};
use serde::{Deserialize, Serialize};

use crate::data::{Batch, EVALUATION_BATCH_SIZE, Split};
use crate::error::{Error, Result};
use crate::model::{Mlp, cross_entropy};

/// How well a network does on a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The share of images whose largest logit is the true class's, in [0, 1].
    pub accuracy: f64,
    /// The mean cross-entropy in nats, without label smoothing.
    pub loss: f64,
    /// Images evaluated.
    pub num_images: usize,
}

/// Evaluates `model`, which must be on `device`, on all images of `split`.
///
/// # Errors
/// A split without images, or a device that fails.
pub fn evaluate(model: &Mlp, split: &Split, device: &Device) -> Result<Evaluation> {
    if split.is_empty() {
        return Err(Error::new("there is no image to evaluate on"));
    }
    let positions: Vec<u32> = (0..split.len() as u32).collect();
    let (mut loss, mut correct) = (0.0, 0.0);
    for positions in positions.chunks(EVALUATION_BATCH_SIZE) {
        let batch = Batch::gather(split, positions, 0.0, device);
        let logits = model.forward(batch.images); // [batch, classes]
        let losses = cross_entropy(logits.clone(), batch.targets.clone(), 0.0); // [batch]
        let hits = logits.argmax(1).squeeze_dim::<1>(1).equal(batch.targets).int(); // [batch]
        let data = Transaction::default()
            .register(losses)
            .register(hits)
            .try_execute()
            .map_err(|error| Error::new(format!("evaluation failed: {error}")))?;
        // Summed here in double precision: the sum does not depend on the backend's way of summing.
        loss += data[0].iter::<f64>().sum::<f64>();
        correct += data[1].iter::<f64>().sum::<f64>();
    }
    let num_images = split.len();
    Ok(Evaluation { accuracy: correct / num_images as f64, loss: loss / num_images as f64, num_images })
}
