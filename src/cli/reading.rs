//! Owns the progress bar of the reading of a data set. It is shown on a terminal only.

use std::sync::{Mutex, PoisonError};

use crate::cli::progress::Bar;
use crate::data::{ReadProgress, observe_reading};

/// Shows a bar whenever a data set reports that it is being read.
pub(super) fn show_progress(hidden: bool) {
    let shown: Mutex<Option<Bar>> = Mutex::default();
    observe_reading(Box::new(move |progress: ReadProgress<'_>| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = shown.get_or_insert_with(|| {
            let bar = Bar::new(hidden);
            bar.set_prefix(format!("reading {}", progress.name));
            bar
        });
        bar.set_length(progress.total);
        bar.advance(progress.done);
        if progress.done >= progress.total {
            bar.finish_and_clear();
            *shown = None;
        }
    }));
}
