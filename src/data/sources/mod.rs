//! Owns the places that a data set comes from: the trait [`DataSource`] and the choice of one from
//! a text. Depends on `error` and `util`. Must not know tensors, splits or batches, nor the classes
//! and the pixel range of a network.
//!
//! Each form of data set has a file of its own. A new one needs that file and one entry in the list
//! `FORMS` of `detect`.

mod array;
pub(crate) mod catalog;
mod csv;
mod detect;
mod file;
mod idx;
mod idx_folder;
pub(in crate::data) mod image_folder;
pub(in crate::data) mod listing;
mod mnist;
mod npz;
mod options;
mod parquet;
pub(in crate::data) mod picture;
mod raw;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::any::Any;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::data::Subset;
use crate::error::{Error, Result};
use crate::util::hex::hex;

pub use mnist::Mnist;
pub use options::ReadOptions;
pub(crate) use raw::natural_order;
pub use raw::{RawImages, RawLabels, RawPixels};

/// A place that a data set comes from, and the code that reads it.
pub trait DataSource: Any + fmt::Debug + Send + Sync {
    /// Returns the source as a user writes it in `data.source` and as messages show it.
    fn name(&self) -> String;

    /// Reads one subset as the files hold it. Returns `None` if the data set has no such subset.
    ///
    /// Files that do not say which part they are make [`Subset::Train`].
    ///
    /// # Errors
    /// The data is missing, ambiguous or damaged, or there are not as many labels as images.
    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>>;

    /// Returns the digest of the data set if it is known without reading: see
    /// [`crate::data::RawData::sha256`].
    fn known_sha256(&self) -> Option<String> {
        None
    }

    /// Returns the same source, written so that it is found from any working folder. By default the
    /// name is taken for a path.
    ///
    /// # Errors
    /// A path that cannot be made absolute.
    fn to_absolute(&self) -> Result<Source> {
        let name = self.name();
        let path = std::path::absolute(&name).map_err(|error| Error::io("find", Path::new(&name), error))?;
        Ok(Source::parse(&path.display().to_string()))
    }

    /// Returns a short name that goes into the names of files about this data set, which has the
    /// digest `sha256`. By default it is the last part of [`DataSource::name`] and the first 8
    /// digits, since many folders can have the same name.
    fn tag(&self, sha256: &str) -> String {
        let name = self.name();
        let last = Path::new(&name).file_name().unwrap_or_default().to_string_lossy();
        let last: String = last.chars().take(60).collect();
        let last = if last.is_empty() { "data" } else { &last };
        let digits: String = sha256.chars().take(8).collect();
        format!("{last}-{digits}")
    }
}

/// Any [`DataSource`], cheap to clone. It displays as its name.
#[derive(Debug, Clone)]
pub struct Source(Arc<dyn DataSource>);

impl Source {
    /// Wraps a source, which may be one of the caller's own.
    pub fn new(source: impl DataSource) -> Self {
        Self(Arc::new(source))
    }

    /// Returns the MNIST inside the binary.
    pub fn mnist() -> Self {
        Self::new(Mnist)
    }

    /// Returns the source that `text` means. `mnist` is the embedded data set, and the names of the
    /// catalog mean files that `smallnet fetch` has stored. Any other text is the path of a folder
    /// or file, whose form is found when it is read. So `./mnist` is a folder with that name.
    pub fn parse(text: &str) -> Self {
        let named = Mnist::recognise(text).or_else(|| catalog::recognise(text));
        named.unwrap_or_else(|| Self::new(detect::PathSource::new(text)))
    }

    /// True for the MNIST inside the binary.
    pub fn is_mnist(&self) -> bool {
        let source: &dyn Any = self.0.as_ref();
        source.is::<Mnist>()
    }

    /// Reads one subset: see [`DataSource::read`].
    ///
    /// # Errors
    /// As [`DataSource::read`].
    pub fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        self.0.read(subset, options)
    }

    /// Returns the digest that is known without reading: see [`DataSource::known_sha256`].
    pub fn known_sha256(&self) -> Option<String> {
        self.0.known_sha256()
    }

    /// Returns a short name for files about this data set: see [`DataSource::tag`].
    pub fn tag(&self, sha256: &str) -> String {
        self.0.tag(sha256)
    }

    /// Returns the same source, found from any working folder: see [`DataSource::to_absolute`].
    ///
    /// # Errors
    /// As [`DataSource::to_absolute`].
    pub fn to_absolute(&self) -> Result<Self> {
        self.0.to_absolute()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name())
    }
}

/// Two sources are equal if they are of the same kind and written in the same way.
impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        let type_of = |source: &Self| Any::type_id(source.0.as_ref());
        type_of(self) == type_of(other) && self.0.name() == other.0.name()
    }
}

impl Eq for Source {}

/// Returns the digest of a data set, given that of each of its parts in hexadecimal digits.
///
/// It is the SHA-256 of one line per part, the digest and a line feed, in the order training
/// images, training labels, test images, test labels. For a data set of four IDX files of bytes,
/// the digest of a part is that of its uncompressed file. So in a shell,
/// `for file in ...; do sha256sum < $file | cut -c1-64; done | sha256sum`.
pub(crate) fn digest_of_parts(digests: impl IntoIterator<Item = String>) -> String {
    let mut lines = Sha256::new();
    digests.into_iter().for_each(|digest| lines.update(format!("{digest}\n")));
    hex(&lines.finalize())
}
