//! Owns where a data set's bytes come from: the embedded MNIST or a folder of IDX files, and its checksum.
//! Must not know tensors, splits or batches; what the bytes mean is `idx`'s affair.

mod idx;
mod idx_folder;
mod mnist;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::sources::mnist::EmbeddedFile;
use crate::error::{Error, Result};
use crate::util::format::counted;
use crate::util::hex::hex;

/// Which half of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subset {
    /// The images to learn from; validation images are split off these.
    Train,
    /// The images that are only ever measured on.
    Test,
}

/// One part of a data set: at least one image, and a label for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDataset {
    /// `len() * height * width` bytes, row-major; image `i` starts at `i * height * width`; 0 is background.
    pub pixels: Vec<u8>,
    /// The class of each image, from 0.
    pub labels: Vec<u8>,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// What messages call the file of the images.
    pub images_name: String,
    /// What messages call the file of the labels.
    pub labels_name: String,
}

/// What the test images must have in common with the training images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSpec {
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// How many classes there are: the highest training label and one.
    pub num_classes: usize,
}

impl InputSpec {
    /// Whether a data set may look like this: a record of one may be somebody else's. Labels are bytes.
    pub fn is_possible(&self) -> bool {
        let pixels = self.height.checked_mul(self.width);
        pixels.is_some_and(|pixels| (1..=1 << 26).contains(&pixels)) && (1..=256).contains(&self.num_classes)
    }
}

impl ImageDataset {
    /// How many images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images; never so for loaded ones.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Height and width of every image, in pixels.
    pub fn image_size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// The highest label and one.
    pub fn num_classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1)
    }

    /// What other images of the same data set must have in common with these.
    pub fn layout(&self) -> InputSpec {
        InputSpec { height: self.height, width: self.width, num_classes: self.num_classes() }
    }

    /// Checks that a network trained on images of `train` can be measured on these.
    ///
    /// # Errors
    /// The images differ in size, or a label is not among the training images' classes.
    pub fn check_layout(&self, train: InputSpec) -> Result<()> {
        let InputSpec { height, width, num_classes } = train;
        if self.image_size() != (height, width) {
            return Err(Error::data(format!(
                "the images in `{}` have {}x{} pixels, expected {height}x{width} as in the training images",
                self.images_name, self.height, self.width
            )));
        }
        match self.labels.iter().position(|&label| usize::from(label) >= num_classes) {
            None => Ok(()),
            Some(index) => Err(Error::data(format!(
                "label {} of image {index} in `{}` is out of range: the training labels go from 0 to {}",
                self.labels[index],
                self.labels_name,
                num_classes.saturating_sub(1)
            ))),
        }
    }

    fn new(
        images: idx::IdxImages,
        images_name: String,
        labels: Vec<u8>,
        labels_name: String,
    ) -> Result<Self> {
        if images.count != labels.len() {
            let count = counted(images.count, "image", "images");
            let labels = counted(labels.len(), "label", "labels");
            return Err(Error::data(format!(
                "`{images_name}` holds {count}, but `{labels_name}` holds {labels}"
            ))
            .hint("both files must come from the same part of the same data set"));
        }
        let idx::IdxImages { pixels, height, width, .. } = images;
        Ok(Self { pixels, labels, height, width, images_name, labels_name })
    }
}

/// Where a data set comes from; written as `mnist` or the folder's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The MNIST inside the binary.
    Mnist,
    /// A folder of four IDX files, plain or `.gz`.
    Folder(PathBuf),
}

impl Source {
    /// `mnist` means the embedded data set; anything else is a folder (`./mnist` is one of that name).
    pub fn parse(text: &str) -> Self {
        match text {
            "mnist" => Self::Mnist,
            folder => Self::Folder(folder.into()),
        }
    }

    /// Reads one part. Of a folder, all four files must be there, whichever part is read.
    ///
    /// It takes a while (about 0.05 s for MNIST's training images). Nothing here compares the test images
    /// with the training images: do so with [`ImageDataset::check_layout`].
    ///
    /// # Errors
    /// The folder or one of its files is missing, two files could be meant, a file is damaged, or there are
    /// not as many labels as images.
    pub fn load(&self, part: Subset) -> Result<ImageDataset> {
        match (self, part) {
            (Self::Mnist, Subset::Train) => load_embedded(&mnist::TRAIN_IMAGES, &mnist::TRAIN_LABELS),
            (Self::Mnist, Subset::Test) => load_embedded(&mnist::TEST_IMAGES, &mnist::TEST_LABELS),
            (Self::Folder(folder), part) => load_files(idx_folder::locate(folder)?, part),
        }
    }

