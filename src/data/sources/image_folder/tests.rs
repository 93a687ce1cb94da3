//! Tests of image folders as a whole, with pictures that are made here.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::symlink;
use std::process::Command;

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, RgbaImage};
use tempfile::TempDir;

use super::*;

/// A folder of pictures on the disk.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders above it.
    fn file(&self, name: &str, bytes: &[u8]) -> &Self {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// Writes a grey PNG in which all pixels are `value`.
    fn png(&self, name: &str, width: u32, height: u32, value: u8) -> &Self {
        let picture = GrayImage::from_pixel(width, height, image::Luma([value]));
        self.file(name, &encode(picture, ImageFormat::Png))
    }

    fn find(&self) -> Result<Option<Source>> {
        in_folder(&Listing::read(self.0.path()).unwrap(), "")
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        self.find().unwrap().unwrap().read(subset, options)
    }

    fn images(&self, subset: Subset) -> RawImages {
        self.read(subset, &ReadOptions::default()).unwrap().unwrap()
    }

    /// The error of the training part, with `ROOT` in place of the folder.
    fn error(&self, options: &ReadOptions) -> String {
        self.short(&self.read(Subset::Train, options).unwrap_err().to_string())
    }

    /// The notes, with `ROOT` in place of the folder.
    fn notes(&self, images: &RawImages) -> Vec<String> {
        images.notes.iter().map(|note| self.short(note)).collect()
    }

    fn short(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "ROOT")
    }
}

fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn bytes(images: &RawImages) -> &[u8] {
    match &images.pixels {
        RawPixels::Bytes(bytes) => bytes,
        _ => unreachable!("pictures are bytes"),
    }
}

/// The label of each image.
fn labels(images: &RawImages) -> Vec<&str> {
    let labels = images.labels.as_ref().unwrap();
    labels.ids().iter().map(|&id| labels.keys()[id as usize].as_str()).collect()
}

const SKIP: ReadOptions = ReadOptions { image_size: None, label_column: None, skip_broken: true };

#[test]
fn parts_and_classes_are_read_in_natural_order() {
    let folder = Folder::new();
    folder.png("train/10/b2.png", 1, 1, 5).png("train/2/b10.png", 1, 1, 4).png("train/2/b9.png", 1, 1, 3);
    folder.png("train/cat/1.png", 1, 1, 6).png("train/01/x.png", 1, 1, 2);
    folder.png("testing/10/1.png", 1, 1, 7).png("val/2/1.png", 1, 1, 8);
    let train = folder.images(Subset::Train);
    assert_eq!((bytes(&train), train.count), (&[2, 3, 4, 5, 6][..], 5));
    assert_eq!(labels(&train), ["1", "2", "2", "10", "cat"]);
    assert!(train.notes.is_empty(), "{:?}", train.notes);
    assert_eq!(train.images_name, folder.path("train").display().to_string());
    let test = folder.images(Subset::Test);
    assert_eq!((bytes(&test), labels(&test)), (&[7][..], vec!["10"]));
    assert_eq!(bytes(&folder.images(Subset::Validation)), [8]);
}

#[test]
fn class_folders_alone_are_training_images() {
    let folder = Folder::new();
    folder.png("cat/1.png", 3, 2, 1).png("train/1.png", 3, 2, 2).png("bus/1.png", 3, 2, 3);
    let images = folder.images(Subset::Train);
    assert_eq!((images.height, images.width), (2, 3));
    // A class may be called `train`.
    assert_eq!(labels(&images), ["bus", "cat", "train"]);
    assert!(folder.read(Subset::Test, &ReadOptions::default()).unwrap().is_none());
}

