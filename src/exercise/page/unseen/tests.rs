use super::*;

fn evaluation(correct: u64, all: u64) -> Evaluation {
    let confusion =
        crate::evaluation::ConfusionMatrix { counts: vec![vec![correct, all - correct], vec![0, 0]] };
    let text = r#"{"accuracy": 0, "loss": 0.1, "num_images": 0, "classes": [], "worst": [],
        "calibration": {"error": 0, "bins": []}, "confusion": []}"#;
    let mut evaluation: Evaluation = serde_json::from_str(text).unwrap();
    (evaluation.accuracy, evaluation.num_images) = (correct as f64 / all as f64, all as usize);
    Evaluation { confusion, ..evaluation }
}

#[test]
fn overfitting_is_a_gap_beyond_the_choice_of_images() {
    let said = overfitting(&evaluation(57_000, 60_000), &evaluation(9200, 10_000));
    assert!(said.contains("a gap of +3.00 percentage points"), "{said}");
    assert!(said.ends_with("a sign of overfitting."), "{said}");
    let said = overfitting(&evaluation(57_000, 60_000), &evaluation(9460, 10_000));
    assert!(said.contains("a gap of +0.40 percentage points") && said.contains("no sign"), "{said}");
}
