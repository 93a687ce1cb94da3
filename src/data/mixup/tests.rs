use super::*;

/// Quantiles at 0.1, 0.25, 0.4 and 0.5, by SciPy 1.17.1: `scipy.stats.beta.ppf(q, a, a)`.
#[test]
fn shares_have_the_distribution_beta() {
    for (alpha, expected) in [
        (0.2, [0.000_247_764_691_9, 0.023_814_718_77, 0.216_341_858_9, 0.5]),
        (1.0, [0.1, 0.25, 0.4, 0.5]),
        (4.0, [0.278_602_048_6, 0.378_848_440_6, 0.453_895_711_9, 0.5]),
    ] {
        let mut rng = rng(1, RngStream::Mixup, 0);
        let mut draws: Vec<f64> = (0..20_000).map(|_| draw_beta(alpha, &mut rng)).collect();
        draws.sort_by(f64::total_cmp);
        assert!(draws[0] >= 0.0 && draws[19_999] <= 1.0);
        for (share, quantile) in [0.1, 0.25, 0.4, 0.5].into_iter().zip(expected) {
            let below = draws.partition_point(|&draw| draw <= quantile) as f64 / 20_000.0;
            // Three standard deviations of a share of 20,000 draws.
            assert!((below - share).abs() < 0.0106, "{alpha}: {below} of {share}");
        }
    }
}

#[test]
fn every_step_has_a_share_of_its_own_which_is_the_larger_one() {
    assert_eq!(Mixup::draw(0.2, 1, 7), Mixup::draw(0.2, 1, 7));
    assert_ne!(Mixup::draw(1.0, 1, 7), Mixup::draw(1.0, 1, 8));
    assert_ne!(Mixup::draw(1.0, 1, 7), Mixup::draw(1.0, 2, 7));
    for alpha in [1e-9, 0.2, 1.0, 4.0] {
        let shares: Vec<f64> = (0..200).map(|step| Mixup::draw(alpha, 1, step).share()).collect();
        assert!(shares.iter().all(|share| (0.5..=1.0).contains(share)), "{alpha}: {shares:?}");
    }
}

/// ¾ · 200 + ¼ · 100 = 175; ¾ · 1 + ¼ · 0 = 0.75, rounded to 1; ¾ · 0 + ¼ · 1 = 0.25.
#[test]
fn pixels_are_mixed_by_hand() {
    let mixup = Mixup { parts: WHOLE / 4 * 3 };
    assert_eq!(mixup.share(), 0.75);
    let mut mixed = vec![9];
    mixup.append(&[200, 1, 0, 255], &[100, 0, 1, 255], &mut mixed);
    assert_eq!(mixed, [9, 175, 1, 0, 255]);
    let mut same = Vec::new();
    Mixup { parts: WHOLE }.append(&[3, 255], &[200, 0], &mut same);
    assert_eq!(same, [3, 255]);
}
