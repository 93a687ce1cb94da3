//! Owns the reading of an array as images: the shapes that images have, colours, and signed bytes.
//! Depends on `array` and `raw`. Must not know the header of any format.

use std::io::{BufReader, Read};

use crate::data::sources::array::{Array, ElementType};
use crate::data::sources::raw::RawPixels;
use crate::data::sources::{ReadOptions, file};
use crate::error::{Error, Result};
use crate::util::format::grouped;
use crate::util::memory;

/// Images of an array.
#[derive(Debug)]
pub(in crate::data::sources) struct ArrayImages {
    pub(in crate::data::sources) pixels: RawPixels,
    pub(in crate::data::sources) count: usize,
    pub(in crate::data::sources) height: usize,
    pub(in crate::data::sources) width: usize,
    /// See [`crate::data::RawImages::notes`].
    pub(in crate::data::sources) notes: Vec<String>,
}

/// Order of the numbers of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channels {
    /// One number per pixel.
    Grey,
    /// Red, green and blue of each pixel.
    Last,
    /// All red numbers, then all green ones, then all blue ones.
    First,
}

/// Count, height, width and channels of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ImagesShape {
    count: usize,
    height: usize,
    width: usize,
    channels: Channels,
}

impl ImagesShape {
    /// Adds the pixels to the sizes.
    fn with_pixels(self, pixels: RawPixels, notes: Vec<String>) -> ArrayImages {
        let Self { count, height, width, .. } = self;
        ArrayImages { pixels, count, height, width, notes }
    }
}

impl Array {
    /// Reads all numbers as images. `reader` must be at the first number; more bytes may follow the
    /// last. `max_bytes` is an upper bound of the bytes that it has: no more memory is taken for
    /// what a header promises.
    ///
    /// # Errors
    /// A shape that images cannot have, missing bytes, or too little memory. `name` is the file's
    /// name in messages.
    pub(in crate::data::sources) fn read_images(
        &self,
        reader: impl Read,
        name: &str,
        max_bytes: u64,
        options: &ReadOptions,
    ) -> Result<ArrayImages> {
        let num_bytes = self.checked_num_bytes(name)?;
        let shape = self.images_shape(name, options)?;
        let size = self.memory_size(shape.channels, (num_bytes as u64).min(max_bytes));
        let purpose = format!("`{name}`, which promises {},", self.describe());
        memory::check_available(size.into(), &purpose)?;
        let is_bytes = matches!(self.element, ElementType::U8 | ElementType::I8);
        if is_bytes && shape.channels == Channels::Grey {
            let bytes = memory::reserve(usize::try_from(size).unwrap_or(usize::MAX), &purpose)?;
            return self.grey_bytes(self.read_bytes(reader, name, num_bytes, bytes)?, shape);
        }
        let mut notes = Vec::new();
        if shape.channels != Channels::Grey {
            notes.push(COLOUR_NOTE.to_owned());
        }
        let pixels = match (self.element, shape.channels) {
            (ElementType::U8, _) => {
                let mut grey = memory::reserve(usize::try_from(size).unwrap_or(usize::MAX), &purpose)?;
                self.for_each_colour(reader, name, shape, |colour| {
                    grey.push(grey_byte(colour.map(|value| value as u8)))
                })?;
                RawPixels::Bytes(grey)
            }
            (_, Channels::Grey) => {
                let mut blocks = Vec::new();
                self.for_each(reader, name, |value| {
                    RawPixels::push_float(&mut blocks, value as f32);
                    Ok(())
                })?;
                RawPixels::Floats(blocks)
            }
            _ => {
                let mut blocks = Vec::new();
                self.for_each_colour(reader, name, shape, |colour| {
                    RawPixels::push_float(&mut blocks, grey_float(colour));
                })?;
                RawPixels::Floats(blocks)
            }
        };
        Ok(shape.with_pixels(pixels, notes))
    }

    /// Bytes of memory of the pixels if the file has `file_size` bytes of the array.
    fn memory_size(&self, channels: Channels, file_size: u64) -> u64 {
        let values = file_size / self.element.size() as u64;
        let pixels = if channels == Channels::Grey { values } else { values / 3 };
        match (self.element, channels) {
            (ElementType::U8, _) | (ElementType::I8, Channels::Grey) => pixels,
            _ => pixels.saturating_mul(size_of::<f32>() as u64),
        }
    }

    /// Images of grey bytes.
    fn grey_bytes(&self, mut bytes: Vec<u8>, shape: ImagesShape) -> Result<ArrayImages> {
        let is_signed = self.element == ElementType::I8;
        let note = if is_signed { signed_to_unsigned(&mut bytes) } else { None };
        Ok(shape.with_pixels(RawPixels::Bytes(bytes), note.into_iter().collect()))
    }

