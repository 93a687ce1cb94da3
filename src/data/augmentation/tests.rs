use std::collections::HashMap;

use serde::Deserialize;

use super::*;

/// Augmented images as SciPy computes them: see tests/reference/README.md.
#[derive(Deserialize)]
struct Reference {
    images: HashMap<String, Vec<u8>>,
    cases: Vec<Case>,
    thickness: Vec<Thickness>,
}

#[derive(Deserialize)]
struct Case {
    height: usize,
    width: usize,
    shift: [f64; 2],
    rotation: f64,
    scale: [f64; 2],
    shear: f64,
    alpha: f32,
    sigma: f64,
    out: Vec<u8>,
}

#[derive(Deserialize)]
struct Thickness {
    height: usize,
    width: usize,
    amount: f32,
    out: Vec<u8>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../../tests/reference/augmentation.json")).unwrap()
}

impl Reference {
    fn image(&self, height: usize, width: usize) -> &[u8] {
        &self.images[&format!("{height}x{width}")]
    }
}

/// Numbers of the generator of tests/reference/augmentation.py.
fn numbers(seed: u32) -> impl Iterator<Item = u16> {
    std::iter::successors(Some(seed), |state| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)))
        .skip(1)
        .map(|state| (state >> 16) as u16)
}

fn largest_difference(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn warped_images_are_those_of_scipy() {
    let reference = reference();
    assert_eq!(reference.cases.len(), 20);
    for case in &reference.cases {
        let &Case { height, width, shift, rotation, scale, shear, alpha, sigma, .. } = case;
        let (image, size) = (reference.image(height, width), [height, width]);
        let gaussian = Gaussian::new(sigma, height.max(width));
        let noise: Vec<u8> = numbers(11).take(2 * height * width).flat_map(u16::to_le_bytes).collect();
        let (across, down) = noise.split_at(2 * height * width);
        let fields = [across, down].map(|noise| {
            let mut field = Field::default();
            field.fill(noise, &gaussian, alpha, size);
            field
        });
        let fields = (alpha > 0.0).then_some(&fields);
        let affine = Affine { shift, rotation, scale, shear };
        let mut out = vec![0; image.len()];
        Warp::default().run(image, size, &affine, fields, &mut out);
        let difference = largest_difference(&out, &case.out);
        assert!(difference <= 1, "{affine:?}, alpha {alpha}, sigma {sigma}: {difference}");
    }
}

#[test]
fn strokes_of_another_thickness_are_those_of_scipy() {
    let reference = reference();
    assert_eq!(reference.thickness.len(), 8);
    for case in &reference.thickness {
        let image = reference.image(case.height, case.width);
        let mut out = vec![0; image.len()];
        change_thickness(image, case.width, case.amount, &mut out);
        assert_eq!(largest_difference(&out, &case.out), 0, "{}", case.amount);
    }
}

/// Returns image `index` as changed in `epoch` with `seed`.
fn augmented(config: &AugmentationConfig, seed: u64, epoch: u64, index: u32) -> Vec<u8> {
    let image = reference().image(28, 28).to_vec();
    let augmenter = Augmenter::new(config, seed, (28, 28)).unwrap();
    let mut out = vec![9];
    augmenter.append(&image, epoch, index, &mut AugmentScratch::default(), &mut out);
    assert_eq!(out.remove(0), 9, "it appends");
    assert_eq!(out.len(), image.len());
    out
}

fn everything() -> AugmentationConfig {
    AugmentationConfig {
        probability: 1.0,
        shift: 2.0,
        rotation: 10.0,
        scale: 0.1,
        shear: 10.0,
        elastic_alpha: 30.0,
        elastic_sigma: 4.0,
        thickness: 0.5,
        noise: 0.05,
        cutout: 6,
    }
}

#[test]
fn changes_follow_from_seed_epoch_and_image() {
    let config = everything();
    let reference = augmented(&config, 1, 1, 1);
    assert_eq!(augmented(&config, 1, 1, 1), reference);
    for other in [[2, 1, 1], [1, 2, 1], [1, 1, 2]] {
        let [seed, epoch, index] = other;
        assert_ne!(augmented(&config, seed, epoch, index as u32), reference, "{other:?}");
    }
    // Memory that other images used changes nothing.
    let augmenter = Augmenter::new(&config, 1, (28, 28)).unwrap();
    let (mut scratch, mut out) = (AugmentScratch::default(), Vec::new());
    let image = self::reference().image(28, 28).to_vec();
    for index in 0..3 {
        augmenter.append(&image, 1, index, &mut scratch, &mut out);
    }
    assert_eq!(out[784..2 * 784], reference);
}

/// The bits of the changes are a part of every result and must not change.
#[test]
fn changes_stay_the_same_in_every_version() {
    let sum = |pixels: &[u8]| {
        pixels.iter().fold(0u32, |sum, &pixel| sum.wrapping_mul(31).wrapping_add(u32::from(pixel)))
    };
    let geometric = AugmentationConfig { noise: 0.0, ..everything() };
    assert_eq!(sum(&augmented(&geometric, 1, 2, 3)), 843_637_402);
}

#[test]
fn every_draw_is_in_its_range_and_uses_all_of_it() {
    let config = everything();
    let augmenter = Augmenter::new(&config, 1, (20, 30)).unwrap();
    let draws: Vec<Draw> =
        (0..4000).map(|index| augmenter.draw(&mut rng(5, RngStream::Augmentation, index))).collect();
    let check = |name: &str, value: fn(&Draw) -> f64, low: f64, high: f64| {
        let values: Vec<f64> = draws.iter().map(value).collect();
        let (min, max) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), &v| (a.min(v), b.max(v)));
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let range = high - low;
        assert!(min >= low && max <= high, "{name}: {min} to {max}");
        assert!(min < low + 0.01 * range && max > high - 0.01 * range, "{name}: {min} to {max}");
        assert!((mean - (low + high) / 2.0).abs() < 0.03 * range, "{name}: mean {mean}");
    };
    check("shift right", |draw| draw.affine.shift[0], -2.0, 2.0);
    check("shift down", |draw| draw.affine.shift[1], -2.0, 2.0);
    check("rotation", |draw| draw.affine.rotation, -10.0, 10.0);
    check("width", |draw| draw.affine.scale[0], 0.9, 1.1);
    check("height", |draw| draw.affine.scale[1], 0.9, 1.1);
    check("shear", |draw| draw.affine.shear, -10.0, 10.0);
    check("thickness", |draw| f64::from(draw.thickness), -0.5, 0.5);
    let rows: Vec<usize> = draws.iter().map(|draw| draw.cutout[0]).collect();
    let columns: Vec<usize> = draws.iter().map(|draw| draw.cutout[1]).collect();
    assert!((0..20).all(|row| rows.contains(&row)) && rows.iter().all(|&row| row < 20));
    assert!((0..30).all(|column| columns.contains(&column)) && columns.iter().all(|&column| column < 30));
    // No two changes are drawn alike.
    let product = |draw: &Draw| draw.affine.rotation / 10.0 * draw.affine.shear / 10.0;
    assert!(draws.iter().map(product).sum::<f64>().abs() / 4000.0 < 0.02);
}

