use super::*;

#[test]
fn a_failing_allocation_is_an_error() {
    check(1_000_000, "a test").unwrap();
    assert_eq!(reserve(1000, "a test").unwrap().capacity(), 1000);
    // More bytes than there are addresses.
    let error = check(1 << 62, "a test").unwrap_err();
    assert!(
        error.message().starts_with("a test needs 4611686018428 MB of memory, and the system"),
        "{error}"
    );
    assert!(check(u128::MAX, "a test").is_err());
}
