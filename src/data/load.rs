//! Owns the way from the files of a data set to images and classes: all parts of a source are read,
//! and become bytes of one range with labels from 0. Depends on `sources`, `classes` and `range`.
//! Must not know splits, tensors or runs.

use sha2::{Digest, Sha256};

use crate::data::sources::{RawImages, RawLabels, RawPixels, digest_of_parts};
use crate::data::{
    CheckedData, CheckedPart, Classes, DataCheck, DataConfig, ImageDataset, Source, Subset, ValueRange,
};
use crate::error::{Error, Result};
use crate::util::format::{counted, grouped, listed};
use crate::util::hex::hex;

/// How the images of a run's data set were understood when the run started. A later use of the
/// run's network understands images in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct DataProperties {
    /// The classes.
    pub classes: Classes,
    /// The pixel values of the files that became 0 and 1.
    pub value_range: ValueRange,
    /// True if rows and columns of the files' images were exchanged.
    pub transposed: bool,
}

impl DataProperties {
    /// Returns a text that is the same for the same images understood in the same way. `sha256` is
    /// the digest of the data set.
    ///
    /// It is the digest itself for bytes that are neither scaled nor transposed, with numbered
    /// classes. Earlier versions understood every data set so, and their trials are recognised.
    pub(crate) fn identity(&self, sha256: &str) -> String {
        let Self { classes, value_range, transposed } = self;
        let is_plain = *classes == Classes::numbered(classes.len());
        if is_plain && *value_range == ValueRange::BYTES && !transposed {
            return sha256.to_owned();
        }
        let text = format!("{value_range} {transposed} {:?} {:?}", classes.labels(), classes.names());
        format!("{sha256}-{}", hex(&Sha256::digest(text)))
    }
}

/// The parts of a data set as the files hold them.
#[derive(Debug, Clone, Default)]
pub struct RawData {
    /// Training images.
    pub train: Option<RawImages>,
    /// Validation images that the author of the data set chose.
    pub validation: Option<RawImages>,
    /// Test images.
    pub test: Option<RawImages>,
}

/// A data set in memory.
#[derive(Debug, Clone)]
pub struct LoadedData {
    /// Training images.
    pub train: Option<ImageDataset>,
    /// Validation images that the author of the data set chose.
    pub validation: Option<ImageDataset>,
    /// Test images.
    pub test: Option<ImageDataset>,
    /// How the images were understood.
    pub properties: DataProperties,
    /// Smallest and largest pixel value of the files' training images, before the scaling.
    pub raw_range: (f32, f32),
    /// Sentences about what was decided or left out while reading, for the user.
    pub notes: Vec<String>,
}

impl Source {
    /// Reads the data set with the default settings, and returns one subset.
    ///
    /// # Errors
    /// Those of [`RawData::read`] and [`RawData::into_new`], or a data set without this subset.
    pub fn load(&self, subset: Subset) -> Result<ImageDataset> {
        let config = DataConfig::default();
        let loaded = RawData::read(self, &config)?.into_new(&config)?;
        let (images, name) = match subset {
            Subset::Train => (loaded.train, "training"),
            Subset::Validation => (loaded.validation, "validation"),
            Subset::Test => (loaded.test, "test"),
        };
        images.ok_or_else(|| Error::data(format!("there are no {name} images in `{self}`")))
    }
}

impl LoadedData {
    /// Checks the training images, and the test images if there are any. `None` without training
    /// images.
    pub fn check(&self) -> Option<DataCheck> {
        let train = self.train.as_ref()?;
        fn part(images: &ImageDataset) -> CheckedPart<'_> {
            CheckedPart { pixels: &images.pixels, labels: &images.labels }
        }
        Some(DataCheck::new(&CheckedData {
            train: part(train),
            test: self.test.as_ref().map(part),
            height: train.height,
            width: train.width,
            class_names: self.properties.classes.names(),
            value_range: self.properties.value_range,
        }))
    }

    /// Returns the only part of a data set of one part: the training images, or else another one.
    pub fn only_part(&self) -> Option<&ImageDataset> {
        let mut parts = [&self.train, &self.validation, &self.test].into_iter().flatten();
        parts.next().filter(|_| parts.next().is_none())
    }
}

impl RawData {
    /// Reads all parts of `source`.
    ///
    /// # Errors
    /// Those of [`crate::data::DataSource::read`].
    pub fn read(source: &Source, config: &DataConfig) -> Result<Self> {
        Ok(Self {
            train: Self::read_part(source, Subset::Train, config)?,
            validation: Self::read_part(source, Subset::Validation, config)?,
            test: Self::read_part(source, Subset::Test, config)?,
        })
    }

