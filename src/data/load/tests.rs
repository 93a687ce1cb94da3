use super::*;
use crate::data::Pixels;
use crate::data::sources::{RawLabels, RawPixels};

/// Images of 1x2 pixels with these labels.
fn part(pixels: RawPixels, labels: &[&str]) -> RawImages {
    let mut raw = RawLabels::default();
    labels.iter().for_each(|label| raw.push(label).unwrap());
    RawImages {
        count: pixels.len() / 2,
        pixels,
        height: 1,
        width: 2,
        labels: (!labels.is_empty()).then_some(raw),
        class_names: Vec::new(),
        images_name: "images".to_owned(),
        labels_name: "labels".to_owned(),
        transposed: false,
        notes: Vec::new(),
    }
}

fn bytes(pixels: &[u8], labels: &[&str]) -> RawImages {
    part(RawPixels::Bytes(pixels.to_vec()), labels)
}

fn floats(pixels: impl IntoIterator<Item = f32>, labels: &[&str]) -> RawImages {
    let mut blocks = Vec::new();
    pixels.into_iter().for_each(|value| RawPixels::push_float(&mut blocks, value));
    part(RawPixels::Floats(blocks), labels)
}

fn data(train: RawImages, test: RawImages) -> RawData {
    RawData { train: Some(train), validation: None, test: Some(test) }
}

fn new(data: RawData) -> LoadedData {
    data.into_new(&DataConfig::default()).unwrap()
}

/// MNIST's digest was made of its four files by the shell command that [`digest_of_parts`]
/// states.
#[test]
fn the_digest_of_mnist_is_that_of_its_files() {
    let raw = RawData::read(&Source::mnist(), &DataConfig::default()).unwrap();
    assert_eq!(raw.sha256(), Source::mnist().known_sha256().unwrap());
}

#[test]
fn the_digest_does_not_depend_on_the_type_of_the_numbers() {
    let pixels = [0, 1, 77, 255];
    let whole = data(bytes(&pixels, &["7", "1"]), bytes(&[3, 4], &["1"]));
    let shares = |pixels: &[u8]| pixels.iter().map(|&p| f32::from(p) / 255.0).collect::<Vec<_>>();
    let scaled = data(floats(shares(&pixels), &["7.0", "1.0"]), floats(shares(&[3, 4]), &["1"]));
    assert_eq!(scaled.sha256(), whole.sha256());
    let as_floats = simplified(floats(pixels.map(f32::from), &["7", "1"]));
    assert_eq!(as_floats.pixels, RawPixels::Bytes(pixels.to_vec()));
    let other = data(bytes(&pixels, &["7", "2"]), bytes(&[3, 4], &["1"]));
    assert_ne!(other.sha256(), whole.sha256());
    let words = |label: &str| data(bytes(&pixels, &["cat", label]), bytes(&[3, 4], &["cat"])).sha256();
    assert_ne!(words("dog"), words("cow"));
}

#[test]
fn white_becomes_255_in_all_parts() {
    let loaded = new(data(bytes(&[0, 1, 1, 0], &["0", "1"]), bytes(&[1, 1], &["1"])));
    assert_eq!(loaded.train.unwrap().pixels, Pixels::Bytes(vec![0, 255, 255, 0]));
    assert_eq!(loaded.test.unwrap().pixels, Pixels::Bytes(vec![255, 255]));
    assert_eq!(loaded.properties.value_range, ValueRange { black: 0.0, white: 1.0 });
    assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
    // Test images do not decide the range.
    let loaded = new(data(bytes(&[0, 1, 1, 0], &["0", "1"]), bytes(&[2, 1], &["1"])));
    assert_eq!(loaded.test.unwrap().pixels, Pixels::Bytes(vec![255, 255]));
    assert_eq!(
        loaded.notes,
        ["`images` has pixels from 1 to 2, and the training images 0 to 1: values outside are cut off"]
    );
    let loaded = new(data(bytes(&[0, 1, 1, 0], &["0", "1"]), bytes(&[255, 51], &["1"])));
    assert_eq!(loaded.test.unwrap().pixels, Pixels::Bytes(vec![255, 51]));
    assert!(loaded.notes[0].ends_with("this part is scaled by its own range"), "{:?}", loaded.notes);
    let config = DataConfig { scale: Some(4.0), ..DataConfig::default() };
    let loaded = data(bytes(&[0, 1, 1, 0], &["0", "1"]), bytes(&[2, 1], &["1"])).into_new(&config).unwrap();
    assert_eq!(loaded.test.unwrap().pixels, Pixels::Bytes(vec![128, 64]));
}

