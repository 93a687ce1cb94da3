//! Owns the places that a data set comes from: the trait [`DataSource`] and the choice of one from
//! a text. Depends on `data::dataset`, `error` and `util`. Must not know tensors, splits or
//! batches.
//!
//! Each source has a file of its own. A new one needs that file and one entry in [`SOURCES`].

mod idx;
mod idx_folder;
mod mnist;

use std::any::Any;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::data::{ImageDataset, Subset};
use crate::error::Result;
use crate::util::hex::hex;

pub use idx_folder::IdxFolder;
pub use mnist::Mnist;

/// All kinds of sources. [`Source::parse`] asks them in this order, and the first that recognises
/// the text reads it. The last one recognises every text.
const SOURCES: [SourceKind; 2] = [
    SourceKind { usage: "`mnist` is the built-in data set", recognise: Mnist::recognise },
    SourceKind { usage: "anything else is a folder of four IDX files", recognise: IdxFolder::recognise },
];

/// A kind of sources, as [`SOURCES`] lists them.
struct SourceKind {
    /// The form of the text, as a part of a hint.
    usage: &'static str,
    /// Returns the source that `text` means, or nothing where `text` has another form.
    recognise: fn(text: &str) -> Option<Source>,
}

/// Returns all forms that the text of a source can have, as a hint.
fn usage() -> String {
    SOURCES.map(|kind| kind.usage).join("; ")
}

/// A place that a data set comes from, and the code that reads it.
pub trait DataSource: Any + fmt::Debug + Send + Sync {
    /// Returns the source as a user writes it in `data.source` and as messages show it.
    fn name(&self) -> String;

    /// Reads one subset.
    ///
    /// The test images are not compared with the training images here: see
    /// [`ImageDataset::check_input_spec`].
    ///
    /// # Errors
    /// The data is missing, ambiguous or damaged, or there are not as many labels as images.
    fn load(&self, subset: Subset) -> Result<ImageDataset>;

    /// Returns the SHA-256 of the images and labels, 64 hexadecimal digits. It identifies the data
    /// set, whatever its files are called and however they are compressed. A run records it and
    /// refuses to resume with other images.
    ///
    /// # Errors
    /// The data is missing or cannot be read.
    fn checksum(&self) -> Result<String>;

    /// Returns the same source, written so that it is found from any working folder.
    ///
    /// # Errors
    /// A path that cannot be made absolute.
    fn to_absolute(&self) -> Result<Source>;

    /// Returns a short name that goes into the names of files about this data set. By default it is
    /// the last part of [`DataSource::name`] and the first 8 digits of the checksum, since many
    /// folders can have the same name.
    ///
    /// # Errors
    /// As [`DataSource::checksum`].
    fn tag(&self) -> Result<String> {
        let name = self.name();
        let last = Path::new(&name).file_name().unwrap_or_default().to_string_lossy();
        let last: String = last.chars().take(60).collect();
        let last = if last.is_empty() { "data" } else { &last };
        let digits: String = self.checksum()?.chars().take(8).collect();
        Ok(format!("{last}-{digits}"))
    }

