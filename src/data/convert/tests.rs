use super::*;

/// 2 rows and 3 columns become 3 rows and 2 columns.
#[test]
fn rows_and_columns_are_exchanged() {
    let mut pixels = vec![1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60];
    transpose(&mut pixels, 2, 3);
    assert_eq!(pixels, [1, 4, 2, 5, 3, 6, 10, 40, 20, 50, 30, 60]);
}