#[test]
fn labels_become_classes_from_0() {
    let loaded = new(data(bytes(&[0; 6], &["57", "48", "50"]), bytes(&[255, 0], &["49"])));
    assert_eq!(loaded.properties.classes.names(), ["48", "49", "50", "57"]);
    assert_eq!(loaded.train.unwrap().labels, [3, 0, 2]);
    assert_eq!(loaded.test.unwrap().labels, [1]);
}

#[test]
fn images_of_unknown_classes_are_left_out() {
    let network = new(data(bytes(&[0, 255, 9, 9], &["a", "b"]), bytes(&[1, 2], &["a"]))).properties;
    let others = data(bytes(&[1, 255, 3, 4, 5, 6], &["c", "b", "c"]), bytes(&[7, 8], &["a"]));
    let loaded = others.into_other(&network, &DataConfig::default()).unwrap();
    let train = loaded.train.unwrap();
    assert_eq!((train.pixels, train.labels), (Pixels::Bytes(vec![3, 4]), vec![1]));
    assert_eq!(
        loaded.notes,
        ["2 images of 3 in `images` are of classes that the network does not have, `c`: left out"]
    );
    let strangers = data(bytes(&[1, 255], &["x"]), bytes(&[7, 8], &["y"]));
    assert_eq!(
        strangers.into_other(&network, &DataConfig::default()).unwrap_err().message(),
        "`images` has no image of a class of the network, but images labelled `x`"
    );
}

/// So the trials of a study of an earlier version are found again.
#[test]
fn numbered_classes_of_bytes_are_identified_by_their_digest_alone() {
    let identity = |data: RawData| new(data).properties.identity("abc");
    assert_eq!(identity(data(bytes(&[0, 255, 9, 9], &["0", "1"]), bytes(&[1, 2], &["1"]))), "abc");
    let others = [
        data(bytes(&[0, 255, 9, 9], &["0", "2"]), bytes(&[1, 2], &["2"])),
        data(bytes(&[0, 1, 1, 1], &["0", "1"]), bytes(&[1, 1], &["1"])),
        data(RawImages { transposed: true, ..bytes(&[0, 255], &["0"]) }, bytes(&[1, 2], &["1"])),
    ];
    let mut identities: Vec<String> = others.into_iter().map(identity).collect();
    assert!(identities.iter().all(|identity| identity.starts_with("abc-")), "{identities:?}");
    identities.dedup();
    assert_eq!(identities.len(), 3);
}

#[test]
fn transposed_images_are_turned_upright() {
    let train = RawImages { transposed: true, ..bytes(&[1, 2, 3, 255], &["0", "1"]) };
    let loaded = new(data(train.clone(), bytes(&[5, 6], &["0"])));
    assert_eq!(loaded.train.unwrap().image_size(), (2, 1));
    assert_eq!(loaded.test.unwrap().image_size(), (2, 1));
    assert!(loaded.properties.transposed);
    let config = DataConfig { transpose: Some(false), ..DataConfig::default() };
    let left = data(train, bytes(&[5, 6], &["0"])).into_new(&config).unwrap();
    assert_eq!(left.train.unwrap().image_size(), (1, 2));
}

#[test]
fn unequal_counts_are_refused() {
    let error = data(bytes(&[0; 6], &["1", "2"]), bytes(&[0, 0], &["1"])).into_new(&DataConfig::default());
    assert_eq!(
        error.unwrap_err().to_string(),
        "`images` holds 3 images, but `labels` holds 2 labels\n\n\
         hint: both files must come from the same part of the same data set"
    );
}
