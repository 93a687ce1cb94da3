use super::*;

/// Labels of 700 images of class 0, 200 of class 1, 100 of class 2, in this order.
fn labels() -> Vec<u16> {
    [vec![0; 700], vec![1; 200], vec![2; 100]].concat()
}

#[test]
fn every_image_is_in_exactly_one_split() {
    for stratified in [false, true] {
        let split = TrainValSplit::draw(&labels(), 137, stratified, 5).unwrap();
        assert_eq!(split.validation.len(), 137);
        let mut all = [split.train.clone(), split.validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<u32>>());
    }
}

#[test]
fn a_stratified_split_keeps_the_classes_shares() {
    let labels = labels();
    for seed in 0..20 {
        let split = TrainValSplit::draw(&labels, 100, true, seed).unwrap();
        let count = |class| split.validation.iter().filter(|&&i| labels[i as usize] == class).count() as i64;
        assert!((count(0) - 70).abs() <= 1, "class 0: {}", count(0));
        assert!((count(1) - 20).abs() <= 1, "class 1: {}", count(1));
        assert!((count(2) - 10).abs() <= 1, "class 2: {}", count(2));
    }
}

/// The rule of the documentation, computed slowly: sorted by key, images with equal keys in
/// shuffled order.
#[test]
fn classes_are_stratified_by_the_keys_of_their_images() {
    for labels in [labels(), [0, 1, 2, 2, 1, 0, 9].repeat(30), vec![3; 5], vec![255, 0]] {
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        order.shuffle(&mut rng(1, RngStream::TrainValSplit, 0));
        let count = |class: u16, images: &[u32]| {
            images.iter().filter(|&&image| labels[image as usize] == class).count() as f64
        };
        let mut expected: Vec<(f64, u32)> = Vec::new();
        for (position, &image) in order.iter().enumerate() {
            let class = labels[image as usize];
            expected.push(((count(class, &order[..position]) + 0.5) / count(class, &order), image));
        }
        expected.sort_by(|a, b| a.0.total_cmp(&b.0));
        let expected: Vec<u32> = expected.into_iter().map(|(_, image)| image).collect();
        assert_eq!(stratify(&order, &labels), expected);
    }
}

#[test]
fn the_seed_decides_which_images_are_held_out() {
    let draw = |seed| TrainValSplit::draw(&labels(), 100, true, seed).unwrap();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

/// 1000 images in 7 folds of 142 or 143 images. Classes of 700, 200 and 100 images have 100, 28
/// or 29, and 14 or 15 images per fold.
#[test]
fn folds_hold_each_image_out_once_and_keep_the_classes_shares() {
    let labels = labels();
    for (stratified, seed) in [(true, 1), (true, 2), (false, 1)] {
        let drawn = Folds::draw(&labels, 7, stratified, seed).unwrap();
        let folds: Vec<_> = (0..7).map(|fold| drawn.train_val_split(fold)).collect();
        let sizes: Vec<_> = (0..7).map(|fold| fold_size(1000, 7, fold)).collect();
        assert_eq!(folds.iter().map(|fold| fold.validation.len()).collect::<Vec<_>>(), sizes);
        let mut held_out: Vec<u32> = folds.iter().flat_map(|fold| fold.validation.clone()).collect();
        held_out.sort_unstable();
        assert_eq!(held_out, (0..1000).collect::<Vec<u32>>());
        for TrainValSplit { train, validation } in &folds {
            let mut all = [train.clone(), validation.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<u32>>());
            assert!([142, 143].contains(&validation.len()));
            let count = |class| validation.iter().filter(|&&i| labels[i as usize] == class).count();
            let shares = [count(0), count(1), count(2)];
            let fits = shares[0] == 100 && [28, 29].contains(&shares[1]) && [14, 15].contains(&shares[2]);
            assert_eq!(fits, stratified, "{shares:?}");
        }
    }
    let draw = |seed| Folds::draw(&labels, 7, true, seed).unwrap();
    assert_ne!(draw(1), draw(2));
    assert_eq!(draw(1), draw(1));
    let few = Folds::draw(&labels[..2], 3, true, 1).unwrap_err();
    assert_eq!(few.message(), "3 folds of 2 training images");
}

/// 10 % of 700, 200 and 100 images.
#[test]
fn test_images_are_a_share_of_each_class() {
    let labels = labels();
    let (train, test) = draw_test(&labels, 0.1, 1).unwrap();
    let count = |class| test.iter().filter(|&&i| labels[i as usize] == class).count();
    assert_eq!([count(0), count(1), count(2)], [70, 20, 10]);
    let mut all = [train.clone(), test.clone()].concat();
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<u32>>());
    assert_eq!(draw_test(&labels, 0.1, 1).unwrap(), (train, test.clone()));
    assert_ne!(draw_test(&labels, 0.1, 2).unwrap().1, test);
    assert_eq!(draw_test(&labels[..5], 0.01, 1).unwrap().1.len(), 1);
    let error = draw_test(&labels[..1], 0.5, 1).unwrap_err();
    assert_eq!(error.message(), "`data.test` is 0.5, and of 1 image none is left to train on");
}

#[test]
fn nothing_held_out_trains_on_all() {
    let split = TrainValSplit::draw(&labels(), 0, true, 1).unwrap();
    assert_eq!((split.train.len(), split.validation.len()), (1000, 0));
}

#[test]
fn holding_out_everything_is_refused() {
    let error = TrainValSplit::draw(&[0, 1, 2], 3, true, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`data.validation` is 3, expected less than the 3 training images\n\nhint: hold a tenth of them out: \
         `--set data.validation=1`"
    );
    let hint = |num_images| TrainValSplit::check(num_images, 5000).unwrap_err().to_string();
    assert!(hint(156).ends_with("`--set data.validation=15`") && hint(1).contains("more images are needed"));
}
