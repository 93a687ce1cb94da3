//! Other cores, waiting for their share of a step.
//!
//! A step of a small network is shorter than it takes a sleeping thread to wake up (50 to 150 µs where this was measured,
//! of steps of 50 to 1,000 µs). So while a network is trained, the helpers stay awake and look for work. There is one team in a
//! process; who finds it busy works alone, and gets the same results. How many helpers are worth having is tried out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread;
use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

use crate::engine::cpu::threads::autotune::ThreadTuner;
use crate::util::threads;

/// Turns of waiting that are longer than it takes to say that a task is done, some 0.3 µs.
const SETTLE_SPINS: usize = 24;

/// Turns of waiting that are longer than what lies between two parts of a step.
const SPIN_LIMIT: u32 = 1 << 12;

static POOL: OnceLock<SpinPool> = OnceLock::new();

struct SpinPool {
    /// Helpers to choose from: one, three, seven and so on, and last as many as there are threads beside this one, and cores. Each crew
    /// has threads of its own: one that sleeps must not be woken by work for another.
    crews: Vec<ThreadPool>,
    /// The crew at work, from 1; 0 for none.
    crew: AtomicUsize,
    /// How often another crew, or none, was chosen. Helpers sleep when it changes.
    changes: AtomicUsize,
    /// Held by who has the team work for them.
    lead: Mutex<()>,
    wishes: Mutex<PoolState>,
}

/// Who wants helpers, and how many.
struct PoolState {
    /// Who wants the helpers awake. They help one; of several, each has a core of its own.
    users: usize,
    /// Chooses among no crew and all crews.
    pace: ThreadTuner,
}

/// Keeps the helpers awake until it is dropped.
#[must_use]
pub struct Session(&'static SpinPool);

/// Wakes the helpers.
pub fn activate() -> Session {
    team().activate()
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut wishes = self.0.wishes();
        wishes.users -= 1;
        self.0.change(&wishes);
    }
}

/// As many helpers as there are threads that compute beside this one, each with a core of its own.
fn team() -> &'static SpinPool {
    POOL.get_or_init(|| SpinPool::new(threads::num_workers()))
}

/// Hears that a step of a training begins that is worth sharing. The time from one to the next says how many helpers are worth
/// having.
pub fn record_step() {
    team().record_step();
}

/// How many parts are worth making: one for this thread and one for each helper that is awake.
pub fn num_partitions() -> usize {
    #[cfg(test)]
    if let Some(num_cores) = pretended::CORES.get() {
        return num_cores;
    }
    team().crew().map_or(1, |crew| crew.current_num_threads() + 1)
}

/// Runs `work` on every part, on this thread and the helpers that are awake, and gives the results in the parts' order.
pub fn par_map<T: Send, R: Send>(parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    #[cfg(test)]
    if pretended::CORES.get().is_some() {
        return pretended::par_map(parts, work);
    }
    team().par_map(parts, work)
}

/// More cores than there are: work is cut for them, and done by this thread, last part first.
#[cfg(test)]
pub(crate) mod pretended {
    use std::cell::Cell;

    thread_local! {
        pub(super) static CORES: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Does `work` as if there were so many cores.
    pub(crate) fn cores<R>(num_cores: usize, work: impl FnOnce() -> R) -> R {
        CORES.set(Some(num_cores));
        let result = work();
        CORES.set(None);
        result
    }

    pub(super) fn par_map<T, R>(parts: Vec<T>, work: impl Fn(T) -> R) -> Vec<R> {
        let mut results: Vec<R> = parts.into_iter().rev().map(work).collect();
        results.reverse();
        results
    }
}

impl SpinPool {
    fn new(num_helpers: usize) -> Self {
        let powers = (1..).map(|exponent| (1 << exponent) - 1).take_while(|&helpers| helpers < num_helpers);
        let sizes = powers.chain((num_helpers > 0).then_some(num_helpers));
        // Threads that cannot be had do not help.
        let sizes = sizes.take_while(|&num_partitions| threads::can_spawn(num_partitions));
        let crews = sizes
            .map_while(|num_partitions| ThreadPoolBuilder::new().num_threads(num_partitions).build().ok());
        let crews: Vec<ThreadPool> = crews.collect();
        let pace = ThreadTuner::new(crews.len() + 1);
        Self {
            crews,
            crew: AtomicUsize::new(0),
            changes: AtomicUsize::new(0),
            lead: Mutex::new(()),
            wishes: Mutex::new(PoolState { users: 0, pace }),
        }
    }

    fn activate(&'static self) -> Session {
        let mut wishes = self.wishes();
        wishes.users += 1;
        if wishes.users == 1 {
            wishes.pace = ThreadTuner::new(self.crews.len() + 1);
        }
        self.change(&wishes);
        Session(self)
    }

    fn record_step(&'static self) {
        let mut wishes = self.wishes();
        if wishes.users == 1 {
            wishes.pace.record_step(Instant::now());
            self.change(&wishes);
        }
    }

    fn wishes(&self) -> MutexGuard<'_, PoolState> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The crew at work.
    fn crew(&self) -> Option<&ThreadPool> {
        self.crew.load(Ordering::SeqCst).checked_sub(1).map(|index| &self.crews[index])
    }