#[test]
fn other_folders_are_no_image_folders() {
    let folder = Folder::new();
    assert!(folder.find().unwrap().is_none());
    folder.file("text/a.txt", b"text").file("csv/b.csv", b"1,2").png("loose.png", 1, 1, 1);
    folder.file("train/a.txt", b"text");
    assert!(folder.find().unwrap().is_none());
    // One folder of pictures beside others may be anything.
    folder.png("preview/1.png", 1, 1, 1);
    assert!(folder.find().unwrap().is_none());
    folder.png("text/1.png", 1, 1, 1);
    assert!(folder.find().unwrap().is_some());
    let listing = Listing::read(folder.0.path()).unwrap();
    assert!(in_folder(&listing, "emnist").unwrap().is_none());
    assert!(in_file(Path::new("a.png"), b"\x89PNG\r\n\x1a\n").unwrap().is_none());
}

#[test]
fn test_images_need_no_class_folders() {
    let folder = Folder::new();
    folder.png("trainingSet/trainingSet/0/1.png", 1, 1, 1).png("trainingSet/trainingSet/1/1.png", 1, 1, 2);
    folder.png("testSet/testSet/img_10.png", 1, 1, 4).png("testSet/testSet/img_9.png", 1, 1, 3);
    let test = folder.images(Subset::Test);
    assert_eq!((bytes(&test), test.labels.is_none(), test.count), (&[3, 4][..], true, 2));
    assert_eq!(bytes(&folder.images(Subset::Train)), [1, 2]);
}

#[test]
fn training_images_need_class_folders() {
    let folder = Folder::new();
    folder.png("train/cat.1.png", 1, 1, 1).png("test/1.png", 1, 1, 1);
    assert_eq!(
        folder.error(&ReadOptions::default()),
        "the pictures in `ROOT/train` are in no class folders\n\n\
         hint: put the pictures of each class into a folder of its own, `train/CLASS/*.png`"
    );
}

#[test]
fn pictures_without_any_folder_need_class_folders() {
    let folder = Folder::new();
    folder.png("cat.1.png", 1, 1, 1);
    let source = Source::parse(&folder.path("").display().to_string());
    let error = source.read(Subset::Train, &ReadOptions::default()).unwrap_err();
    assert_eq!(folder.short(error.message()), "the pictures in `ROOT/` are in no class folders");
}

#[test]
fn two_folders_for_one_part_are_an_error() {
    let folder = Folder::new();
    folder.png("train/0/1.png", 1, 1, 1).png("training/0/1.png", 1, 1, 1);
    assert_eq!(
        folder.short(folder.find().unwrap_err().message()),
        "the folders `train` and `training` in `ROOT` are the same part of a data set"
    );
}

#[test]
fn the_content_decides_and_other_files_are_passed_over() {
    let folder = Folder::new();
    let jpeg = encode(GrayImage::from_pixel(8, 8, image::Luma([100])), ImageFormat::Jpeg);
    folder.png("a/1.jpg", 8, 8, 50).file("a/2.png", &jpeg).png("a/c", 8, 8, 60);
    folder.file("a/Thumbs.db", b"\xd0\xcf\x11\xe0").file("a/.hidden.png", b"").file("a/labels.csv", b"1,2");
    folder
        .file("a/2.txt", b"")
        .file("b/desktop.ini", b"[x]")
        .png("b/1.png", 8, 8, 70)
        .file("b/x.gif", b"GIF89a");
    folder.file("a/y.png", b"BM123456").file("empty/x.txt", b"text").png("loose.png", 8, 8, 1);
    folder.png("a/old/1.png", 8, 8, 1);
    let images = folder.images(Subset::Train);
    let means: Vec<u8> = bytes(&images).chunks(64).map(|image| image[0]).collect();
    assert_eq!((means, labels(&images)), (vec![50, 100, 60, 70], vec!["a", "a", "a", "b"]));
    assert_eq!(
        folder.notes(&images),
        [
            "1 picture in `ROOT` is in no class folder: left out",
            "folders inside class folders are not read: `ROOT/a/old`",
            "the folder `empty` in `ROOT` holds no PNG or JPEG: left out",
            "2 pictures in `ROOT` are no PNG or JPEG, the first `ROOT/a/y.png`: left out",
        ]
    );
}