    /// Reads one part of `source`, if it has that part.
    ///
    /// # Errors
    /// As [`RawData::read`].
    pub fn read_part(source: &Source, subset: Subset, config: &DataConfig) -> Result<Option<RawImages>> {
        Ok(source.read(subset, &config.read_options())?.map(simplified))
    }

    /// Returns the SHA-256 that identifies the data set, 64 hexadecimal digits. It is the same for
    /// the same images and labels, in whatever form the files are. A run records it and refuses to
    /// resume with other images.
    ///
    /// It is made of the digests of the parts: see [`digest_of_parts`]. The digest of images or
    /// labels is that of an IDX file of bytes with the same numbers. Pixels that are no bytes are
    /// scaled to bytes first. Labels that are no bytes are hashed as lines of text.
    pub fn sha256(&self) -> String {
        let range = self.value_range(None);
        let parts = [(&self.train, true), (&self.validation, false), (&self.test, true)];
        let digests = parts.into_iter().flat_map(|(part, is_usual)| match part {
            Some(part) => vec![images_sha256(part, range), labels_sha256(part.labels.as_ref())],
            None if is_usual => vec!["-".to_owned(), "-".to_owned()],
            None => Vec::new(),
        });
        digest_of_parts(digests)
    }

    /// The range of the pixels: `scale` is the value of white, if the user gave it.
    fn value_range(&self, scale: Option<f64>) -> ValueRange {
        match scale {
            Some(white) => ValueRange { black: 0.0, white },
            None => {
                let (min, max) = self.min_max();
                ValueRange::of_training_images(min.into(), max.into())
            }
        }
    }

    /// Smallest and largest value of the training images, or else of the only part.
    fn min_max(&self) -> (f32, f32) {
        let part = self.train.as_ref().or(self.validation.as_ref()).or(self.test.as_ref());
        part.map_or((0.0, 0.0), |part| part.pixels.min_max())
    }

    fn parts(&self) -> Vec<&RawImages> {
        [&self.train, &self.validation, &self.test].into_iter().flatten().collect()
    }

    /// Understands the images as a new training does: classes and range come from the files, unless
    /// `config` says otherwise.
    ///
    /// # Errors
    /// Parts of different sizes, or too little memory.
    pub fn into_new(self, config: &DataConfig) -> Result<LoadedData> {
        let parts = self.parts();
        let properties = DataProperties {
            classes: Classes::of(&parts),
            value_range: self.value_range(config.scale),
            transposed: config.transpose.unwrap_or(parts.iter().any(|part| part.transposed)),
        };
        self.into_known(properties)
    }

    /// Understands the images as `properties` say, which come from the same data set.
    ///
    /// # Errors
    /// As [`RawData::into_new`].
    pub fn into_known(self, properties: DataProperties) -> Result<LoadedData> {
        self.convert(properties, Classes::indices_by_label)
    }

    /// Understands the images of another data set for a network with `properties`, which was trained
    /// with `config`: the classes are the network's, and the range is that of these images, unless
    /// `config` says it.
    ///
    /// Images of a class that the network does not have are left out, and a note says so.
    ///
    /// # Errors
    /// As [`RawData::into_new`], or no image of a class of the network.
    pub fn into_other(self, properties: &DataProperties, config: &DataConfig) -> Result<LoadedData> {
        let value_range = self.value_range(config.scale);
        let transposed = config.transpose.unwrap_or(self.parts().iter().any(|part| part.transposed));
        let own = DataProperties { classes: properties.classes.clone(), value_range, transposed };
        let mut loaded = self.convert(own, Classes::indices_by_name)?;
        if value_range != properties.value_range {
            loaded.notes.push(format!(
                "the pixels run from {value_range}, and those that the network was trained on from {}: both are \
                 scaled to 0 to 1",
                properties.value_range
            ));
        }
        Ok(loaded)
    }

