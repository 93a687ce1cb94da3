//! Owns the reading of all rows of a CSV file whose layout is known. Pieces of it are read at the same
//! time, and put together in order. Depends on `row`, `lines` and `layout`. Must not know how the
//! layout was found, nor how a cell is written.

use rayon::prelude::*;

use crate::data::sources::csv::layout::Layout;
use crate::data::sources::csv::lines::{Blocks, pieces};
use crate::data::sources::csv::row::{Label, PieceRows, Values, read_piece};
use crate::data::sources::{RawLabels, RawPixels};
use crate::error::{Error, Result};
use crate::util::{memory, threads};

/// Number of bytes that one thread reads at once.
const PIECE_BYTES: usize = 256 << 10;

/// The rows of a file.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) pixels: RawPixels,
    pub(super) labels: RawLabels,
    pub(super) count: usize,
}

/// Reads all rows. `block` is the first block of the file, which begins with the header, and `blocks`
/// has the rest. While pieces of one block are read, the next one is fetched: the memory beside the
/// rows is that of two blocks.
///
/// # Errors
/// A row that cannot be read, no row, a file that cannot be read, or too little memory.
pub(super) fn read(mut blocks: Blocks, mut block: Vec<u8>, layout: &Layout) -> Result<Rows> {
    // rayon panics if it cannot start its threads.
    threads::start(None).map_err(Error::thread)?;
    let name = blocks.file.name.clone();
    let mut rows = Rows { pixels: RawPixels::Bytes(Vec::new()), labels: RawLabels::default(), count: 0 };
    let (mut start, mut num_lines) = (layout.header.start, layout.header.num_lines);
    loop {
        let whole = block.get(start..).unwrap_or_default();
        let (next, read) = rayon::join(
            || blocks.next(),
            || {
                pieces(whole, PIECE_BYTES)
                    .into_par_iter()
                    .map(|piece| read_piece(piece, layout))
                    .collect::<Vec<_>>()
            },
        );
        for piece in read {
            let piece = piece.map_err(|wrong| wrong.into_error(&name, num_lines, layout))?;
            num_lines += piece.num_lines;
            rows.append(piece, &name)?;
        }
        match next? {
            Some(next) => (block, start) = (next, 0),
            None => break,
        }
    }
    if rows.count == 0 {
        return Err(Error::data(format!("`{name}` has a header and no rows, expected one row per image"))
            .hint("the file may be incomplete: fetch or write it again"));
    }
    Ok(rows)
}

impl Rows {
    /// Adds the rows of the next piece.
    fn append(&mut self, piece: PieceRows, name: &str) -> Result<()> {
        self.count += piece.num_rows;
        for label in piece.labels {
            let added = match label {
                Label::Whole(label) => self.labels.push_int(label.into()),
                Label::Text(label) => self.labels.push(&label),
            };
            added.map_err(|error| {
                let hint =
                    "is this column the label? Name the right one with `--set data.label_column=\"NAME\"`";
                error.in_context(format!("`{name}`: {}", error.message())).hint(hint)
            })?;
        }
        self.append_values(piece.values, name)
    }

    /// Adds pixels. The first ones that are no bytes turn all that are there into floats.
    fn append_values(&mut self, values: Values, name: &str) -> Result<()> {
        let purpose = || format!("`{name}`");
        if let (RawPixels::Bytes(bytes), Values::Floats(_)) = (&self.pixels, &values) {
            memory::check_available(4 * bytes.len() as u128, &purpose())?;
            self.pixels = RawPixels::Floats(RawPixels::to_floats(bytes));
        }
        match (&mut self.pixels, values) {
            (RawPixels::Bytes(bytes), Values::Bytes(more)) => {
                if bytes.capacity() - bytes.len() < more.len() {
                    memory::check_available(2 * (bytes.len() + more.len()) as u128, &purpose())?;
                }
                bytes.extend_from_slice(&more);
            }
            (RawPixels::Floats(blocks), Values::Bytes(more)) => {
                memory::check_available(4 * more.len() as u128, &purpose())?;
                more.iter().for_each(|&byte| RawPixels::push_float(blocks, byte.into()));
            }
            (RawPixels::Floats(blocks), Values::Floats(more)) => {
                memory::check_available(4 * more.len() as u128, &purpose())?;
                more.iter().for_each(|&value| RawPixels::push_float(blocks, value));
            }
            // The pixels were turned into floats above.
            // A file of rows is never read in blocks.
            (RawPixels::Bytes(_), Values::Floats(_)) | (RawPixels::Blocks(_), _) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