#[test]
fn colours_become_grey_and_alpha_is_ignored() {
    let folder = Folder::new();
    let red = RgbImage::from_pixel(1, 1, image::Rgb([255, 0, 0]));
    let clear = RgbaImage::from_pixel(1, 1, image::Rgba([40, 40, 40, 0]));
    folder.file("a/1.png", &encode(clear, ImageFormat::Png)).png("b/1.png", 1, 1, 9);
    assert_eq!(folder.notes(&folder.images(Subset::Train)), [""; 0]);
    folder.file("a/2.png", &encode(red, ImageFormat::Png));
    let images = folder.images(Subset::Train);
    // 0.299 × 255 = 76.2.
    assert_eq!(bytes(&images), [40, 76, 9]);
    assert_eq!(folder.notes(&images), ["the images are coloured: they are turned to grey"]);
}

#[test]
fn different_sizes_are_an_error_or_resized() {
    let folder = Folder::new();
    folder.png("a/1.png", 3, 2, 7).png("a/2.png", 4, 4, 8).png("b/1.png", 4, 4, 9);
    let message = folder.error(&ReadOptions::default());
    assert_eq!(
        message,
        "`ROOT/a/1.png` is 2 pixels high and 3 wide, but `ROOT/a/2.png` is 4 high and 4 wide\n\n\
         hint: all images must have the same size: resize them with `--set data.image_size=[4,4]`"
    );
    let options = ReadOptions { image_size: Some([2, 3]), ..ReadOptions::default() };
    let images = folder.read(Subset::Train, &options).unwrap().unwrap();
    assert_eq!((images.height, images.width), (2, 3));
    assert_eq!(bytes(&images), [[7; 6], [8; 6], [9; 6]].concat());
    assert_eq!(folder.notes(&images), ["2 pictures of another size in `ROOT` are resized to 2x3 pixels"]);
    let options = ReadOptions { image_size: Some([0, 3]), ..ReadOptions::default() };
    assert_eq!(folder.error(&options), "`data.image_size` is [0, 3], expected sides from 1 to 65535");
}

#[test]
fn equally_frequent_sizes_suggest_the_smallest() {
    let folder = Folder::new();
    folder.png("a/1.png", 4, 4, 7).png("b/2.png", 3, 3, 8);
    assert!(folder.error(&ReadOptions::default()).ends_with("`--set data.image_size=[3,3]`"));
}

/// A folder with five broken pictures among seven.
fn broken_folder() -> Folder {
    let folder = Folder::new();
    let whole = encode(GrayImage::from_fn(9, 9, |x, y| image::Luma([(x * y) as u8])), ImageFormat::Png);
    folder.file("a/1.png", b"").file("a/2.png", b"<html>").file("a/3.jpg", &whole[..whole.len() / 2]);
    folder.file("a/4.png", &whole).file("b/1.png", &whole).file("b/2.png", b"version https://git-lfs");
    symlink("missing", folder.path("b/3.png")).unwrap();
    folder
}

#[test]
fn broken_pictures_are_named_and_counted() {
    assert_eq!(
        broken_folder().error(&ReadOptions::default()),
        "5 of 7 pictures in `ROOT` are broken: `ROOT/a/1.png` is an empty file, `ROOT/a/2.png` is a web page, \
         `ROOT/a/3.jpg` is damaged: unexpected end of file and 2 more\n\n\
         hint: replace or remove them, or leave them out with `--skip-broken`"
    );
}

#[test]
fn broken_pictures_can_be_left_out() {
    let folder = broken_folder();
    let images = folder.read(Subset::Train, &SKIP).unwrap().unwrap();
    assert_eq!((images.count, labels(&images)), (2, vec!["a", "b"]));
    assert_eq!((bytes(&images)[80], bytes(&images)[161]), (64, 64));
    assert_eq!(
        folder.notes(&images),
        [
            "5 broken pictures in `ROOT` are left out: `ROOT/a/1.png` is an empty file, `ROOT/a/2.png` is a web \
             page, `ROOT/a/3.jpg` is damaged: unexpected end of file and 2 more"
        ]
    );
}

