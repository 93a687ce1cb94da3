use super::*;
use crate::data::{AugmentationConfig, ImageDataset, Loader, Sampling};
use crate::model::MlpConfig;
use crate::optim::{OptimizerConfig, ScheduleConfig};
use crate::training::TrainingConfig;
use burn::module::Module;

fn sweep(from: f64, to: f64, steps: usize) -> Sweep {
    Sweep::new(from, to, Some(steps)).unwrap()
}

fn curve(losses: &[f64], num_steps: usize, sweep: Sweep) -> RangeTest {
    let mut curve = LossCurve::new(sweep, num_steps);
    for &loss in losses {
        curve.add(loss);
    }
    curve.finish()
}

fn assert_near(got: f64, expected: f64) {
    assert!((got / expected - 1.0).abs() < 1e-9, "{got}, expected {expected}");
}

#[test]
fn the_rate_rises_by_the_same_factor_between_exact_ends() {
    let sweep = sweep(1e-3, 10.0, 10);
    let rates: Vec<_> = (0..5).map(|step| sweep.learning_rate(step, 5)).collect();
    assert_eq!((rates[0], rates[4]), (1e-3, 10.0));
    for (rate, expected) in rates.iter().zip([1e-3, 1e-2, 0.1, 1.0, 10.0]) {
        assert_near(*rate, expected);
    }
    let widest = Sweep::new(5e-324, f64::MAX, None).unwrap();
    assert!((0..100).all(|step| widest.learning_rate(step, 100).is_finite()));
}

#[test]
fn without_a_number_of_steps_it_takes_about_an_epoch() {
    let steps = |sweep: Sweep| [1, 469, 1875].map(|epoch| sweep.num_steps(epoch));
    assert_eq!(steps(Sweep::new(1.0, 2.0, None).unwrap()), [100, 469, 500]);
    assert_eq!(steps(sweep(1.0, 2.0, 10)), [10, 10, 10]);
}

/// In a sweep of 70 steps, each step keeps half of the average: (1/2 · 4) / (1/2) = 4,
/// (1/4 · 4 + 1/2 · 1) / (3/4) = 2, (1/8 · 4 + 1/4 · 1 + 1/2 · 6) / (7/8) = 30/7.
#[test]
fn smoothing_by_hand() {
    let test = curve(&[4.0, 1.0, 6.0], 70, sweep(1.0, 2.0, 70));
    let smoothed: Vec<_> = test.points.iter().map(|point| point.smoothed_loss).collect();
    assert_eq!(smoothed.len(), 3);
    for (smoothed, expected) in smoothed.iter().zip([4.0, 2.0, 30.0 / 7.0]) {
        assert_near(*smoothed, expected);
    }
    assert_eq!((test.points[2].step, test.points[2].loss), (3, 6.0));
    // A short sweep is not smoothed.
    assert_eq!(curve(&[4.0, 1.0], 30, sweep(1.0, 2.0, 30)).points[1].smoothed_loss, 1.0);
}

#[test]
fn four_times_the_lowest_is_still_a_training() {
    let has_diverged = |losses: &[f64]| curve(losses, 10, sweep(1.0, 2.0, 10)).has_diverged;
    assert!(!has_diverged(&[2.0, 0.5, 2.0]));
    assert!(has_diverged(&[2.0, 0.5, 2.001]));
    assert!(has_diverged(&[f64::NAN]) && has_diverged(&[1.0, f64::INFINITY]));
    assert!(!has_diverged(&[]));
}

/// Returns sixty images of three pixels in three classes.
fn images() -> Split {
    Split::whole(ImageDataset {
        pixels: (0..180u32).map(|i| (i * i % 251) as u8).collect::<Vec<u8>>().into(),
        labels: (0..60).map(|i| i % 3).collect(),
        height: 1,
        width: 3,
        images_name: String::new(),
    })
}

fn run(train: Split, interrupter: &Interrupter) -> Result<Option<RangeTest>> {
    let device = Device::flex();
    let trial = RangeSetup {
        model: MlpConfig::default().init(3, 3, 7, &device)?,
        hyperparameters: Hyperparameters {
            augmentation: &AugmentationConfig::default(),
            model: &MlpConfig::default(),
            optimizer: &OptimizerConfig::default(),
            schedule: &ScheduleConfig::default(),
            training: &TrainingConfig { batch_size: 16, ..TrainingConfig::default() },
        },
        seed: 7,
        train,
        device: &device,
        sweep: sweep(1e-3, 1.0, 20),
    };
    range_test(trial, interrupter, |_| {})
}

/// Compares the test with a training: the same steps by hand, without reading many at once.
#[test]
fn the_losses_are_those_of_a_training_with_these_rates() {
    let test = run(images(), &Interrupter::new()).unwrap().unwrap();
    assert_eq!(test.points.len(), 20);
    let device = Device::flex();
    let loader = Loader::new(images(), 16, Sampling::Shuffled(7), &device);
    let loader = loader.to_device(&device.clone().autodiff());
    let mut model = MlpConfig::default().init(3, 3, 7, &device).unwrap().train();
    let mut optimizer = model.engine().optimizer(&OptimizerConfig::default(), None);
    // Four batches per epoch: five epochs, each in an order of its own.
    let batches = (0..5).flat_map(|_| loader.iter().collect::<Vec<_>>());
    for (point, batch) in test.points.iter().zip(batches) {
        let output = TrainStep::step(&model, batch.unwrap());
        model = optimizer.step(point.learning_rate, model, output.grads);
        assert_eq!(output.item.sync().unwrap().steps()[0].loss, point.loss, "step {}", point.step);
    }
}

#[test]
fn interrupted_or_without_images_there_is_no_result() {
    let interrupter = Interrupter::new();
    interrupter.stop(None);
    assert_eq!(run(images(), &interrupter).unwrap(), None);
    assert!(run(images().slice(0..0), &Interrupter::new()).is_err());
}
