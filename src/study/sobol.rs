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
mod tests {
    use super::*;

    /// `tests/reference/sobol.py` prints these values with SciPy.
    #[test]
    fn points_as_scipy_gives_them() {
        let sequence = Sobol::unscrambled(MAX_DIMENSIONS);
        assert_eq!(Sobol::unscrambled(3).point(5), sequence.point(5)[..3]);
        for (index, expected) in SCIPY {
            let scaled: Vec<u32> = sequence.point(index).iter().map(|x| (x * 1024.0) as u32).collect();
            assert_eq!(scaled, expected, "point {index}");
        }
    }

    /// The scrambling of `tests/reference/sobol.py`, which SciPy computed with the same matrices.
    #[test]
    fn scrambled_points_as_scipy_gives_them() {
        let mut sequence = Sobol::unscrambled(3);
        let mut state = 1u32;
        for dimension in 0..3 {
            sequence.scramble(dimension, || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state
            });
        }
        for (index, expected) in SCIPY_SCRAMBLED {
            let bits: Vec<u32> = sequence.point(index).iter().map(|x| (x * 2f64.powi(32)) as u32).collect();
            assert_eq!(bits, expected, "point {index}");
        }
    }

    /// 2^m points have one coordinate in each of 2^m equal intervals, in every dimension and with
    /// every seed.
    #[test]
    fn every_interval_has_its_point() {
        for seed in 0..5 {
            let sequence = Sobol::new(MAX_DIMENSIONS, seed);
            let points: Vec<Vec<f64>> = (0..64).map(|index| sequence.point(index)).collect();
            for dimension in 0..MAX_DIMENSIONS {
                let mut cells: Vec<usize> = points.iter().map(|p| (p[dimension] * 64.0) as usize).collect();
                cells.sort_unstable();
                assert_eq!(cells, (0..64).collect::<Vec<_>>(), "seed {seed}, dimension {dimension}");
            }
        }
        assert_ne!(Sobol::new(2, 0).point(0), Sobol::new(2, 1).point(0));
        assert_eq!(Sobol::new(2, 7).point(9), Sobol::new(5, 7).point(9)[..2]);
    }

    const SCIPY: [(u32, [u32; MAX_DIMENSIONS]); 7] = [
        (0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (
            1,
            [
                512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512,
                512, 512,
            ],
        ),
        (
            2,
            [
                768, 256, 256, 256, 768, 768, 256, 768, 768, 768, 768, 768, 256, 256, 768, 256, 768, 256,
                768, 256,
            ],
        ),
        (
            3,
            [
                256, 768, 768, 768, 256, 256, 768, 256, 256, 256, 256, 256, 768, 768, 256, 768, 256, 768,
                256, 768,
            ],
        ),
        (
            21,
            [
                992, 608, 352, 800, 672, 352, 416, 736, 96, 32, 480, 544, 288, 544, 736, 416, 160, 992, 672,
                672,
            ],
        ),
        (
            255,
            [
                4, 1020, 788, 588, 628, 1004, 908, 180, 452, 364, 140, 172, 204, 652, 628, 532, 412, 436,
                748, 260,
            ],
        ),
        (
            1000,
            [225, 99, 531, 693, 287, 929, 47, 921, 513, 71, 87, 261, 165, 393, 147, 379, 737, 353, 1015, 743],
        ),
    ];
    const SCIPY_SCRAMBLED: [(u32, [u32; 3]); 7] = [
        (0, [1_435_167_756, 4_008_639_003, 1_898_009_694]),
        (1, [3_871_825_002, 1_098_870_280, 3_266_236_061]),
        (2, [2_700_254_580, 3_007_983_426, 206_142_374]),
        (3, [331_296_018, 484_162_385, 3_217_482_085]),
        (21, [2_310_917_828, 1_382_300_305, 526_944_084]),
        (255, [1_422_108_149, 887_428_054, 3_142_534_871]),
        (1000, [2_088_842_167, 4_249_288_189, 3_338_912_151]),
    ];
}
