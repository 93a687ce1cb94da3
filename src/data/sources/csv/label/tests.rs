use super::*;

fn column(cells: impl IntoIterator<Item = impl ToString>) -> ColumnValues {
    let mut values = ColumnValues::default();
    cells.into_iter().for_each(|cell| values.add(cell.to_string().as_bytes()));
    values
}

#[test]
fn the_label_is_found_at_either_end() {
    let digits = || column((0..200).map(|row| row * 7 % 10));
    let black = || column([0; 200]);
    let corner = || column((0..200).map(|row| if row % 20 == 0 { row % 250 } else { 0 }));
    let photo = || column((0..200).map(|row| row * 31 % 256));
    let words = || column((0..200).map(|row| ["cat", "dog"][row % 2]));
    let shares = || column((0..200).map(|row| row as f32 / 200.0));
    let with_point = || column((0..200).map(|row| format!("{}.0", row % 10)));
    for pixel in [black, corner, photo] as [fn() -> ColumnValues; 3] {
        for label in [digits, words, with_point] as [fn() -> ColumnValues; 3] {
            assert_eq!(label_end(&label(), &pixel()), Some(End::First));
            assert_eq!(label_end(&pixel(), &label()), Some(End::Last));
        }
    }
    assert_eq!(label_end(&shares(), &digits()), Some(End::Last));
    assert_eq!(label_end(&digits(), &shares()), Some(End::First));
    assert!(has_no_label(&shares(), &shares()) && !has_no_label(&shares(), &digits()));
}

/// Rows that are sorted by class begin with one label alone.
#[test]
fn a_part_of_sorted_rows_decides_nothing() {
    let sorted = column([0; 200]);
    assert_eq!(label_end(&sorted, &column([0; 200])), None);
    assert_eq!(label_end(&sorted, &column((0..200).map(|row| row * 31 % 256))), None);
}

#[test]
fn all_rows_decide_more() {
    // One class has nearly all images.
    let rare = column((0..200).map(|row| i32::from(row == 7)));
    assert_eq!(label_end(&rare, &column([0; 200])), None);
    assert_eq!(label_end_of_all(&rare, &column([0; 200])), Some(End::First));
    assert_eq!(label_end_of_all(&column([0; 200]), &rare), Some(End::Last));
    let (few, many) = (column((0..200).map(|row| row % 5)), column((0..200).map(|row| row % 100)));
    assert_eq!(label_end_of_all(&many, &few), Some(End::Last));
    assert_eq!(label_end_of_all(&few, &few), None);
}
