//! Owns the reading of one Parquet file of encoded pictures and labels: its columns, the names of
//! its classes, and its rows in batches. Depends on crate `parquet`. Must not know how pictures are
//! decoded, nor which part of a data set the file is.
//!
//! The file is untrusted. What it says about places and numbers is checked before the crate uses
//! it, since the crate takes memory for what a file promises.

use std::fs::File;
use std::path::Path;

use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::schema::types::ColumnDescriptor;

use crate::data::sources::ReadOptions;
use crate::data::sources::file::quoted;
use crate::error::{Error, Result, catch_panic};
use crate::util::files;

/// Names of the column of pictures.
const IMAGE_COLUMNS: [&str; 3] = ["image", "img", "images"];
/// Names of the column of labels.
const LABEL_COLUMNS: [&str; 3] = ["label", "labels", "fine_label"];

/// The remedy for a file that was written in another way.
const WRITE_AGAIN: &str =
    "write it again with Python: `pandas.read_parquet(\"old.parquet\").to_parquet(\"new.parquet\")`";

/// An open file with a column of pictures.
pub(super) struct ParquetFile {
    /// Name of the file for messages: its path.
    pub(super) name: String,
    reader: SerializedFileReader<File>,
    size: u64,
    /// Number of the column of pictures.
    image: usize,
    /// Number and name of the column of labels.
    label: Option<(usize, String)>,
}

/// The label of a row.
pub(super) enum Label {
    Int(i64),
    Word(String),
}

/// Some rows of a file.
pub(super) struct Batch {
    /// Number of the first row in the file.
    pub(super) first: usize,
    /// The file of each row's picture. `None` if the row has none.
    pub(super) pictures: Vec<Option<ByteArray>>,
    /// The label of each row. `None` if the row has none. Empty if the file has no labels.
    pub(super) labels: Vec<Option<Label>>,
}

impl ParquetFile {
    /// Opens the file at `path` and finds its columns.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or has no column of pictures.
    pub(super) fn open(path: &Path, options: &ReadOptions) -> Result<Self> {
        let file = files::open_named(path).map_err(|error| Error::io("read", path, error))?;
        let size = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
        let name = path.display().to_string();
        let reader = guarded(&name, || SerializedFileReader::new(file))?;
        let columns = reader.metadata().file_metadata().schema_descr().columns();
        let image = IMAGE_COLUMNS.iter().find_map(|name| columns.iter().position(|it| is_picture(it, name)));
        let image = image.ok_or_else(|| no_pictures(&name, columns.iter().map(|it| it.path().string())))?;
        let position = |name: &str| columns.iter().position(|it| is_label(it, name));
        let label = match &options.label_column {
            Some(column) => Some((column.as_str(), position(column).ok_or_else(|| no_label(&name, column))?)),
            None => LABEL_COLUMNS.into_iter().find_map(|name| Some((name, position(name)?))),
        };
        let label = label.map(|(column, index)| (index, column.to_owned()));
        let file = Self { name, reader, size, image, label };
        file.check_metadata()?;
        Ok(file)
    }

    /// Number of rows.
    pub(super) fn num_rows(&self) -> usize {
        self.row_groups().iter().map(|group| usize::try_from(group.num_rows()).unwrap_or(0)).sum()
    }

    /// Names of the classes 0, 1 and so on, which the library `datasets` writes beside the columns.
    /// Empty if there are none.
    pub(super) fn class_names(&self) -> Vec<String> {
        let entries = self.reader.metadata().file_metadata().key_value_metadata();
        let text = entries.into_iter().flatten().find(|entry| entry.key == "huggingface");
        let text = text.and_then(|entry| entry.value.as_deref()).unwrap_or_default();
        let info: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let Some((_, column)) = &self.label else { return Vec::new() };
        let names = info["info"]["features"][column]["names"].as_array();
        let names = names.into_iter().flatten().map(|name| name.as_str().map(ToOwned::to_owned));
        names.collect::<Option<_>>().unwrap_or_default()
    }