    /// What identifies the data set, whatever its files are called and however they are compressed: 64
    /// hexadecimal digits, for a folder at the price of reading its files.
    ///
    /// It is the SHA-256 of four lines, each the SHA-256 of an uncompressed IDX file in hexadecimal digits
    /// and a line feed, in the order training images, training labels, test images, test labels. In a shell,
    /// `for file in ...; do sha256sum < $file | cut -c1-64; done | sha256sum`.
    ///
    /// # Errors
    /// As [`Source::load`]'s for a folder's files; what is in them is not checked.
    pub fn checksum(&self) -> Result<String> {
        let mut lines = Sha256::new();
        for digest in self.file_digests()? {
            lines.update(format!("{digest}\n"));
        }
        Ok(hex(&lines.finalize()))
    }

    /// What tells files about this data set from files about others: its name, and for a folder the beginning of its
    /// checksum, since many folders may have that name.
    ///
    /// # Errors
    /// As [`Source::checksum`]'s.
    pub fn tag(&self) -> Result<String> {
        match self {
            Self::Mnist => Ok("mnist".to_owned()),
            Self::Folder(folder) => {
                let name: String =
                    folder.file_name().unwrap_or_default().to_string_lossy().chars().take(60).collect();
                let name = if name.is_empty() { "data".to_owned() } else { name };
                Ok(format!("{name}-{}", &self.checksum()?[..8]))
            }
        }
    }

