//! What each product and each pass of a training step costs on one thread, as tables: microseconds, GFLOP/s or
//! GB/s, and the share of the most that this processor does.
//!
//! `cargo bench --bench kernels`, or within `cargo bench -p smallnet-benches --bench parts`. docs/kernels.md has
//! tables of it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};
use smallnet::data::{ImagePixels, Source, Split, Subset};
use smallnet_kernels::{
    AdamParams, AlignedBuffer, BlockSparse, Input, PackFor, PackTask, PackedMatrix, RowScores, Targets,
    Weights, adam, forward_images, packing_for_images_pays, product, softmax_cross_entropy_backward,
    weight_gradient,
};

/// Networks and numbers of images.
const STEPS: [(&[usize], usize); 4] =
    [(&[784, 10], 64), (&[784, 512, 256, 10], 64), (&[784, 512, 256, 10], 128), (&[784, 2048, 1024, 10], 64)];

/// Prints a table per network.
pub fn tables() {
    let split = Split::whole(Source::mnist().load(Subset::Train).unwrap());
    for (sizes, num_images) in STEPS {
        let images: Vec<_> = (0..num_images).map(|index| split.pixels(index * 97)).collect();
        let StepProfile { peak_gflops, parts } = profile_step(&images, sizes);
        let network: Vec<String> = sizes.iter().map(usize::to_string).collect();
        println!("\n{}, {num_images} images, one thread, peak {peak_gflops:.0} GFLOP/s\n", network.join("-"));
        println!("| part | µs | rate | of the peak |\n|---|---:|---:|---:|");
        for PartTime { name, microseconds, flops, bytes } in parts {
            let (rate, share) = match flops > 0.0 {
                true => {
                    let rate = flops / microseconds / 1e3;
                    (format!("{rate:.0} GFLOP/s"), format!("{:.0} %", 100.0 * rate / peak_gflops))
                }
                false => (format!("{:.0} GB/s", bytes / microseconds / 1e3), String::new()),
            };
            println!("| {name} | {microseconds:.1} | {rate} | {share} |");
        }
    }
}

/// Rounds of which the fastest counts. Other work of the machine makes a round only slower.
const NUM_ROUNDS: usize = 15;

/// Shortest time of a round, in seconds.
const ROUND_SECONDS: f64 = 0.01;

/// Time of one part of a training step on one thread.
#[derive(Debug, Clone)]
struct PartTime {
    /// Part, such as `forward 784 → 512`.
    name: String,
    /// Time, in microseconds.
    microseconds: f64,
    /// Floating-point operations, two per multiplication and addition; 0 for a part that moves memory.
    /// Blocks of pixels that are 0 are not counted.
    flops: f64,
    /// Bytes that are read and written.
    bytes: f64,
}

/// Times of all parts, and the most that one thread of this processor does.
#[derive(Debug, Clone)]
struct StepProfile {
    /// Multiplications and additions in registers, in GFLOP/s.
    peak_gflops: f64,
    /// Parts, in the order of a step.
    parts: Vec<PartTime>,
}

