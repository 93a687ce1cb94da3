//! Owns the threads that make the next batches of an epoch while the current one is used. Must not
//! know how an image is changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Number of batches per thread that are made ahead.
const AHEAD_PER_THREAD: usize = 2;

/// Pixels of one batch.
type Pixels = Arc<[u8]>;

/// Threads that make the batches of one epoch ahead, in order. They end when this is dropped.
pub(in crate::data) struct Prefetch {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    /// Number of the batch that is taken next.
    next: usize,
}

/// Batches of an epoch between their makers and their user.
struct Queue {
    state: Mutex<QueueState>,
    /// Notified about each change of the state.
    changed: Condvar,
}

struct QueueState {
    /// Number of the batch that a thread makes next.
    next: usize,
    /// Number of the batch before which the threads stop for now.
    limit: usize,
    /// Number of batches of the epoch, or 0 once the threads are to end.
    end: usize,
    made: BTreeMap<usize, Pixels>,
}

impl Prefetch {
    /// Starts up to `num_threads` threads that make the batches `0..num_batches` with `make`. Returns
    /// none if the system allows no thread.
    pub(in crate::data) fn start(
        num_threads: usize,
        num_batches: usize,
        make: impl Fn(usize) -> Pixels + Send + Sync + 'static,
    ) -> Option<Self> {
        let limit = AHEAD_PER_THREAD * num_threads;
        let state = QueueState { next: 0, limit, end: num_batches, made: BTreeMap::new() };
        let queue = Arc::new(Queue { state: Mutex::new(state), changed: Condvar::new() });
        let make = Arc::new(make);
        let start = |_| {
            let (queue, make) = (queue.clone(), make.clone());
            let work = move || {
                let queue = EndOnPanic(queue);
                while let Some(batch) = queue.0.next() {
                    queue.0.put(batch, make(batch));
                }
            };
            thread::Builder::new().name("augment".to_owned()).spawn(work).ok()
        };
        let threads: Vec<_> = (0..num_threads).map_while(start).collect();
        (!threads.is_empty()).then_some(Self { queue, threads, next: 0 })
    }

    /// Returns the next batch, and waits for it. Returns none after the last batch, and if a thread
    /// failed.
    pub(in crate::data) fn take(&mut self) -> Option<Pixels> {
        let mut state = self.queue.lock();
        if self.next >= state.end {
            return None;
        }
        state.limit += 1;
        self.queue.changed.notify_all();
        let batch = self.next;
        self.next += 1;
        let is_missing = |state: &mut QueueState| state.end > 0 && !state.made.contains_key(&batch);
        let waited = self.queue.changed.wait_while(state, is_missing);
        waited.unwrap_or_else(PoisonError::into_inner).made.remove(&batch)
    }
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of the batch to make, after a wait if enough are made. Returns none if the
    /// thread is to end.
    fn next(&self) -> Option<usize> {
        let is_full = |state: &mut QueueState| state.next < state.end && state.next >= state.limit;
        let waited = self.changed.wait_while(self.lock(), is_full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        (state.next < state.end).then(|| {
            state.next += 1;
            state.next - 1
        })
    }

    /// Ends all threads.
    fn end(&self) {
        self.lock().end = 0;
        self.changed.notify_all();
    }

    fn put(&self, batch: usize, pixels: Pixels) {
        self.lock().made.insert(batch, pixels);
        self.changed.notify_all();
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.queue.end();
        for thread in self.threads.drain(..) {
            // Whoever takes the batches makes those of a thread that failed.
            let _ = thread.join();
        }
    }
}

/// Queue of a thread. If the thread panics, nobody waits for its batch.
struct EndOnPanic(Arc<Queue>);

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}
