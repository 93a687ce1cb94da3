//! Other cores, waiting for their share of a step.
//!
//! A step of a small network is shorter than it takes a sleeping thread to wake up (50 to 150 µs where this was measured,
//! of steps of 50 to 1,000 µs). So while a network is trained, the helpers stay awake and look for work. There is one team in a
//! process; who finds it busy works alone, and gets the same results.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, TryLockError};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

/// Turns of waiting that are longer than it takes to say that a task is done, some 0.3 µs.
const MOMENT: usize = 24;

/// Turns of waiting that are longer than what lies between two parts of a step.
const PATIENCE: u32 = 1 << 12;

static TEAM: OnceLock<Option<Team>> = OnceLock::new();

struct Team {
    pool: ThreadPool,
    /// Held by who has the team work for them.
    lead: Mutex<()>,
    /// Who wants the helpers awake. They help one; of several, each has a core of its own.
    users: AtomicUsize,
    /// How often the helpers were woken. They sleep when it changes: who was too slow to see that one training ended and
    /// another began goes back and starts anew, or else such loops would pile up on its stack.
    wakings: AtomicUsize,
}

/// Keeps the helpers awake until it is dropped.
#[must_use]
pub struct Awake(&'static Team);

/// Wakes the helpers; none on one core.
pub fn awake() -> Option<Awake> {
    team().map(Team::awake)
}

impl Drop for Awake {
    fn drop(&mut self) {
        if self.0.users.fetch_sub(1, Ordering::SeqCst) == 2 {
            self.0.wake();
        }
    }
}

/// As many helpers as rayon's global pool has threads beside this one.
fn team() -> Option<&'static Team> {
    TEAM.get_or_init(|| Team::new(rayon::current_num_threads() - 1)).as_ref()
}

/// How many parts are worth making: one for this thread and one for each helper that is awake.
pub fn size() -> usize {
    team().filter(|team| team.is_awake()).map_or(1, |team| team.pool.current_num_threads() + 1)
}

/// Runs `work` on every part, on this thread and the helpers that are awake, and gives the results in the parts' order.
pub fn each<T: Send, R: Send>(parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    match team() {
        Some(team) => team.each(parts, work),
        None => parts.into_iter().map(work).collect(),
    }
}

impl Team {
    fn new(num_helpers: usize) -> Option<Self> {
        let pool = ThreadPoolBuilder::new().num_threads(num_helpers);
        let pool = (num_helpers > 0).then(|| pool.build().ok()).flatten()?;
        Some(Self { pool, lead: Mutex::new(()), users: AtomicUsize::new(0), wakings: AtomicUsize::new(0) })
    }

    fn awake(&'static self) -> Awake {
        if self.users.fetch_add(1, Ordering::SeqCst) == 0 {
            self.wake();
        }
        Awake(self)
    }

    fn is_awake(&self) -> bool {
        self.users.load(Ordering::SeqCst) == 1
    }

    fn wake(&'static self) {
        let waking = self.wakings.fetch_add(1, Ordering::SeqCst) + 1;
        self.pool.spawn_broadcast(move |_| self.look_for_work(waking));
    }

    fn look_for_work(&self, waking: usize) {
        let mut turns = 0;
        while self.is_awake() && self.wakings.load(Ordering::SeqCst) == waking {
            if rayon::yield_now() == Some(Yield::Executed) {
                turns = 0;
            } else {
                wait(&mut turns);
            }
        }
    }

    fn each<T: Send, R: Send>(&self, parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        let alone = |parts: Vec<T>| parts.into_iter().map(&work).collect();
        if parts.len() < 2 || !self.is_awake() {
            return alone(parts);
        }
        let _lead = match self.lead.try_lock() {
            Ok(lead) => lead,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return alone(parts),
        };
        let mut results: Vec<Option<R>> = parts.iter().map(|_| None).collect();
        let num_helpers = self.pool.current_num_threads().min(parts.len() - 1);
        let unfinished = AtomicUsize::new(num_helpers);
        let queue = Mutex::new(parts.into_iter().zip(&mut results));
        // On its own, so that the lock is not held during the work.
        let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let take_all = || {
            while let Some((part, result)) = take() {
                *result = Some(work(part));
            }
        };
        self.pool.in_place_scope(|scope| {
            for _ in 0..num_helpers {
                scope.spawn(|_| {
                    let _done = Done(&unfinished);
                    take_all();
                });
            }
            take_all();
            // At its end the scope lets this thread sleep if it has not heard of all helpers, and it hears of one a moment after
            // the helper's last word.
            let mut turns = 0;
            while unfinished.load(Ordering::Acquire) > 0 {
                wait(&mut turns);
            }
            (0..MOMENT).for_each(|_| std::hint::spin_loop());
        });
        results.into_iter().flatten().collect()
    }
}

/// Waits for a turn. After more turns than there are in a step, something else may want the core.
fn wait(turns: &mut u32) {
    if *turns < PATIENCE {
        *turns += 1;
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

/// Counts a task as finished, even one that panics.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A team of a test's own: other tests wake the process's.
    fn team() -> &'static Team {
        Box::leak(Box::new(Team::new(2).unwrap()))
    }

    #[test]
    fn results_come_in_order_whoever_is_awake() {
        let team = team();
        let squares = |count: usize| team.each((0..count).collect(), |number: usize| number * number);
        let expected = |count: usize| (0..count).map(|number| number * number).collect::<Vec<_>>();
        for users in 0..4 {
            let awake: Vec<Awake> = (0..users).map(|_| team.awake()).collect();
            assert_eq!(team.is_awake(), users == 1);
            for count in [0, 1, 2, 7, 100] {
                assert_eq!(squares(count), expected(count));
            }
            drop(awake);
        }
    }

    #[test]
    fn helpers_really_help() {
        let team = team();
        let _awake = team.awake();
        let threads = team.each(vec![(); 40], |()| {
            thread::sleep(std::time::Duration::from_millis(5));
            thread::current().id()
        });
        let others = threads.iter().filter(|&&id| id != thread::current().id()).count();
        assert!(others > 0 && others < 40, "{others} of 40 by others");
    }

    #[test]
    fn whoever_finds_the_team_busy_works_alone() {
        let team = team();
        let _awake = team.awake();
        let sums = team.each(vec![3, 4, 5], |count: usize| {
            team.each((0..count).collect(), |number: usize| number * number).iter().sum::<usize>()
        });
        assert_eq!(sums, [5, 14, 30]);
    }

    #[test]
    fn a_helper_that_panics_takes_its_caller_along_and_not_the_team() {
        let team = team();
        let _awake = team.awake();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            team.each((0..40).collect(), |number: usize| assert!(number != 7, "on purpose"));
        }));
        assert!(outcome.is_err());
        assert_eq!(team.each(vec![1, 2], |number| number + 1), [2, 3]);
    }
}
