//! Owns the Sobol' sequence: points that fill a cube of up to 20 dimensions more evenly than random
//! points do, scrambled by a seed. Depends on the random streams of `util`. Must not know parameters.

use rand::Rng;

use crate::util::rng::{RngStream, rng};

/// Number of bits of a coordinate.
const BITS: usize = 32;

/// Primitive polynomials and first direction numbers of the dimensions after the first one, by Joe
/// and Kuo (2008), file `new-joe-kuo-6.21201`: the inner coefficients of the polynomial as a number,
/// and one odd direction number per degree.
const JOE_KUO: [(u32, &[u32]); 19] = [
    (0, &[1]),
    (1, &[1, 3]),
    (1, &[1, 3, 1]),
    (2, &[1, 1, 1]),
    (1, &[1, 1, 3, 3]),
    (4, &[1, 3, 5, 13]),
    (2, &[1, 1, 5, 5, 17]),
    (4, &[1, 1, 5, 5, 5]),
    (7, &[1, 1, 7, 11, 19]),
    (11, &[1, 1, 5, 1, 1]),
    (13, &[1, 1, 1, 3, 11]),
    (14, &[1, 3, 5, 5, 31]),
    (1, &[1, 3, 3, 9, 7, 49]),
    (13, &[1, 1, 1, 15, 21, 21]),
    (16, &[1, 3, 1, 13, 27, 49]),
    (19, &[1, 1, 1, 15, 7, 5]),
    (22, &[1, 3, 1, 15, 13, 25]),
    (25, &[1, 1, 5, 5, 19, 61]),
    (1, &[1, 3, 7, 11, 23, 15, 103]),
];

/// Most dimensions.
pub(super) const MAX_DIMENSIONS: usize = JOE_KUO.len() + 1;

/// A Sobol' sequence with a scrambling.
///
/// The scrambling is a random linear one with a random digital shift (Matoušek 1998, as in SciPy's
/// `qmc.Sobol`): each dimension has a lower triangular matrix of bits, by which the bits of every
/// coordinate are multiplied, and a number that is then added bit by bit. Each single point is then
/// uniform, and the points stay as even as they were.
pub(super) struct Sobol {
    /// Direction numbers of each dimension, scrambled.
    directions: Vec<[u32; BITS]>,
    /// Digital shift of each dimension.
    shifts: Vec<u32>,
}

impl Sobol {
    /// Creates the sequence in `dimensions` dimensions, of at most [`MAX_DIMENSIONS`], scrambled by
    /// `seed`. The scrambling of a dimension does not depend on the number of dimensions.
    pub(super) fn new(dimensions: usize, seed: u64) -> Self {
        let mut sequence = Self::unscrambled(dimensions);
        for dimension in 0..sequence.shifts.len() {
            let mut rng = rng(seed, RngStream::Scrambling, dimension as u64);
            sequence.scramble(dimension, || rng.next_u32());
        }
        sequence
    }

    /// Creates the sequence without a scrambling.
    fn unscrambled(dimensions: usize) -> Self {
        let first = std::array::from_fn(|bit| 1 << (BITS - 1 - bit));
        let others = JOE_KUO.iter().map(|&(coefficients, first)| directions(coefficients, first));
        let directions: Vec<_> = std::iter::once(first).chain(others).take(dimensions).collect();
        Self { shifts: vec![0; directions.len()], directions }
    }

    /// Scrambles a dimension with random bits: a number for each row of the matrix, first row first,
    /// then one for the shift.
    fn scramble(&mut self, dimension: usize, mut random: impl FnMut() -> u32) {
        let row = |bit: usize| {
            let diagonal = 1u32 << (BITS - 1 - bit);
            // Columns to the left of the diagonal, which belong to more significant bits.
            let left = !(diagonal | (diagonal - 1));
            (random() & left) | diagonal
        };
        let matrix: Vec<u32> = (0..BITS).map(row).collect();
        for direction in &mut self.directions[dimension] {
            let parity = |row: &u32| (*direction & row).count_ones() % 2;
            *direction = matrix.iter().fold(0, |bits, row| (bits << 1) | parity(row));
        }
        self.shifts[dimension] = random();
    }

    /// Point `index` of the sequence, from 0. Its coordinates are in [0, 1).
    pub(super) fn point(&self, index: u32) -> Vec<f64> {
        // Neighbours in Gray code differ in one bit, so common implementations compute each point
        // from the one before. This is their order.
        let gray = index ^ (index >> 1);
        let coordinate = |(directions, shift): (&[u32; BITS], &u32)| {
            let set = directions.iter().enumerate().filter(|(bit, _)| (gray >> bit) & 1 == 1);
            let bits = set.fold(*shift, |bits, (_, direction)| bits ^ direction);
            f64::from(bits) / 2f64.powi(BITS as i32)
        };
        self.directions.iter().zip(&self.shifts).map(coordinate).collect()
    }
}

/// Direction numbers of a dimension from its polynomial and its first direction numbers.
fn directions(coefficients: u32, first: &[u32]) -> [u32; BITS] {
    let degree = first.len();
    let mut directions = [0; BITS];
    for bit in 0..BITS {
        directions[bit] = match first.get(bit) {
            Some(number) => number << (BITS - 1 - bit),
            None => {
                let oldest: u32 = directions[bit - degree];
                (1..degree)
                    .filter(|back| (coefficients >> (degree - 1 - back)) & 1 == 1)
                    .fold(oldest ^ (oldest >> degree), |bits, back| bits ^ directions[bit - back])
            }
        };
    }
    directions
}

#[cfg(test)]
mod tests;
