//! Owns the table of the data sets that have names: their files, addresses, digests and classes.
//! Must not know how files are downloaded or read.
//!
//! The table states only what these sources state, each with its version:
//!
//! - SHA-256 digests and sizes: `url_checksums/*.txt` of tensorflow-datasets 4.9.10.
//! - MD5 digests: `datasets/mnist.py` of torchvision 0.29.2, where no SHA-256 is known.
//! - Names of classes: the same file of torchvision. Those of EMNIST's letters are upper-case, since
//!   a class holds both cases.
//! - Addresses: both of them, `src/datasets/fashion_mnist.py` of Keras 3.15.1, and the repository
//!   `zalandoresearch/fashion-mnist`. A file from any address is used only with the right digest.

/// A data set that has a name.
#[derive(Debug)]
pub(crate) struct DataSet {
    /// The name as a user writes it: `emnist/letters`.
    pub(crate) name: &'static str,
    /// The subject of the images, for people.
    pub(crate) title: &'static str,
    /// Name of its folder in the cache folder. Data sets that share a download share the folder.
    pub(crate) folder: &'static str,
    /// The beginning of the names of its files that tells them from others in the folder.
    pub(crate) prefix: &'static str,
    /// The files that are fetched.
    pub(crate) downloads: &'static [RemoteFile<'static>],
    /// Names of the files that are read. They are fetched, or unpacked from a fetched archive.
    pub(crate) files: &'static [&'static str],
    /// Label of the first class. The others follow in steps of 1.
    pub(crate) first_label: u32,
    /// Names of the classes, in the order of their labels. Empty if each label is its own name.
    pub(crate) class_names: &'static [&'static str],
    /// True if rows and columns of the images are exchanged.
    pub(crate) transposed: bool,
}

/// A file that is downloaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RemoteFile<'a> {
    /// Name of the file, without folders. It ends each of its addresses.
    pub(crate) name: &'a str,
    /// The addresses without the name, in the order in which they are tried.
    pub(crate) mirrors: &'a [&'a str],
    /// Size in bytes, if it is known.
    pub(crate) size: Option<u64>,
    /// The digest of the contents.
    pub(crate) checksum: Checksum<'a>,
    /// For a zip archive, the names of the files that are unpacked from it, in groups. Empty for any
    /// other file.
    pub(crate) members: &'a [&'a [&'a str]],
}

impl RemoteFile<'_> {
    /// All addresses of the file.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = String> {
        self.mirrors.iter().map(|mirror| format!("{mirror}{}", self.name))
    }
}

/// The digest of a file in lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Checksum<'a> {
    /// SHA-256: 64 digits.
    Sha256(&'a str),
    /// MD5: 32 digits. It detects damage, but not a file that somebody made to have this digest.
    Md5(&'a str),
}

/// A file with a known size and SHA-256.
const fn file(
    mirrors: &'static [&'static str],
    name: &'static str,
    size: u64,
    sha256: &'static str,
) -> RemoteFile<'static> {
    RemoteFile { name, mirrors, size: Some(size), checksum: Checksum::Sha256(sha256), members: &[] }
}

/// A file of which the MD5 alone is known.
const fn md5_file(
    mirrors: &'static [&'static str],
    name: &'static str,
    md5: &'static str,
) -> RemoteFile<'static> {
    RemoteFile { name, mirrors, size: None, checksum: Checksum::Md5(md5), members: &[] }
}

