//! Tests of every kernel against its formula, as plain loops or by hand. Some sizes fill tiles,
//! registers and blocks, and others do not.

use super::*;
use crate::denormal::flush_denormals;
use crate::functions::{erf, exp, tanh};
use crate::pixels::{BLOCK, ImagePixels};

/// Different numbers in [−1, 1], of both signs.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|index| ((index * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0).collect()
}

/// Images of which about `share` of ten blocks are background.
fn images(count: usize, size: usize, share: usize) -> Vec<Vec<u8>> {
    let pixel = |image: usize, pixel: usize| {
        let is_background = (image * 31 + pixel / 8 * 17) % 10 < share || (image + pixel).is_multiple_of(3);
        if is_background { 0 } else { ((image * 37 + pixel * 101) % 256) as u8 }
    };
    (0..count).map(|image| (0..size).map(|place| pixel(image, place)).collect()).collect()
}

fn rows(images: &[Vec<u8>]) -> Vec<ImagePixels<'_>> {
    images.iter().map(|image| ImagePixels::Bytes(image)).collect()
}

fn scaled(images: &[Vec<u8>]) -> Vec<f32> {
    images.iter().flatten().map(|&pixel| f32::from(pixel) / 255.0).collect()
}

fn assert_close(got: &[f32], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (index, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        assert!(
            (f64::from(got) - expected).abs() < 1e-4 * (1.0 + expected.abs()),
            "{what} {index}: {got}, {expected}"
        );
    }
}

/// Matrix product of left `[rows, inner]` and right `[inner, columns]`, in double precision.
fn product(left: &[f32], right: &[f32], inner: usize) -> Vec<f64> {
    let columns = right.len() / inner;
    let dot = |row: usize, column: usize| -> f64 {
        let term = |k: usize| f64::from(left[row * inner + k]) * f64::from(right[k * columns + column]);
        (0..inner).map(term).sum()
    };
    (0..left.len() / inner)
        .flat_map(|row| (0..columns).map(move |column| (row, column)))
        .map(|(r, c)| dot(r, c))
        .collect()
}

fn transposed(matrix: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns).copied()).collect()
}

/// Numbers of rows, inputs and outputs.
const SHAPES: [[usize; 3]; 11] = [
    [1, 1, 1],
    [7, 9, 3],
    [8, 8, 16],
    [8, 16, 32],
    [13, 25, 10],
    [16, 64, 64],
    [3, 784, 10],
    [9, 784, 100],
    [40, 30, 33],
    [21, 530, 17],
    [18, 12, 147],
];

/// Packs weights `[inputs, outputs]` in two parts, as two threads do it.
fn packed(weight: &[f32], shape: [usize; 2], pack_for: PackFor) -> PackedMatrix {
    let mut matrix = PackedMatrix::default();
    // Numbers of another matrix, which must not remain.
    matrix.pack(&[f32::NAN; 64 * 64], [64, 64], pack_for, 1).for_each(PackTask::run);
    matrix.pack(weight, shape, pack_for, 2).for_each(PackTask::run);
    matrix
}

#[test]
fn forward_is_its_formula() {
    simulated::with_all_tiles(check_forward);
}

