//! Labels drawn at random cannot be learned: a study with early stopping must find chance, 0.5. Where
//! the images that judge also choose the epoch, it finds more.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Rng, TestDir, number};

/// Number of digits. Half of them get one label, half the other.
const NUM_DIGITS: usize = 200;

/// Writes 200 real digits with labels drawn by `seed`, 100 of each class, and 100 test digits.
fn write_digits(dir: &TestDir, seed: u64) {
    dir.digits(NUM_DIGITS, 100);
    let mut labels: Vec<u8> = (0..NUM_DIGITS).map(|index| (index % 2) as u8).collect();
    let mut rng = Rng::new(seed);
    for last in (1..NUM_DIGITS).rev() {
        labels.swap(last, (rng.next_f64() * (last + 1) as f64) as usize);
    }
    let idx = |labels: &[u8]| {
        let count = u32::try_from(labels.len()).unwrap().to_be_bytes();
        [&[0, 0, 8, 1], &count[..], labels].concat()
    };
    dir.write("data/train-labels-idx1-ubyte", idx(&labels));
    dir.write("data/t10k-labels-idx1-ubyte", idx(&[0, 1].repeat(50)));
}

/// Mean validation accuracies over three rates in 20 folds, one for each of `num_seeds` draws of
/// the labels. `share` is the study's `stopping_share`.
fn accuracies(num_seeds: u64, share: f64) -> Vec<f64> {
    let study = |seed: u64| {
        let dir = TestDir::new();
        write_digits(&dir, seed);
        dir.write(
            "s.toml",
            format!(
                "folds = 20\nseeds = [{seed}]\nstopping_share = {share}\n[set]\ntraining.num_epochs = 60\n\
                 training.batch_size = 190\ntraining.early_stopping.patience = 20\n\
                 [vary]\noptimizer.learning_rate = [0.02, 0.05, 0.1]\n"
            ),
        );
        let record = dir.json(&["study", "s.toml", "--data", "data"]);
        let results = record["summary"]["settings"].as_array().unwrap();
        assert_eq!(results.len(), 3);
        results.iter().map(|result| number(result, "mean")).sum::<f64>() / 3.0
    };
    (1..=num_seeds).map(study).collect()
}

/// Mean and half the width of its 95 % interval, by Student's t with the quantile `t`.
fn interval(values: &[f64], t: f64) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, t * (variance / n).sqrt())
}

/// Five draws of the labels. The quantile is that of 4 degrees of freedom.
#[test]
fn early_stopping_finds_nothing_in_labels_drawn_at_random() {
    let (mean, half) = interval(&accuracies(5, 0.1), 2.776);
    assert!((mean - 0.5).abs() <= half && half < 0.05, "{mean} ± {half}");
    let (mean, half) = interval(&accuracies(5, 0.0), 2.776);
    assert!(mean - half > 0.5, "the test must see a choice by the judging fold: {mean} ± {half}");
}

/// The figures of `docs/reliability.md`. The quantile is that of 19 degrees of freedom.
///
/// `cargo test --release --test honest_study -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes; prints the figures of docs/reliability.md"]
fn twenty_draws_of_the_labels() {
    for share in [0.0, 0.1] {
        let (mean, half) = interval(&accuracies(20, share), 2.093);
        println!("stopping_share = {share}: {mean:.4} ± {half:.4}");
        assert_eq!((mean - 0.5).abs() <= half, share > 0.0, "{mean} ± {half}");
    }
}
