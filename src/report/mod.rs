//! Owns the pages: records and weights in, one self-contained HTML page out (no script, no external file, light and
//! dark, printable). Reads no file, trains nothing.

pub(crate) mod comparison;
pub(crate) mod components;
pub(crate) mod curves;
pub(crate) mod layout;
mod lr_find;
mod paired;
pub(crate) mod result;
pub(crate) mod run;

pub use comparison::{RESULT_COLUMNS, comparison, result_rows, uncertainty};
pub use curves::accuracy_curves;
pub use lr_find::{lr_find, train_command};
pub use paired::{PAIRED_COLUMNS, paired_rows, paired_sentences};
pub use run::page;
