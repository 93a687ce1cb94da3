use burn::tensor::Device;

use super::*;
use crate::data::{Source, Split, Subset};

#[test]
fn every_step_of_every_experiment_has_a_seed_of_its_own() {
    let split = Split::whole(Source::mnist().load(Subset::Test).unwrap());
    let seed =
        |seed, step| with_step_seed(Batch::new(&split, &[0], 0.0, &Device::flex()), seed, step).dropout_seed;
    assert!(seed(1, 0).is_some());
    assert_eq!(seed(1, 7), seed(1, 7));
    assert_ne!(seed(1, 0), seed(1, 1));
    assert_ne!(seed(1, 0), seed(2, 0));
}
