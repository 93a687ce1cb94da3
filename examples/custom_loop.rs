//! Trains with Burn alone: no Learner, no CPU kernels, no run folder. This example is for readers
//! who want to learn Burn or to change the training step.
//!
//!     cargo run --release --example custom_loop

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Device;
use smallnet::data::{Loader, Sampling, Source, Split, Subset};
use smallnet::model::{MlpConfig, cross_entropy};
use smallnet::{Engine, Result, evaluation};

const NUM_EPOCHS: usize = 2;
const BATCH_SIZE: usize = 128;
const LEARNING_RATE: f64 = 1.0;

fn main() -> Result<()> {
    // A device holds tensors and computes on them. `flex` is Burn's fast CPU backend. With
    // `.autodiff()`, Burn records each operation, so that it can compute gradients.
    let device = Device::flex();
    let training = device.clone().autodiff();

    // A split stores one byte per pixel. The loader shuffles the images anew in each epoch, from
    // the seed 42.
    let train = Split::whole(Source::mnist().load(Subset::Train)?);
    let test = Split::whole(Source::mnist().load(Subset::Test)?);
    let loader = Loader::new(train, BATCH_SIZE, Sampling::Shuffled(42), &training);

    // Flatten → Linear: 784 pixels, 10 classes. `train` moves the weights to the autodiff device.
    let model = MlpConfig::default().init(28 * 28, 10, 42, &device)?;
    let mut model = model.with_engine(Engine::Autodiff).train();
    let mut optimizer = SgdConfig::new().init();

    for epoch in 1..=NUM_EPOCHS {
        let (mut sum, mut steps) = (0.0, 0);
        for batch in loader.iter() {
            let batch = batch.map_err(|error| smallnet::Error::new(error.to_string()))?;
            // Forward: logits `[batch, 10]` of images `[batch, 28, 28]` with pixels from 0 to 1.
            let logits = model.forward(batch.images());
            // The mean cross-entropy between the softmax of the logits and the true classes.
            let loss = cross_entropy(logits, batch.targets(), 0.0).mean();
            // Backward: Burn computes the gradient of the loss by each weight from what it
            // recorded.
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            // Update: w ← w − learning rate · gradient, for each parameter w.
            model = optimizer.step(LEARNING_RATE, model, gradients);
            sum += f64::from(loss.into_scalar::<f32>());
            steps += 1;
        }
        // `valid` moves the network off the autodiff device. So nothing is recorded in the
        // evaluation.
        let accuracy = evaluation::evaluate(&model.valid(), &test, &device)?.accuracy;
        println!("epoch {epoch}: mean loss {:.4}, test accuracy {accuracy:.4}", sum / f64::from(steps));
    }
    Ok(())
}
