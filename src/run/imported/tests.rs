use super::*;

fn scaling(range: Option<(f64, f64)>, mean: Option<f64>, std: Option<f64>) -> PixelScaling {
    PixelScaling { value_range: range.map(|(black, white)| ValueRange { black, white }), mean, std }
}

#[test]
fn the_range_comes_before_mean_and_std() {
    assert_eq!(PixelScaling::default().factor_and_offset(), (1.0, 0.0));
    assert_eq!(scaling(None, Some(0.25), Some(0.5)).factor_and_offset(), (2.0, -0.5));
    assert_eq!(scaling(Some((0.0, 255.0)), None, None).factor_and_offset(), (255.0, 0.0));
    // x becomes 2x − 1, then (2x − 1 − 3) / 4 = x / 2 − 1.
    assert_eq!(scaling(Some((-1.0, 1.0)), Some(3.0), Some(4.0)).factor_and_offset(), (0.5, -1.0));
    // White on black or black on white.
    assert_eq!(scaling(Some((1.0, 0.0)), None, None).factor_and_offset(), (-1.0, 1.0));
}

#[test]
fn impossible_numbers_are_refused() {
    let message = |scaling: PixelScaling| scaling.check().unwrap_err().message().to_owned();
    assert_eq!(message(scaling(None, None, Some(0.0))), "`--std` is 0, expected a number above 0");
    assert!(message(scaling(Some((1.0, 1.0)), None, None)).starts_with("`--value-range` is 1,1, expected"));
    assert!(message(scaling(None, Some(f64::NAN), None)).ends_with("take finite numbers"));
    assert!(scaling(Some((1.0, 0.0)), Some(0.1307), Some(0.3081)).check().is_ok());
}

#[test]
fn a_record_has_only_what_was_stated() {
    let record = ImportedNetwork {
        file: "/home/a/model.pt".to_owned(),
        sha256: "00".to_owned(),
        format: "PyTorch".to_owned(),
        activation: None,
        layout: None,
        scaling: scaling(None, Some(0.1307), Some(0.3081)),
    };
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(
        text,
        r#"{"file":"/home/a/model.pt","sha256":"00","format":"PyTorch","mean":0.1307,"std":0.3081}"#
    );
    assert_eq!(serde_json::from_str::<ImportedNetwork>(&text).unwrap(), record);
    assert_eq!(record.describe(), "imported from `model.pt` (PyTorch)");
    assert_eq!(record.scaling.describe(), "mean 0.1307, std 0.3081");
}