    fn convert(
        self,
        properties: DataProperties,
        indices: fn(&Classes, &RawImages) -> Vec<Option<u16>>,
    ) -> Result<LoadedData> {
        let raw_range = self.min_max();
        let mut notes: Vec<String> = Vec::new();
        let mut note = |text: String| {
            if !notes.contains(&text) {
                notes.push(text);
            }
        };
        let transposed_by_source = self.parts().iter().any(|part| part.transposed);
        let mut convert = |part: Option<RawImages>| -> Result<Option<ImageDataset>> {
            let Some(mut part) = part else { return Ok(None) };
            part.notes.drain(..).for_each(&mut note);
            let classes = indices(&properties.classes, &part);
            convert_part(part, &properties, &classes, &mut note).map(Some)
        };
        let train = convert(self.train)?;
        let validation = convert(self.validation)?;
        let test = convert(self.test)?;
        if properties.transposed && transposed_by_source {
            note("the files' images lie transposed, as EMNIST's do: they are turned upright".to_owned());
        }
        Ok(LoadedData { train, validation, test, properties, raw_range, notes })
    }
}

/// Turns floats that are all whole numbers from 0 to 255 into bytes. So the same numbers have the
/// same digest, whatever their type is.
fn simplified(mut images: RawImages) -> RawImages {
    let is_byte = |value: &f32| (0.0..=255.0).contains(value) && value.fract() == 0.0;
    if let RawPixels::Floats(blocks) = &mut images.pixels
        && blocks.iter().flatten().all(is_byte)
    {
        let mut bytes = Vec::with_capacity(blocks.iter().map(Vec::len).sum());
        // Each block is freed at the end of its turn.
        for block in std::mem::take(blocks) {
            bytes.extend(block.iter().map(|&value| value as u8));
        }
        images.pixels = RawPixels::Bytes(bytes);
    }
    images
}

/// Scales and transposes the pixels of one part, and gives its images their classes. `classes` has
/// the class of each different label.
fn convert_part(
    part: RawImages,
    properties: &DataProperties,
    classes: &[Option<u16>],
    note: &mut impl FnMut(String),
) -> Result<ImageDataset> {
    let RawImages { pixels, count, height, width, labels, images_name, labels_name, .. } = part;
    if let Some(labels) = &labels {
        labels.check_count(count, &images_name, &labels_name)?;
    }
    if pixels.len() != count * height * width {
        return Err(Error::data(format!("`{images_name}` has too few pixels for {count} images")));
    }
    let range = range_of_part(&pixels, properties.value_range, &images_name, note);
    let mut pixels = range.scale(pixels)?;
    let (mut height, mut width) = (height, width);
    if properties.transposed {
        transpose(&mut pixels, height, width);
        (height, width) = (width, height);
    }
    let mut labels = labels.unwrap_or_default();
    if classes.contains(&None) {
        leave_out_unknown(&mut pixels, &mut labels, classes, height * width, &images_name, note)?;
    }
    let labels = labels.ids().iter().map(|&id| classes[id as usize].unwrap_or_default()).collect();
    Ok(ImageDataset { pixels, labels, height, width, images_name })
}

/// Returns the range of one part of a data set whose training images have the range `known`. A part
/// that goes far beyond it was stored in another way, such as bytes beside shares of 255.
fn range_of_part(
    pixels: &RawPixels,
    known: ValueRange,
    images_name: &str,
    note: &mut impl FnMut(String),
) -> ValueRange {
    let (min, max) = pixels.min_max();
    let (min, max) = (f64::from(min), f64::from(max));
    if known.contains(min, max) {
        return known;
    }
    let (range, what) = match max > MAX_EXCESS * known.white {
        true => (ValueRange::of_training_images(min, max), "this part is scaled by its own range"),
        false => (known, "values outside are cut off"),
    };
    note(format!("`{images_name}` has pixels from {min} to {max}, and the training images {known}: {what}"));
    range
}

/// Largest ratio of a pixel value to white that may be an outlier.
const MAX_EXCESS: f64 = 4.0;

/// Removes the images whose class is not known to the network.
fn leave_out_unknown(
    pixels: &mut Vec<u8>,
    labels: &mut RawLabels,
    classes: &[Option<u16>],
    image_bytes: usize,
    images_name: &str,
    note: &mut impl FnMut(String),
) -> Result<()> {
    let is_known = |id: u32| classes[id as usize].is_some();
    let num_all = labels.len();
    let mut num_kept = 0;
    for image in 0..num_all {
        if is_known(labels.ids()[image]) {
            pixels.copy_within(image * image_bytes..(image + 1) * image_bytes, num_kept * image_bytes);
            num_kept += 1;
        }
    }
    pixels.truncate(num_kept * image_bytes);
    let unknown: Vec<String> = labels
        .keys()
        .iter()
        .zip(classes)
        .filter(|(_, class)| class.is_none())
        .map(|(label, _)| format!("`{label}`"))
        .collect();
    labels.retain(is_known);
    let left_out = counted(num_all - num_kept, "image", "images");
    let shown = match unknown.len() {
        0..=5 => listed(&unknown),
        number => format!("{} and {} more", unknown[..4].join(", "), number - 4),
    };
    if num_kept == 0 {
        return Err(Error::data(format!(
            "`{images_name}` has no image of a class of the network, but images labelled {shown}"
        ))
        .hint("the network was trained on other classes"));
    }
    note(format!(
        "{left_out} of {} in `{images_name}` are of classes that the network does not have, {shown}: left out",
        grouped(num_all)
    ));
    Ok(())
}