#[test]
fn a_change_does_not_depend_on_whether_another_is_on() {
    let draw = |config: AugmentationConfig| {
        let augmenter = Augmenter::new(&config, 1, (28, 28)).unwrap();
        augmenter.draw(&mut rng(5, RngStream::Augmentation, 0))
    };
    let (off, all) = (AugmentationConfig::default(), draw(everything()));
    let AugmentationConfig { shift, rotation, scale, shear, thickness, cutout, .. } = everything();
    assert_eq!(draw(AugmentationConfig { shift, ..off.clone() }).affine.shift, all.affine.shift);
    assert_eq!(draw(AugmentationConfig { rotation, ..off.clone() }).affine.rotation, all.affine.rotation);
    assert_eq!(draw(AugmentationConfig { scale, ..off.clone() }).affine.scale, all.affine.scale);
    assert_eq!(draw(AugmentationConfig { shear, ..off.clone() }).affine.shear, all.affine.shear);
    assert_eq!(draw(AugmentationConfig { thickness, ..off.clone() }).thickness, all.thickness);
    assert_eq!(draw(AugmentationConfig { cutout, ..off }).cutout, all.cutout);
}

#[test]
fn pixels_of_endless_images_are_not_moved() {
    let config = AugmentationConfig { shift: 1.0, ..AugmentationConfig::default() };
    config.check_size([1, (1 << 22) - 1]).unwrap();
    let error = config.check_size([1, 1 << 22]).unwrap_err();
    assert_eq!(
        error.message(),
        "`[augmentation]` moves pixels, and the images have 1x4194304, expected sides below 4,194,304"
    );
    AugmentationConfig { shift: 0.0, noise: 0.1, ..config }.check_size([1, 1 << 22]).unwrap();
}

