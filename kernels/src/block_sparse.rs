//! Owns images without their background, in block-sparse form: four of five pixels of a digit are
//! 0. Depends on `data` and pulp. Must not know weights or threads.
//!
//! The form is that of compressed sparse columns, with a block of a few pixels in place of a
//! column. Each block has one entry per image that is not all 0 there. So a product loads the
//! weights of a block once and uses them for all of these images.
//!
//! Of 100 blocks of digits, 40 of eight pixels are not all 0, 28 of four, and 22 of two. With four, the
//! sums of a tile are twice as wide as with eight, and fill the same registers.

use pulp::{Simd, WithSimd};

use crate::dispatch;
use crate::pixels::{BLOCK, ImagePixels, normalize};

/// Images in blocks of [`BLOCK`] pixels. `starts[b]..starts[b + 1]` are the entries of block b,
/// ascending by image. `fill` reuses the memory.
#[derive(Debug, Default)]
pub struct BlockSparse {
    num_images: usize,
    /// First entry of each block, and at the end the number of all entries.
    starts: Vec<usize>,
    /// Number of the image of each entry.
    images: Vec<u32>,
    /// Pixels of each entry, scaled; 0 beyond the end of an image.
    pixels: Vec<[f32; BLOCK]>,
    /// Memory that `fill` uses.
    scratch: Scratch,
}

/// Intermediate results of `fill`, kept so that their memory is reused.
#[derive(Debug, Default)]
struct Scratch {
    /// One bit per block of each image that is bytes: 1 if the block is not all 0.
    masks: Vec<u64>,
    /// Index of the next entry to be written in each block.
    next_entries: Vec<usize>,
}

impl BlockSparse {
    /// Makes the block-sparse form of `images`: each value is pixel / 255.
    ///
    /// # Panics
    /// If the images differ in size.
    pub fn of(images: &[ImagePixels<'_>]) -> Self {
        let mut blocks = Self::default();
        blocks.fill(images, 1.0);
        blocks
    }

    /// Replaces the content by `images`: each value is pixel / 255 · `factor`.
    ///
    /// # Panics
    /// If the images differ in size.
    pub fn fill(&mut self, images: &[ImagePixels<'_>], factor: f32) {
        dispatch(Fill { blocks: self, images, factor });
    }

    /// Number of images.
    pub fn num_images(&self) -> usize {
        self.num_images
    }

    /// Number of values in all entries: those that a product multiplies.
    pub fn num_values(&self) -> usize {
        self.pixels.len() * BLOCK
    }

    /// Images that are not all 0 in `block`, ascending, each with its values there.
    #[inline(always)]
    pub(super) fn nonzero_blocks(&self, block: usize) -> impl Iterator<Item = (usize, &[f32; BLOCK])> {
        let range = self.starts[block]..self.starts[block + 1];
        self.images[range.clone()].iter().map(|&image| image as usize).zip(&self.pixels[range])
    }
}

/// Conversion of images, in two passes: the first marks and counts the blocks that are not all 0,
/// and the second writes their entries.
struct Fill<'a> {
    blocks: &'a mut BlockSparse,
    images: &'a [ImagePixels<'a>],
    factor: f32,
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let BlockSparse {
            num_images,
            starts,
            images: nonzero_blocks,
            pixels,
            scratch: Scratch { masks, next_entries },
        } = self.blocks;
        let Self { images, factor, .. } = self;
        let size = images.first().map_or(0, |image| image.len());
        assert!(images.iter().all(|image| image.len() == size), "images of different sizes");
        *num_images = images.len();
        prefetch(images);
        starts.clear();
        starts.resize(size.div_ceil(BLOCK) + 1, 0);
        masks.clear();
        // First pass. `starts[b + 1]` counts the entries of block b, and the sums below make starts
        // of the counts.
        for image in images {
            match *image {
                ImagePixels::Bytes(image) => nonzero_mask(image, &mut starts[1..], masks),
                ImagePixels::Blocks { numbers, .. } => count(numbers, &mut starts[1..]),
            }
        }
        for block in 1..starts.len() {
            starts[block] += starts[block - 1];
        }
        let num_blocks = starts[starts.len() - 1];
        nonzero_blocks.resize(num_blocks, 0);
        pixels.resize(num_blocks, [0.0; BLOCK]);
        next_entries.clone_from(starts);
        let mut masks = masks.chunks(size.div_ceil(MASKED_BLOCKS).max(1));
        let mut entries = Entries { next: next_entries, images: nonzero_blocks, pixels, factor };
        for (index, image) in images.iter().enumerate() {
            match *image {
                ImagePixels::Bytes(image) => {
                    entries.write_bytes(index, image, masks.next().unwrap_or_default())
                }
                ImagePixels::Blocks { numbers, blocks, .. } => entries.write_blocks(index, numbers, blocks),
            }
        }
    }
}

