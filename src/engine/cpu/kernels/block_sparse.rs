//! Images without their background: four of five pixels of a digit are 0.

use pulp::{Simd, WithSimd};

use crate::engine::cpu::kernels::dispatch;

/// Images as words of eight pixels: for each word the images in which it is not all 0.
///
/// One that is filled again uses its memory again.
#[derive(Debug, Default)]
pub struct BlockSparse {
    num_images: usize,
    /// Where the entries of each word begin, and where the last one's end.
    starts: Vec<usize>,
    /// Each entry's image.
    images: Vec<u32>,
    /// What each entry's image has there. Behind an image's end there is 0.
    pixels: Vec<[f32; BLOCK]>,
    /// Used while it is filled.
    scratch: Scratch,
}

#[derive(Debug, Default)]
struct Scratch {
    /// A bit for each word of each image that is not all 0.
    marks: Vec<u64>,
    /// Where each word's next entry goes.
    places: Vec<usize>,
}

/// Pixels in a word.
pub(super) const BLOCK: usize = 8;

impl BlockSparse {
    /// `images` of bytes, divided by 255.
    ///
    /// # Panics
    /// When they are not of one size.
    pub fn of(images: &[&[u8]]) -> Self {
        let mut words = Self::default();
        words.fill(images, 1.0);
        words
    }

    /// Takes `images`, each pixel divided by 255 and multiplied by `factor`, in the place of what was there.
    ///
    /// # Panics
    /// When they are not of one size.
    pub fn fill(&mut self, images: &[&[u8]], factor: f32) {
        dispatch(Fill { words: self, images, factor });
    }

    /// The number of images.
    pub fn num_images(&self) -> usize {
        self.num_images
    }

    /// The images in which the word is not all 0, ascending, and what they have there.
    #[inline(always)]
    pub(super) fn entries(&self, word: usize) -> impl Iterator<Item = (usize, &[f32; BLOCK])> {
        let range = self.starts[word]..self.starts[word + 1];
        self.images[range.clone()].iter().map(|&image| image as usize).zip(&self.pixels[range])
    }
}

struct Fill<'a> {
    words: &'a mut BlockSparse,
    images: &'a [&'a [u8]],
    factor: f32,
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let BlockSparse { num_images, starts, images: entries, pixels, scratch: Scratch { marks, places } } =
            self.words;
        let Self { images, factor, .. } = self;
        let size = images.first().map_or(0, |image| image.len());
        assert!(images.iter().all(|image| image.len() == size), "images of different sizes");
        *num_images = images.len();
        fetch(images);
        starts.clear();
        starts.resize(size.div_ceil(BLOCK) + 1, 0);
        marks.clear();
        for image in images {
            mark(image, &mut starts[1..], marks);
        }
        for word in 1..starts.len() {
            starts[word] += starts[word - 1];
        }
        let num_entries = starts[starts.len() - 1];
        entries.resize(num_entries, 0);
        pixels.resize(num_entries, [0.0; BLOCK]);
        places.clone_from(starts);
        for (index, (image, marks)) in
            images.iter().zip(marks.chunks(size.div_ceil(MASKED_BLOCKS).max(1))).enumerate()
        {
            for (group, &marks) in marks.iter().enumerate() {
                let mut marks = marks;
                while marks != 0 {
                    let word = group * 64 + marks.trailing_zeros() as usize;
                    marks &= marks - 1;
                    let place = &mut places[word];
                    entries[*place] = index as u32;
                    pixels[*place] = scaled(&image[word * BLOCK..size.min((word + 1) * BLOCK)], factor);
                    *place += 1;
                }
            }
        }
    }
}

/// Pixels whose words are marked in one number.
const MASKED_BLOCKS: usize = 64 * BLOCK;

/// Asks for all `images`, which lie anywhere in a large block, before the first one is waited for.
#[inline(always)]
fn fetch(images: &[&[u8]]) {
    const CACHE_LINE: usize = 64;
    let mut any = 0;
    for image in images {
        for line in image.chunks(CACHE_LINE) {
            any |= line[0];
        }
    }
    std::hint::black_box(any);
}

/// Counts the words of `image` that are not all 0 and appends a bit for each word: which they are.
#[inline(always)]
fn mark(image: &[u8], counts: &mut [usize], marks: &mut Vec<u64>) {
    for (group, counts) in image.chunks(MASKED_BLOCKS).zip(counts.chunks_mut(64)) {
        let (whole, rest) = group.as_chunks::<BLOCK>();
        let mut bits = 0;
        for (bit, (word, count)) in whole.iter().zip(counts.iter_mut()).enumerate() {
            let is_marked = *word != [0; BLOCK];
            bits |= u64::from(is_marked) << bit;
            *count += usize::from(is_marked);
        }
        if rest.iter().any(|&pixel| pixel != 0) {
            bits |= 1 << whole.len();
            counts[whole.len()] += 1;
        }
        marks.push(bits);
    }
}

/// A word as the network takes it.
#[inline(always)]
fn scaled(word: &[u8], factor: f32) -> [f32; BLOCK] {
    let scaled = |pixel| f32::from(pixel) / 255.0 * factor;
    match word.first_chunk::<BLOCK>() {
        Some(word) => word.map(scaled),
        None => {
            let mut last = [0.0; BLOCK];
            for (place, &pixel) in last.iter_mut().zip(word) {
                *place = scaled(pixel);
            }
            last
        }
    }
}
