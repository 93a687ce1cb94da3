use super::*;

#[test]
fn bins_by_hand() {
    let predictions = [(0.2, true), (0.19, false), (0.95, true), (1.0, true), (0.21, false)];
    let calibration = Calibration::measure(predictions.into_iter());
    let counts: Vec<_> = calibration.bins.iter().map(|bin| bin.num_images).collect();
    // 0.19 and 0.2 are in (2/15, 3/15], and 0.21 is in the next bin.
    assert_eq!(counts, [0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    assert_eq!(calibration.bins[2].accuracy, 0.5);
    assert!((calibration.bins[2].confidence - 0.195).abs() < 1e-12);
    assert!((calibration.bins[14].confidence - 0.975).abs() < 1e-12);
    // (|1 − 0.39| + |0 − 0.21| + |2 − 1.95|) / 5.
    assert!((calibration.error - (0.61 + 0.21 + 0.05) / 5.0).abs() < 1e-12);
}