fn check_forward() {
    for [count, inputs, outputs] in SHAPES {
        let (weight, bias) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
        let with_bias = |product: Vec<f64>| -> Vec<f64> {
            product.iter().zip(bias.iter().cycle()).map(|(sum, &bias)| sum + f64::from(bias)).collect()
        };
        let mut out = vec![f32::NAN; count * outputs];
        let matrix = numbers(count * inputs, 3);
        let expected = with_bias(product(&matrix, &weight, inputs));
        forward_rows(&matrix, &weight, &bias, &mut out);
        assert_close(&out, &expected, "rows");
        let rows_alone = out.clone();
        let weights = packed(&weight, [inputs, outputs], PackFor::Forward);
        for weights in [Weights::Packed(&weights), Weights::RowMajor(&weight)] {
            out.fill(f32::NAN);
            super::product(&matrix, weights, outputs, Some(&bias), &mut out);
            assert_close(&out, &expected, "product");
            assert_eq!(out, rows_alone, "the same sums");
        }
        for share in [0, 5, 10] {
            let images = images(count, inputs, share);
            let (blocks, scaled) = (BlockSparse::of(&rows(&images)), scaled(&images));
            forward_images(&[&blocks], Weights::RowMajor(&weight), &bias, 0..outputs, &mut out);
            assert_close(&out, &with_bias(product(&scaled, &weight, inputs)), "images");
            let row_major = out.clone();
            let weights = packed(&weight, [inputs, outputs], PackFor::Forward);
            forward_images(&[&blocks], Weights::Packed(&weights), &bias, 0..outputs, &mut out);
            assert_eq!(out, row_major, "the same sums");
            check_parts(&images, [Weights::RowMajor(&weight), Weights::Packed(&weights)], &bias, &out);
        }
    }
}

