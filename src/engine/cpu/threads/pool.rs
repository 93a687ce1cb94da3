//! Owns a pool of threads that spin instead of sleeping while a network is trained. Depends on
//! rayon, `autotune` and `util::threads`. Must not know what the parts of the work are.
//!
//! A sleeping thread takes 50 to 150 µs to wake up on the machines that were measured, and a step
//! of a small network takes 50 to 1,000 µs. So the workers stay active during a training: they spin
//! until there is work, at 100 % of their cores. The pool is process-wide. A caller that finds it
//! in use runs its work serially, with identical results. The number of workers is autotuned (see
//! `autotune`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread;
use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

use crate::engine::cpu::threads::autotune::ThreadTuner;
use crate::util::threads;

/// Spin iterations after the last task (about 0.3 µs), so that rayon's scope sees every completion
/// before it would park this thread.
const SETTLE_SPINS: usize = 24;

/// Spin iterations before a waiting thread yields its core: longer than the time between two phases
/// of a step.
const SPIN_LIMIT: u32 = 1 << 12;

/// Pool of this process, made on first use.
static POOL: OnceLock<SpinPool> = OnceLock::new();

/// Pools of workers of several sizes. At most one of them is active.
struct SpinPool {
    /// Pools of 1, 3, 7 … workers, which are 2, 4, 8 … threads with the calling one; the last pool
    /// has one worker per further core. Each pool has its own threads, so that work for one pool
    /// does not wake up another one.
    pools: Vec<ThreadPool>,
    /// Active pool, counted from 1; 0 for none.
    active: AtomicUsize,
    /// Number of changes of the active pool. The workers of a pool sleep after the next change.
    changes: AtomicUsize,
    /// Lock that is held by the caller whose work the workers run.
    submit_lock: Mutex<()>,
    state: Mutex<PoolState>,
}

/// Demand for workers, and the number of workers that serves it best.
struct PoolState {
    /// Number of sessions. The workers serve a single session. With several sessions, each of them
    /// runs on its own thread alone.
    active_sessions: usize,
    /// Tuner whose candidate is the value of `active`: 0 for no pool, or the number of a pool.
    tuner: ThreadTuner,
}

/// Guard that keeps the workers active until it is dropped.
#[must_use]
pub(crate) struct Session(&'static SpinPool);

/// Activates the workers, and starts their autotuning if no other session is active.
pub(crate) fn activate() -> Session {
    spin_pool().activate()
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.active_sessions -= 1;
        self.0.change(&state);
    }
}

/// Pool of this process, with at most one worker per core beside the calling thread.
fn spin_pool() -> &'static SpinPool {
    POOL.get_or_init(|| SpinPool::new(threads::num_workers()))
}

/// Records the start of a parallel training step. The tuner compares the step times of different
/// numbers of workers.
pub(crate) fn record_step() {
    spin_pool().record_step();
}

/// Number of partitions of a parallel step: one for the calling thread and one per active worker.
pub(crate) fn num_partitions() -> usize {
    #[cfg(test)]
    if let Some(num_cores) = simulated::CORES.get() {
        return num_cores;
    }
    spin_pool().active_pool().map_or(1, |pool| pool.current_num_threads() + 1)
}

/// Parallel map: runs `work` on every part, on the calling thread and the active workers, and
/// returns the results in the order of the parts. Without active workers, or while another caller
/// uses them, the calling thread runs all parts.
///
/// # Panics
/// If `work` panics. No further part starts then.
pub(crate) fn par_map<T: Send, R: Send>(parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    #[cfg(test)]
    if simulated::CORES.get().is_some() {
        return simulated::par_map(parts, work);
    }
    spin_pool().par_map(parts, work)
}

/// Simulation of more cores than there are: work is partitioned for them, and the calling thread
/// runs it, last part first.
#[cfg(test)]
pub(crate) mod simulated {
    use std::cell::Cell;