#[test]
fn no_usable_picture_is_an_error() {
    let folder = Folder::new();
    folder.png("a/1.png", 1, 1, 1).png("b/1.png", 1, 1, 1);
    let source = folder.find().unwrap().unwrap();
    let message =
        |options: &ReadOptions| folder.short(&source.read(Subset::Train, options).unwrap_err().to_string());
    folder.file("a/1.png", b"\x89PNG\r\n\x1a\n").file("b/1.png", b"GIF89a");
    assert_eq!(
        message(&SKIP),
        "1 of 1 picture in `ROOT` is broken: `ROOT/a/1.png` is damaged: unexpected end of file\n\n\
         hint: copy or download the pictures again"
    );
    fs::remove_file(folder.path("a/1.png")).unwrap();
    assert_eq!(
        message(&SKIP),
        "there is no PNG or JPEG picture in the class folders of `ROOT`\n\n\
         hint: convert the pictures to PNG: `mogrify -format png *` of ImageMagick does it"
    );
}

#[test]
fn links_are_followed_and_pipes_are_refused_without_waiting() {
    let folder = Folder::new();
    folder.png("elsewhere/1.png", 1, 1, 3).png("set/a/1.png", 1, 1, 1).png("set/b/2.png", 1, 1, 2);
    symlink(folder.path("elsewhere/1.png"), folder.path("set/a/2.png")).unwrap();
    symlink(folder.path("elsewhere"), folder.path("set/c")).unwrap();
    let source = in_folder(&Listing::read(&folder.path("set")).unwrap(), "").unwrap().unwrap();
    let images = source.read(Subset::Train, &ReadOptions::default()).unwrap().unwrap();
    assert_eq!((bytes(&images), labels(&images)), (&[1, 3, 2, 3][..], vec!["a", "a", "b", "c"]));
    assert!(Command::new("mkfifo").arg(folder.path("set/a/3.png")).status().unwrap().success());
    symlink("/dev/zero", folder.path("set/a/4.png")).unwrap();
    let error = source.read(Subset::Train, &ReadOptions::default()).unwrap_err();
    assert_eq!(
        folder.short(error.message()),
        "2 of 6 pictures in `ROOT/set` are broken: `ROOT/set/a/3.png` cannot be read: it is a pipe, expected a \
         file and `ROOT/set/a/4.png` cannot be read: it is a device, expected a file"
    );
}

/// More files than are read together, so that a broken one lies in each chunk.
#[test]
fn many_pictures_keep_their_order() {
    let folder = Folder::new();
    for index in 0..300 {
        folder.png(&format!("{}/{index}.png", index % 2), 1, 1, (index / 2) as u8);
    }
    for index in (0..300).step_by(50) {
        folder.file(&format!("0/{index}.png"), b"text");
    }
    let images = folder.read(Subset::Train, &SKIP).unwrap().unwrap();
    let even = (0..150).filter(|half| half % 25 != 0);
    let expected: Vec<u8> = even.chain(0..150).collect();
    assert_eq!((bytes(&images), images.count), (&expected[..], 294));
}

#[test]
fn a_file_that_is_too_large_is_broken() {
    let folder = Folder::new();
    folder.png("a/1.png", 1, 1, 1).png("b/1.png", 1, 1, 1).png("b/2.png", 1, 1, 1);
    let file = fs::File::options().write(true).open(folder.path("b/2.png")).unwrap();
    file.set_len(64_000_001).unwrap();
    assert!(folder.error(&ReadOptions::default()).starts_with(
        "1 of 3 pictures in `ROOT` is broken: `ROOT/b/2.png` cannot be read: it is larger than 64 MB\n"
    ));
}
