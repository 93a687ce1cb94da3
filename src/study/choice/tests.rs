use super::*;

#[test]
fn a_share_with_an_image_of_each_class_and_never_more_than_half() {
    assert_eq!(num_stopping_images(160, 2, 0.1), Some(16));
    assert_eq!(num_stopping_images(160, 26, 0.1), Some(26));
    assert_eq!(num_stopping_images(48_000, 10, 0.1), Some(4800));
    assert_eq!(num_stopping_images(19, 10, 0.1), None);
    assert_eq!(num_stopping_images(20, 10, 0.1), Some(10));
    assert_eq!(num_stopping_images(100, 2, 0.9), None);
    assert_eq!(num_stopping_images(160, 2, 0.0), None);
    assert_eq!(num_stopping_images(0, 0, 0.1), Some(0));
}
