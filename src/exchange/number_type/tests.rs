use super::*;

/// 1.5 and -2 in each type.
#[test]
fn numbers_of_each_type_are_converted() {
    for (kind, bytes) in [
        (NumberType::Float16, vec![0x00, 0x3E, 0x00, 0xC0]),
        (NumberType::Bfloat16, vec![0xC0, 0x3F, 0x00, 0xC0]),
        (NumberType::Float32, [1.5f32.to_le_bytes(), (-2f32).to_le_bytes()].concat()),
        (NumberType::Float64, [1.5f64.to_le_bytes(), (-2f64).to_le_bytes()].concat()),
    ] {
        assert_eq!(kind.to_f32(&bytes, "w").unwrap(), [1.5, -2.0], "{kind:?}");
        let error = kind.to_f32(&bytes[1..], "w").unwrap_err();
        assert!(error.message().starts_with("the tensor `w` has "), "{error}");
    }
    let error = NumberType::Other("I64".to_owned()).to_f32(&[0; 8], "w").unwrap_err();
    assert_eq!(
        error.message(),
        "the tensor `w` has numbers of the type I64, expected float16, bfloat16, float32 or float64"
    );
}
