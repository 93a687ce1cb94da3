#![allow(clippy::unwrap_used)]

use burn::data::dataloader::DataLoader;

use super::*;
use crate::data::{AugmentationConfig, Augmenter, Batch, ImageDataset, Loader, Mixup, Sampling, Split};

/// Pixel `index` of all images.
fn pixel(index: usize) -> u8 {
    (index * 83 % 256) as u8
}

/// Five images of 3x3 pixels, which fill two numbers and a part of a third one.
fn images() -> ImageDataset {
    ImageDataset {
        pixels: (0..45).map(pixel).collect::<Vec<u8>>().into(),
        labels: vec![4, 3, 2, 1, 0],
        height: 3,
        width: 3,
        images_name: String::new(),
    }
}

/// Copies the images to `device`, which may be a CPU.
fn copy(device: &Device) -> DeviceImages {
    DeviceImages::copy(&images(), device)
}

fn devices() -> [Device; 2] {
    #[allow(deprecated)]
    [Device::flex(), Device::ndarray()]
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

fn classes(labels: Tensor<1, Int>) -> Vec<i64> {
    labels.into_data().iter().collect()
}

/// By hand: image 1 begins with pixel 9 · 83 mod 256 = 235.
#[test]
fn a_batch_has_the_images_with_its_numbers() {
    for device in devices() {
        let held = copy(&device);
        let indices = held.send([1, 4, 1].into_iter());
        let gathered = held.images(indices.clone());
        assert_eq!(gathered.dims(), [3, 3, 3]);
        let gathered = values(gathered);
        assert_eq!(gathered[0], 235.0 / 255.0);
        let expected: Vec<f32> = [9..18, 36..45, 9..18]
            .into_iter()
            .flatten()
            .map(|index| f32::from(pixel(index)) / 255.0)
            .collect();
        assert_eq!(gathered, expected, "{device:?}");
        assert_eq!(classes(held.labels(indices)), [3, 0, 3]);
    }
}

#[test]
fn no_copy_is_made_on_a_cpu() {
    let images = images();
    assert!(devices().iter().all(|device| DeviceImages::of(&images, device).is_none()));
    assert!(devices().iter().all(|device| DeviceImages::of(&images, &device.clone().autodiff()).is_none()));
}

/// A loader of a split that a device holds gives the same batches as one of a split that none holds.
#[test]
fn a_loader_gathers_the_same_batches() {
    for device in devices() {
        let split = Split::whole(images()).select(&[4, 2, 0, 3]);
        let held = Split { on_device: Some(copy(&device)), ..split.clone() };
        for device in [device.clone(), device.autodiff()] {
            let [plain, gathered] = [&split, &held].map(|split| {
                let loader = Loader::new(split.clone(), 3, Sampling::Shuffled(7), &device).starting_at(1, 0);
                loader.iter().map(Result::unwrap).collect::<Vec<Batch>>()
            });
            assert_eq!(plain.len(), 2);
            for (plain, gathered) in plain.into_iter().zip(gathered) {
                assert!(gathered.held().is_some() && plain.held().is_none());
                assert_eq!(gathered.images().device(), device);
                assert_eq!(values(gathered.images()), values(plain.images()));
                assert_eq!(classes(gathered.targets()), classes(plain.targets()));
                // The CPU makes mixed images.
                let mixup = Mixup::draw(1.0, 1, 1);
                let [plain, gathered] = [plain, gathered].map(|batch| batch.with_mixup(mixup));
                assert!(gathered.held().is_none());
                assert_eq!(values(gathered.images()), values(plain.images()));
            }
        }
    }
}

#[test]
fn augmented_images_are_not_gathered() {
    let device = Device::flex();
    let held = Some(copy(&device));
    let split = Split { on_device: held, ..Split::whole(images()) };
    let config = AugmentationConfig { shift: 1.0, ..AugmentationConfig::default() };
    let loader = Loader::new(split, 5, Sampling::Sequential, &device);
    let loader = loader.with_augmentation(Augmenter::new(&config, 1, (3, 3)), 0);
    assert!(loader.iter().map(Result::unwrap).all(|batch| batch.held().is_none()));
}

/// Two groups of a model batch, each with its own part of the images.
#[test]
fn the_parts_of_several_splits_are_gathered_at_once() {
    let all = Split { on_device: Some(copy(&Device::flex())), ..Split::whole(images()) };
    let [first, second] = [[4, 2], [1, 3]].map(|indices| all.select(&indices));
    let (pixels, labels) = Split::gather_held(&[(&first, &[1]), (&second, &[0, 1])]).unwrap();
    assert_eq!(classes(labels), [2, 3, 1]);
    let expected: Vec<f32> =
        [18..27, 9..18, 27..36].into_iter().flatten().map(|index| f32::from(pixel(index)) / 255.0).collect();
    assert_eq!(values(pixels), expected);
    let other = Split::whole(images());
    assert!(Split::gather_held(&[(&first, &[1]), (&other, &[0])]).is_none());
    assert!(Split::gather_held(&[(&other, &[0])]).is_none());
}
