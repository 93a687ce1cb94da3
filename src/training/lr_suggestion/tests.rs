use super::*;

/// Returns the first steps of a sweep of 28 steps over 9 decades from 10⁻⁶. Two steps are a
/// third of a decade apart.
fn measured(losses: &[f64], has_diverged: bool) -> RangeTest {
    let point = |(index, &loss): (usize, &f64)| RatePoint {
        step: index + 1,
        learning_rate: 10f64.powf(-6.0 + index as f64 / 3.0),
        loss: f64::NAN,
        smoothed_loss: loss,
    };
    RangeTest { points: losses.iter().enumerate().map(point).collect(), has_diverged, num_steps: 28 }
}

fn assert_near(got: f64, expected: f64) {
    assert!((got / expected - 1.0).abs() < 1e-9, "{got}, expected {expected}");
}

/// A span is two steps. The loss falls by 1 from rate 10⁻³ (step 9, counted from 0) to rate
/// 10^(−3 + 2/3), by less over any other span, and is lowest at rate 1 (step 18).
#[test]
fn the_suggestion_by_hand() {
    let losses = [
        2.5, 2.4, 2.5, 2.4, 2.4, 2.4, 2.4, 2.3, 2.2, 2.0, 1.5, 1.0, 0.9, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.6,
        0.7, 1.9, 9.0,
    ];
    let test = measured(&losses, true);
    let suggestion = test.suggestion().unwrap();
    assert_near(suggestion.steepest, 10f64.powf(-3.0 + 1.0 / 3.0));
    assert_near(suggestion.lowest, 1.0);
    assert_near(suggestion.lowest_tenth, 0.1);
    assert_near(suggestion.largest.unwrap(), 10.0);
    // Half-way: 10^((−2 2/3 + 0) / 2) = 10^(−1 1/3) = 0.04642.
    assert_eq!(suggestion.learning_rate, 0.046);

    let stopped = measured(&losses[..22], false);
    assert_eq!(stopped.suggestion().unwrap(), Suggestion { largest: None, ..suggestion });
}

#[test]
fn no_suggestion_without_a_descent_that_ends() {
    let why = |losses: &[f64], has_diverged| measured(losses, has_diverged).suggestion().unwrap_err();
    assert_eq!(why(&[], false), NoSuggestion::NoDecrease);
    assert_eq!(why(&[2.5, 2.3, 2.4, 2.5], false), NoSuggestion::NoDecrease);
    assert_eq!(why(&[f64::NAN], true), NoSuggestion::OnlyIncreased);
    assert_eq!(why(&[2.5, 2.4, 80.0], true), NoSuggestion::OnlyIncreased);
    assert_eq!(why(&[2.5, 2.0, 1.5, 1.0], false), NoSuggestion::StillFalling);
    assert_eq!(why(&[2.5, 2.0, 1.0, 1.1], false), NoSuggestion::StillFalling);
    // The loss falls at once and then rises: the descent is shorter than a span.
    let suggestion = measured(&[2.5, 1.0, 1.1, 1.2, 1.3, 1.4], false).suggestion().unwrap();
    assert_near(suggestion.lowest, 1e-6 * 10f64.powf(1.0 / 3.0));
}
