//! Owns the layout of a CSV file: which columns are pixels, which is the label, and which are left
//! out. Depends on `header` and `label`. Must not know how the rows are read.

use crate::data::sources::array::image_size;
use crate::data::sources::csv::header::{Header, is_numbered};
use crate::data::sources::csv::kinds::{Kind, kinds};
use crate::data::sources::csv::label::End;
use crate::data::sources::{ReadOptions, natural_order};
use crate::error::{Error, Result};
use crate::util::format::{counted, grouped, listed};

/// Neighbouring columns of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// So many pixels.
    Pixels(usize),
    Label,
    /// A column that is not read.
    LeftOut,
}

/// The columns of a file, and the size of its images.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) header: Header,
    /// All columns from left to right.
    pub(super) runs: Vec<Run>,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) has_labels: bool,
    /// See [`crate::data::RawImages::notes`].
    pub(super) notes: Vec<String>,
}

/// Finds the layout of the file `name`. `guess` decides between the first and the last of two columns
/// of which one is the label; `None` stands for no reason for either. If `may_lack_labels`, the
/// column that the options name need not exist.
///
/// # Errors
/// The columns are no images, or the label is not found or ambiguous.
pub(super) fn find(
    name: &str,
    header: Header,
    options: &ReadOptions,
    may_lack_labels: bool,
    guess: impl FnOnce(&Header, usize, usize) -> Result<Option<End>>,
) -> Result<Layout> {
    let mut kinds = kinds(&header);
    let mut notes = Vec::new();
    let label = match &options.label_column {
        Some(wanted) => match find_column(&header, wanted) {
            Some(column) if may_lack_labels && fits_only_with(&kinds, column, options) => None,
            None if may_lack_labels => None,
            found => Some(found.ok_or_else(|| no_such_column(name, &header, wanted))?),
        },
        None => named_label(name, &header, &kinds, &mut notes)?,
    };
    let label = match label {
        Some(column) => Some(column),
        None if options.label_column.is_some() => None,
        None => label_by_count(&header, &kinds, options, &mut notes, guess)?,
    };
    if let Some(kind) = label.and_then(|column| kinds.get_mut(column)) {
        *kind = Kind::Label;
    }
    let runs = runs(&kinds, label);
    let num_pixels = count_pixels(&kinds, label);
    let [height, width] =
        image_size(num_pixels, options).map_err(|hint| no_images(name, &header, num_pixels, hint))?;
    notes.extend(note_of_left_out(&header, &kinds, label));
    notes.extend(note_of_order(&header, &kinds));
    Ok(Layout { runs, height, width, has_labels: label.is_some(), notes, header })
}

fn count_pixels(kinds: &[Kind], label: Option<usize>) -> usize {
    let is_pixel = |&(column, kind): &(usize, &Kind)| *kind == Kind::Pixel && label != Some(column);
    kinds.iter().enumerate().filter(is_pixel).count()
}

/// Neighbouring columns of one kind together.
fn runs(kinds: &[Kind], label: Option<usize>) -> Vec<Run> {
    let mut runs = Vec::new();
    for (column, kind) in kinds.iter().enumerate() {
        match (kind, runs.last_mut()) {
            _ if label == Some(column) => runs.push(Run::Label),
            (Kind::Pixel, Some(Run::Pixels(count))) => *count += 1,
            (Kind::Pixel, _) => runs.push(Run::Pixels(1)),
            _ => runs.push(Run::LeftOut),
        }
    }
    runs
}

/// The column that a user means by its name, or by its number from 0.
fn find_column(header: &Header, wanted: &str) -> Option<usize> {
    let wanted = wanted.trim();
    let exact = header.names.iter().position(|name| name == wanted);
    let similar = || header.names.iter().position(|name| name.trim().to_lowercase() == wanted.to_lowercase());
    let numbered = || wanted.parse().ok().filter(|&column: &usize| column < header.num_columns);
    exact.or_else(similar).or_else(numbered)
}

/// True if the columns are images only together with `column`, as in a file without labels.
fn fits_only_with(kinds: &[Kind], column: usize, options: &ReadOptions) -> bool {
    kinds.get(column) == Some(&Kind::Pixel)
        && image_size(count_pixels(kinds, None), options).is_ok()
        && image_size(count_pixels(kinds, Some(column)), options).is_err()
}

