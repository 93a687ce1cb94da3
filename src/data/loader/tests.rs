use super::*;
use crate::data::{AugmentationConfig, ImageDataset};

/// Ten images of 1x2 pixels: image i has the pixels i and 255 and the label i.
fn split() -> Split {
    Split::whole(ImageDataset {
        pixels: (0..10).flat_map(|i| [i, 255]).collect::<Vec<u8>>().into(),
        labels: (0..10).collect(),
        height: 1,
        width: 2,
        images_name: String::new(),
    })
}

/// Returns the labels of an epoch, one list per batch, after a check that each label is with
/// its image.
fn epoch(loader: &dyn DataLoader<Batch>) -> Vec<Vec<u8>> {
    let mut batches = loader.iter();
    let mut labels = Vec::new();
    let mut seen = 0;
    while let Some(batch) = batches.next() {
        let batch = batch.unwrap();
        let targets: Vec<u8> = batch.targets().into_data().iter::<u8>().collect();
        assert_eq!(batch.images().dims(), [targets.len(), 1, 2]);
        let pixels: Vec<f32> = batch.images().into_data().iter::<f32>().collect();
        let expected: Vec<f32> = targets.iter().flat_map(|&i| [f32::from(i) / 255.0, 1.0]).collect();
        assert_eq!(pixels, expected);
        seen += targets.len();
        assert_eq!((batches.progress().items_processed, batches.progress().items_total), (seen, 10));
        labels.push(targets);
    }
    labels
}

fn loader(sampling: Sampling) -> Loader {
    Loader::new(split(), 4, sampling, &Device::flex())
}

#[test]
fn a_sequential_loader_goes_through_all_images_and_ends_with_a_short_batch() {
    let loader = loader(Sampling::Sequential);
    let expected: [&[u8]; 3] = [&[0, 1, 2, 3], &[4, 5, 6, 7], &[8, 9]];
    assert_eq!(epoch(&loader), expected);
    assert_eq!(epoch(&loader), expected);
    assert_eq!(loader.num_items(), 10);
    assert_eq!(epoch_of_slice(&loader), [[2, 3, 4]]);
}

fn epoch_of_slice(loader: &Loader) -> Vec<Vec<u8>> {
    let slice = loader.slice(2, 5);
    let batches = slice.iter();
    batches.map(|batch| batch.unwrap().targets().into_data().iter::<u8>().collect()).collect()
}

#[test]
fn a_shuffled_loader_draws_each_epochs_order_from_seed_and_epoch() {
    let order = |seed| {
        let loader = loader(Sampling::Shuffled(seed));
        [epoch(&loader).concat(), epoch(&loader).concat()]
    };
    let [first, second] = order(1);
    assert_ne!(first, second, "two epochs in the same order");
    assert_ne!(first, (0..10).collect::<Vec<u8>>(), "not shuffled");
    for epoch in [&first, &second] {
        let mut sorted = epoch.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<u8>>());
    }
    assert_eq!(order(1), [first.clone(), second]);
    assert_ne!(order(2)[0], first);
}

#[test]
fn moving_a_loader_keeps_its_epoch() {
    let reference = loader(Sampling::Shuffled(1));
    epoch(&reference);
    let moved = reference.to_device(&Device::flex());
    assert_eq!(epoch(&*moved), epoch(&reference));
}

#[test]
fn a_loader_starts_at_any_batch() {
    let reference = loader(Sampling::Shuffled(1));
    epoch(&reference);
    let second = epoch(&reference);
    let labels = |loader: &dyn DataLoader<Batch>| -> Vec<Vec<u8>> {
        let batches = loader.iter();
        batches.map(|batch| batch.unwrap().targets().into_data().iter::<u8>().collect()).collect()
    };
    let resumed = loader(Sampling::Shuffled(1)).starting_at(1, 2).to_device(&Device::flex());
    assert_eq!(labels(&*resumed), second[2..]);
    assert_eq!(labels(&*resumed), epoch(&reference), "the epoch after that is whole");
    assert_eq!(labels(&loader(Sampling::Shuffled(1)).starting_at(1, 3)), [[0u8; 0]; 0]);
}

#[test]
fn a_split_is_a_data_set_for_burn() {
    use crate::data::Item;
    use burn_dataset::Dataset;
    use burn_dataset::transform::{PartialDataset, ShuffledDataset};

    let dataset: ShuffledDataset<_, Item> = ShuffledDataset::new(split(), 3u64);
    assert_eq!(Dataset::<Item>::len(&dataset), 10);
    let part = PartialDataset::new(split(), 2, 5);
    let items: Vec<Item> = (0..3).map(|index| part.get(index).unwrap()).collect();
    assert_eq!(items[1], Item { pixels: vec![3, 255], label: 3 });
}

