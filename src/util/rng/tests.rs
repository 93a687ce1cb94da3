use super::*;
use rand::Rng;

#[test]
fn streams_repeat_and_differ() {
    let first = |seed, stream, index| rng(seed, stream, index).next_u64();
    let reference = first(1, RngStream::Sampling, 1);
    assert_eq!(reference, first(1, RngStream::Sampling, 1));
    assert_ne!(reference, first(2, RngStream::Sampling, 1));
    assert_ne!(reference, first(1, RngStream::Weights, 1));
    assert_ne!(reference, first(1, RngStream::Sampling, 2));
}