/// Names of MNIST's own files, which its successors have too.
const MNIST_FILES: &[&str] = &[
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

const FASHION_MIRRORS: &[&str] = &[
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
];

#[rustfmt::skip]
const FASHION_MNIST: &[RemoteFile] = &[
    file(FASHION_MIRRORS, "train-images-idx3-ubyte.gz", 26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    file(FASHION_MIRRORS, "train-labels-idx1-ubyte.gz", 29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    file(FASHION_MIRRORS, "t10k-images-idx3-ubyte.gz", 4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    file(FASHION_MIRRORS, "t10k-labels-idx1-ubyte.gz", 5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
];

const KMNIST_MIRRORS: &[&str] = &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"];

#[rustfmt::skip]
const KMNIST: &[RemoteFile] = &[
    file(KMNIST_MIRRORS, "train-images-idx3-ubyte.gz", 18_165_135,
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
    file(KMNIST_MIRRORS, "train-labels-idx1-ubyte.gz", 29_497,
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
    file(KMNIST_MIRRORS, "t10k-images-idx3-ubyte.gz", 3_041_136,
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
    file(KMNIST_MIRRORS, "t10k-labels-idx1-ubyte.gz", 5_120,
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
];

const QMNIST_MIRRORS: &[&str] = &["https://raw.githubusercontent.com/facebookresearch/qmnist/master/"];

const QMNIST_FILES: &[&str] = &[
    "qmnist-train-images-idx3-ubyte.gz",
    "qmnist-train-labels-idx2-int.gz",
    "qmnist-test-images-idx3-ubyte.gz",
    "qmnist-test-labels-idx2-int.gz",
];

const QMNIST: &[RemoteFile] = &[
    md5_file(QMNIST_MIRRORS, "qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
    md5_file(QMNIST_MIRRORS, "qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
    md5_file(QMNIST_MIRRORS, "qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
    md5_file(QMNIST_MIRRORS, "qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
];

/// Names of the files of one part of EMNIST.
macro_rules! emnist_files {
    ($part:literal) => {
        &[
            concat!("emnist-", $part, "-train-images-idx3-ubyte.gz"),
            concat!("emnist-", $part, "-train-labels-idx1-ubyte.gz"),
            concat!("emnist-", $part, "-test-images-idx3-ubyte.gz"),
            concat!("emnist-", $part, "-test-labels-idx1-ubyte.gz"),
        ]
    };
}

/// One archive has the files of all parts.
const EMNIST: &[RemoteFile] = &[RemoteFile {
    members: &[
        emnist_files!("letters"),
        emnist_files!("balanced"),
        emnist_files!("byclass"),
        emnist_files!("bymerge"),
        emnist_files!("digits"),
        emnist_files!("mnist"),
    ],
    ..file(
        &["https://biometrics.nist.gov/cs_links/EMNIST/"],
        "gzip.zip",
        561_753_746,
        "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
    )
}];

/// A part of EMNIST. Its images lie on their sides.
macro_rules! emnist {
    ($part:literal, $title:literal, $first_label:literal, $class_names:expr) => {
        DataSet {
            name: concat!("emnist/", $part),
            title: $title,
            folder: "emnist",
            prefix: concat!("emnist-", $part),
            downloads: EMNIST,
            files: emnist_files!($part),
            first_label: $first_label,
            class_names: $class_names,
            transposed: true,
        }
    };
}

#[rustfmt::skip]
const UPPER_CASE: &[&str] = &[
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U",
    "V", "W", "X", "Y", "Z",
];

/// Digits and letters. Letters that look alike in both cases are one class.
#[rustfmt::skip]
const MERGED: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K",
    "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "d", "e", "f", "g",
    "h", "n", "q", "r", "t",
];

#[rustfmt::skip]
const DIGITS_AND_LETTERS: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K",
    "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "c", "d", "e", "f",
    "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z",
];

/// All data sets with names, except the `mnist` inside the binary.
pub(super) const DATA_SETS: &[DataSet] = &[
    emnist!("letters", "handwritten letters", 1, UPPER_CASE),
    emnist!("balanced", "handwritten digits and letters, equally many of each", 0, MERGED),
    emnist!("byclass", "handwritten digits and letters", 0, DIGITS_AND_LETTERS),
    emnist!("bymerge", "handwritten digits and letters, without cases that look alike", 0, MERGED),
    emnist!("digits", "handwritten digits", 0, &[]),
    emnist!("mnist", "handwritten digits, as many as MNIST has", 0, &[]),
    DataSet {
        name: "fashion-mnist",
        title: "clothes",
        folder: "fashion-mnist",
        prefix: "",
        downloads: FASHION_MNIST,
        files: MNIST_FILES,
        first_label: 0,
        class_names: &[
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
        transposed: false,
    },
    DataSet {
        name: "kmnist",
        title: "handwritten Japanese characters",
        folder: "kmnist",
        prefix: "",
        downloads: KMNIST,
        files: MNIST_FILES,
        first_label: 0,
        class_names: &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
        transposed: false,
    },
    DataSet {
        name: "qmnist",
        title: "handwritten digits: MNIST with all 60,000 test images",
        folder: "qmnist",
        prefix: "",
        downloads: QMNIST,
        files: QMNIST_FILES,
        first_label: 0,
        class_names: &[],
        transposed: false,
    },
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
