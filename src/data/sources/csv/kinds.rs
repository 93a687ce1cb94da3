//! Owns the kinds of the columns of a CSV file, which follow from their names. Depends on `header`.
//! Must not know the values in the columns.

use crate::data::sources::csv::header::{Header, is_numbered};

/// The possible kinds of a column, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pixel,
    Label,
    LeftOut,
    Unknown,
}

/// Names of label columns, in lower case.
const LABEL_NAMES: [&str; 18] = [
    "label",
    "labels",
    "class",
    "classes",
    "target",
    "targets",
    "y",
    "digit",
    "digits",
    "letter",
    "character",
    "category",
    "label_id",
    "class_id",
    "classid",
    "class_label",
    "class_name",
    "number",
];

/// Names of columns beside the images, in lower case.
const LEFT_OUT_NAMES: [&str; 19] = [
    "",
    "id",
    "imageid",
    "image_id",
    "index",
    "idx",
    "row",
    "row_id",
    "rowid",
    "row_names",
    "rownames",
    "filename",
    "file_name",
    "file",
    "path",
    "usage",
    "split",
    "fold",
    "subset",
];

impl Kind {
    fn of_name(name: &str) -> Self {
        let name = name.trim().to_lowercase();
        if LABEL_NAMES.contains(&name.as_str()) {
            Self::Label
        } else if LEFT_OUT_NAMES.contains(&name.as_str()) || name.starts_with("unnamed:") {
            Self::LeftOut
        } else if is_numbered(&name) {
            Self::Pixel
        } else {
            Self::Unknown
        }
    }
}

/// The kind of each column. Without a header, all are pixels or the label.
pub(super) fn kinds(header: &Header) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = header.names.iter().map(|name| Kind::of_name(name)).collect();
    if kinds.is_empty() {
        kinds = vec![Kind::Pixel; header.num_columns];
        if let (true, Some(last)) = (header.ends_with_separator, kinds.last_mut()) {
            *last = Kind::LeftOut;
        }
    }
    // Names without numbers may be any.
    if !kinds.contains(&Kind::Pixel) {
        kinds.iter_mut().filter(|kind| **kind == Kind::Unknown).for_each(|kind| *kind = Kind::Pixel);
    }
    kinds
}
