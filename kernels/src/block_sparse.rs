//! Owns images without their background, in block-sparse form: four of five pixels of a digit are
//! 0. Depends on `pixels` and pulp. Must not know weights or threads.
//!
//! The form is that of a list of rows per column, with a block of a few pixels in place of a column. Each
//! block has one entry per image that is not all 0 there. So a product loads the weights of a block once
//! and uses them for all of these images. Every block has the same room, so that the entries are written
//! in one pass, without counting them before.
//!
//! Of 100 blocks of digits, 40 of eight pixels are not all 0, 28 of four, and 22 of two. With four, the
//! sums of a tile are twice as wide as with eight, and fill the same registers.

use pulp::{Simd, WithSimd};

use crate::dispatch;
use crate::pixels::{BLOCK, ImagePixels, normalize};

/// Images in blocks of [`BLOCK`] pixels. Every block has room for an entry of each image. The entries of a
/// block are ascending by image, and `fill` reuses the memory.
#[derive(Debug, Default)]
pub struct BlockSparse {
    num_images: usize,
    /// End of the entries of each block. Those of block b begin at b · [`BlockSparse::room`].
    ends: Vec<usize>,
    /// Entries of all blocks. The rest of the room has arbitrary values.
    entries: Vec<Entry>,
}

/// A block of an image that is not all 0.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Entry {
    /// Pixels, scaled; 0 beyond the end of an image.
    pub(super) pixels: [f32; BLOCK],
    image: u32,
}

impl Entry {
    /// Number of the image.
    #[inline(always)]
    pub(super) fn image(&self) -> usize {
        self.image as usize
    }
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
        let num_entries = |(block, end): (usize, &usize)| end - block * self.room();
        self.ends.iter().enumerate().map(num_entries).sum::<usize>() * BLOCK
    }

    /// Images that are not all 0 in `block`, ascending, each with its values there; none without images.
    #[inline(always)]
    pub(super) fn entries(&self, block: usize) -> &[Entry] {
        match self.ends.get(block) {
            Some(&end) => &self.entries[block * self.room()..end],
            None => &[],
        }
    }

    /// Number of entries for which a block has room: an odd number, so that blocks do not compete for a few
    /// sets of the cache.
    #[inline(always)]
    fn room(&self) -> usize {
        self.num_images | 1
    }

    /// Makes room for `num_images` images of `size` pixels, without an entry.
    #[inline(always)]
    fn clear(&mut self, num_images: usize, size: usize) {
        self.num_images = num_images;
        let (num_blocks, room) = (size.div_ceil(BLOCK), self.room());
        self.ends.clear();
        self.ends.extend((0..num_blocks).map(|block| block * room));
        let len = num_blocks * room;
        if self.entries.len() < len {
            self.entries.resize(len, Entry::default());
        }
    }
}

/// Conversion of images.
struct Fill<'a> {
    blocks: &'a mut BlockSparse,
    images: &'a [ImagePixels<'a>],
    factor: f32,
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { blocks, images, factor } = self;
        let size = images.first().map_or(0, |image| image.len());
        assert!(images.iter().all(|image| image.len() == size), "images of different sizes");
        prefetch(images);
        blocks.clear(images.len(), size);
        let BlockSparse { ends, entries, .. } = blocks;
        let mut entries = Entries { ends, entries, factor };
        for (index, image) in images.iter().enumerate() {
            match *image {
                ImagePixels::Bytes(image) => entries.push_bytes(index, image),
                ImagePixels::Blocks { numbers, blocks, .. } => entries.push_blocks(index, numbers, blocks),
            }
        }
    }
}

/// Entries to be written. Slices, because the compiler would load address and length of a vector for each
/// entry.
struct Entries<'a> {
    /// End of the entries of each block.
    ends: &'a mut [usize],
    entries: &'a mut [Entry],
    factor: f32,
}

impl Entries<'_> {
    /// Appends the blocks of image `index`, which has `numbers` and pixels of those that are not all 0.
    #[inline(always)]
    fn push_blocks(&mut self, index: usize, numbers: &[u8], blocks: &[[u8; BLOCK]]) {
        for (&number, block) in numbers.iter().zip(blocks) {
            self.push(usize::from(number), index, *block);
        }
    }

    /// Appends the blocks of image `index`, which is bytes: 64 blocks are compared at once, and then one bit
    /// after the other is a block.
    #[inline(always)]
    fn push_bytes(&mut self, index: usize, image: &[u8]) {
        let (whole, rest) = image.as_chunks::<BLOCK>();
        for (first, group) in (0..).step_by(64).zip(whole.chunks(64)) {
            let is_nonzero = group.iter().map(|block| u64::from(*block != [0; BLOCK]));
            let mut mask = is_nonzero.enumerate().fold(0, |mask, (bit, is_nonzero)| mask | is_nonzero << bit);
            while mask != 0 {
                let bit = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                self.push(first + bit, index, group[bit]);
            }
        }
        if rest.iter().any(|&pixel| pixel != 0) {
            let mut last = [0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            self.push(whole.len(), index, last);
        }
    }

    /// Appends an entry.
    #[inline(always)]
    fn push(&mut self, block: usize, image: usize, pixels: [u8; BLOCK]) {
        let end = self.ends[block];
        self.ends[block] = end + 1;
        let pixels = pixels.map(|pixel| normalize(pixel) * self.factor);
        self.entries[end] = Entry { pixels, image: image as u32 };
    }
}

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
