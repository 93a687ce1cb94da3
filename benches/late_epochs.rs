//! Speed of late epochs compared with the first one, with every optimizer: values that shrink
//! towards 0 must not become denormal numbers.
//!
//!     cargo bench --bench late_epochs [-- EPOCHS] [ndarray]
//!
//! Trains 784-128-10 with each optimizer, and 784-512-256-10 with Adam, and prints the seconds of
//! the first and the last epoch and their ratio. Arithmetic on denormal numbers is 20 to 100 times
//! slower on an Intel processor, and much less on an AMD processor of the Zen family.

use burn::tensor::Device;
use burn::train::Interrupter;
use smallnet::data::{AugmentationConfig, Source, Split, Subset};
use smallnet::error::Result;
use smallnet::model::MlpConfig;
use smallnet::optim::{Adam, AdamW, OptimizerConfig, RmsProp, ScheduleConfig, Sgd};
use smallnet::training::{Hyperparameters, NullRenderer, Observers, TrainRequest, TrainingConfig, train};

const ONE_LAYER: &[usize] = &[128];
const TWO_LAYERS: &[usize] = &[512, 256];

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let num_epochs = words.iter().find_map(|word| word.parse().ok()).unwrap_or(10);
    #[allow(deprecated)]
    let device = if words.iter().any(|word| word == "ndarray") { Device::ndarray() } else { Device::flex() };
    let split = Split::whole(Source::mnist().load(Subset::Train)?);
    let sgd = |momentum, nesterov| {
        OptimizerConfig::Sgd(Sgd { learning_rate: 0.1, momentum, nesterov, ..Sgd::default() })
    };
    let rmsprop =
        |momentum, centered| OptimizerConfig::RmsProp(RmsProp { momentum, centered, ..RmsProp::default() });
    let last = format!("epoch {num_epochs}");
    println!("{:<28} {:>12} {:>9} {last:>9} {:>6}", "optimizer", "network", "epoch 1", "ratio");
    for (name, hidden, optimizer) in [
        ("sgd", ONE_LAYER, sgd(0.0, false)),
        ("sgd, momentum", ONE_LAYER, sgd(0.9, false)),
        ("sgd, nesterov", ONE_LAYER, sgd(0.9, true)),
        ("adam", ONE_LAYER, OptimizerConfig::Adam(Adam::default())),
        ("adamw", ONE_LAYER, OptimizerConfig::AdamW(AdamW::default())),
        ("rmsprop", ONE_LAYER, rmsprop(0.0, false)),
        ("rmsprop, centred, momentum", ONE_LAYER, rmsprop(0.9, true)),
        ("adam", TWO_LAYERS, OptimizerConfig::Adam(Adam::default())),
    ] {
        let model = MlpConfig { hidden: hidden.to_vec(), ..MlpConfig::default() };
        let training = TrainingConfig { num_epochs, ..TrainingConfig::default() };
        let request = TrainRequest {
            model: model.init(784, 10, 42, &device)?,
            hyperparameters: Hyperparameters {
                augmentation: &AugmentationConfig::default(),
                model: &model,
                optimizer: &optimizer,
                schedule: &ScheduleConfig::default(),
                training: &training,
            },
            seed: 42,
            train: split.clone(),
            validation: split.slice(0..0),
            device: &device,
            checkpoints: None,
        };
        let observers = Observers {
            renderer: Box::new(NullRenderer),
            callbacks: Vec::new(),
            interrupter: Interrupter::new(),
        };
        let epochs = train(request, observers)?.epochs;
        let seconds =
            |epoch: Option<&smallnet::training::EpochRecord>| epoch.map_or(f64::NAN, |epoch| epoch.seconds);
        let (first, last) = (seconds(epochs.first()), seconds(epochs.last()));
        let network: Vec<String> = [784].iter().chain(hidden).chain(&[10]).map(usize::to_string).collect();
        println!("{name:<28} {:>12} {first:>7.3} s {last:>7.3} s {:>6.2}", network.join("-"), last / first);
    }
    Ok(())
}