    /// Returns the names of the classes in the order of the labels, or nothing where the data set
    /// has none. IDX files have none. Today only programs that use smallnet as a library call this:
    /// all pages show labels as numbers.
    fn class_names(&self) -> Option<Vec<String>> {
        None
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

    /// Returns the source that `text` means. `mnist` is the embedded data set. Any other text is
    /// the path of a folder of IDX files, so `./mnist` is a folder with that name.
    pub fn parse(text: &str) -> Self {
        let found = SOURCES.iter().find_map(|kind| (kind.recognise)(text));
        found.unwrap_or_else(|| Self::new(IdxFolder::new(text)))
    }

    /// True for the MNIST inside the binary.
    pub fn is_mnist(&self) -> bool {
        let source: &dyn Any = self.0.as_ref();
        source.is::<Mnist>()
    }

    /// Reads one subset: see [`DataSource::load`]. It takes about 0.05 s for MNIST's training
    /// images.
    ///
    /// # Errors
    /// As [`DataSource::load`].
    pub fn load(&self, subset: Subset) -> Result<ImageDataset> {
        self.0.load(subset)
    }

    /// Returns the digest that identifies the data set: see [`DataSource::checksum`].
    ///
    /// # Errors
    /// As [`DataSource::checksum`].
    pub fn checksum(&self) -> Result<String> {
        self.0.checksum()
    }

    /// Returns a short name for files about this data set: see [`DataSource::tag`].
    ///
    /// # Errors
    /// As [`DataSource::tag`].
    pub fn tag(&self) -> Result<String> {
        self.0.tag()
    }

    /// Returns the names of the classes, if the data set has any: see [`DataSource::class_names`].
    pub fn class_names(&self) -> Option<Vec<String>> {
        self.0.class_names()
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

/// Returns the checksum of a data set of four IDX files, given the SHA-256 of each uncompressed
/// file in hexadecimal digits.
///
/// It is the SHA-256 of four lines, each such a digest and a line feed, in the order training
/// images, training labels, test images, test labels. In a shell,
/// `for file in ...; do sha256sum < $file | cut -c1-64; done | sha256sum`.
fn checksum_of_files(digests: &[String]) -> String {
    let mut lines = Sha256::new();
    digests.iter().for_each(|digest| lines.update(format!("{digest}\n")));
    hex(&lines.finalize())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tempfile::TempDir;

    use super::*;
    use crate::data::InputSpec;
    use crate::data::sources::idx_folder::ENDINGS;

    const NAMES: [&str; 4] = [ENDINGS[0][0], ENDINGS[1][0], ENDINGS[2][0], ENDINGS[3][0]];

    /// Returns the file of `count` images of 2x1 pixels, with pixels 0, 1, 2 …
    fn image_bytes(count: u8) -> Vec<u8> {
        [&[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 1][..], &(0..2 * count).collect::<Vec<_>>()]
            .concat()
    }

    fn label_bytes(labels: &[u8]) -> Vec<u8> {
        [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8][..], labels].concat()
    }

    /// Returns four files: three training images with labels 0, 2, 1 and two test images with
    /// labels 2, 0.
    fn small_files() -> [Vec<u8>; 4] {
        [image_bytes(3), label_bytes(&[0, 2, 1]), image_bytes(2), label_bytes(&[2, 0])]
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Makes a folder of the four files with these `names`. Files with the ending `.gz` are
    /// compressed.
    fn folder(names: [&str; 4]) -> (TempDir, Source) {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in names.iter().zip(small_files()) {
            write(&dir, name, &bytes);
        }
        let source = Source::parse(dir.path().to_str().unwrap());
        (dir, source)
    }

    fn write(dir: &TempDir, name: &str, bytes: &[u8]) {
        let bytes = if name.ends_with(".gz") { gzip(bytes) } else { bytes.to_vec() };
        fs::write(dir.path().join(name), bytes).unwrap();
    }

    /// Returns the text of the error, with the folder's path replaced by `DIR`.
    fn error_text<T: fmt::Debug>(dir: &TempDir, result: Result<T>) -> String {
        result.unwrap_err().to_string().replace(dir.path().to_str().unwrap(), "DIR")
    }

    fn assert_small_data_set(source: &Source) {
        let train = source.load(Subset::Train).unwrap();
        assert_eq!((&train.pixels[..], &train.labels[..]), (&[0, 1, 2, 3, 4, 5][..], &[0, 2, 1][..]));
        assert_eq!((train.len(), train.image_size(), train.is_empty()), (3, (2, 1), false));
        assert_eq!(train.input_spec(), InputSpec { height: 2, width: 1, num_classes: 3 });
        let test = source.load(Subset::Test).unwrap();
        assert_eq!((&test.pixels[..], &test.labels[..]), (&[0, 1, 2, 3][..], &[2, 0][..]));
        test.check_input_spec(train.input_spec()).unwrap();
    }

    #[test]
    fn mnist_is_whole() {
        let train = Source::mnist().load(Subset::Train).unwrap();
        let test = Source::mnist().load(Subset::Test).unwrap();
        assert_eq!((train.len(), train.pixels.len()), (60_000, 60_000 * 784));
        assert_eq!((test.len(), test.pixels.len()), (10_000, 10_000 * 784));
        assert_eq!(train.input_spec(), InputSpec { height: 28, width: 28, num_classes: 10 });
        test.check_input_spec(train.input_spec()).unwrap();
        assert_eq!(train.labels[..5], [5, 0, 4, 1, 9]);
        assert_eq!(test.labels[..5], [7, 2, 1, 0, 4]);
        let histogram = |images: &ImageDataset| {
            (0..10)
                .map(|class| images.labels.iter().filter(|&&label| label == class).count())
                .collect::<Vec<_>>()
        };
        assert_eq!(histogram(&train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
        assert_eq!(histogram(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
        // The first training image is a 5. This is its first row with ink.
        assert_eq!(
            train.pixels[5 * 28 + 12..6 * 28 - 4],
            [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]
        );
        assert!(train.pixels[..5 * 28 + 12].iter().all(|&pixel| pixel == 0));
    }

    #[test]
    fn sources_are_written_as_they_are_read() {
        assert_eq!(Source::parse("mnist"), Source::mnist());
        assert_eq!(Source::parse("./mnist"), Source::new(IdxFolder::new("./mnist")));
        for text in ["mnist", "./mnist", "data/fashion"] {
            assert_eq!(Source::parse(text).to_string(), text);
        }
    }

    #[test]
    fn a_tag_names_the_folder_and_its_contents() {
        assert_eq!(Source::mnist().tag().unwrap(), "mnist");
        let (dir, source) = folder(NAMES);
        let name = dir.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(source.tag().unwrap(), format!("{name}-36698d7b"));
    }

    /// A program that uses smallnet as a library can have a source that this crate does not know.
    #[test]
    fn another_program_can_add_a_source() {
        #[derive(Debug, Clone)]
        struct OnePixel;
        impl DataSource for OnePixel {
            fn name(&self) -> String {
                "https://example.org/one-pixel".to_owned()
            }
            fn load(&self, _: Subset) -> Result<ImageDataset> {
                let (images_name, labels_name) = (self.name(), self.name());
                let (pixels, labels) = (vec![7], vec![1]);
                Ok(ImageDataset { pixels, labels, height: 1, width: 1, images_name, labels_name })
            }
            fn checksum(&self) -> Result<String> {
                Ok("0123456789".repeat(7)[..64].to_owned())
            }
            fn to_absolute(&self) -> Result<Source> {
                Ok(Source::new(self.clone()))
            }
            fn class_names(&self) -> Option<Vec<String>> {
                Some(vec!["dark".to_owned(), "light".to_owned()])
            }
        }
        let source = Source::new(OnePixel);
        assert_eq!(source.load(Subset::Test).unwrap().num_classes(), 2);
        assert_eq!(source.tag().unwrap(), "one-pixel-01234567");
        assert_eq!(source.class_names().unwrap(), ["dark", "light"]);
        assert_eq!(source.to_absolute().unwrap(), source);
        assert!(!source.is_mnist());
        assert_ne!(source, Source::parse(&source.to_string()));
    }

    #[test]
    fn a_path_becomes_absolute_and_mnist_stays() {
        assert_eq!(Source::mnist().to_absolute().unwrap(), Source::mnist());
        let expected = std::env::current_dir().unwrap().join("some/set");
        assert_eq!(Source::parse("some/set").to_absolute().unwrap(), Source::new(IdxFolder::new(expected)));
    }

    #[test]
    fn every_accepted_name_is_read() {
        let prefixed = NAMES.map(|name| format!("emnist-letters-{name}.gz"));
        for names in [
            NAMES,
            [ENDINGS[0][1], ENDINGS[1][1], ENDINGS[2][1], ENDINGS[3][1]],
            [NAMES[0], NAMES[1], ENDINGS[2][2], ENDINGS[3][2]],
            [NAMES[0], NAMES[1], ENDINGS[2][3], ENDINGS[3][3]],
            prefixed.each_ref().map(String::as_str),
        ] {
            let (dir, source) = folder(names);
            // Ignored: a folder with a file's name, and a file whose name only ends like one.
            fs::create_dir(dir.path().join("x-train-images-idx3-ubyte")).unwrap();
            write(&dir, "xtrain-images-idx3-ubyte", &[]);
            assert_small_data_set(&source);
        }
    }

    #[test]
    fn a_plain_file_is_preferred_to_its_gz() {
        let (dir, source) = folder(NAMES);
        write(&dir, "train-labels-idx1-ubyte.gz", &label_bytes(&[9, 9, 9]));
        assert_small_data_set(&source);
    }

    #[test]
    fn checksum_identifies_the_contents() {
        // Computed by `sha256sum` in a shell, as the documentation of `checksum_of_files` shows.
        let mnist = "ac89dbc26b7b0b5f68ff586bc0579a0c16e78b3436b0c71ccdd0169cbebf9ff7";
        assert_eq!(Source::mnist().checksum().unwrap(), mnist);
        let (dir, source) = folder(NAMES);
        let small = "36698d7be7181b5a56b8bcfac27e52bdb396621c43675ec1312ab1e79457e1aa";
        assert_eq!(source.checksum().unwrap(), small);
        assert_eq!(
            folder(NAMES.map(|name| format!("{name}.gz")).each_ref().map(String::as_str))
                .1
                .checksum()
                .unwrap(),
            small
        );
        write(&dir, NAMES[3], &label_bytes(&[2, 1]));
        assert_ne!(source.checksum().unwrap(), small);
    }

    #[test]
    fn missing_folder_is_named() {
        let (dir, _) = folder(NAMES);
        let hint = "\n\nhint: `mnist` is the built-in data set; anything else is a folder of four IDX files";
        let load = |name: &str| error_text(&dir, IdxFolder::new(dir.path().join(name)).load(Subset::Train));
        assert_eq!(load("nowhere"), format!("data set folder `DIR/nowhere` does not exist{hint}"));
        assert_eq!(load(NAMES[0]), format!("data set folder `DIR/{}` is not a folder{hint}", NAMES[0]));
    }

    #[test]
    fn missing_file_is_named_with_what_is_accepted() {
        let (dir, source) = folder(NAMES);
        fs::remove_file(dir.path().join(NAMES[2])).unwrap();
        let expected = "cannot find `t10k-images-idx3-ubyte` in `DIR`\n\n\
                        hint: accepted are `t10k-images-idx3-ubyte`, `t10k-images.idx3-ubyte`, \
                        `test-images-idx3-ubyte`, `test-images.idx3-ubyte`, each also with `.gz` and after a \
                        prefix that ends in `-`";
        assert_eq!(error_text(&dir, source.load(Subset::Train)), expected);
        assert_eq!(error_text(&dir, source.checksum()), expected);
    }

    #[test]
    fn two_data_sets_in_a_folder_are_ambiguous() {
        let hint = "\n\nhint: keep one data set in a folder, its four files with the same prefix or none";
        let (dir, source) = folder(NAMES);
        write(&dir, "b-t10k-labels-idx1-ubyte.gz", &[]);
        assert_eq!(
            error_text(&dir, source.load(Subset::Train)),
            format!(
                "`b-t10k-labels-idx1-ubyte.gz` and `t10k-labels-idx1-ubyte` in `DIR` could both be \
                 meant{hint}"
            )
        );
        fs::remove_file(dir.path().join(NAMES[3])).unwrap();
        assert_eq!(
            error_text(&dir, source.load(Subset::Train)),
            format!(
                "`train-images-idx3-ubyte` and `b-t10k-labels-idx1-ubyte.gz` in `DIR` are not of the same \
                 data set{hint}"
            )
        );
    }

    #[test]
    fn unequal_counts_are_refused() {
        let (dir, source) = folder(NAMES);
        write(&dir, NAMES[1], &label_bytes(&[1, 2]));
        assert_eq!(
            error_text(&dir, source.load(Subset::Train)),
            "`DIR/train-images-idx3-ubyte` holds 3 images, but `DIR/train-labels-idx1-ubyte` holds 2 \
             labels\n\n\
             hint: both files must come from the same part of the same data set"
        );
    }

    #[test]
    fn test_images_must_fit_the_training_images() {
        let (dir, source) = folder(NAMES);
        let test = source.load(Subset::Test).unwrap();
        let check = |height, width, num_classes| {
            error_text(&dir, test.check_input_spec(InputSpec { height, width, num_classes }))
        };
        let size = "the images in `DIR/t10k-images-idx3-ubyte` have 2x1 pixels, expected";
        assert_eq!(check(1, 2, 3), format!("{size} 1x2 as in the training images"));
        assert_eq!(check(2, 2, 3), format!("{size} 2x2 as in the training images"));
        assert_eq!(
            check(2, 1, 2),
            "label 2 of image 0 in `DIR/t10k-labels-idx1-ubyte` is out of range: the training labels go \
             from 0 to 1"
        );
    }

    #[test]
    fn damaged_gzip_is_named() {
        let hint = "\n\nhint: the download may be incomplete or damaged; a file that is not compressed \
                    must not end in `.gz`";
        let (dir, source) = folder([NAMES[0], "train-labels-idx1-ubyte.gz", NAMES[2], NAMES[3]]);
        let path = dir.path().join("train-labels-idx1-ubyte.gz");
        let whole = fs::read(&path).unwrap();
        let mut wrong_sum = whole.clone();
        wrong_sum[whole.len() - 8] ^= 1;
        let damaged: [(&[u8], &str); 4] = [
            (&[], "ends too early"),
            (&whole[..whole.len() - 6], "ends too early"),
            (&wrong_sum, "is damaged (corrupt gzip stream does not have a matching checksum)"),
            (&label_bytes(&[0, 2, 1]), "is damaged (invalid gzip header)"),
        ];
        for (bytes, what) in damaged {
            fs::write(&path, bytes).unwrap();
            let expected =
                format!("cannot read `DIR/train-labels-idx1-ubyte.gz`: the gzip stream {what}{hint}");
            assert_eq!(error_text(&dir, source.load(Subset::Train)), expected);
            assert_eq!(error_text(&dir, source.checksum()), expected);
        }
    }

    /// The file unpacks to 17 MiB of zeros and has some 17,000 bytes.
    #[test]
    fn a_gzip_bomb_is_refused() {
        let (dir, source) = folder([&format!("{}.gz", NAMES[0]), NAMES[1], NAMES[2], NAMES[3]]);
        let name = format!("{}.gz", NAMES[0]);
        let header = [2051, 1 << 20, 1, 17].map(u32::to_be_bytes).concat();
        write(&dir, &name, &[header, vec![0; 17 << 20]].concat());
        let expected = format!(
            "cannot read `DIR/{name}`: it unpacks to more than 100 times its size\n\n\
             hint: if these are images nevertheless, unpack the file and use it without `.gz`"
        );
        assert_eq!(error_text(&dir, source.load(Subset::Train)), expected);
        assert_eq!(error_text(&dir, source.checksum()), expected);
    }

    #[test]
    fn damaged_idx_is_named_by_its_path() {
        let (dir, source) = folder(NAMES);
        fs::copy(dir.path().join(NAMES[1]), dir.path().join(NAMES[0])).unwrap();
        assert_eq!(
            error_text(&dir, source.load(Subset::Train)),
            "invalid IDX file `DIR/train-images-idx3-ubyte`: magic number 2049, expected 2051\n\n\
             hint: this is a label file; are the image and label files swapped?"
        );
    }
}
