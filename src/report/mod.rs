//! Owns the pages. Each is one self-contained HTML file, made from records and weights: no script,
//! no external file, light and dark, printable. Only the page of `draw` has a script. Depends on
//! `plots` and on records. Must not read files or train.

pub(crate) mod comparison;
pub(crate) mod components;
pub(crate) mod curves;
mod ensemble;
pub(crate) mod layout;
mod lr_find;
mod paired;
pub(crate) mod result;
pub(crate) mod run;

pub use comparison::{comparison, result_table, uncertainty};
pub use curves::accuracy_curves;
pub use ensemble::{ensemble_note, ensemble_table, interval};
pub use lr_find::{lr_find, train_command};
pub use paired::{paired_sentences, paired_table};
pub use run::page;