    /// Calls `take` with all rows, in batches: `rows` in the first one, and then as many as `take`
    /// returned. A page of rows is in memory, as it is stored.
    ///
    /// # Errors
    /// The file is damaged, or those of `take`.
    pub(super) fn for_each_batch(
        &self,
        mut rows: usize,
        mut take: impl FnMut(Batch) -> Result<usize>,
    ) -> Result<()> {
        let mut first = 0;
        for index in 0..self.row_groups().len() {
            let group = guarded(&self.name, || self.reader.get_row_group(index))?;
            let mut remaining = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            let mut pictures = Column::<ByteArrayType>::open(&self.name, group.as_ref(), self.image)?;
            let mut labels = match &self.label {
                Some((label, _)) => Some(Labels::open(&self.name, group.as_ref(), *label)?),
                None => None,
            };
            while remaining > 0 {
                let count = rows.clamp(1, remaining);
                let pictures = pictures.read(&self.name, count)?;
                let labels = match &mut labels {
                    Some(labels) => labels.read(&self.name, count)?,
                    None => Vec::new(),
                };
                rows = take(Batch { first, pictures, labels })?;
                (first, remaining) = (first + count, remaining - count);
            }
        }
        Ok(())
    }

    fn row_groups(&self) -> &[RowGroupMetaData] {
        self.reader.metadata().row_groups()
    }

    /// Checks everything about the used columns that the crate relies on.
    fn check_metadata(&self) -> Result<()> {
        let mut rows = 0i64;
        for group in self.row_groups() {
            let sum = rows.checked_add(group.num_rows()).filter(|sum| *sum >= rows);
            rows = sum.ok_or_else(|| damaged(&self.name, "its number of rows is impossible"))?;
            for column in
                [Some(self.image), self.label.as_ref().map(|(label, _)| *label)].into_iter().flatten()
            {
                let Some(column) = group.columns().get(column) else {
                    return Err(damaged(&self.name, "a column is missing"));
                };
                self.check_column(column)?;
            }
        }
        Ok(())
    }

    fn check_column(&self, column: &ColumnChunkMetaData) -> Result<()> {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let (start, length) = (u64::try_from(start), u64::try_from(column.compressed_size()));
        let end = start.ok().zip(length.ok()).and_then(|(start, length)| start.checked_add(length));
        if end.is_none_or(|end| end > self.size) || column.data_page_offset() < 0 {
            return Err(damaged(&self.name, "a column lies outside the file"));
        }
        match column.compression() {
            Compression::UNCOMPRESSED | Compression::SNAPPY => Ok(()),
            other => {
                let codec = other.to_string();
                let codec = codec.split('(').next().unwrap_or_default();
                Err(Error::data(format!(
                    "`{}` is compressed with {codec}, expected Snappy or none",
                    self.name
                ))
                .hint(WRITE_AGAIN))
            }
        }
    }
}

/// True for the column of pictures called `name`: their bytes, or a group with their bytes and a
/// path.
fn is_picture(column: &ColumnDescriptor, name: &str) -> bool {
    let parts: Vec<&str> = column.path().parts().iter().map(String::as_str).collect();
    (parts == [name] || parts == [name, "bytes"])
        && column.physical_type() == Type::BYTE_ARRAY
        && column.max_rep_level() == 0
}

/// True for the column of labels called `name`.
fn is_label(column: &ColumnDescriptor, name: &str) -> bool {
    let is_known = matches!(column.physical_type(), Type::INT32 | Type::INT64 | Type::BYTE_ARRAY);
    column.path().parts() == [name] && column.max_rep_level() == 0 && is_known
}

fn no_pictures(name: &str, columns: impl Iterator<Item = String>) -> Error {
    let columns = quoted(columns);
    Error::data(format!("`{name}` has the columns {columns}, expected `image` with PNG or JPEG pictures"))
        .hint("the library `datasets` writes such files; for columns of pixels use CSV")
}

fn no_label(name: &str, column: &str) -> Error {
    Error::data(format!("`{name}` has no column `{column}` of whole numbers or words"))
        .hint("name another column with `data.label_column`")
}

/// Error of a file whose bytes cannot be right.
fn damaged(name: &str, detail: &str) -> Error {
    Error::data(format!("`{name}` is damaged: {detail}"))
        .hint("the download may be incomplete or damaged: fetch the file again")
}

/// Runs `work` of the crate, and turns its errors, and its panics about damaged files, into errors.
fn guarded<T>(name: &str, work: impl FnOnce() -> std::result::Result<T, ParquetError>) -> Result<T> {
    let result = catch_panic("", || Ok(work()));
    result.map_err(|_| damaged(name, "its numbers contradict each other"))?.map_err(|error| {
        let detail = match &error {
            ParquetError::General(detail) | ParquetError::EOF(detail) | ParquetError::NYI(detail) => {
                detail.lines().next().unwrap_or_default().to_owned()
            }
            ParquetError::NeedMoreData(_) => "its end is missing".to_owned(),
            other => other.to_string(),
        };
        damaged(name, &detail).with_source(error)
    })
}