/// Measures the parts of a training step with `images` on one thread. `sizes` are the
/// number of pixels, the widths of the hidden layers and the number of classes.
fn profile_step(images: &[ImagePixels<'_>], sizes: &[usize]) -> StepProfile {
    let mut parts = Vec::new();
    let mut part = |name: String, flops: f64, bytes: f64, work: &mut dyn FnMut()| {
        parts.push(PartTime { name, microseconds: fastest(work), flops, bytes });
    };
    let rows = images.len();
    let mut blocks = BlockSparse::default();
    part("images to blocks".to_owned(), 0.0, (rows * sizes[0]) as f64, &mut || blocks.fill(images, 1.0));
    let num_values = blocks.num_values() as f64;
    for (layer, shape) in sizes.windows(2).enumerate() {
        let &[inputs, outputs] = shape else { continue };
        let name = |part: &str| format!("{part} {inputs} → {outputs}");
        let flops = 2.0 * outputs as f64 * if layer == 0 { num_values } else { (rows * inputs) as f64 };
        let weight = numbers(inputs * outputs);
        let (input, bias) = (numbers(rows * inputs), numbers(outputs));
        let (mut out, mut back) = (numbers(rows * outputs), numbers(rows * inputs));
        let deltas = numbers(rows * outputs);
        let copied = (8 * weight.len()) as f64;
        let mut packed = PackedMatrix::default();
        let is_packed = layer == 0 && packing_for_images_pays();
        if is_packed {
            let pack_for = PackFor::Forward;
            part(name("pack"), 0.0, copied, &mut || pack(&mut packed, &weight, [inputs, outputs], pack_for));
        }
        let weights = if is_packed { Weights::Packed(&packed) } else { Weights::RowMajor(&weight) };
        part(name("forward"), flops, 0.0, &mut || match layer {
            0 => forward_images(&[&blocks], weights, &bias, 0..outputs, &mut out),
            _ => product(&input, weights, outputs, Some(&bias), &mut out),
        });
        if layer > 0 {
            let for_inputs = PackFor::InputGradient;
            part(name("pack transposed"), 0.0, copied, &mut || {
                pack(&mut packed, &weight, [inputs, outputs], for_inputs);
            });
            part(name("gradient of the inputs"), flops, 0.0, &mut || {
                product(&deltas, Weights::Packed(&packed), inputs, None, &mut back)
            });
        }
        let mut gradient = numbers(weight.len());
        let input = if layer == 0 { Input::Images(&blocks) } else { Input::Matrix(&input) };
        part(name("gradient of the weights"), flops, 0.0, &mut || {
            weight_gradient(&[(input, &deltas)], [inputs, outputs], 0..inputs, &mut gradient);
        });
    }
    let classes = sizes[sizes.len() - 1];
    let (labels, mut scores) = (vec![0; rows], RowScores::default());
    let (logits, mut values) = (numbers(rows * classes), numbers(rows * classes));
    part("softmax and its gradient".to_owned(), 0.0, (8 * logits.len()) as f64, &mut || {
        values.copy_from_slice(&logits);
        let targets = Targets { labels: &labels, smoothing: 0.0, second: None };
        softmax_cross_entropy_backward(&mut values, classes, &targets, 1.0, &mut scores);
    });
    let num_weights: usize = sizes.windows(2).map(|shape| shape[0] * shape[1]).sum();
    let [weights, mut gradient, mut moment_1, mut moment_2] = [(); 4].map(|()| numbers(num_weights));
    moment_2.iter_mut().for_each(|value| *value *= *value);
    let params = AdamParams {
        rate: 1e-3,
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
        step: 100,
        weight_decay: None,
        decay_factor: None,
    };
    part("Adam, all weights".to_owned(), 0.0, (28 * num_weights) as f64, &mut || {
        adam(&params, &weights, &mut gradient, &mut moment_1, &mut moment_2);
    });
    StepProfile { peak_gflops: peak_gflops(), parts }
}

/// Packs weights `[inputs, outputs]`.
fn pack(matrix: &mut PackedMatrix, weight: &[f32], shape: [usize; 2], pack_for: PackFor) {
    matrix.pack(weight, shape, pack_for, 1).for_each(PackTask::run);
}

/// Different numbers in [−1, 1], of which none is small enough to be denormal after a product.
fn numbers(len: usize) -> AlignedBuffer {
    let mut buffer = AlignedBuffer::default();
    buffer.resize(len);
    buffer
        .iter_mut()
        .enumerate()
        .for_each(|(index, value)| *value = (index * 7919 % 1009) as f32 / 504.5 - 1.0);
    buffer
}

/// Returns the time of `work` in the fastest round, in microseconds.
fn fastest(work: &mut dyn FnMut()) -> f64 {
    let mut time = |repetitions: usize| {
        let start = Instant::now();
        (0..repetitions).for_each(|_| work());
        start.elapsed().as_secs_f64()
    };
    time(1);
    let repetitions = ((ROUND_SECONDS / time(3).max(1e-9) * 3.0) as usize).max(1);
    let rounds = (0..NUM_ROUNDS).map(|_| time(repetitions) / repetitions as f64);
    1e6 * rounds.fold(f64::INFINITY, f64::min)
}

/// Measures the multiplications and additions of one thread in registers, in GFLOP/s.
fn peak_gflops() -> f64 {
    const NUM_STEPS: usize = 10_000;
    /// As many sums as hide the time of one multiplication and addition.
    const NUM_SUMS: usize = 12;
    struct Peak;
    impl WithSimd for Peak {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> usize {
            let (factor, term) = (simd.splat_f32s(black_box(0.999)), simd.splat_f32s(black_box(0.1)));
            let mut sums = [term; NUM_SUMS];
            for _ in 0..NUM_STEPS {
                for sum in &mut sums {
                    *sum = simd.mul_add_e_f32s(*sum, factor, term);
                }
            }
            black_box(sums);
            S::F32_LANES
        }
    }
    let mut lanes = 0;
    let microseconds = fastest(&mut || lanes = Arch::new().dispatch(Peak));
    (2 * NUM_STEPS * NUM_SUMS * lanes) as f64 / microseconds / 1e3
}

#[allow(dead_code)]
fn main() {
    tables();
}