    thread_local! {
        pub(super) static CORES: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Runs `work` as if there were `num_cores` cores.
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
    /// Makes pools of up to `num_workers` workers, none of them active.
    fn new(num_workers: usize) -> Self {
        let powers = (1..).map(|exponent| (1 << exponent) - 1).take_while(|&workers| workers < num_workers);
        let sizes = powers.chain((num_workers > 0).then_some(num_workers));
        // Pools whose threads the system refuses to start are left out.
        let sizes = sizes.take_while(|&num_partitions| threads::can_spawn(num_partitions));
        let pools = sizes
            .map_while(|num_partitions| ThreadPoolBuilder::new().num_threads(num_partitions).build().ok());
        let pools: Vec<ThreadPool> = pools.collect();
        let tuner = ThreadTuner::new(pools.len() + 1);
        Self {
            pools,
            active: AtomicUsize::new(0),
            changes: AtomicUsize::new(0),
            submit_lock: Mutex::new(()),
            state: Mutex::new(PoolState { active_sessions: 0, tuner }),
        }
    }

    fn activate(&'static self) -> Session {
        let mut state = self.state();
        state.active_sessions += 1;
        if state.active_sessions == 1 {
            state.tuner = ThreadTuner::new(self.pools.len() + 1);
        }
        self.change(&state);
        Session(self)
    }

    fn record_step(&'static self) {
        let mut state = self.state();
        if state.active_sessions == 1 {
            state.tuner.record_step(Instant::now());
            self.change(&state);
        }
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Active pool, if there is one.
    fn active_pool(&self) -> Option<&ThreadPool> {
        self.active.load(Ordering::SeqCst).checked_sub(1).map(|index| &self.pools[index])
    }

    /// Deactivates the active pool and activates another one, if `state` asks for it.
    fn change(&'static self, state: &PoolState) {
        let pool = if state.active_sessions == 1 { state.tuner.candidate() } else { 0 };
        if self.active.swap(pool, Ordering::SeqCst) == pool {
            return;
        }
        let change = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(pool) = self.active_pool() {
            pool.spawn_broadcast(move |_| self.spin(change));
        }
    }

    /// Loop of a worker: runs tasks and spins between them until the active pool changes.
    fn spin(&self, change: usize) {
        let mut spins = 0;
        while self.changes.load(Ordering::SeqCst) == change {
            if rayon::yield_now() == Some(Yield::Executed) {
                spins = 0;
            } else {
                backoff(&mut spins);
            }
        }
    }

    fn par_map<T: Send, R: Send>(&self, parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        let serial = |parts: Vec<T>| parts.into_iter().map(&work).collect();
        let Some(pool) = self.active_pool().filter(|_| parts.len() > 1) else { return serial(parts) };
        let _guard = match self.submit_lock.try_lock() {
            Ok(submit_lock) => submit_lock,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return serial(parts),
        };
        let mut results: Vec<Option<R>> = parts.iter().map(|_| None).collect();
        let num_workers = pool.current_num_threads().min(parts.len() - 1);
        let unfinished = AtomicUsize::new(num_workers);
        let queue = Mutex::new(parts.into_iter().zip(&mut results));
        // A separate closure, so that the lock is released before the work starts.
        let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let take_all = || {
            let _drain = DrainOnPanic(&queue);
            while let Some((part, result)) = take() {
                *result = Some(work(part));
            }
        };
        pool.in_place_scope(|scope| {
            for _ in 0..num_workers {
                scope.spawn(|_| {
                    let _countdown = CountdownGuard(&unfinished);
                    take_all();
                });
            }
            take_all();
            // A rayon scope parks the caller if a task's completion is not yet visible at the end
            // of the scope. Completion becomes visible slightly after `unfinished` reaches 0, so
            // this thread spins a little longer.
            let mut spins = 0;
            while unfinished.load(Ordering::Acquire) > 0 {
                backoff(&mut spins);
            }
            (0..SETTLE_SPINS).for_each(|_| std::hint::spin_loop());
        });
        results.into_iter().flatten().collect()
    }
}

/// Spins once. After [`SPIN_LIMIT`] iterations it yields the core instead, since another process
/// may need it.
fn backoff(spins: &mut u32) {
    if *spins < SPIN_LIMIT {
        *spins += 1;
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

/// Guard that removes the remaining parts from the queue if this thread panics, so that one panic
/// is reported once.
struct DrainOnPanic<'a, I: Iterator>(&'a Mutex<I>);

impl<I: Iterator> Drop for DrainOnPanic<'_, I> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
        }
    }
}

/// Guard that counts a task as finished when it is dropped, also if the task panics.
struct CountdownGuard<'a>(&'a AtomicUsize);

impl Drop for CountdownGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
