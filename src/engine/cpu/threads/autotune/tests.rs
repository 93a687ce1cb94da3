use super::*;

/// Simulates steps for `time`. `record_step` returns the length of a step, given its candidate
/// and number. Returns the share of the time spent with each candidate.
fn shares(
    tuner: &mut ThreadTuner,
    start: Instant,
    time: Duration,
    record_step: impl Fn(usize, u32) -> Duration,
) -> Vec<f64> {
    let mut shares = vec![0.0; tuner.num_candidates];
    let mut now = start;
    for number in 0.. {
        tuner.record_step(now);
        let length = record_step(tuner.candidate(), number);
        shares[tuner.candidate()] += length.as_secs_f64() / time.as_secs_f64();
        now += length;
        if now - start > time {
            break;
        }
    }
    shares
}

const MICROSECOND: Duration = Duration::from_micros(1);

#[test]
fn the_fastest_is_worked_with_nearly_all_the_time() {
    for (steps, fastest) in
        [([60, 30, 40], 1), ([30, 31, 90], 0), ([3000, 1600, 900], 2), ([90_000, 50_000, 30_000], 2)]
    {
        let mut tuner = ThreadTuner::new(3);
        assert_eq!(tuner.candidate(), 2);
        let time = Duration::from_secs(100);
        let shares = shares(&mut tuner, Instant::now(), time, |candidate, _| steps[candidate] * MICROSECOND);
        assert!(shares[fastest] > 0.97, "{steps:?}: {shares:?}");
        assert_eq!(tuner.candidate(), fastest);
    }
}

#[test]
fn one_disturbance_does_not_decide() {
    for disturbed in 0..60 {
        let mut tuner = ThreadTuner::new(2);
        let record_step = |candidate: usize, number: u32| {
            [60, 30][candidate] * MICROSECOND + if number == disturbed { 5000 } else { 0 } * MICROSECOND
        };
        let time = Duration::from_millis(100);
        shares(&mut tuner, Instant::now(), time, record_step);
        assert_eq!(tuner.candidate(), 1, "{disturbed}");
    }
}

#[test]
fn a_change_is_noticed_and_a_steady_course_seldom_questioned() {
    let start = Instant::now();
    let mut tuner = ThreadTuner::new(2);
    let first = Duration::from_millis(900);
    shares(&mut tuner, start, first, |candidate, _| [60, 30][candidate] * MICROSECOND);
    assert_eq!(tuner.candidate(), 1);
    // Another process uses the second core from now on.
    let shares = shares(&mut tuner, start + first, Duration::from_secs(30), |candidate, _| {
        [60, 300][candidate] * MICROSECOND
    });
    assert_eq!(tuner.candidate(), 0);
    assert!(shares[0] > 0.97, "{shares:?}");
    assert!(tuner.selected.is_some_and(|(_, confirmations)| confirmations >= 3), "{:?}", tuner.selected);
}