/// Exchanges rows and columns of each image, in place.
fn transpose(pixels: &mut [u8], height: usize, width: usize) {
    let mut image = vec![0; height * width];
    for pixels in pixels.chunks_exact_mut(height * width) {
        image.copy_from_slice(pixels);
        for (index, pixel) in pixels.iter_mut().enumerate() {
            let (row, column) = (index / height, index % height);
            *pixel = image[column * width + row];
        }
    }
}

/// SHA-256 of the IDX file with these images as bytes.
fn images_sha256(images: &RawImages, range: ValueRange) -> String {
    let mut digest = Sha256::new();
    digest.update(2051u32.to_be_bytes());
    for length in [images.count, images.height, images.width] {
        digest.update((length as u32).to_be_bytes());
    }
    match &images.pixels {
        RawPixels::Bytes(bytes) => digest.update(bytes),
        RawPixels::Floats(blocks) => {
            for block in blocks {
                let bytes: Vec<u8> = block.iter().map(|&value| range.to_byte(value)).collect();
                digest.update(bytes);
            }
        }
    }
    hex(&digest.finalize())
}

/// SHA-256 of the IDX file with these labels as bytes, or of their texts.
fn labels_sha256(labels: Option<&RawLabels>) -> String {
    let Some(labels) = labels else { return "-".to_owned() };
    let mut digest = Sha256::new();
    let bytes: Option<Vec<u8>> = labels.keys().iter().map(|label| label.parse().ok()).collect();
    match bytes {
        Some(bytes) => {
            digest.update(2049u32.to_be_bytes());
            digest.update((labels.len() as u32).to_be_bytes());
            let labels: Vec<u8> = labels.ids().iter().map(|&id| bytes[id as usize]).collect();
            digest.update(labels);
        }
        None => {
            for &id in labels.ids() {
                digest.update(format!("{}\n", labels.keys()[id as usize]));
            }
        }
    }
    hex(&digest.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
        assert_eq!(loaded.train.unwrap().pixels, [0, 255, 255, 0]);
        assert_eq!(loaded.test.unwrap().pixels, [255, 255]);
        assert_eq!(loaded.properties.value_range, ValueRange { black: 0.0, white: 1.0 });
        assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
        // Test images do not decide the range.
        let loaded = new(data(bytes(&[0, 1, 1, 0], &["0", "1"]), bytes(&[2, 1], &["1"])));
        assert_eq!(loaded.test.unwrap().pixels, [255, 255]);
        assert_eq!(
            loaded.notes,
            ["`images` has pixels from 1 to 2, and the training images 0 to 1: values outside are cut off"]
        );
        let loaded = new(data(bytes(&[0, 1, 1, 0], &["0", "1"]), bytes(&[255, 51], &["1"])));
        assert_eq!(loaded.test.unwrap().pixels, [255, 51]);
        assert!(loaded.notes[0].ends_with("this part is scaled by its own range"), "{:?}", loaded.notes);
        let config = DataConfig { scale: Some(4.0), ..DataConfig::default() };
        let loaded =
            data(bytes(&[0, 1, 1, 0], &["0", "1"]), bytes(&[2, 1], &["1"])).into_new(&config).unwrap();
        assert_eq!(loaded.test.unwrap().pixels, [128, 64]);
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
        assert_eq!((train.pixels, train.labels), (vec![3, 4], vec![1]));
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
        // 2 rows and 3 columns become 3 rows and 2 columns.
        let mut pixels = vec![1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60];
        transpose(&mut pixels, 2, 3);
        assert_eq!(pixels, [1, 4, 2, 5, 3, 6, 10, 40, 20, 50, 30, 60]);
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
        let error =
            data(bytes(&[0; 6], &["1", "2"]), bytes(&[0, 0], &["1"])).into_new(&DataConfig::default());
        assert_eq!(
            error.unwrap_err().to_string(),
            "`images` holds 3 images, but `labels` holds 2 labels\n\n\
             hint: both files must come from the same part of the same data set"
        );
    }
}
