use super::*;
use crate::backend::Backend;
use crate::data::{Source, Subset};
use crate::study::TrialPlan;

fn splits(text: &str) -> (TrialSplits, TrialPlan) {
    let study = Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap();
    let images = Split::whole(Source::mnist().load(Subset::Test).unwrap()).slice(0..500);
    let plan = TrialPlan::new(&study, Backend::Flex, "", None).unwrap();
    (TrialSplits::new(images, 10, &study).unwrap(), plan)
}

/// 500 images in 3 folds: the first two have 167 images. 10 % of the other 333 are 33.
#[test]
fn stopping_images_come_out_of_the_training_images_alone() {
    let (plain, plain_plan) = splits("folds = 3");
    let (stopped, plan) = splits("folds = 3\n[set]\ntraining.early_stopping.patience = 2");
    for (trial, without) in plan.trials.iter().zip(&plain_plan.trials) {
        let (images, plain) = (stopped.get(trial).unwrap(), plain.get(without).unwrap());
        let stopping = images.stopping.unwrap();
        let labels = |split: &Split| split.labels();
        assert_eq!(labels(&images.validation), labels(&plain.validation));
        assert!(plain.stopping.is_none());
        let expected =
            NumImages { train: plain.train.len() - 33, stopping: 33, validation: plain.validation.len() };
        assert_eq!(stopped.num_images(trial), expected);
        assert_eq!((images.train.len(), stopping.len()), (expected.train, 33));
        // Each class has its share, and no image is in both.
        let count = |split: &Split, class: u16| labels(split).iter().filter(|&&l| l == class).count();
        for class in 0..10 {
            let (all, own) = (count(&plain.train, class), count(&stopping, class));
            assert!((own as f64 - all as f64 * 33.0 / plain.train.len() as f64).abs() <= 1.0);
            assert_eq!(count(&images.train, class) + own, all);
        }
        let bytes = |split: &Split| -> Vec<Vec<u8>> {
            (0..split.len()).map(|index| split.image(index).0.to_vec()).collect()
        };
        let train = bytes(&images.train);
        assert!(bytes(&stopping).iter().all(|image| !train.contains(image)));
    }
    let first = |text: &str| {
        let (splits, plan) = splits(text);
        splits.get(&plan.trials[0]).unwrap().stopping.map(|stopping| stopping.labels())
    };
    let early = "[set]\ndata.validation = 100\ntraining.early_stopping.patience = 2";
    assert_ne!(first(&format!("seeds = [1]\n{early}")), first(&format!("seeds = [2]\n{early}")));
    assert_eq!(first(&format!("stopping_share = 0\n{early}")), None);
    // 15 images are left of which half are fewer than one of each class.
    let few = "[set]\ndata.validation = 485\ntraining.early_stopping.patience = 2";
    assert_eq!(first(few), None);
}
