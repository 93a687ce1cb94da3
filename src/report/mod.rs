//! Owns the pages: records and weights in, one self-contained HTML page out (no script, no external file, light and
//! dark, printable). Reads no file, trains nothing.

mod curves;
mod lab;
mod lr_find;
mod paired;
mod parts;
mod result;
mod run;
mod shell;
mod study;
mod versus;

pub use curves::accuracy_curves;
pub(crate) use lab::FIRST_STUDY;
pub use lab::{
    Asked as LabImage, Inside, LabAnswer, LabPage, LabRun, LabStudy, Missing, QUESTIONS, Work, lab, sheet,
};
pub use lr_find::{lr_find, train_command};
pub use paired::{PAIRED_COLUMNS, paired_rows, paired_sentences};
pub(crate) use parts::shell_word;
pub use run::page;
pub use study::{StudyPage, brief_setting_columns, brief_setting_rows, chosen, study, verdict};
pub use versus::{RESULT_COLUMNS, comparison, result_rows, uncertainty};