/// A column of labels of one of three types.
enum Labels {
    Int32(Column<Int32Type>),
    Int64(Column<Int64Type>),
    Words(Column<ByteArrayType>),
}

impl Labels {
    fn open(name: &str, group: &dyn RowGroupReader, column: usize) -> Result<Self> {
        match group.metadata().schema_descr().column(column).physical_type() {
            Type::INT32 => Column::open(name, group, column).map(Self::Int32),
            Type::INT64 => Column::open(name, group, column).map(Self::Int64),
            _ => Column::open(name, group, column).map(Self::Words),
        }
    }

    fn read(&mut self, name: &str, count: usize) -> Result<Vec<Option<Label>>> {
        Ok(match self {
            Self::Int32(column) => {
                column.read(name, count)?.into_iter().map(|it| it.map(|it| Label::Int(it.into()))).collect()
            }
            Self::Int64(column) => {
                column.read(name, count)?.into_iter().map(|it| it.map(Label::Int)).collect()
            }
            Self::Words(column) => {
                let word = |it: ByteArray| Label::Word(String::from_utf8_lossy(it.data()).into_owned());
                column.read(name, count)?.into_iter().map(|it| it.map(word)).collect()
            }
        })
    }
}

/// A column of a group of rows.
struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// Level of a value that is there. Smaller levels are missing values.
    max_level: i16,
}

impl<T: DataType> Column<T> {
    fn open(name: &str, group: &dyn RowGroupReader, column: usize) -> Result<Self> {
        let num_rows = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
        let descriptor = group.metadata().schema_descr().column(column);
        let max_level = descriptor.max_def_level();
        let pages = guarded(name, || group.get_column_page_reader(column))?;
        let reader = ColumnReaderImpl::new(descriptor, Box::new(CheckedPages { pages, num_rows }));
        Ok(Self { reader, max_level })
    }

    /// Reads the next `count` values, `None` for those that are missing.
    fn read(&mut self, name: &str, count: usize) -> Result<Vec<Option<T::T>>> {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let reader = &mut self.reader;
        let read = guarded(name, || reader.read_records(count, Some(&mut levels), None, &mut values))?;
        if self.max_level == 0 {
            levels = vec![0; values.len()];
        }
        let mut values = values.into_iter();
        let rows: Vec<_> =
            levels.iter().map(|&level| if level == self.max_level { values.next() } else { None }).collect();
        match read.0 == count && rows.len() == count {
            true => Ok(rows),
            false => Err(damaged(name, "it has fewer rows than it says")),
        }
    }
}

/// Pages of a column, checked before memory is taken for the number of values that they promise.
struct CheckedPages {
    pages: Box<dyn PageReader>,
    num_rows: u64,
}

impl CheckedPages {
    fn check(&self, page: &Page) -> std::result::Result<(), ParquetError> {
        let count = u64::from(page.num_values());
        let is_possible = match page {
            // Every value of a dictionary has at least a byte.
            Page::DictionaryPage { buf, .. } => count <= buf.len() as u64,
            _ => count <= self.num_rows,
        };
        let is_read = matches!(
            page.encoding(),
            Encoding::PLAIN
                | Encoding::PLAIN_DICTIONARY
                | Encoding::RLE_DICTIONARY
                | Encoding::RLE
                | Encoding::DELTA_BINARY_PACKED
        );
        match (is_possible, is_read) {
            (true, true) => Ok(()),
            (false, _) => Err(ParquetError::General("a page has too many values".to_owned())),
            _ => Err(ParquetError::NYI(format!("the encoding {} is not read", page.encoding()))),
        }
    }
}

impl Iterator for CheckedPages {
    type Item = std::result::Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> std::result::Result<Option<Page>, ParquetError> {
        let page = self.pages.get_next_page()?;
        page.as_ref().map_or(Ok(()), |page| self.check(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> std::result::Result<Option<PageMetadata>, ParquetError> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> std::result::Result<(), ParquetError> {
        self.pages.skip_next_page()
    }
}
