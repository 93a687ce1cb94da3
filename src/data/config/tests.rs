use super::*;

/// 5,000 of 60,000 images are a twelfth.
#[test]
fn a_number_meant_for_more_images_is_scaled_once() {
    let scale = |validation, meant_for, num_train| {
        let mut config = DataConfig { validation, validation_meant_for: meant_for, ..DataConfig::default() };
        let note = config.scale_validation(num_train);
        assert_eq!(config.validation_meant_for, None);
        (config.validation, note.is_some())
    };
    assert_eq!(scale(5000, Some(60_000), 156), (13, true));
    assert_eq!(scale(10_000, Some(60_000), 6000), (1000, true));
    assert_eq!(scale(5000, Some(60_000), 3), (1, true));
    assert_eq!(scale(5000, Some(60_000), 60_000), (5000, false));
    assert_eq!(scale(5000, Some(60_000), 112_800), (5000, false));
    assert_eq!(scale(0, Some(60_000), 156), (0, false));
    assert_eq!(scale(5000, None, 156), (5000, false));
}
