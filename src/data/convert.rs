//! Owns the conversion of one part of a data set as the files hold it into images and classes: range,
//! orientation, labels. Depends on `sources` and `range`. Must not know the other parts.

use crate::data::sources::{RawImages, RawLabels, RawPixels, natural_order};
use crate::data::{DataProperties, ImageDataset, Pixels, ValueRange};
use crate::error::{Error, Result};
use crate::util::format::{counted, grouped, listed};

/// Turns floats that are all whole numbers from 0 to 255 into bytes. So the same numbers have the
/// same digest, whatever their type is.
pub(super) fn simplified(mut images: RawImages) -> RawImages {
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
pub(super) fn convert_part(
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
    let mut labels = labels.unwrap_or_default();
    let leaves_out = classes.contains(&None);
    let mut pixels = match pixels {
        RawPixels::Blocks(blocks) if range == ValueRange::BYTES && !properties.transposed && !leaves_out => {
            Pixels::Blocks(blocks)
        }
        pixels => Pixels::Bytes(range.scale(pixels)?),
    };
    let (mut height, mut width) = (height, width);
    if let Pixels::Bytes(bytes) = &mut pixels {
        if properties.transposed {
            transpose(bytes, height, width);
            (height, width) = (width, height);
        }
        if leaves_out {
            leave_out_unknown(bytes, &mut labels, classes, height * width, &images_name, note)?;
        }
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
    if known == ValueRange::BYTES && !matches!(pixels, RawPixels::Floats(_)) {
        return known;
    }
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
    let keys = labels.keys().iter().zip(classes);
    let mut unknown: Vec<&String> =
        keys.filter(|(_, class)| class.is_none()).map(|(label, _)| label).collect();
    unknown.sort_by(|a, b| natural_order(a, b));
    let unknown: Vec<String> = unknown.iter().map(|label| format!("`{label}`")).collect();
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

#[cfg(test)]
mod tests;