#[test]
fn the_probability_is_the_share_of_changed_images() {
    let config = AugmentationConfig { probability: 0.3, ..everything() };
    let original = reference().image(28, 28).to_vec();
    let changed = (0..400).filter(|&index| augmented(&config, 1, 1, index) != original).count();
    assert!((90..150).contains(&changed), "{changed} of 400");
    assert!(Augmenter::new(&AugmentationConfig { probability: 0.0, ..everything() }, 1, (28, 28)).is_none());
    assert!(Augmenter::new(&AugmentationConfig::default(), 1, (28, 28)).is_none());
}

#[test]
fn a_square_is_cut_out() {
    let cut = |side, centre| {
        let mut image = vec![1; 20];
        pixels::cut_out(&mut image, 5, side, centre);
        image.iter().enumerate().filter(|(_, pixel)| **pixel == 0).map(|(at, _)| at).collect::<Vec<_>>()
    };
    assert_eq!(cut(1, [2, 3]), [13]);
    assert_eq!(cut(2, [2, 3]), [7, 8, 12, 13]);
    assert_eq!(cut(3, [0, 4]), [3, 4, 8, 9]);
    assert_eq!(cut(usize::MAX, [0, 0]).len(), 20);
}

#[test]
fn noise_has_its_standard_deviation() {
    let mut image = vec![128; 100_000];
    pixels::add_noise(&mut image, 20.0, &mut rng(1, RngStream::Augmentation, 1));
    let mean = image.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / 1e5;
    let variance = image.iter().map(|&pixel| (f64::from(pixel) - mean).powi(2)).sum::<f64>() / 1e5;
    assert!((mean - 128.0).abs() < 0.3 && (variance.sqrt() - 20.0).abs() < 0.2, "{mean}, {variance}");
}

#[test]
fn threads_make_the_batches_in_order() {
    let make = |batch: usize| -> std::sync::Arc<[u8]> { vec![batch as u8; 3].into() };
    for num_threads in 1..4 {
        let mut prefetch = Prefetch::start(num_threads, 50, make).unwrap();
        for batch in 0..50 {
            assert_eq!(*prefetch.take().unwrap(), [batch; 3]);
        }
        assert!(prefetch.take().is_none());
        // Ends although nobody takes the rest.
        drop(Prefetch::start(num_threads, 50, make).unwrap().take().unwrap());
    }
    assert!(Prefetch::start(0, 50, make).is_none());
    assert!(Prefetch::start(2, 0, make).unwrap().take().is_none());
}

/// Whoever waits for the batch of a thread that failed is not left waiting.
#[test]
fn a_failed_thread_ends_the_waiting() {
    let fail = |batch: usize| -> std::sync::Arc<[u8]> {
        assert!(batch < 2, "a failure on purpose");
        vec![1].into()
    };
    let mut prefetch = Prefetch::start(2, 50, fail).unwrap();
    assert!((0..4).any(|_| prefetch.take().is_none()));
}
