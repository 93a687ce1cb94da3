//! The threads that compute: rayon's global pool, with which Burn's CPU backends share out their work.
//!
//! rayon starts that pool on first use, tries once, and panics for ever after where a single thread could not be had. So smallnet
//! starts the threads itself, and hands the pool those that there are.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use rayon::{ThreadBuilder, ThreadPoolBuilder};

static THREADS: OnceLock<io::Result<usize>> = OnceLock::new();

/// Starts as many threads as are `wanted`, or one for each core, and says how many there are. Where the system refuses some of
/// them, there are fewer. They are started once: later calls say how many there are.
///
/// # Errors
/// The system's own, where it refuses even one thread.
pub(crate) fn start(wanted: Option<usize>) -> Result<usize, &'static io::Error> {
    THREADS.get_or_init(|| start_pool(wanted.unwrap_or_else(default_count))).as_ref().copied()
}

/// The threads that compute, this one among them: those of [`start`].
pub(crate) fn count() -> usize {
    start(None).unwrap_or(1)
}

/// Threads that are worth keeping awake for a step beside the one that takes it. More than there are cores would only take turns.
pub(crate) fn num_workers() -> usize {
    count().min(cores()) - 1
}

/// The cores that this process may use.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// As rayon counts them: `RAYON_NUM_THREADS`, or the cores that this process may use.
fn default_count() -> usize {
    let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|number| number.parse().ok());
    asked.filter(|&number| number > 0).unwrap_or_else(cores)
}

fn start_pool(wanted: usize) -> io::Result<usize> {
    let wanted = wanted.clamp(1, rayon::max_num_threads());
    let mut waiting = waiting_threads(wanted)?.into_iter();
    let had = waiting.len();
    let built = ThreadPoolBuilder::new()
        .num_threads(had)
        .spawn_handler(|thread| {
            let gone = || io::Error::other("a thread has ended before its time");
            waiting.next().ok_or_else(gone)?.send(thread).map_err(|_| gone())
        })
        .build_global();
    // Whoever uses smallnet as a library may have built the pool before.
    Ok(if built.is_ok() { had } else { rayon::current_num_threads() })
}

/// Threads that training needs besides: to save, to count and to listen for signals.
const RESERVED: usize = 8;

/// Whether the system gives `wanted` threads, and those that training needs besides. When this returns, those that were tried are
/// gone: a pool that is built without asking leaves half of its threads for a while where it fails.
pub(crate) fn can_spawn(wanted: usize) -> bool {
    let threads = IdleThread::start(wanted + RESERVED).unwrap_or_default();
    let can_spawn = threads.len() == wanted + RESERVED;
    threads.into_iter().for_each(IdleThread::end);
    can_spawn
}

/// Threads that wait for their place in the pool: as many as are `wanted`, or half of those that there are, where with those that
/// are needed besides there are too few.
fn waiting_threads(wanted: usize) -> io::Result<Vec<Sender<ThreadBuilder>>> {
    let mut threads = IdleThread::start(wanted + RESERVED)?;
    let had = threads.len();
    let taken = if had == wanted + RESERVED { wanted } else { wanted.min(had.div_ceil(2)) };
    threads.split_off(taken).into_iter().for_each(IdleThread::end);
    Ok(threads.into_iter().map(|thread| thread.place).collect())
}

/// A thread that waits for its place in a pool.
struct IdleThread {
    place: Sender<ThreadBuilder>,
    thread: JoinHandle<()>,
}

impl IdleThread {
    /// So many threads, or as many as the system gives; its own error where it gives none.
    fn start(wanted: usize) -> io::Result<Vec<Self>> {
        let mut threads = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            let (place, waits) = channel::<ThreadBuilder>();
            let wait = move || waits.recv().into_iter().for_each(ThreadBuilder::run);
            match thread::Builder::new().name("compute".to_owned()).spawn(wait) {
                Ok(thread) => threads.push(Self { place, thread }),
                Err(error) if threads.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(threads)
    }

    /// Ends it without a place: when this returns, it is gone.
    fn end(self) {
        drop(self.place);
        // It does nothing that could panic.
        let _ = self.thread.join();
    }
}