/// Returns the bytes of some images of a batch, one after the other.
fn all_bytes(batch: &Batch, range: Range<usize>, buffer: &mut ImageBuffer) -> Vec<u8> {
    let mut bytes = Vec::new();
    batch.pixels(range, buffer).iter().for_each(|image| image.append_to(&mut bytes));
    bytes
}

/// Returns the bytes of all images of an epoch, one list per batch.
fn bytes(loader: &dyn DataLoader<Batch>) -> Vec<Vec<u8>> {
    let mut buffer = ImageBuffer::default();
    let batches = loader.iter();
    batches
        .map(|batch| {
            let batch = batch.unwrap();
            all_bytes(&batch, 0..batch.len(), &mut buffer)
        })
        .collect()
}

#[test]
fn augmented_images_do_not_depend_on_threads_order_or_range() {
    use crate::data::AugmentationConfig;

    let config = AugmentationConfig { noise: 0.3, probability: 0.7, ..AugmentationConfig::default() };
    let augmented = |num_threads| {
        let augmenter = Augmenter::new(&config, 5, (1, 2));
        loader(Sampling::Sequential).with_augmentation(augmenter, num_threads)
    };
    let reference = augmented(0);
    let epochs = [bytes(&reference), bytes(&reference)];
    assert_ne!(epochs[0], epochs[1], "an epoch repeats the images of the one before");
    assert_ne!(epochs[0], bytes(&loader(Sampling::Sequential)), "nothing is changed");
    for num_threads in 1..4 {
        let ahead = augmented(num_threads);
        assert_eq!([bytes(&ahead), bytes(&ahead)], epochs, "{num_threads} threads");
        assert_eq!(bytes(&augmented(num_threads).starting_at(1, 1)), epochs[1][1..], "resumed");
    }
    // Another order and another batch give each image the same changes.
    let images = |loader: Loader| {
        let batches = loader.iter();
        let mut images: Vec<(i32, Vec<f32>)> = batches
            .flat_map(|batch| {
                let batch = batch.unwrap();
                let labels: Vec<i32> = batch.targets().into_data().iter::<i32>().collect();
                let pixels: Vec<f32> = batch.images().into_data().iter::<f32>().collect();
                labels.into_iter().zip(pixels.chunks(2).map(<[f32]>::to_vec).collect::<Vec<_>>())
            })
            .collect();
        images.sort_by_key(|(label, _)| *label);
        images
    };
    let shuffled = Loader::new(split(), 3, Sampling::Shuffled(1), &Device::flex());
    let shuffled = shuffled.with_augmentation(Augmenter::new(&config, 5, (1, 2)), 2);
    assert_eq!(images(shuffled), images(augmented(0)));
    // A part of a batch is that part of the whole.
    let loader = augmented(0);
    let batch = loader.iter().next().unwrap().unwrap();
    let mut buffer = ImageBuffer::default();
    assert_eq!(all_bytes(&batch, 1..3, &mut buffer), epochs[0][0][2..6]);
}

/// Each image is mixed with the next one, and the last one with the first. The parts of a batch are the
/// same as the whole, also where the images are changed, ahead or when they are asked for.
#[test]
fn mixtures_are_of_neighbours_and_the_same_in_parts() {
    let mixup = Mixup::draw(1.0, 1, 3);
    let batch = Batch::new(&split(), &[7, 2, 9], 0.0, &Device::flex()).with_mixup(mixup);
    let expected: Vec<u8> = [(7.0, 2.0), (2.0, 9.0), (9.0, 7.0)]
        .iter()
        .map(|(first, second)| (first * mixup.share() + second * (1.0 - mixup.share())).round() as u8)
        .collect();
    let mut buffer = ImageBuffer::default();
    let found = all_bytes(&batch, 0..3, &mut buffer);
    assert_eq!(found.into_iter().step_by(2).collect::<Vec<u8>>(), expected);
    assert_eq!(batch.labels(0..3).collect::<Vec<_>>(), [7, 2, 9]);
    assert_eq!(batch.second_labels(0..3).collect::<Vec<_>>(), [2, 9, 7]);
    assert_eq!(batch.second_labels(2..3).collect::<Vec<_>>(), [7]);
    assert_eq!(batch.second_targets().into_data().iter::<u8>().collect::<Vec<_>>(), [2, 9, 7]);
    assert!(batch.pixels(1..1, &mut buffer).is_empty());

    let config = AugmentationConfig { noise: 0.3, ..AugmentationConfig::default() };
    for num_threads in [0, 2] {
        let augmenter = Augmenter::new(&config, 1, (1, 2));
        let loader = loader(Sampling::Shuffled(1)).with_augmentation(augmenter, num_threads);
        for batch in loader.iter() {
            let batch = batch.unwrap().with_mixup(mixup);
            let bytes = |range| all_bytes(&batch, range, &mut ImageBuffer::default());
            let parts: Vec<u8> = (0..batch.len()).flat_map(|at| bytes(at..at + 1)).collect();
            assert_eq!(bytes(0..batch.len()), parts, "{num_threads} threads");
        }
    }
}
