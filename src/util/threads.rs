//! Owns the start of rayon's global pool, on whose threads Burn's CPU backends compute.
//! Must not know the work of the threads.
//!
//! rayon starts its pool on first use and tries only once. If a single thread cannot be started,
//! every later use panics. So smallnet starts the threads itself and gives the pool as many as the
//! system allows.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use rayon::{ThreadBuilder, ThreadPoolBuilder};

/// Number of threads in the pool, or the error of its start.
static NUM_THREADS: OnceLock<io::Result<usize>> = OnceLock::new();

/// Starts `num_threads` threads, or one per core by default, and returns the number of threads that
/// run. It is smaller if the system refuses some. The threads are started once: later calls only
/// return their number.
///
/// # Errors
/// The system refuses even one thread. The error is the system's.
pub(crate) fn start(num_threads: Option<usize>) -> Result<usize, &'static io::Error> {
    NUM_THREADS.get_or_init(|| start_pool(num_threads.unwrap_or_else(default_count))).as_ref().copied()
}

/// Number of threads that compute, the current one included: see [`start`].
pub(crate) fn count() -> usize {
    start(None).unwrap_or(1)
}

/// Calls two functions, on two threads if there are two.
pub(crate) fn both<A: Send, B: Send>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    // rayon panics if it cannot start its threads.
    match count() > 1 {
        true => rayon::join(first, second),
        false => (first(), second()),
    }
}

/// Largest useful number of workers beside the thread that runs a training step. More threads than
/// cores would only take turns.
#[cfg(feature = "cpu-engine")]
pub(crate) fn num_workers() -> usize {
    count().min(cores()) - 1
}

/// Number of cores that this process may use.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// Default number of threads, as in rayon: `RAYON_NUM_THREADS`, or the number of cores that this
/// process may use.
fn default_count() -> usize {
    let requested = std::env::var("RAYON_NUM_THREADS").ok().and_then(|number| number.parse().ok());
    requested.filter(|&number| number > 0).unwrap_or_else(cores)
}

/// Starts the pool with up to `num_threads` threads, and returns their number.
fn start_pool(num_threads: usize) -> io::Result<usize> {
    let num_threads = num_threads.clamp(1, rayon::max_num_threads());
    let mut idle = start_idle_threads(num_threads)?.into_iter();
    let num_started = idle.len();
    let built = ThreadPoolBuilder::new()
        .num_threads(num_started)
        .spawn_handler(|thread| {
            let lost = || io::Error::other("a thread has ended before its time");
            idle.next().ok_or_else(lost)?.send(thread).map_err(|_| lost())
        })
        .build_global();
    // A program that uses smallnet as a library may have built the pool before.
    Ok(if built.is_ok() { num_started } else { rayon::current_num_threads() })
}

/// Number of further threads that training needs: to save, to count and to listen for signals.
const NUM_RESERVED: usize = 8;

/// Returns true if the system allows `num_threads` more threads and those that training needs.
///
/// The function starts the threads and ends them all before it returns. Without this check, a pool
/// that cannot be built would leave half of its threads running for a while.
#[cfg(feature = "cpu-engine")]
pub(crate) fn can_spawn(num_threads: usize) -> bool {
    let threads = IdleThread::start(num_threads + NUM_RESERVED).unwrap_or_default();
    let can_spawn = threads.len() == num_threads + NUM_RESERVED;
    threads.into_iter().for_each(IdleThread::end);
    can_spawn
}

/// Starts threads that wait for a task from the pool. There are `num_threads` of them. If the
/// system does not allow these and the reserved ones, there are at most half as many as it allows.
fn start_idle_threads(num_threads: usize) -> io::Result<Vec<Sender<ThreadBuilder>>> {
    let mut threads = IdleThread::start(num_threads + NUM_RESERVED)?;
    let num_started = threads.len();
    let all_started = num_started == num_threads + NUM_RESERVED;
    let num_kept = if all_started { num_threads } else { num_threads.min(num_started.div_ceil(2)) };
    threads.split_off(num_kept).into_iter().for_each(IdleThread::end);
    Ok(threads.into_iter().map(|thread| thread.task).collect())
}

/// A thread that waits for its task, which is to be one thread of a pool.
struct IdleThread {
    task: Sender<ThreadBuilder>,
    thread: JoinHandle<()>,
}

impl IdleThread {
    /// Starts `num_threads` threads, or as many as the system allows. Returns the system's error if
    /// there are none.
    fn start(num_threads: usize) -> io::Result<Vec<Self>> {
        let mut threads = Vec::with_capacity(num_threads);
        for _ in 0..num_threads {
            let (task, receiver) = channel::<ThreadBuilder>();
            let wait = move || receiver.recv().into_iter().for_each(ThreadBuilder::run);
            match thread::Builder::new().name("compute".to_owned()).spawn(wait) {
                Ok(thread) => threads.push(Self { task, thread }),
                Err(error) if threads.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(threads)
    }

    /// Ends the thread without a task, and waits for its end.
    fn end(self) {
        drop(self.task);
        // The thread runs no code that could panic.
        let _ = self.thread.join();
    }
}
