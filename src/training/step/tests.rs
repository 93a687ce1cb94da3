use burn::tensor::Device;

use super::*;
use crate::data::{ImageDataset, Split};

#[test]
fn every_step_has_its_own_masks_and_mixture() {
    let image = ImageDataset {
        pixels: vec![1].into(),
        labels: vec![0],
        height: 1,
        width: 1,
        images_name: String::new(),
    };
    let batch = Batch::new(&Split::whole(image), &[0], 0.0, &Device::flex());
    for step in [0, 7] {
        let random = randomized(batch.clone(), Some(1.0), 3, step);
        assert_eq!(random.mixup(), Some(Mixup::draw(1.0, 3, step as u64)));
        let plain = randomized(batch.clone(), None, 3, step);
        assert_eq!((plain.mixup(), plain.dropout_seed), (None, random.dropout_seed));
        assert!(random.dropout_seed.is_some());
    }
}
