use serde_json::json;

use super::*;

#[test]
fn false_claims_are_named_together() {
    let mut claims = Claims::default();
    claims.add("a", 1, 1);
    claims.add("b", 2, 3);
    claims.add_stated("c", None::<usize>, Some(4));
    claims.add_stated("d", Some(5), None::<usize>);
    claims.add_json(&json!({"e": 1, "f": "x", "g": 7}), &json!({"e": 1, "f": "y"}), &["g"]);
    let check = claims.into_check("file", "");
    assert_eq!(check, Check::failed("file", "b 2, d 5, f \"x\"", "b 3, d none, f \"y\""));
    assert_eq!(Claims::default().into_check("file", "all"), Check::ok("file", "all"));
}

#[test]
fn long_values_that_differ_have_texts_that_differ() {
    let long = |last: char| json!("a".repeat(300) + &last.to_string());
    assert_ne!(shortened(&long('b')), shortened(&long('c')));
    assert!(shortened(&long('b')).chars().count() < 120);
}

#[test]
fn rounding_is_relative() {
    assert!(is_near(0.3, 0.3 + 1e-7) && is_near(0.0, 0.0) && is_near(1e9, 1e9 + 1.0));
    assert!(!is_near(0.3, 0.3001) && !is_near(0.0, 1e-9) && !is_near(f64::NAN, f64::NAN));
}
