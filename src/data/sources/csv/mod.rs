//! Owns the form CSV: text files with one image per line and one pixel per cell, and perhaps a label.
//! Depends on `file` and `array`. Must not know the classes and the pixel range of a network.
//!
//! The files are untrusted. Memory grows with the text that is really there.

mod cells;
mod folder;
mod header;
mod kinds;
mod label;
mod layout;
mod lines;
mod row;
mod rows;

use std::path::{Path, PathBuf};

use crate::data::Subset;
use crate::data::sources::csv::cells::Cells;
use crate::data::sources::csv::header::Header;
use crate::data::sources::csv::label::{ColumnValues, End};
use crate::data::sources::csv::layout::Layout;
use crate::data::sources::csv::lines::{Blocks, is_blank, lines};
use crate::data::sources::file::{DataFile, describe_wrong_file, wrong_file};
use crate::data::sources::listing::Listing;
use crate::data::sources::{DataSource, RawImages, ReadOptions, Source};
use crate::error::{Error, Result};

/// A data set of CSV files, one per part.
#[derive(Debug)]
struct Csv {
    /// The folder, with the beginning of the files' names, or the one file.
    path: PathBuf,
    parts: Vec<(Subset, PathBuf)>,
}

/// Returns the CSV files of a folder: see [`folder::parts`].
///
/// # Errors
/// Several files could be the same part.
pub(super) fn in_folder(listing: &Listing, prefix: &str) -> Result<Option<Source>> {
    let parts = folder::parts(listing, prefix)?;
    if parts.is_empty() {
        return Ok(None);
    }
    let parts = parts.into_iter().map(|(subset, name)| (subset, listing.join(&name))).collect();
    let path = if prefix.is_empty() { listing.path.clone() } else { listing.join(prefix) };
    Ok(Some(Source::new(Csv { path, parts })))
}

/// Returns the CSV file at `path`, which begins with `head`. It is recognised by its name if it is a
/// text, and otherwise by rows of numbers.
pub(super) fn in_file(path: &Path, head: &[u8]) -> Result<Option<Source>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_csv = if folder::stem(&name).is_some() {
        header::is_text(head) && describe_wrong_file(head, path).is_none()
    } else {
        header::looks_like_images(head)
    };
    let parts = vec![(Subset::Train, path.to_owned())];
    Ok(is_csv.then(|| Source::new(Csv { path: path.to_owned(), parts })))
}

impl DataSource for Csv {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        match self.parts.iter().find(|(part, _)| *part == subset) {
            Some((_, path)) => Ok(Some(read_file(path, subset, options)?)),
            None => Ok(None),
        }
    }
}

/// Reads a file to its end. One of training images has the label column that the options name.
fn read_file(path: &Path, subset: Subset, options: &ReadOptions) -> Result<RawImages> {
    let mut blocks = Blocks::open(path)?;
    let DataFile { name, head, .. } = &blocks.file;
    if !header::is_text(head) || describe_wrong_file(head, path).is_some() {
        return Err(wrong_file(head, path, "a CSV file"));
    }
    let name = name.clone();
    let block = blocks.next()?.unwrap_or_default();
    let Some(header) = Header::read(&name, &block)? else {
        return Err(Error::data(format!("`{name}` has blank lines only, expected one row per image"))
            .hint("fetch or write the file again"));
    };
    let guess = |header: &Header, first, last| guess_label(path, &block, header, first, last);
    let layout = layout::find(&name, header, options, subset != Subset::Train, guess)?;
    let rows = rows::read(blocks, block, &layout)?;
    let Layout { height, width, has_labels, notes, .. } = layout;
    Ok(RawImages {
        pixels: rows.pixels,
        count: rows.count,
        height,
        width,
        labels: has_labels.then_some(rows.labels),
        class_names: Vec::new(),
        images_name: name.clone(),
        labels_name: name,
        transposed: false,
        notes,
    })
}

/// Number of rows that are looked at first to find the label.
const SAMPLE_ROWS: usize = 1000;