/// Images in two pieces, and outputs in two parts: the sums are those of `expected`, to the last bit.
fn check_parts(images: &[Vec<u8>], weights: [Weights<'_>; 2], bias: &[f32], expected: &[f32]) {
    let (rows, outputs) = (rows(images), bias.len());
    let [head, tail] = [&rows[..rows.len() / 3], &rows[rows.len() / 3..]].map(BlockSparse::of);
    let pieces: Vec<_> = [&head, &tail].into_iter().filter(|piece| piece.num_images() > 0).collect();
    let middle = outputs / 2 / TILE_COLUMNS * TILE_COLUMNS;
    for weights in weights {
        for columns in [0..middle, middle..outputs] {
            let mut out = vec![f32::NAN; images.len() * columns.len()];
            forward_images(&pieces, weights, bias, columns.clone(), &mut out);
            let part: Vec<f32> =
                expected.chunks(outputs).flat_map(|row| &row[columns.clone()]).copied().collect();
            assert_eq!(out, part, "{columns:?} of {outputs}");
        }
    }
}

/// A row gets the same bits whichever rows stand beside it, and in whichever tile.
#[test]
fn a_row_does_not_depend_on_the_others() {
    simulated::with_all_tiles(check_rows);
}

fn check_rows() {
    let [count, inputs, outputs] = [21, 30, 50];
    let (weight, matrix) = (numbers(inputs * outputs, 1), numbers(count * inputs, 3));
    let weights = packed(&weight, [inputs, outputs], PackFor::Forward);
    let mut all = vec![f32::NAN; count * outputs];
    super::product(&matrix, Weights::Packed(&weights), outputs, None, &mut all);
    for (row, expected) in matrix.chunks(inputs).zip(all.chunks(outputs)) {
        let mut alone = vec![f32::NAN; outputs];
        super::product(row, Weights::Packed(&weights), outputs, None, &mut alone);
        assert_eq!(alone, expected);
    }
}

#[test]
fn a_buffer_begins_with_a_cache_line() {
    let mut buffer = AlignedBuffer::default();
    for len in [0, 1, 100, 7, 5000] {
        buffer.resize(len);
        assert_eq!((buffer.len(), buffer.as_ptr() as usize % 64), (len, 0));
        buffer.fill(1.0);
    }
    buffer.copy_from(&[1.0, 2.0]);
    assert_eq!(*buffer, [1.0, 2.0]);
}

#[test]
fn the_weights_gradient_is_its_formula_over_all_chunks() {
    simulated::with_all_tiles(check_weight_gradient);
}

fn check_weight_gradient() {
    for [count, inputs, outputs] in SHAPES {
        let (first, second) = (images(count, inputs, 5), images(count + 3, inputs, 2));
        let deltas = [numbers(count * outputs, 4), numbers((count + 3) * outputs, 5)];
        let expected = {
            let inputs_of_all = [scaled(&first), scaled(&second)].concat();
            product(&transposed(&inputs_of_all, inputs), &deltas.concat(), 2 * count + 3)
        };
        let matrices = [scaled(&first), scaled(&second)];
        let words = [BlockSparse::of(&rows(&first)), BlockSparse::of(&rows(&second))];
        let whole: Vec<_> = matrices
            .iter()
            .map(|matrix| Input::Matrix(matrix))
            .zip(deltas.iter().map(Vec::as_slice))
            .collect();
        let sparse: Vec<_> = words.iter().map(Input::Images).zip(deltas.iter().map(Vec::as_slice)).collect();
        for pairs in [whole, sparse] {
            // In two parts, as two threads compute it.
            let middle = inputs / 2 / 8 * 8;
            let mut gradient = vec![f32::NAN; inputs * outputs];
            let (head, tail) = gradient.split_at_mut(middle * outputs);
            weight_gradient(&pairs, [inputs, outputs], 0..middle, head);
            weight_gradient(&pairs, [inputs, outputs], middle..inputs, tail);
            assert_close(&gradient, &expected, "gradient");
        }
    }
}

#[test]
fn the_inputs_gradient_is_its_formula() {
    simulated::with_all_tiles(check_input_gradient);
}

fn check_input_gradient() {
    for [count, inputs, outputs] in SHAPES {
        let (deltas, weight) = (numbers(count * outputs, 6), numbers(inputs * outputs, 7));
        let mut out = vec![f32::NAN; count * inputs];
        let weights = packed(&weight, [inputs, outputs], PackFor::InputGradient);
        super::product(&deltas, Weights::Packed(&weights), inputs, None, &mut out);
        assert_close(&out, &product(&deltas, &transposed(&weight, outputs), outputs), "inputs' gradient");
    }
}

#[test]
fn what_is_not_a_number_is_not_left_out() {
    let (weight, bias) = (numbers(9 * 4, 1), numbers(4, 2));
    for count in [1, 8] {
        let mut matrix = numbers(count * 9, 3);
        matrix[5] = f32::NAN;
        let mut out = vec![0.0; count * 4];
        forward_rows(&matrix, &weight, &bias, &mut out);
        assert!(out[..4].iter().all(|value| value.is_nan()), "{out:?}");
        out.fill(0.0);
        super::product(&matrix, Weights::RowMajor(&weight), 4, Some(&bias), &mut out);
        assert!(out[..4].iter().all(|value| value.is_nan()), "{out:?}");
    }
}

fn scores(logits: &mut [f32], classes: usize, labels: &[u16], smoothing: f64, scale: f32) -> RowScores {
    // Values of earlier rows, which must not remain.
    let mut scores = RowScores { losses: vec![1.0], correct: vec![true] };
    let targets = Targets { labels, smoothing, second: None };
    softmax_cross_entropy_backward(logits, classes, &targets, scale, &mut scores);
    scores
}

/// Two rows by hand. The softmax of z = (ln 2, 0, 0) is (½, ¼, ¼). With class 0, the loss is ln 2
/// and the gradient is (−½, ¼, ¼).
#[test]
fn softmax_and_its_gradient_by_hand() {
    let ln2 = 2f32.ln();
    let mut logits = vec![ln2, 0.0, 0.0, ln2, 0.0, 0.0];
    let worth = scores(&mut logits, 3, &[0, 2], 0.0, 0.5);
    assert_eq!((&worth.correct, worth.num_correct()), (&vec![true, false], 1));
    assert_close(&logits, &[-0.25, 0.125, 0.125, 0.25, 0.125, -0.375], "gradient");
    assert!((worth.losses[0] - 2f64.ln()).abs() < 1e-6 && (worth.losses[1] - 4f64.ln()).abs() < 1e-6);
    // Smoothing by 0.3 gives 0.1 to each class: 0.8 · ln 2 + 0.1 · ln 4 + 0.1 · ln 4.
    let mut logits = vec![ln2, 0.0, 0.0];
    let worth = scores(&mut logits, 3, &[0], 0.3, 1.0);
    assert!((worth.losses[0] - 1.2 * 2f64.ln()).abs() < 1e-6, "{:?}", worth.losses);
    assert_close(&logits, &[0.5 - 0.8, 0.25 - 0.1, 0.25 - 0.1], "smoothed");
    // Logits that are far apart do not overflow.
    let mut logits = vec![1e4, -1e4];
    assert_eq!(scores(&mut logits, 2, &[1], 0.0, 1.0).losses, [2e4]);
}

/// Two classes per row: loss and gradient are the weighted means of those of each class alone.
#[test]
fn a_mixture_has_the_mean_loss_and_gradient_of_both_classes() {
    let logits = [0.5, -1.0, 2.0, 0.25, 0.0, -0.5];
    for (labels, second) in [([0, 2], [2, 1]), ([1, 1], [1, 0])] {
        let alone = [labels, second].map(|labels| {
            let mut gradient = logits.to_vec();
            let losses = scores(&mut gradient, 3, &labels, 0.3, 0.5).losses;
            (losses, gradient)
        });
        let mut gradient = logits.to_vec();
        let mut mixed = RowScores::default();
        let targets = Targets { labels: &labels, smoothing: 0.3, second: Some((&second, 0.75)) };
        softmax_cross_entropy_backward(&mut gradient, 3, &targets, 0.5, &mut mixed);
        let [(losses, gradients), (second_losses, second_gradients)] = &alone;
        for (row, loss) in mixed.losses.iter().enumerate() {
            let expected = 0.75 * losses[row] + 0.25 * second_losses[row];
            assert!((loss - expected).abs() < 1e-6, "{loss} {expected}");
        }
        let pairs = gradients.iter().zip(second_gradients);
        let expected: Vec<f64> =
            pairs.map(|(&first, &second)| 0.75 * f64::from(first) + 0.25 * f64::from(second)).collect();
        assert_close(&gradient, &expected, "mixture");
        assert_eq!(mixed.correct, [labels[0] == 2, labels[1] == 0], "the first class counts");
    }
}

#[test]
fn columns_are_summed() {
    let matrix = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
    let mut sums = vec![1.0, 2.0];
    column_sums(&matrix, 2, 0..2, &mut sums);
    assert_eq!(sums, [7.0, 62.0]);
    let mut sums = vec![0.0];
    column_sums(&matrix, 3, 1..2, &mut sums);
    assert_eq!(sums, [10.0 + 3.0]);
}

/// Number and pixels of each block of `image` that is not all 0.
fn nonzero_blocks(image: &[u8]) -> (Vec<u8>, Vec<[u8; BLOCK]>) {
    let padded = |block: &[u8]| std::array::from_fn(|place| block.get(place).copied().unwrap_or(0));
    let blocks = image.chunks(BLOCK).map(padded).enumerate();
    blocks.filter(|(_, block)| *block != [0; BLOCK]).map(|(number, block)| (number as u8, block)).unzip()
}

/// Images in blocks, images as bytes, and both in turn have the same block-sparse form, also in the memory of
/// images of another size.
#[test]
fn the_form_in_which_images_are_kept_makes_no_difference() {
    let [mut of_blocks, mut of_mixed] = [BlockSparse::default(), BlockSparse::default()];
    for (size, share) in [(784, 7), (30, 7), (61, 8), (1024, 9)] {
        let images = images(9, size, share);
        let in_blocks: Vec<_> = images.iter().map(|image| nonzero_blocks(image)).collect();
        let as_blocks: Vec<_> = in_blocks
            .iter()
            .map(|(numbers, blocks)| ImagePixels::Blocks { numbers, blocks, len: size })
            .collect();
        let as_bytes = rows(&images);
        let mut mixed = as_bytes.clone();
        mixed.iter_mut().zip(&as_blocks).step_by(2).for_each(|(slot, image)| *slot = *image);
        let mut blocks = BlockSparse::default();
        blocks.fill(&as_bytes, 0.7);
        of_blocks.fill(&as_blocks, 0.7);
        of_mixed.fill(&mixed, 0.7);
        let num_entries: usize = in_blocks.iter().map(|(numbers, _)| numbers.len()).sum();
        assert_eq!(of_blocks.num_values(), num_entries * BLOCK, "{size} pixels");
        for block in 0..size.div_ceil(BLOCK) {
            let entries = |form: &BlockSparse| -> Vec<(usize, [f32; BLOCK])> {
                form.entries(block).iter().map(|entry| (entry.image(), entry.pixels)).collect()
            };
            assert_eq!(entries(&of_blocks), entries(&blocks), "block {block} of {size} pixels");
            assert_eq!(entries(&of_mixed), entries(&blocks), "block {block} of {size} pixels");
        }
    }
}

#[test]
fn no_images_are_no_work() {
    let (weight, bias) = (numbers(9 * 4, 1), numbers(4, 2));
    let none = BlockSparse::of(&[]);
    assert_eq!(none.num_images(), 0);
    forward_images(&[&none], Weights::RowMajor(&weight), &bias, 0..4, &mut []);
    forward_rows(&[], &weight, &bias, &mut []);
    super::product(&[], Weights::RowMajor(&weight), 4, Some(&bias), &mut []);
    assert_eq!(scores(&mut [], 4, &[], 0.0, 1.0), RowScores::default());
}

/// One step of each rule by hand, with rate ½, w = 1, g = 2, momentum ½ and ρ = ½.
#[test]
fn updates_by_hand() {
    let step = |is_nesterov, weight_decay| {
        let (mut gradient, mut velocity) = ([2.0], [4.0]);
        let step = MomentumParams { rate: 0.5, momentum: 0.5, is_nesterov, weight_decay };
        momentum(&step, &[1.0], &mut gradient, &mut velocity);
        (gradient[0], velocity[0])
    };
    // v = 2 + ½ · 4 = 4 and w = 1 − ½ · 4. With Nesterov's momentum, w = 1 − ½ (½ · 4 + 2). With a
    // weight decay of 1, g = 3 and v = 5.
    assert_eq!(step(false, None), (-1.0, 4.0));
    assert_eq!(step(true, None), (-1.0, 4.0));
    assert_eq!(step(false, Some(1.0)), (-1.5, 5.0));
    assert_eq!(step(true, Some(1.0)), (1.0 - 0.5 * (2.5 + 3.0), 5.0));
    // Lion with β₁ = ½ and β₂ = ¼: the direction is the sign of ½ m + 1, and the new m is ¼ m + 1½.
    let step = |before: f32, decay_factor| {
        let (mut gradient, mut momentum) = ([2.0], [before]);
        let step = LionParams { rate: 0.5, beta_1: 0.5, beta_2: 0.25, decay_factor };
        lion(&step, &[1.0], &mut gradient, &mut momentum);
        (gradient[0], momentum[0])
    };
    assert_eq!(step(4.0, None), (0.5, 2.5));
    assert_eq!(step(-4.0, None), (1.5, 0.5));
    assert_eq!(step(-2.0, Some(0.75)), (0.75, 1.0));
    assert!(step(f32::NAN, None).0.is_nan());
    let step = |mean: &mut [f32], velocity: &mut [f32]| {
        let (mut gradient, mut square_mean) = ([2.0], [14.0]);
        let step = RmsPropParams { rate: 0.5, rho: 0.5, momentum: 0.5, epsilon: 1.0, weight_decay: None };
        rmsprop(&step, &[1.0], &mut gradient, &mut square_mean, mean, velocity);
        assert_eq!(square_mean, [9.0]);
        gradient[0]
    };
    // s = 7 + 2 = 9 and u = 2 / (3 + 1) = ½. With a velocity of 3, u = 1½ + ½ = 2.
    assert_eq!(step(&mut [], &mut []), 0.75);
    let mut velocity = [3.0];
    assert_eq!((step(&mut [], &mut velocity), velocity), (0.0, [2.0]));
    // m = −½ · 2 + 1 = 0, and nothing is subtracted from s. With m = 5 · ½ + 1 = 3½, s − m² is
    // negative, and its root is NaN.
    let mut mean = [-2.0];
    assert_eq!((step(&mut mean, &mut []), mean), (0.75, [0.0]));
    assert!(step(&mut [5.0], &mut []).is_nan());
}

/// Clipping by hand: 100 times 3² and 4² are 2,500, and each value is limited to [−2, 2].
#[test]
fn clipping_by_hand() {
    let mut values = [[3.0, -4.0]; 100].as_flattened().to_vec();
    assert_eq!(sum_of_squares(&values), 2500.0);
    assert_eq!(sum_of_squares(&values[..3]), 34.0);
    scale(0.5, &mut values);
    assert_eq!(values[198..], [1.5, -2.0]);
    let mut values = [3.0, -4.0, 1.0, f32::NAN];
    clamp(2.0, &mut values);
    assert_eq!(values[..3], [2.0, -2.0, 1.0]);
    assert!(values[3].is_nan() && sum_of_squares(&values).is_nan());
}

#[test]
fn a_moving_average_by_hand() {
    // 8 + ¼ · (16 − 8) = 10. Three quarters of the smallest normal number become 0.
    let mut average = [8.0, f32::MIN_POSITIVE];
    moving_average(0.25, &[16.0, 0.0], &mut average);
    assert_eq!(average, [10.0, 0.0]);
}

#[test]
fn denormal_numbers_become_0_and_no_others() {
    let smallest = f32::MIN_POSITIVE;
    let mut values = [1.0, -smallest, smallest / 2.0, -smallest / 2.0, f32::from_bits(1), 0.0, f32::INFINITY];
    flush_denormals(&mut values);
    assert_eq!(values, [1.0, -smallest, 0.0, 0.0, 0.0, 0.0, f32::INFINITY]);
    let mut values = [f32::NAN; 9];
    flush_denormals(&mut values);
    assert!(values.iter().all(|value| value.is_nan()));
}

/// Values of Python's math.erf.
#[test]
fn functions_are_those_of_double_precision() {
    let values = [
        (0.0, 0.0),
        (0.1, 0.112_462_916_018_284_9),
        (0.5, 0.520_499_877_813_046_5),
        (1.0, 0.842_700_792_949_714_9),
        (2.0, 0.995_322_265_018_952_7),
        (3.0, 0.999_977_909_503_001_4),
        (9.0, 1.0),
    ];
    for (x, expected) in values {
        for (x, expected) in [(x, expected), (-x, -expected)] {
            assert!((f64::from(erf(x)) - expected).abs() < 5e-7, "erf {x}: {}", erf(x));
        }
    }
    for step in -2000..=2000 {
        let x = step as f32 / 100.0;
        let (exact, got) = (f64::from(x).exp(), f64::from(exp(x)));
        assert!((got - exact).abs() < 2e-7 * exact, "exp {x}: {got}, {exact}");
        let (exact, got) = (f64::from(x).tanh(), f64::from(tanh(x)));
        assert!((got - exact).abs() < 4e-7, "tanh {x}: {got}, {exact}");
    }
    assert_eq!([exp(0.0), exp(-87.5), exp(f32::NEG_INFINITY)], [1.0, 0.0, 0.0]);
    assert!(exp(f32::INFINITY).is_finite() && exp(-86.9).is_normal());
    assert!([exp(f32::NAN), erf(f32::NAN), tanh(f32::NAN)].iter().all(|value| value.is_nan()));
}
