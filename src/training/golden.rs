//! Tests ten successive losses of small networks against those of PyTorch, from the same weights
//! and batches. `tests/reference/golden.py` computed the expected values.
#![allow(clippy::unwrap_used)]

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, TensorData};
use burn::train::{ItemLazy, Learner};
use serde::Deserialize;

use crate::data::{Batch, ImageDataset, Split};
use crate::model::{Activation, Dropout, Mlp};
use crate::optim::{OptimizerConfig, Schedule, ScheduleConfig};
use crate::training::TrainingConfig;
use crate::training::average::WeightAverage;

#[derive(Deserialize)]
struct Golden {
    /// Largest decay of the average.
    average: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    activation: Activation,
    label_smoothing: f64,
    clip_norm: Option<f64>,
    clip_value: Option<f64>,
    optimizer: OptimizerConfig,
    height: usize,
    width: usize,
    weights: Vec<Vec<Vec<f32>>>,
    biases: Vec<Vec<f32>>,
    batches: Vec<GoldenBatch>,
    losses: Vec<f64>,
    final_logits_first_batch: Vec<Vec<f64>>,
    averaged_logits_first_batch: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct GoldenBatch {
    pixels: Vec<Vec<u8>>,
    labels: Vec<u16>,
}

impl Case {
    fn model(&self, device: &Device) -> Mlp {
        let layers = self.weights.iter().zip(&self.biases).map(|(weights, biases)| Linear {
            weight: Param::from_data(
                TensorData::new(weights.concat(), [weights.len(), biases.len()]),
                device,
            ),
            bias: Some(Param::from_data(TensorData::new(biases.clone(), [biases.len()]), device)),
        });
        Mlp::new(layers.collect(), self.activation, Dropout::default())
    }

    fn batch(&self, index: usize, device: &Device) -> Batch {
        let GoldenBatch { pixels, labels } = &self.batches[index];
        let images = ImageDataset {
            pixels: pixels.concat().into(),
            labels: labels.clone(),
            height: self.height,
            width: self.width,
            images_name: String::new(),
        };
        let positions: Vec<u32> = (0..labels.len() as u32).collect();
        Batch::new(&Split::whole(images), &positions, self.label_smoothing, device)
    }

    /// Returns the losses of all batches, and the first batch's logits after the training: of the
    /// network, and of the average of its weights.
    fn train(&self, decay: f64, device: &Device) -> (Vec<f64>, [Vec<f64>; 2]) {
        let training = device.clone().autodiff();
        let config = TrainingConfig {
            clip_norm: self.clip_norm,
            clip_value: self.clip_value,
            ..TrainingConfig::default()
        };
        let schedule =
            Schedule::new(ScheduleConfig::default(), self.optimizer.learning_rate(), 1, self.batches.len());
        let model = self.model(device);
        let optimizer = model.engine().optimizer(&self.optimizer, config.clipping());
        let mut learner = Learner::new(model.train(), optimizer, schedule);
        let mut losses = Vec::new();
        let mut average = WeightAverage::new(decay, None);
        for index in 0..self.batches.len() {
            let output = learner.train_step(self.batch(index, &training));
            learner.lr_step();
            learner.optimizer_step(output.grads);
            average.update(&learner.model(), index);
            losses.push(output.item.sync().unwrap().steps()[0].loss);
        }
        let logits = [learner.model().valid(), average.into_network().unwrap()].map(|model| {
            let logits = model.forward(self.batch(0, device).images());
            logits.into_data().iter::<f64>().collect()
        });
        (losses, logits)
    }
}

#[allow(deprecated)]
fn devices() -> [Device; 2] {
    [Device::flex(), Device::ndarray()]
}

#[test]
fn losses_equal_pytorchs_step_by_step() {
    let golden: Golden = serde_json::from_str(include_str!("../../tests/reference/golden.json")).unwrap();
    assert_eq!(golden.cases.len(), 17);
    for case in &golden.cases {
        for device in devices() {
            let (losses, logits) = case.train(golden.average, &device);
            assert_eq!(losses.len(), 10);
            for (step, (loss, expected)) in losses.iter().zip(&case.losses).enumerate() {
                assert!((loss - expected).abs() < 1e-5, "{}, step {step}: {loss}, {expected}", case.name);
            }
            let expected = [&case.final_logits_first_batch, &case.averaged_logits_first_batch];
            let expected = expected.into_iter().flat_map(|logits| logits.concat());
            for (logit, expected) in logits.iter().flatten().zip(expected) {
                assert!((logit - expected).abs() < 1e-4, "{}: logit {logit}, {expected}", case.name);
            }
        }
    }
}

/// A network that cannot learn 32 digits without an error is broken.
#[test]
fn one_batch_can_be_learned_by_heart() {
    use crate::data::{Source, Subset};
    use crate::model::MlpConfig;

    let device = Device::flex();
    let training = device.clone().autodiff();
    let split = Split::whole(Source::mnist().load(Subset::Test).unwrap());
    let positions: Vec<u32> = (0..32).collect();
    let config = MlpConfig { hidden: vec![32], ..MlpConfig::default() };
    let model = config.init(784, 10, 1, &device).unwrap().train();
    let optimizer: OptimizerConfig = toml::from_str("kind = \"adam\"\nlearning_rate = 0.01").unwrap();
    let schedule = Schedule::new(ScheduleConfig::default(), optimizer.learning_rate(), 1, 100);
    let mut learner = Learner::new(model.clone(), model.engine().optimizer(&optimizer, None), schedule);
    let mut last = None;
    for _ in 0..100 {
        let output = learner.train_step(Batch::new(&split, &positions, 0.0, &training));
        learner.lr_step();
        learner.optimizer_step(output.grads);
        last = Some(output.item.sync().unwrap().steps()[0]);
    }
    let last = last.unwrap();
    assert!(last.loss < 0.01 && last.correct == 32, "{last:?}");
}
