//! Owns the images and labels that come from the rows of Parquet files: decoding in parallel, one
//! size, and rows without a picture or a label. Depends on `picture`. Must not know the format.

use parquet::data_type::ByteArray;
use rayon::prelude::*;

use crate::data::sources::array::COLOUR_NOTE;
use crate::data::sources::parquet::reader::{Batch, Label, ParquetFile};
use crate::data::sources::picture::{self, GrayPicture};
use crate::data::sources::{RawImages, RawLabels, RawPixels, ReadOptions};
use crate::error::{Error, Result, catch_panic};
use crate::util::format::counted;
use crate::util::memory;

/// Bytes of decoded pictures in a batch.
const BATCH_BYTES: usize = 64 << 20;
/// Largest number of rows in a batch.
const MAX_BATCH_ROWS: usize = 1024;

/// Images and labels so far.
pub(super) struct Pictures {
    /// Number of rows in all files, as they say.
    total: usize,
    /// Height and width that all pictures are resized to.
    resize_to: Option<[usize; 2]>,
    skip_broken: bool,
    /// Height and width, known after the first picture.
    size: Option<[usize; 2]>,
    pixels: Vec<u8>,
    count: usize,
    labels: RawLabels,
    is_coloured: bool,
    num_broken: usize,
}

impl Pictures {
    /// Nothing yet, of files with `total` rows.
    pub(super) fn new(total: usize, options: &ReadOptions) -> Self {
        Self {
            total,
            resize_to: options.image_size.filter(|size| !size.contains(&0)),
            skip_broken: options.skip_broken,
            size: None,
            pixels: Vec::new(),
            count: 0,
            labels: RawLabels::default(),
            is_coloured: false,
            num_broken: 0,
        }
    }

    /// Number of rows of the next batch. The first has one, since the size is not known.
    pub(super) fn batch_rows(&self) -> usize {
        let bytes = self.size.map(|[height, width]| height.saturating_mul(width));
        bytes.map_or(1, |bytes| (BATCH_BYTES / bytes.max(1)).clamp(1, MAX_BATCH_ROWS))
    }

    /// Adds the rows of a batch of `file`.
    ///
    /// # Errors
    /// A picture that cannot be read, unless such pictures are to be left out; another size than
    /// that of the pictures before; a row without a label.
    pub(super) fn add(&mut self, file: &ParquetFile, batch: Batch) -> Result<()> {
        let (size, resize_to) = (self.size, self.resize_to);
        let decoded: Vec<std::result::Result<GrayPicture, Broken>> = batch
            .pictures
            .par_iter()
            .map(|bytes| {
                let bytes = bytes.as_ref().ok_or_else(|| Broken::Unreadable("is missing".to_owned()))?;
                let picture = decode(bytes).map_err(Broken::Unreadable)?;
                let picture = match resize_to {
                    Some([height, width]) => picture::resize(picture, height, width),
                    None => picture,
                };
                let got = [picture.height, picture.width];
                if size.is_none_or(|size| size == got) { Ok(picture) } else { Err(Broken::Size(got)) }
            })
            .collect();
        let mut labels = batch.labels.into_iter();
        for (offset, decoded) in decoded.into_iter().enumerate() {
            let label = labels.next();
            let row = batch.first.saturating_add(offset);
            match decoded {
                Ok(picture) => self.push(file, row, picture, label)?,
                Err(Broken::Unreadable(_)) if self.skip_broken => self.num_broken += 1,
                Err(broken) => return Err(self.broken(file, row, broken)),
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        file: &ParquetFile,
        row: usize,
        picture: GrayPicture,
        label: Option<Option<Label>>,
    ) -> Result<()> {
        if self.size.is_none() {
            let [height, width] = [picture.height, picture.width];
            let bytes = [height, width].iter().try_fold(self.total, |product, &n| product.checked_mul(n));
            let bytes = bytes.unwrap_or(usize::MAX);
            memory::check_available(bytes as u128, &format!("`{}`", file.name))?;
            self.pixels = memory::reserve(bytes, &format!("`{}`", file.name))?;
            self.size = Some([height, width]);
        }
        self.pixels.extend_from_slice(&picture.pixels);
        self.count += 1;
        self.is_coloured |= picture.is_coloured;
        match label {
            None => Ok(()),
            Some(Some(Label::Int(label))) => self.labels.push_int(label),
            Some(Some(Label::Word(label))) => self.labels.push(&label),
            Some(None) => Err(Error::data(format!("row {row} of `{}` has no label", file.name))
                .hint("rows are counted from 0; remove the row, or give it a label")),
        }
    }

    /// Error of a picture that is not used.
    fn broken(&self, file: &ParquetFile, row: usize, broken: Broken) -> Error {
        let place = format!("the picture in row {row} of `{}`", file.name);
        match broken {
            Broken::Unreadable(detail) => Error::data(format!("{place} {detail}"))
                .hint("rows are counted from 0; leave such pictures out with `--set data.skip_broken=true`"),
            Broken::Size([height, width]) => {
                let [first_height, first_width] = self.size.unwrap_or_default();
                Error::data(format!(
                    "{place} has {height}x{width} pixels, expected {first_height}x{first_width} as those before it"
                ))
                .hint(format!(
                    "resize all pictures with `--set data.image_size=[{first_height},{first_width}]`"
                ))
            }
        }
    }

    /// Returns all images and labels. `names` are those of the classes 0, 1 and so on.
    ///
    /// # Errors
    /// There are no pictures, or only some files have labels.
    pub(super) fn finish(self, files: &[ParquetFile], names: Vec<String>) -> Result<RawImages> {
        let images_name = files.first().map(|file| file.name.clone()).unwrap_or_default();
        let Some([height, width]) = self.size else {
            return Err(Error::data(format!("`{images_name}` has no pictures, expected at least one")));
        };
        // The library `datasets` writes -1 where the author keeps the labels secret.
        let has_labels = !self.labels.is_empty() && self.labels.keys() != ["-1"];
        if has_labels {
            self.labels.check_count(self.count, &images_name, &images_name)?;
        }
        let mut notes = Vec::new();
        if self.is_coloured {
            notes.push(COLOUR_NOTE.to_owned());
        }
        if self.num_broken > 0 {
            let pictures = counted(self.num_broken, "picture", "pictures");
            notes.push(format!("{pictures} that cannot be read: left out, with their labels"));
        }
        Ok(RawImages {
            pixels: RawPixels::Bytes(self.pixels),
            count: self.count,
            height,
            width,
            labels: has_labels.then_some(self.labels),
            class_names: names
                .into_iter()
                .enumerate()
                .map(|(label, name)| (label.to_string(), name))
                .collect(),
            labels_name: images_name.clone(),
            images_name,
            transposed: false,
            notes,
        })
    }
}

/// Decodes a picture. A decoder that panics about a damaged picture must not end the program.
fn decode(bytes: &ByteArray) -> std::result::Result<GrayPicture, String> {
    let decoded = catch_panic("is damaged", || Ok(picture::decode_gray(bytes.data())));
    decoded.map_err(|error| error.message().to_owned())?
}

/// Why a picture is not used.
enum Broken {
    /// The fault, as words behind the picture's name.
    Unreadable(String),
    /// Its height and width are others.
    Size([usize; 2]),
}
