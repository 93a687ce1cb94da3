//! Owns PNG files (W3C, Portable Network Graphics). Their rows are decoded one after the other, so
//! that no whole picture is in memory. Must not know what the picture shows.

use std::io::{BufRead, Cursor, Seek};
use std::path::Path;

use image::metadata::Orientation;
use png::{BitDepth, Decoder, DecodingError, Limits, Reader, Transformations};

use crate::data::preprocess::colours::{BlockMeans, Colours};
use crate::data::preprocess::decode::{check_size, corrupt, unsupported};
use crate::error::{Error, Result};

/// Largest memory of the decoder in bytes. Two rows of the longest kind are 1 MB, and a chunk with
/// the orientation is small.
const MAX_MEMORY_BYTES: usize = 16 << 20;

/// The seven passes of an interlaced picture: first column, step between columns, first row, step
/// between rows.
const PASSES: [[usize; 4]; 7] =
    [[0, 8, 0, 8], [4, 8, 0, 8], [0, 4, 4, 8], [2, 4, 0, 4], [0, 2, 2, 4], [1, 2, 0, 2], [0, 1, 1, 2]];

/// Decodes the picture in `bytes`, which begin like a PNG, with sides of at most `max_side` pixels.
///
/// # Errors
/// The file is damaged or too large.
pub(super) fn decode(path: &Path, bytes: &[u8], max_side: usize) -> Result<Colours> {
    // Checked before the decoder sees the file: the size in the header is enough to refuse it.
    if let Some(&[w0, w1, w2, w3, h0, h1, h2, h3]) = bytes.get(16..24) {
        check_size(path, u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]))?;
    }
    let failed = |error| decoder_error(path, error);
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MAX_MEMORY_BYTES });
    // Chunks that are ignored are not unpacked.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(failed)?;
    let info = reader.info();
    let orientation = info.exif_metadata.as_deref().and_then(Orientation::from_exif_chunk);
    let mut means =
        BlockMeans::new(info.width, info.height, orientation.unwrap_or(Orientation::NoTransforms), max_side);
    add_rows(&mut reader, &mut means).map_err(failed)?;
    Ok(means.finish())
}

/// Adds all pixels to `means`, row by row.
fn add_rows(
    reader: &mut Reader<impl BufRead + Seek>,
    means: &mut BlockMeans,
) -> std::result::Result<(), DecodingError> {
    let info = reader.info();
    let mut rows = stored_rows(info.width as usize, info.height as usize, info.interlaced);
    let (colour, depth) = reader.output_color_type();
    let bytes_per_pixel = colour.samples() * if depth == BitDepth::Sixteen { 2 } else { 1 };
    while let Some(row) = reader.next_row()? {
        let Some((first, step, y)) = rows.next() else { break };
        for (index, pixel) in row.data().chunks_exact(bytes_per_pixel).enumerate() {
            let value = |channel: usize| match depth {
                BitDepth::Sixteen => {
                    f32::from(u16::from_be_bytes([pixel[2 * channel], pixel[2 * channel + 1]])) / 65535.0
                }
                _ => f32::from(pixel[channel]) / 255.0,
            };
            let colour = match colour.samples() {
                1 => [value(0), value(0), value(0), 1.0],
                2 => [value(0), value(0), value(0), value(1)],
                3 => [value(0), value(1), value(2), 1.0],
                _ => [value(0), value(1), value(2), value(3)],
            };
            means.add(first + index * step, y, colour);
        }
    }
    Ok(())
}

/// Rows of the file in their stored order: for each the first column, the step to the next column,
/// and the row. Passes without pixels are skipped.
fn stored_rows(width: usize, height: usize, interlaced: bool) -> impl Iterator<Item = (usize, usize, usize)> {
    let passes: &[[usize; 4]] = if interlaced { &PASSES } else { &[[0, 1, 0, 1]] };
    let passes = passes.iter().filter(move |[first, ..]| *first < width);
    passes.flat_map(move |&[first, step, top, down]| {
        (top..height).step_by(down).map(move |row| (first, step, row))
    })
}

/// Translates an error of the decoder.
fn decoder_error(path: &Path, error: DecodingError) -> Error {
    let translated = match &error {
        DecodingError::LimitsExceeded => unsupported(path, "what it says about itself is too long"),
        error => corrupt(path, &error.to_string()),
    };
    translated.with_source(error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