/// Entries to be written. Slices, because the compiler would load address and length of a vector for each
/// entry.
struct Entries<'a> {
    /// Index of the next entry of each block.
    next: &'a mut [usize],
    images: &'a mut [u32],
    pixels: &'a mut [[f32; BLOCK]],
    factor: f32,
}

impl Entries<'_> {
    /// Second pass for image `index` in blocks.
    #[inline(always)]
    fn write_blocks(&mut self, index: usize, numbers: &[u8], blocks: &[[u8; BLOCK]]) {
        for (&number, block) in numbers.iter().zip(blocks) {
            let slot = &mut self.next[usize::from(number)];
            self.images[*slot] = index as u32;
            self.pixels[*slot] = block.map(|pixel| normalize(pixel) * self.factor);
            *slot += 1;
        }
    }

    /// Second pass for image `index`, which is bytes: goes from one set bit of its masks to the next.
    #[inline(always)]
    fn write_bytes(&mut self, index: usize, image: &[u8], masks: &[u64]) {
        for ((group, &masks), next) in image.chunks(MASKED_BLOCKS).zip(masks).zip(self.next.chunks_mut(64)) {
            let (whole, rest) = group.as_chunks::<BLOCK>();
            let mut masks = masks;
            while masks != 0 {
                let block = masks.trailing_zeros() as usize;
                masks &= masks - 1;
                let slot = &mut next[block];
                self.images[*slot] = index as u32;
                self.pixels[*slot] = match whole.get(block) {
                    Some(block) => block.map(|pixel| normalize(pixel) * self.factor),
                    None => normalize_rest(rest, self.factor),
                };
                *slot += 1;
            }
        }
    }
}

/// Number of pixels whose blocks share one 64-bit mask.
const MASKED_BLOCKS: usize = 64 * BLOCK;

/// Reads one byte per cache line of all `images`, so that their cache misses overlap. They lie
/// anywhere in a large data set.
#[inline(always)]
fn prefetch(images: &[ImagePixels<'_>]) {
    const CACHE_LINE: usize = 64;
    let mut any = 0;
    for image in images {
        match *image {
            ImagePixels::Bytes(image) => image.chunks(CACHE_LINE).for_each(|line| any |= line[0]),
            ImagePixels::Blocks { numbers, blocks, .. } => {
                numbers.chunks(CACHE_LINE).for_each(|line| any |= line[0]);
                blocks.chunks(CACHE_LINE / BLOCK).for_each(|line| any |= line[0][0]);
            }
        }
    }
    std::hint::black_box(any);
}

/// Adds 1 to `counts` for each of the block `numbers` of an image.
#[inline(always)]
fn count(numbers: &[u8], counts: &mut [usize]) {
    for &number in numbers {
        counts[usize::from(number)] += 1;
    }
}

/// Adds 1 to `counts` for each block of `image` that is not all 0, and appends one bit per block to
/// `masks`.
#[inline(always)]
fn nonzero_mask(image: &[u8], counts: &mut [usize], masks: &mut Vec<u64>) {
    for (group, counts) in image.chunks(MASKED_BLOCKS).zip(counts.chunks_mut(64)) {
        let (whole, rest) = group.as_chunks::<BLOCK>();
        let mut bits = 0;
        for (bit, (block, count)) in whole.iter().zip(counts.iter_mut()).enumerate() {
            let is_nonzero = *block != [0; BLOCK];
            bits |= u64::from(is_nonzero) << bit;
            *count += usize::from(is_nonzero);
        }
        if rest.iter().any(|&pixel| pixel != 0) {
            bits |= 1 << whole.len();
            counts[whole.len()] += 1;
        }
        masks.push(bits);
    }
}

/// Values of the last block of an image, which is not whole: pixel / 255 · `factor`, and 0 beyond the end.
#[inline(always)]
fn normalize_rest(pixels: &[u8], factor: f32) -> [f32; BLOCK] {
    let mut values = [0.0; BLOCK];
    for (slot, &pixel) in values.iter_mut().zip(pixels) {
        *slot = normalize(pixel) * factor;
    }
    values
}
