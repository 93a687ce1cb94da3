//! (not written yet)
use crate::data::sources::Source;

pub(super) fn recognise(_text: &str) -> Option<Source> {
    None
}

/// Returns what a user can write for a data set, as a hint about `text`, which means none.
pub(super) fn usage(_text: &str) -> String {
    "a data set is `mnist`, a folder or a file".to_owned()
}
