use super::*;

#[test]
fn one_hot_rows() {
    assert_eq!(one_hot(5, 10), [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(one_hot(0, 1), [1]);
}