    /// Count, height, width and channels, if this array can be images.
    fn images_shape(&self, name: &str, options: &ReadOptions) -> Result<ImagesShape> {
        let shape = |count, height, width, channels| Ok(ImagesShape { count, height, width, channels });
        let hint = match self.dims[..] {
            [count, height, width] => return shape(count, height, width, Channels::Grey),
            [count, pixels] => match image_size(pixels, options) {
                Ok([height, width]) => return shape(count, height, width, Channels::Grey),
                Err(hint) => hint,
            },
            [count, height, width, 1] | [count, 1, height, width] => {
                return shape(count, height, width, Channels::Grey);
            }
            [count, height, width, 3] => return shape(count, height, width, Channels::Last),
            [count, 3, height, width] => return shape(count, height, width, Channels::First),
            [_] => "one number per image is a label: are the images and the labels swapped?".to_owned(),
            _ => "images are `count × height × width`, with 1 or 3 channels before or after the size"
                .to_owned(),
        };
        Err(Error::data(format!("`{name}` holds {}, expected images", self.describe())).hint(hint))
    }

    /// Reads an array of `expected` single bytes into `bytes`, which is empty.
    fn read_bytes(
        &self,
        reader: impl Read,
        name: &str,
        expected: usize,
        mut bytes: Vec<u8>,
    ) -> Result<Vec<u8>> {
        let read = reader.take(expected as u64).read_to_end(&mut bytes);
        read.map_err(|error| file::read_error(name, &error))?;
        if bytes.len() < expected { Err(self.cut(name, bytes.len())) } else { Ok(bytes) }
    }

    /// Calls `take` with the red, green and blue of each pixel of colour images.
    fn for_each_colour(
        &self,
        reader: impl Read,
        name: &str,
        shape: ImagesShape,
        mut take: impl FnMut([f64; 3]),
    ) -> Result<()> {
        // The product of all lengths can be counted, and so can these.
        let (size, pixels) = (self.element.size(), shape.height * shape.width);
        let image_bytes = 3 * pixels * size;
        let mut reader = BufReader::with_capacity(1 << 16, reader.take((shape.count * image_bytes) as u64));
        // It grows with the bytes that are there: the size of an image may be a lie.
        let mut image = Vec::new();
        for done in 0..shape.count {
            image.clear();
            let read = (&mut reader).take(image_bytes as u64).read_to_end(&mut image);
            read.map_err(|error| file::read_error(name, &error))?;
            if image.len() < image_bytes {
                return Err(self.cut(name, done * image_bytes + image.len()));
            }
            let value = |index: usize| self.element.decode(&image[index * size..], self.is_big_endian);
            for pixel in 0..pixels {
                take(match shape.channels {
                    Channels::First => [pixel, pixels + pixel, 2 * pixels + pixel].map(value),
                    _ => [3 * pixel, 3 * pixel + 1, 3 * pixel + 2].map(value),
                });
            }
        }
        Ok(())
    }
}

/// The note about colours.
pub(in crate::data::sources) const COLOUR_NOTE: &str = "the images are coloured: they are turned to grey";

/// Grey value of a colour of bytes, to the last bit as Pillow's `convert("L")`: ITU-R BT.601 in
/// 16-bit fixed point.
pub(in crate::data::sources) fn grey_byte(colour: [u8; 3]) -> u8 {
    let [red, green, blue] = colour.map(u32::from);
    ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16) as u8
}

/// Grey value of a colour in any range: ITU-R BT.601.
fn grey_float([red, green, blue]: [f64; 3]) -> f32 {
    (0.299 * red + 0.587 * green + 0.114 * blue) as f32
}

/// Height and width of images of which only the number of pixels is known. The error is a hint.
pub(in crate::data::sources) fn image_size(
    pixels: usize,
    options: &ReadOptions,
) -> std::result::Result<[usize; 2], String> {
    if let Some([height, width]) = options.image_size {
        if height.checked_mul(width) == Some(pixels) {
            return Ok([height, width]);
        }
        return Err(format!(
            "`data.image_size` is [{height}, {width}], and the images have {} pixels",
            grouped(pixels)
        ));
    }
    let side = pixels.isqrt();
    if side * side == pixels && pixels > 0 {
        return Ok([side, side]);
    }
    Err(format!(
        "{} pixels are no square: say the size with `--set data.image_size=[HEIGHT,WIDTH]`",
        grouped(pixels)
    ))
}

/// Turns bytes that a file calls signed into unsigned ones, in place, and says so if it made a
/// difference.
///
/// If 0 is the most frequent value, the file's writer has only named the wrong type. Otherwise the
/// values were moved by -128 to fit the type.
fn signed_to_unsigned(bytes: &mut [u8]) -> Option<String> {
    if bytes.iter().all(|&byte| byte < 128) {
        return None;
    }
    let mut counts = [0usize; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    if counts.iter().all(|&count| count <= counts[0]) {
        return Some("the images are marked as signed bytes: they are read as unsigned ones".to_owned());
    }
    bytes.iter_mut().for_each(|byte| *byte ^= 0x80);
    Some("the images are signed bytes: 128 is added to each pixel".to_owned())
}