/// The label column that its name tells.
fn named_label(
    name: &str,
    header: &Header,
    kinds: &[Kind],
    notes: &mut Vec<String>,
) -> Result<Option<usize>> {
    let of_kind = |wanted: Kind| -> Vec<usize> {
        kinds.iter().enumerate().filter(|(_, kind)| **kind == wanted).map(|(column, _)| column).collect()
    };
    let (labels, unknown) = (of_kind(Kind::Label), of_kind(Kind::Unknown));
    match (&labels[..], &unknown[..]) {
        (&[label], _) => Ok(Some(label)),
        ([], []) => Ok(None),
        ([], &[label]) => {
            notes.push(format!("{} is taken for the label", header.describe_column(label)));
            Ok(Some(label))
        }
        (labels, unknown) => {
            let columns = if labels.is_empty() { unknown } else { labels };
            let names: Vec<_> = columns.iter().map(|&column| header.describe_column(column)).collect();
            Err(Error::data(format!("the label of `{name}` is not clear: it could be {}", shortened(&names)))
                .hint("name its column with `--set data.label_column=\"NAME\"`"))
        }
    }
}

/// The label column that the number of columns tells: images of n pixels have n columns, or n + 1
/// with a label before or after them.
fn label_by_count(
    header: &Header,
    kinds: &[Kind],
    options: &ReadOptions,
    notes: &mut Vec<String>,
    guess: impl FnOnce(&Header, usize, usize) -> Result<Option<End>>,
) -> Result<Option<usize>> {
    let num_columns = count_pixels(kinds, None);
    let is_size = |pixels: usize| pixels > 0 && image_size(pixels, options).is_ok();
    if is_size(num_columns) || !is_size(num_columns.saturating_sub(1)) {
        return Ok(None);
    }
    let first = kinds.iter().position(|&kind| kind == Kind::Pixel).unwrap_or(0);
    let last = kinds.iter().rposition(|&kind| kind == Kind::Pixel).unwrap_or(0);
    match guess(header, first, last)? {
        Some(End::First) => Ok(Some(first)),
        Some(End::Last) => Ok(Some(last)),
        None => {
            notes.push(format!(
                "the first and the last column could both be the label: the first is taken; \
                 `--set data.label_column={last}` takes the last"
            ));
            Ok(Some(first))
        }
    }
}

fn no_such_column(name: &str, header: &Header, wanted: &str) -> Error {
    let error = Error::data(format!("`{name}` has no column `{wanted}`, which `data.label_column` names"));
    let last = header.num_columns.saturating_sub(1);
    if header.names.is_empty() {
        return error.hint(format!("the file has no header: give the column's number, 0 to {last}"));
    }
    let names: Vec<_> = header.names.iter().map(|name| format!("`{name}`")).collect();
    error.hint(format!("the columns are {}; a number from 0 to {last} is possible, too", shortened(&names)))
}

fn no_images(name: &str, header: &Header, num_pixels: usize, hint: String) -> Error {
    let columns = counted(header.num_columns, "column", "columns");
    if num_pixels == 0 {
        let names: Vec<_> = header.names.iter().map(|name| format!("`{name}`")).collect();
        return Error::data(format!("`{name}` has no pixels: its columns are {}", shortened(&names)))
            .hint("expected is one column per pixel, and perhaps one with the label");
    }
    let pixels = if num_pixels == header.num_columns {
        "as many pixels, or one less and a label".to_owned()
    } else {
        format!("{} of them pixels", grouped(num_pixels))
    };
    Error::data(format!("`{name}` has {columns}, {pixels}: this is no known size of images")).hint(hint)
}

/// The note about columns that are not read.
fn note_of_left_out(header: &Header, kinds: &[Kind], label: Option<usize>) -> Option<String> {
    let is_left_out = |&(column, kind): &(usize, &Kind)| {
        *kind != Kind::Pixel
            && label != Some(column)
            && !(header.ends_with_separator && column + 1 == kinds.len())
    };
    let left_out: Vec<_> = kinds.iter().enumerate().filter(is_left_out).collect();
    let names: Vec<_> = left_out.iter().map(|&(column, _)| header.describe_column(column)).collect();
    match names.len() {
        0 => None,
        1 => Some(format!("{} is left out: it is no pixel", shortened(&names))),
        _ => Some(format!("{} are left out: they are no pixels", shortened(&names))),
    }
}

/// The note about pixels whose names are in another order than their columns.
fn note_of_order(header: &Header, kinds: &[Kind]) -> Option<String> {
    let columns =
        header.names.iter().zip(kinds).filter(|(name, kind)| **kind == Kind::Pixel && is_numbered(name));
    let names: Vec<&String> = columns.map(|(name, _)| name).collect();
    let mut pairs = names.windows(2).filter_map(|pair| match pair {
        [a, b] if natural_order(a, b).is_gt() => Some((a, b)),
        _ => None,
    });
    let (a, b) = pairs.next()?;
    Some(format!(
        "the columns are not in the order of their names (`{a}` before `{b}`): they are read as they stand"
    ))
}

/// A list of names, of which only the first ones are shown.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 8;
    match names.get(..SHOWN) {
        Some(shown) if names.len() > SHOWN => {
            format!("{} and {} more", shown.join(", "), grouped(names.len() - SHOWN))
        }
        _ => listed(names),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