/// Decides which of the columns `first` and `last` is the label by the first rows, which are in
/// `block`, and by all rows of the file if they do not tell.
///
/// # Errors
/// Neither can be the label, or the file cannot be read.
fn guess_label(path: &Path, block: &[u8], header: &Header, first: usize, last: usize) -> Result<Option<End>> {
    let mut ends = Ends::new(header, first, last);
    rows_of(block, header.start).take(SAMPLE_ROWS).for_each(|line| ends.add(line));
    if let Some(end) = label::label_end(&ends.first, &ends.last) {
        return Ok(Some(end));
    }
    let mut ends = Ends::new(header, first, last);
    let (mut blocks, mut start) = (Blocks::open(path)?, header.start);
    while let Some(block) = blocks.next()? {
        rows_of(&block, start).for_each(|line| ends.add(line));
        start = 0;
    }
    if label::has_no_label(&ends.first, &ends.last) {
        let name = path.display();
        return Err(Error::data(format!(
            "the label of `{name}` is not found: neither {} nor {} holds whole numbers or words",
            header.describe_column(first),
            header.describe_column(last)
        ))
        .hint("say which column it is with `--set data.label_column=NUMBER`, counted from 0"));
    }
    Ok(label::label_end_of_all(&ends.first, &ends.last))
}

/// The lines of a block with images, from the byte `start` on.
fn rows_of(block: &[u8], start: usize) -> impl Iterator<Item = &[u8]> {
    lines(block.get(start..).unwrap_or_default()).filter(|line| !is_blank(line))
}

/// The values of the two columns that may be the label.
struct Ends {
    separator: u8,
    first_column: usize,
    /// Number of columns behind the last one of the two.
    num_behind: usize,
    first: ColumnValues,
    last: ColumnValues,
}

impl Ends {
    fn new(header: &Header, first: usize, last: usize) -> Self {
        Self {
            separator: header.separator,
            first_column: first,
            num_behind: header.num_columns.saturating_sub(last + 1),
            first: ColumnValues::default(),
            last: ColumnValues::default(),
        }
    }

    /// Adds the values of a line. The last column is found from the line's end, which is fast.
    fn add(&mut self, line: &[u8]) {
        if let Some(Ok(cell)) = Cells::new(line, self.separator).nth(self.first_column) {
            self.first.add(&cell);
        }
        if let Some(cell) = line.rsplit(|&byte| byte == self.separator).nth(self.num_behind) {
            // A part of a quoted word is a word, too.
            let cell = cell.trim_ascii();
            let unquoted = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\""));
            self.last.add(unquoted.unwrap_or(cell));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::data::RawPixels;

