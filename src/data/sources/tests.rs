use super::*;
use crate::data::{DataConfig, ImageDataset, RawData};

#[test]
fn mnist_is_whole() {
    let source = Source::mnist();
    let train = source.load(Subset::Train).unwrap();
    let test = source.load(Subset::Test).unwrap();
    assert_eq!((train.len(), train.pixels.len(), train.image_size()), (60_000, 60_000 * 784, (28, 28)));
    assert_eq!((test.len(), test.pixels.len(), test.image_size()), (10_000, 10_000 * 784, (28, 28)));
    assert_eq!(train.labels[..5], [5, 0, 4, 1, 9]);
    assert_eq!(test.labels[..5], [7, 2, 1, 0, 4]);
    let histogram = |images: &ImageDataset| {
        (0..10).map(|class| images.labels.iter().filter(|&&label| label == class).count()).collect::<Vec<_>>()
    };
    assert_eq!(histogram(&train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(histogram(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    // The first training image is a 5. This is its first row with ink.
    let first = train.pixels.image(0, 784).to_bytes();
    assert_eq!(first[5 * 28 + 12..6 * 28 - 4], [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]);
    assert!(first[..5 * 28 + 12].iter().all(|&pixel| pixel == 0));
}

#[test]
fn sources_are_written_as_they_are_read() {
    assert_eq!(Source::parse("mnist"), Source::mnist());
    assert_ne!(Source::parse("./mnist"), Source::mnist());
    for text in ["mnist", "./mnist", "data/fashion", "fashion-mnist"] {
        assert_eq!(Source::parse(text).to_string(), text);
    }
    let absolute = Source::parse("data/fashion").to_absolute().unwrap().to_string();
    assert!(Path::new(&absolute).is_absolute() && absolute.ends_with("fashion"), "{absolute}");
    assert_eq!(Source::mnist().to_absolute().unwrap(), Source::mnist());
}

#[test]
fn a_tag_names_the_folder_and_its_contents() {
    let sha256 = "36698d7b".repeat(8);
    assert_eq!(Source::mnist().tag(&sha256), "mnist");
    assert_eq!(Source::parse("some/folder").tag(&sha256), "folder-36698d7b");
}

/// A program that uses smallnet as a library can have a source that this crate does not know.
#[test]
fn another_program_can_add_a_source() {
    #[derive(Debug, Clone)]
    struct TwoPixels;
    impl DataSource for TwoPixels {
        fn name(&self) -> String {
            "https://example.org/two-pixels".to_owned()
        }
        fn read(&self, subset: Subset, _: &ReadOptions) -> Result<Option<RawImages>> {
            let mut labels = RawLabels::default();
            labels.push("1")?;
            labels.push("0")?;
            Ok((subset == Subset::Train).then(|| RawImages {
                pixels: RawPixels::Bytes(vec![255, 7]),
                count: 2,
                height: 1,
                width: 1,
                labels: Some(labels),
                class_names: vec![("0".to_owned(), "dark".to_owned()), ("1".to_owned(), "light".to_owned())],
                images_name: self.name(),
                labels_name: self.name(),
                transposed: false,
                notes: Vec::new(),
            }))
        }
        fn to_absolute(&self) -> Result<Source> {
            Ok(Source::new(self.clone()))
        }
    }
    let (source, config) = (Source::new(TwoPixels), DataConfig::default());
    let loaded = RawData::read(&source, &config).unwrap().into_new(&config).unwrap();
    assert_eq!(loaded.train.unwrap().labels, [1, 0]);
    assert_eq!(loaded.properties.classes.names(), ["dark", "light"]);
    assert!(loaded.test.is_none());
    assert_eq!(source.tag("0123456789"), "two-pixels-01234567");
}
