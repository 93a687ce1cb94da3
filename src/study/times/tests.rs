use super::*;

fn seconds(trials: &[f64]) -> EpochSeconds {
    EpochSeconds { trials: trials.to_vec(), spread: FiveNumbers::new(trials).unwrap() }
}

#[test]
fn faster_is_said_only_where_the_repetitions_allow_it() {
    let (fast, slow) = (seconds(&[1.0, 1.1, 1.2, 1.3]), seconds(&[2.0, 2.1, 1.9, 2.2]));
    assert!(matches!(fast.compare(&slow), Faster::First(p) if (p - 2.0 / 70.0).abs() < 1e-12));
    assert!(matches!(slow.compare(&fast), Faster::Second(_)));
    // The medians differ as before, but the trials overlap.
    assert!(matches!(seconds(&[1.0, 1.1, 1.2, 9.0]).compare(&slow), Faster::Undecided(_)));
    assert_eq!(seconds(&[1.0, 1.1, 1.2]).compare(&seconds(&[2.0, 2.1, 2.2])), Faster::TooFew);
    assert_eq!(seconds(&[1.0]).compare(&seconds(&[100.0])), Faster::TooFew);
}