    /// Reads a part of a folder with these files as a user would name it.
    fn read_part(
        files: &[(&str, &[u8])],
        name: &str,
        subset: Subset,
        options: &ReadOptions,
    ) -> Result<Option<RawImages>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let path = folder.path().join(name).display().to_string();
        let read = Source::parse(&path).read(subset, options);
        // Paths in messages become short.
        read.map_err(|error| {
            let short = |text: &str| text.replace(&format!("{}/", folder.path().display()), "");
            let (message, hint) = (short(error.message()), short(&error.to_string()));
            let hint = hint.split_once("hint: ").map(|(_, hint)| hint.to_owned()).unwrap_or_default();
            Error::data(message).hint(hint)
        })
    }

    fn read(name: &str, bytes: impl AsRef<[u8]>) -> Result<RawImages> {
        read_part(&[(name, bytes.as_ref())], name, Subset::Train, &ReadOptions::default()).map(Option::unwrap)
    }

    fn labels(images: &RawImages) -> Vec<&str> {
        let labels = images.labels.as_ref().unwrap();
        labels.ids().iter().map(|&id| labels.keys()[id as usize].as_str()).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    /// Rows of images of 4 × 4 pixels with the label before or behind them. Pixel `p` of row `r` has
    /// the value of `pixel(r, p)`.
    fn rows(labels: &[&str], is_last: bool, pixel: impl Fn(usize, usize) -> usize) -> String {
        let row = |(row, label): (usize, &&str)| {
            let pixels: Vec<String> = (0..16).map(|at| pixel(row, at).to_string()).collect();
            let pixels = pixels.join(",");
            if is_last { format!("{pixels},{label}\n") } else { format!("{label},{pixels}\n") }
        };
        labels.iter().enumerate().map(row).collect()
    }

    fn drawing(row: usize, pixel: usize) -> usize {
        if (5..11).contains(&pixel) { row * 16 + pixel } else { 0 }
    }

    #[test]
    fn kaggles_digits_have_a_header() {
        let pixels: Vec<String> = (0..784).map(|pixel| format!("pixel{pixel}")).collect();
        let zeros = ["0"; 782].join(",");
        let train = format!("label,{}\n1,0,{zeros},255\n0,7,{zeros},0\n", pixels.join(","));
        let test = format!("{}\n3,{zeros},4\n", pixels.join(","));
        let files: [(&str, &[u8]); 3] = [
            ("train.csv", train.as_bytes()),
            ("test.csv", test.as_bytes()),
            ("sample_submission.csv", b"ImageId,Label\n1,0\n"),
        ];
        let options = ReadOptions::default();
        let images = read_part(&files, "", Subset::Train, &options).unwrap().unwrap();
        assert_eq!((images.count, images.height, images.width, labels(&images)), (2, 28, 28, vec!["1", "0"]));
        let RawPixels::Bytes(bytes) = images.pixels else { unreachable!() };
        assert_eq!((bytes.len(), bytes[783], bytes[784]), (2 * 784, 255, 7));
        let images = read_part(&files, "", Subset::Test, &options).unwrap().unwrap();
        assert_eq!((images.count, images.labels.is_none(), images.notes), (1, true, vec![]));
        assert!(read_part(&files, "", Subset::Validation, &options).unwrap().is_none());
        // The named label need not be in the test file.
        let options = ReadOptions { label_column: Some("label".to_owned()), ..options };
        assert_eq!(read_part(&files, "", Subset::Test, &options).unwrap().unwrap().count, 1);
    }

    #[test]
    fn the_label_is_found_without_a_header() {
        let digits = ["5", "0", "4", "1"];
        for is_last in [false, true] {
            let images = read("mnist_train.csv", rows(&digits, is_last, drawing)).unwrap();
            assert_eq!((labels(&images), images.notes.len()), (digits.to_vec(), 0));
            let RawPixels::Bytes(bytes) = images.pixels else { unreachable!() };
            let expected: Vec<_> = (0..64).map(|at| drawing(at / 16, at % 16) as u8).collect();
            assert_eq!(bytes, expected);
        }
        let words = ["cat", "\"dog, big\"", "cat"];
        assert_eq!(labels(&read("a.csv", rows(&words, true, drawing)).unwrap()), ["cat", "dog, big", "cat"]);
    }

    /// The first rows of a file that is sorted by label do not tell.
    #[test]
    fn the_label_of_sorted_rows_is_found() {
        let sorted: Vec<&str> = (0..3000).map(|row| ["0", "1", "2"][row / 1000]).collect();
        for is_last in [false, true] {
            let images =
                read("a.csv", rows(&sorted, is_last, |row, pixel| drawing(row % 10, pixel))).unwrap();
            assert_eq!((labels(&images), images.notes.len()), (sorted.clone(), 0));
        }
        let images = read("a.csv", rows(&["0", "0"], false, drawing)).unwrap();
        assert!(images.notes[0].contains("could both be the label"), "{:?}", images.notes);
    }

    #[test]
    fn openml_and_pandas_columns() {
        let names: Vec<String> = (1..=4).map(|pixel| format!("pixel{pixel}")).collect();
        let text = format!(",{},class\n0,1,2,3,4,7\n1,5,6,7,8,3\n", names.join(","));
        let images = read("a.csv", text).unwrap();
        assert_eq!((labels(&images), images.height), (vec!["7", "3"], 2));
        assert_eq!(images.pixels, RawPixels::Bytes(vec![1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(images.notes, ["column 1 is left out: it is no pixel"]);
    }

    #[test]
    fn every_way_to_write_the_same_text() {
        let text = "label,p0,p1,p2,p3\n7,0,255,3,4\n1,5,0,7,8\n";
        let windows = format!("\u{feff}{}\r\n \r\n", text.replace('\n', "\r\n"));
        for bytes in [
            text.as_bytes().to_vec(),
            text.trim_end().as_bytes().to_vec(),
            windows.clone().into_bytes(),
            text.replace(',', ";").into_bytes(),
            text.replace(',', "\t").into_bytes(),
            text.replace(',', " , ").into_bytes(),
            text.replace("7,0", "7.0,\"0\"").into_bytes(),
            gzip(windows.as_bytes()),
        ] {
            for name in ["a.csv", "a.TSV", "a.csv.gz", "unknown"] {
                let images = read(name, &bytes).unwrap();
                assert_eq!(images.pixels, RawPixels::Bytes(vec![0, 255, 3, 4, 5, 0, 7, 8]));
                assert_eq!(labels(&images), ["7", "1"]);
            }
        }
    }

    #[test]
    fn blocks_and_lines_are_counted_over_the_whole_file() {
        let all: Vec<&str> = (0..200_000).map(|row| ["3", "1", "2"][row % 3]).collect();
        let text = rows(&all, false, |row, pixel| row * 31 % 251 + pixel % 3);
        assert!(text.len() > 2 * (4 << 20), "the file has three blocks");
        let images = read("a.csv", &text).unwrap();
        assert_eq!(labels(&images), all);
        let expected: Vec<u8> =
            (0..16 * all.len()).map(|at| (at / 16 * 31 % 251 + at % 16 % 3) as u8).collect();
        assert!(images.pixels == RawPixels::Bytes(expected));
        let error = read("a.csv", format!("{text}1,2,3\n")).unwrap_err();
        assert_eq!(
            error.message(),
            "`a.csv`, line 200001: got 3 cells, expected 17 cells as in the first line"
        );
    }

    #[test]
    fn a_file_without_images_is_named() {
        let shares = "0.5,0.25,0.5,0.5,0.5\n0.25,0.5,0.5,0.5,0.75\n";
        for (name, bytes, message) in [
            ("a.csv", &b""[..], "`a.csv` is an empty file, expected one of"),
            ("a.csv", b"\n \n", "`a.csv` has blank lines only, expected one row per image"),
            ("a.csv", b"label,p0\n", "`a.csv` has a header and no rows, expected one row per image"),
            ("a.csv", b"<!DOCTYPE html>", "`a.csv` is a web page, expected one of"),
            ("a.csv", b"\"label,p0\n1,2\n", "`a.csv`, line 1: a cell in quotes has no end"),
            ("a.csv", b"\0\x01\x02", "`a.csv` is not one of"),
            ("a", b"some text, and more text", "`a` is not one of"),
            (
                "a.csv",
                shares.as_bytes(),
                "the label of `a.csv` is not found: neither column 1 nor column 5 holds",
            ),
        ] {
            let error = read(name, bytes).unwrap_err();
            assert!(error.message().starts_with(message), "{error}");
        }
        let damaged = gzip(shares.as_bytes());
        let error = read("a.csv", &damaged[..damaged.len() - 12]).unwrap_err();
        assert_eq!(error.message(), "cannot read `a.csv`: the gzip stream ends too early");
    }

    #[test]
    fn a_file_of_a_folder_is_checked_when_it_is_read() {
        let files: [(&str, &[u8]); 2] = [("train.csv", b"1,2\n"), ("test.csv", b"<html>")];
        let error = read_part(&files, "", Subset::Test, &ReadOptions::default()).unwrap_err();
        assert_eq!(error.message(), "`test.csv` is a web page, expected a CSV file");
        let images = read_part(&files, "tr", Subset::Train, &ReadOptions::default()).unwrap().unwrap();
        assert_eq!((images.pixels, images.count), (RawPixels::Bytes(vec![2]), 1));
    }
}
