use super::*;

#[test]
fn the_decay_rises_to_its_largest_value() {
    // (1 + n) / (10 + n), which is 0.999 for n = 8990.
    for (num_steps, decay) in [(1, 2.0 / 11.0), (2, 0.25), (8, 0.5), (80, 0.9), (8989, 8990.0 / 8999.0)] {
        assert_eq!(decay_after(num_steps, 0.999), decay, "{num_steps}");
    }
    for num_steps in [8990, 8991, 1_000_000] {
        assert_eq!(decay_after(num_steps, 0.999), 0.999, "{num_steps}");
    }
    assert_eq!((decay_after(1, 0.1), decay_after(5, 0.1)), (0.1, 0.1));
}