    fn file_digests(&self) -> Result<Vec<String>> {
        use mnist::{TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS};
        match self {
            Self::Mnist => {
                let files = [&TRAIN_IMAGES, &TRAIN_LABELS, &TEST_IMAGES, &TEST_LABELS];
                Ok(files.iter().map(|file| file.sha256.to_owned()).collect())
            }
            Self::Folder(folder) => {
                idx_folder::locate(folder)?.iter().map(|path| file_digest(path)).collect()
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mnist => f.write_str("mnist"),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
        }
    }
}

fn load_embedded(images: &EmbeddedFile, labels: &EmbeddedFile) -> Result<ImageDataset> {
    ImageDataset::new(images.images()?, images.name.to_owned(), labels.labels()?, labels.name.to_owned())
}

fn load_files(
    [train_images, train_labels, test_images, test_labels]: [PathBuf; 4],
    part: Subset,
) -> Result<ImageDataset> {
    let (images, labels) = match part {
        Subset::Train => (train_images, train_labels),
        Subset::Test => (test_images, test_labels),
    };
    let (images_name, labels_name) = (images.display().to_string(), labels.display().to_string());
    let (reader, most) = idx_folder::open(&images)?;
    let images = idx::read_images(reader, &images_name, most)?;
    let (reader, most) = idx_folder::open(&labels)?;
    let labels = idx::read_labels(reader, &labels_name, most)?;
    ImageDataset::new(images, images_name, labels, labels_name)
}

fn file_digest(path: &Path) -> Result<String> {
    let (mut reader, _) = idx_folder::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    let mut digest = Sha256::new();
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hex(&digest.finalize())),
            Ok(count) => digest.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(idx::read_error(&path.display().to_string(), &error)),
        }
    }
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
    use crate::data::sources::idx_folder::ENDINGS;

    const NAMES: [&str; 4] = [ENDINGS[0][0], ENDINGS[1][0], ENDINGS[2][0], ENDINGS[3][0]];

    /// Images of 2x1 pixels whose pixels count up from 0.
    fn image_bytes(count: u8) -> Vec<u8> {
        [&[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 1][..], &(0..2 * count).collect::<Vec<_>>()]
            .concat()
    }

    fn label_bytes(labels: &[u8]) -> Vec<u8> {
        [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8][..], labels].concat()
    }

    /// Three training images with labels 0, 2, 1 and two test images with labels 2, 0.
    fn contents() -> [Vec<u8>; 4] {
        [image_bytes(3), label_bytes(&[0, 2, 1]), image_bytes(2), label_bytes(&[2, 0])]
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A folder with the four files under `names`, compressed where the name says so.
    fn folder(names: [&str; 4]) -> (TempDir, Source) {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in names.iter().zip(contents()) {
            write(&dir, name, &bytes);
        }
        let source = Source::parse(dir.path().to_str().unwrap());
        (dir, source)
    }

    fn write(dir: &TempDir, name: &str, bytes: &[u8]) {
        let bytes = if name.ends_with(".gz") { gzip(bytes) } else { bytes.to_vec() };
        fs::write(dir.path().join(name), bytes).unwrap();
    }

    /// The error's text, with the folder's path replaced by `DIR`.
    fn text<T: fmt::Debug>(dir: &TempDir, result: Result<T>) -> String {
        result.unwrap_err().to_string().replace(dir.path().to_str().unwrap(), "DIR")
    }

    fn assert_small_set(source: &Source) {
        let train = source.load(Subset::Train).unwrap();
        assert_eq!((&train.pixels[..], &train.labels[..]), (&[0, 1, 2, 3, 4, 5][..], &[0, 2, 1][..]));
        assert_eq!((train.len(), train.image_size(), train.is_empty()), (3, (2, 1), false));
        assert_eq!(train.layout(), InputSpec { height: 2, width: 1, num_classes: 3 });
        let test = source.load(Subset::Test).unwrap();
        assert_eq!((&test.pixels[..], &test.labels[..]), (&[0, 1, 2, 3][..], &[2, 0][..]));
        test.check_layout(train.layout()).unwrap();
    }

    #[test]
    fn mnist_is_whole() {
        let train = Source::Mnist.load(Subset::Train).unwrap();
        let test = Source::Mnist.load(Subset::Test).unwrap();
        assert_eq!((train.len(), train.pixels.len()), (60_000, 60_000 * 784));
        assert_eq!((test.len(), test.pixels.len()), (10_000, 10_000 * 784));
        assert_eq!(train.layout(), InputSpec { height: 28, width: 28, num_classes: 10 });
        test.check_layout(train.layout()).unwrap();
        assert_eq!(train.labels[..5], [5, 0, 4, 1, 9]);
        assert_eq!(test.labels[..5], [7, 2, 1, 0, 4]);
        let histogram = |images: &ImageDataset| {
            (0..10)
                .map(|class| images.labels.iter().filter(|&&label| label == class).count())
                .collect::<Vec<_>>()
        };
        assert_eq!(histogram(&train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
        assert_eq!(histogram(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
        // The first row with ink in the first training image, a 5.
        assert_eq!(
            train.pixels[5 * 28 + 12..6 * 28 - 4],
            [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]
        );
        assert!(train.pixels[..5 * 28 + 12].iter().all(|&pixel| pixel == 0));
    }

    #[test]
    fn sources_are_written_as_they_are_read() {
        assert_eq!(Source::parse("mnist"), Source::Mnist);
        assert_eq!(Source::parse("./mnist"), Source::Folder("./mnist".into()));
        for text in ["mnist", "./mnist", "data/fashion"] {
            assert_eq!(Source::parse(text).to_string(), text);
        }
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
            // A folder of a file's name and a name that only ends like one do not matter.
            fs::create_dir(dir.path().join("x-train-images-idx3-ubyte")).unwrap();
            write(&dir, "xtrain-images-idx3-ubyte", &[]);
            assert_small_set(&source);
        }
    }

    #[test]
    fn plain_file_goes_before_its_gz() {
        let (dir, source) = folder(NAMES);
        write(&dir, "train-labels-idx1-ubyte.gz", &label_bytes(&[9, 9, 9]));
        assert_small_set(&source);
    }

    #[test]
    fn checksum_identifies_the_contents() {
        // By `sha256sum` in a shell, as the documentation says.
        let mnist = "ac89dbc26b7b0b5f68ff586bc0579a0c16e78b3436b0c71ccdd0169cbebf9ff7";
        assert_eq!(Source::Mnist.checksum().unwrap(), mnist);
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
        let load = |name: &str| text(&dir, Source::Folder(dir.path().join(name)).load(Subset::Train));
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
        assert_eq!(text(&dir, source.load(Subset::Train)), expected);
        assert_eq!(text(&dir, source.checksum()), expected);
    }

    #[test]
    fn two_data_sets_in_a_folder_are_ambiguous() {
        let hint = "\n\nhint: keep one data set in a folder, its four files with the same prefix or none";
        let (dir, source) = folder(NAMES);
        write(&dir, "b-t10k-labels-idx1-ubyte.gz", &[]);
        assert_eq!(
            text(&dir, source.load(Subset::Train)),
            format!(
                "`b-t10k-labels-idx1-ubyte.gz` and `t10k-labels-idx1-ubyte` in `DIR` could both be \
                 meant{hint}"
            )
        );
        fs::remove_file(dir.path().join(NAMES[3])).unwrap();
        assert_eq!(
            text(&dir, source.load(Subset::Train)),
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
            text(&dir, source.load(Subset::Train)),
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
            text(&dir, test.check_layout(InputSpec { height, width, num_classes }))
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
            assert_eq!(text(&dir, source.load(Subset::Train)), expected);
            assert_eq!(text(&dir, source.checksum()), expected);
        }
    }

    /// Seventeen million pixels, all 0, in seventeen thousand bytes.
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
        assert_eq!(text(&dir, source.load(Subset::Train)), expected);
        assert_eq!(text(&dir, source.checksum()), expected);
    }

    #[test]
    fn damaged_idx_is_named_by_its_path() {
        let (dir, source) = folder(NAMES);
        fs::copy(dir.path().join(NAMES[1]), dir.path().join(NAMES[0])).unwrap();
        assert_eq!(
            text(&dir, source.load(Subset::Train)),
            "invalid IDX file `DIR/train-images-idx3-ubyte`: magic number 2049, expected 2051\n\n\
             hint: this is a label file; are the image and label files swapped?"
        );
    }
}
