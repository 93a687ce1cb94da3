//! Answers do not depend on company: an image has the same probabilities to the last bit alone, among
//! others, in any order and on any number of threads, on each CPU backend and with each engine.
#![allow(clippy::unwrap_used)]

mod common;

use common::TestDir;
use serde_json::Value;
use smallnet::Engine;
use smallnet::backend::{Backend, Compute};
use smallnet::data::{Source, Split, Subset};
use smallnet::evaluation::predict;
use smallnet::model::{Activation, MlpConfig};

/// Returns the numbers 0 to 9,999 in a fixed disorder.
fn shuffled() -> Vec<u32> {
    (0..10_000).map(|index| (index * 7919 + 13) % 10_000).collect()
}

#[test]
fn an_image_alone_and_among_many_has_the_same_answer() {
    let split = Split::whole(Source::mnist().load(Subset::Test).unwrap());
    const SOME: [usize; 10] = [1, 2, 7, 8, 16, 64, 65, 256, 257, 1000];
    for (backend, engine) in [
        (Backend::Flex, Engine::Cpu),
        (Backend::Flex, Engine::Autodiff),
        (Backend::Ndarray, Engine::Autodiff),
    ] {
        let handle = Compute::new(backend, Some(engine)).unwrap().open().unwrap();
        for (hidden, activation) in [
            (vec![], Activation::Relu),
            (vec![16], Activation::Gelu),
            (vec![100], Activation::Relu),
            (vec![512, 5], Activation::Tanh),
            (vec![1], Activation::Sigmoid),
            (vec![2], Activation::Sigmoid),
            (vec![3, 7], Activation::Tanh),
        ] {
            let config = MlpConfig { hidden: hidden.clone(), activation, ..MlpConfig::default() };
            let model = config.init(784, 10, 1, &handle.device).unwrap().with_engine(engine);
            let bits = |positions: &[u32]| -> Vec<Vec<u64>> {
                let predictions = predict(&model, &split, positions, &handle.device).unwrap();
                let bits = |p: &f64| p.to_bits();
                predictions.iter().map(|p| p.log_probabilities.iter().map(bits).collect()).collect()
            };
            // Larger networks take too long on all images.
            let num_images = if hidden.is_empty() { 10_000 } else { 1500 };
            let expected = bits(&(0..num_images).collect::<Vec<_>>());
            let mut order: Vec<u32> =
                shuffled().into_iter().filter(|&position| position < num_images).collect();
            order.push(4);
            let more = order.len();
            for count in SOME.into_iter().chain([more]) {
                // Other images are asked for each time, if they are few.
                let asked = if count < 500 { &order[count..2 * count] } else { &order[..count] };
                for (got, &position) in bits(asked).iter().zip(asked) {
                    let expected = &expected[position as usize];
                    assert_eq!(
                        got, expected,
                        "{backend:?} {engine} {hidden:?}: image {position} among {count}"
                    );
                }
            }
        }
    }
}

/// The binary predicts and evaluates with one to eight threads, each backend and engine.
#[test]
fn any_number_of_threads_gives_the_same_answer() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    let train = ["train", "--data", "data", "--hidden", "100", "--lr", "0.3", "--epochs", "1"];
    let record = dir.json(&train);
    let run = record["run"].as_str().unwrap();
    for options in [["--engine", "cpu"], ["--engine", "autodiff"], ["--backend", "ndarray"]] {
        let answers = |threads: &str| -> [Value; 3] {
            let json = |args: &[&str]| dir.json(&[&options[..], &["--threads", threads], args].concat());
            let alone = json(&["predict", run, "--index", "7"]);
            let many = json(&["predict", run, "--index", "9", "8", "7", "6", "5"]);
            assert_eq!(alone[0]["probabilities"], many[2]["probabilities"], "{options:?}, {threads} threads");
            [json(&["evaluate", run]), alone, many]
        };
        let expected = answers("1");
        for threads in ["2", "3", "8"] {
            assert_eq!(answers(threads), expected, "{options:?}, {threads} threads");
        }
    }
}
