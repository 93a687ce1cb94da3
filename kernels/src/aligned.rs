//! Owns memory that begins with a cache line. Must not know what the numbers are.
//!
//! The allocator's memory begins 16 bytes after a multiple of 64. Then every vector of 64 bytes, and
//! every second one of 32, lies in two cache lines, and a load of it takes twice as long.

use std::ops::{Deref, DerefMut};

/// Numbers in a cache line.
const CACHE_LINE: usize = 16;

/// Returns how many of `values` come before the first one that begins a cache line; 16 if none is
/// found.
pub fn num_before_line(values: &[f32]) -> usize {
    values.as_ptr().align_offset(size_of::<f32>() * CACHE_LINE).min(CACHE_LINE)
}

/// Returns how many numbers hold `len` numbers from the beginning of a cache line on, wherever the
/// allocator puts them.
pub fn aligned_capacity(len: usize) -> usize {
    len + CACHE_LINE
}

/// Numbers that begin with a cache line. Their memory is reused from one length to the next.
#[derive(Debug, Default)]
pub struct AlignedBuffer {
    values: Vec<f32>,
    /// Index of the first number.
    start: usize,
    len: usize,
}

impl AlignedBuffer {
    /// Changes the length. The numbers are arbitrary then.
    pub fn resize(&mut self, len: usize) {
        if self.values.len() < aligned_capacity(len) {
            // The old memory is freed first.
            self.values = Vec::new();
            self.values = vec![0.0; aligned_capacity(len)];
            self.start = num_before_line(&self.values);
        }
        self.len = len;
    }

    /// Becomes a copy of `values`.
    pub fn copy_from(&mut self, values: &[f32]) {
        self.resize(values.len());
        self.copy_from_slice(values);
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.start..self.start + self.len]
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..self.start + self.len]
    }
}
