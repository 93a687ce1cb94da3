use super::*;

fn factors(mask: &DropoutMask, layer: usize, images: Range<usize>, width: usize) -> Vec<f32> {
    let mut factors = vec![7.0];
    mask.fill(layer, images, width, &mut factors);
    factors
}

#[test]
fn what_stays_makes_up_for_what_is_left_out() {
    for probability in [0.001, 0.2, 0.5, 0.9, 0.999_999] {
        let mask = Dropout { hidden: probability, input: 0.0 }.mask(Some(5));
        assert_eq!(factors(&mask, 0, 0..3, 10), [0.0; 0]);
        let factors = factors(&mask, 1, 0..500, 400);
        assert_eq!(factors.len(), 200_000);
        let stay = factors.iter().filter(|&&factor| factor > 0.0);
        let share = stay.clone().count() as f64 / 200_000.0;
        // Five standard deviations.
        let allowed = 5.0 * (probability * (1.0 - probability) / 200_000.0).sqrt() + 1.0 / 65_536.0;
        assert!((share - (1.0 - probability)).abs() < allowed, "{probability}: {share}");
        for &factor in stay {
            assert_eq!(factor, mask.scale(1));
            assert!((f64::from(factor) * (1.0 - probability) - 1.0).abs() < 1e-4 || probability > 0.99);
        }
    }
}

#[test]
fn an_images_mask_depends_on_seed_layer_and_place_alone() {
    let dropout = Dropout { hidden: 0.5, input: 0.5 };
    let mask = dropout.mask(Some(5));
    let whole = factors(&mask, 1, 0..40, 33);
    assert_eq!(factors(&mask, 1, 16..40, 33), whole[16 * 33..]);
    for other in [factors(&mask, 0, 0..40, 33), factors(&mask, 2, 0..40, 33)] {
        assert_ne!(other, whole);
    }
    assert_ne!(factors(&dropout.mask(Some(6)), 1, 0..40, 33), whole);
    let rows: Vec<&[f32]> = whole.chunks(33).collect();
    assert!(rows.iter().enumerate().all(|(index, row)| !rows[..index].contains(row)));
}
