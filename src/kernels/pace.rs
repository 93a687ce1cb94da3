//! How many cores a step is worth: tried, not guessed.
//!
//! Two cores are not always faster than one. They may lie far apart on the chip, or something else may want one of them, and
//! then a step waits for it. Results do not depend on how many compute them: the choice is free, and the clock makes it.

use std::time::{Duration, Instant};

/// How often each choice is tried before one is settled on: a single disturbance must not decide.
const ROUNDS: usize = 3;

/// A try ends after so many steps, or after this time if it has two. A step before them is not timed: helpers wake up in it.
const MAX_STEPS: u32 = 16;
const MIN_TIME: Duration = Duration::from_millis(2);

/// How long a choice holds before all are tried again: at first, and at most. It doubles when a choice is confirmed.
const FIRST_TERM: Duration = Duration::from_secs(1);
const LAST_TERM: Duration = Duration::from_secs(16);

/// Watches the steps of a training and settles on the fastest of some choices.
#[derive(Debug)]
pub(super) struct Pace {
    num_choices: usize,
    choice: usize,
    /// What was settled on last, and for how long.
    settled: Option<(usize, Duration)>,
    state: State,
}

#[derive(Debug)]
enum State {
    Settled { until: Instant },
    Trying(Tries),
}

#[derive(Debug, Default)]
struct Tries {
    /// The mean step of each try so far. The choices take turns, the last one first.
    means: Vec<Duration>,
    /// When the present try began to be timed, and the steps since.
    timed: Option<(Instant, u32)>,
    is_begun: bool,
}

impl Pace {
    /// Begins with the last of `num_choices`.
    pub(super) fn new(num_choices: usize) -> Self {
        let state = State::Trying(Tries::default());
        Self { num_choices, choice: num_choices - 1, settled: None, state }
    }

    /// What to work with.
    pub(super) fn choice(&self) -> usize {
        self.choice
    }

    /// Hears that a step begins `now`, so that the one before has ended.
    pub(super) fn step(&mut self, now: Instant) {
        match &mut self.state {
            State::Settled { until } if now < *until => {}
            State::Settled { .. } => self.state = State::Trying(Tries::default()),
            State::Trying(tries) => {
                tries.step(now);
                if tries.means.len() == ROUNDS * self.num_choices {
                    self.settle(now);
                } else if !tries.is_begun {
                    tries.is_begun = true;
                    self.choice = self.num_choices - 1 - tries.means.len() % self.num_choices;
                }
            }
        }
    }

    fn settle(&mut self, now: Instant) {
        let State::Trying(Tries { means, .. }) = &self.state else { return };
        let median = |choice: &usize| {
            let own = means.iter().skip(self.num_choices - 1 - choice).step_by(self.num_choices);
            let mut own: Vec<&Duration> = own.collect();
            own.sort_unstable();
            own.get(ROUNDS / 2).copied()
        };
        self.choice = (0..self.num_choices).min_by_key(median).unwrap_or(0);
        let term = match self.settled {
            Some((choice, term)) if choice == self.choice => LAST_TERM.min(term * 2),
            _ => FIRST_TERM,
        };
        self.settled = Some((self.choice, term));
        self.state = State::Settled { until: now + term };
    }
}

impl Tries {
    fn step(&mut self, now: Instant) {
        match &mut self.timed {
            None if self.is_begun => self.timed = Some((now, 0)),
            None => {}
            Some((since, steps)) => {
                *steps += 1;
                let time = now - *since;
                if *steps >= MAX_STEPS || (*steps >= 2 && time >= MIN_TIME) {
                    self.means.push(time / *steps);
                    self.timed = None;
                    self.is_begun = false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes steps for `time` as long as `step` says, and gives the share of the time spent with each choice.
    fn shares(
        pace: &mut Pace,
        start: Instant,
        time: Duration,
        step: impl Fn(usize, u32) -> Duration,
    ) -> Vec<f64> {
        let mut shares = vec![0.0; pace.num_choices];
        let mut now = start;
        for number in 0.. {
            pace.step(now);
            let length = step(pace.choice(), number);
            shares[pace.choice()] += length.as_secs_f64() / time.as_secs_f64();
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
        for (steps, fastest) in [([60, 30, 40], 1), ([30, 31, 90], 0), ([3000, 1600, 900], 2)] {
            let mut pace = Pace::new(3);
            assert_eq!(pace.choice(), 2);
            let time = Duration::from_secs(10);
            let shares = shares(&mut pace, Instant::now(), time, |choice, _| steps[choice] * MICROSECOND);
            assert!(shares[fastest] > 0.97, "{steps:?}: {shares:?}");
            assert_eq!(pace.choice(), fastest);
        }
    }

    #[test]
    fn one_disturbance_does_not_decide() {
        for disturbed in 0..60 {
            let mut pace = Pace::new(2);
            let step = |choice: usize, number: u32| {
                [60, 30][choice] * MICROSECOND + if number == disturbed { 5000 } else { 0 } * MICROSECOND
            };
            let time = Duration::from_millis(100);
            shares(&mut pace, Instant::now(), time, step);
            assert_eq!(pace.choice(), 1, "{disturbed}");
        }
    }

    #[test]
    fn a_change_is_noticed_and_a_steady_course_seldom_questioned() {
        let start = Instant::now();
        let mut pace = Pace::new(2);
        let first = Duration::from_millis(900);
        shares(&mut pace, start, first, |choice, _| [60, 30][choice] * MICROSECOND);
        assert_eq!(pace.choice(), 1);
        // Something else wants the second core.
        let shares = shares(&mut pace, start + first, Duration::from_secs(30), |choice, _| {
            [60, 300][choice] * MICROSECOND
        });
        assert_eq!(pace.choice(), 0);
        assert!(shares[0] > 0.97, "{shares:?}");
        assert!(pace.settled.is_some_and(|(_, term)| term >= Duration::from_secs(8)), "{:?}", pace.settled);
    }
}
