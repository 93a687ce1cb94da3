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
    (1, [512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512]),
    (2, [768, 256, 256, 256, 768, 768, 256, 768, 768, 768, 768, 768, 256, 256, 768, 256, 768, 256, 768, 256]),
    (3, [256, 768, 768, 768, 256, 256, 768, 256, 256, 256, 256, 256, 768, 768, 256, 768, 256, 768, 256, 768]),
    (21, [992, 608, 352, 800, 672, 352, 416, 736, 96, 32, 480, 544, 288, 544, 736, 416, 160, 992, 672, 672]),
    (
        255,
        [4, 1020, 788, 588, 628, 1004, 908, 180, 452, 364, 140, 172, 204, 652, 628, 532, 412, 436, 748, 260],
    ),
    (1000, [225, 99, 531, 693, 287, 929, 47, 921, 513, 71, 87, 261, 165, 393, 147, 379, 737, 353, 1015, 743]),
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