    /// Sends one crew to bed and wakes another, if that is wished.
    fn change(&'static self, wishes: &PoolState) {
        let crew = if wishes.users == 1 { wishes.pace.choice() } else { 0 };
        if self.crew.swap(crew, Ordering::SeqCst) == crew {
            return;
        }
        let change = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(crew) = self.crew() {
            crew.spawn_broadcast(move |_| self.look_for_work(change));
        }
    }

    fn look_for_work(&self, change: usize) {
        let mut turns = 0;
        while self.changes.load(Ordering::SeqCst) == change {
            if rayon::yield_now() == Some(Yield::Executed) {
                turns = 0;
            } else {
                backoff(&mut turns);
            }
        }
    }

    fn par_map<T: Send, R: Send>(&self, parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        let alone = |parts: Vec<T>| parts.into_iter().map(&work).collect();
        let Some(crew) = self.crew().filter(|_| parts.len() > 1) else { return alone(parts) };
        let _lead = match self.lead.try_lock() {
            Ok(lead) => lead,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return alone(parts),
        };
        let mut results: Vec<Option<R>> = parts.iter().map(|_| None).collect();
        let num_helpers = crew.current_num_threads().min(parts.len() - 1);
        let unfinished = AtomicUsize::new(num_helpers);
        let queue = Mutex::new(parts.into_iter().zip(&mut results));
        // On its own, so that the lock is not held during the work.
        let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let take_all = || {
            let _end = DrainOnPanic(&queue);
            while let Some((part, result)) = take() {
                *result = Some(work(part));
            }
        };
        crew.in_place_scope(|scope| {
            for _ in 0..num_helpers {
                scope.spawn(|_| {
                    let _done = CountdownGuard(&unfinished);
                    take_all();
                });
            }
            take_all();
            // At its end the scope lets this thread sleep if it has not heard of all helpers, and it hears of one a moment after
            // the helper's last word.
            let mut turns = 0;
            while unfinished.load(Ordering::Acquire) > 0 {
                backoff(&mut turns);
            }
            (0..SETTLE_SPINS).for_each(|_| std::hint::spin_loop());
        });
        results.into_iter().flatten().collect()
    }
}

/// Waits for a turn. After more turns than there are in a step, something else may want the core.
fn backoff(turns: &mut u32) {
    if *turns < SPIN_LIMIT {
        *turns += 1;
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

/// Takes the parts that are left from the others, where this thread panics: one panic says what a second one would.
struct DrainOnPanic<'a, I: Iterator>(&'a Mutex<I>);

impl<I: Iterator> Drop for DrainOnPanic<'_, I> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
        }
    }
}

/// Counts a task as finished, even one that panics.
struct CountdownGuard<'a>(&'a AtomicUsize);

impl Drop for CountdownGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A team of a test's own: other tests wake the process's.
    fn team() -> &'static SpinPool {
        Box::leak(Box::new(SpinPool::new(2)))
    }

    #[test]
    fn results_come_in_order_whoever_is_awake() {
        let team = team();
        let squares = |count: usize| team.par_map((0..count).collect(), |number: usize| number * number);
        let expected = |count: usize| (0..count).map(|number| number * number).collect::<Vec<_>>();
        for users in 0..4 {
            let activate: Vec<Session> = (0..users).map(|_| team.activate()).collect();
            assert_eq!(team.crew().is_some(), users == 1);
            for count in [0, 1, 2, 7, 100] {
                assert_eq!(squares(count), expected(count));
            }
            drop(activate);
        }
    }

    #[test]
    fn helpers_really_help() {
        let team = team();
        let _awake = team.activate();
        let threads = team.par_map(vec![(); 40], |()| {
            thread::sleep(std::time::Duration::from_millis(5));
            thread::current().id()
        });
        let others = threads.iter().filter(|&&id| id != thread::current().id()).count();
        assert!(others > 0 && others < 40, "{others} of 40 by others");
    }

    #[test]
    fn whoever_finds_the_team_busy_works_alone() {
        let team = team();
        let _awake = team.activate();
        let sums = team.par_map(vec![3, 4, 5], |count: usize| {
            team.par_map((0..count).collect(), |number: usize| number * number).iter().sum::<usize>()
        });
        assert_eq!(sums, [5, 14, 30]);
    }

    #[test]
    fn a_helper_that_panics_takes_its_caller_along_and_not_the_team() {
        let team = team();
        let _awake = team.activate();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            team.par_map((0..40).collect(), |number: usize| assert!(number != 7, "on purpose"));
        }));
        assert!(outcome.is_err());
        assert_eq!(team.par_map(vec![1, 2], |number| number + 1), [2, 3]);
    }

    #[test]
    fn after_a_panic_nobody_begins_another_part() {
        let team = team();
        let _awake = team.activate();
        let done = AtomicUsize::new(0);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            team.par_map((0..1000).collect(), |number: usize| {
                assert!(number != 0, "on purpose");
                thread::sleep(std::time::Duration::from_millis(1));
                done.fetch_add(1, Ordering::SeqCst);
            });
        }));
        assert!(outcome.is_err());
        assert!(done.load(Ordering::SeqCst) < 500, "{done:?} of 999 after it");
    }
}
