//! Owns data sets in Parquet files whose rows are encoded pictures and labels, as Hugging Face has
//! them. Depends on `picture`. Must not know other forms, nor the network's classes.

mod parts;
mod pictures;
mod reader;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::data::Subset;
use crate::data::progress::{self, ReadProgress};
use crate::data::sources::file::PARQUET;
use crate::data::sources::listing::Listing;
use crate::data::sources::{DataSource, RawImages, ReadOptions, Source};
use crate::error::Result;
use parts::Part;
use pictures::Pictures;
use reader::ParquetFile;

/// Finds a data set in a folder: see [`parts::find`].
///
/// # Errors
/// There are several data sets, or a file is missing.
pub(super) fn in_folder(listing: &Listing, prefix: &str) -> Result<Option<Source>> {
    let parts = parts::find(listing, prefix)?;
    let source = ParquetSource { path: listing.path.clone(), parts };
    Ok((!source.parts.is_empty()).then(|| Source::new(source)))
}

/// Recognises a Parquet file.
///
/// # Errors
/// None.
pub(super) fn in_file(path: &Path, head: &[u8]) -> Result<Option<Source>> {
    let parts = vec![Part { subset: Subset::Train, files: vec![path.to_owned()] }];
    Ok(head.starts_with(&PARQUET).then(|| Source::new(ParquetSource { path: path.to_owned(), parts })))
}

/// A data set of Parquet files.
#[derive(Debug)]
struct ParquetSource {
    path: PathBuf,
    parts: Vec<Part>,
}

impl DataSource for ParquetSource {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        let part = match &self.parts[..] {
            // A single part is the training images, whatever it is called.
            [part] if subset == Subset::Train => Some(part),
            [_] => None,
            parts => parts.iter().find(|part| part.subset == subset),
        };
        part.map(|part| read_part(&part.files, options)).transpose()
    }
}

/// Reads the files of one part, one after the other.
fn read_part(files: &[PathBuf], options: &ReadOptions) -> Result<RawImages> {
    let files: Vec<ParquetFile> =
        files.iter().map(|path| ParquetFile::open(path, options)).collect::<Result<_>>()?;
    let total: usize = files.iter().fold(0, |sum, file| sum.saturating_add(file.num_rows()));
    let mut pictures = Pictures::new(total, options);
    for file in &files {
        file.for_each_batch(pictures.batch_rows(), |batch| {
            let done = batch.first.saturating_add(batch.pictures.len()) as u64;
            pictures.add(file, batch)?;
            let total = file.num_rows() as u64;
            progress::report(ReadProgress { name: &file.name, done, total, unit: "pictures" });
            Ok(pictures.batch_rows())
        })?;
    }
    let class_names = files.first().map(ParquetFile::class_names).unwrap_or_default();
    pictures.finish(&files, class_names)
}
