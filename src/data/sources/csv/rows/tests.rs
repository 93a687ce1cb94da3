use super::*;

fn piece(label: u8, values: Values) -> PieceRows {
    PieceRows { values, labels: vec![Label::Whole(label)], num_rows: 1, num_lines: 1 }
}

#[test]
fn pieces_are_joined_in_order_whatever_their_values_are() {
    let mut rows = Rows { pixels: RawPixels::Bytes(Vec::new()), labels: RawLabels::default(), count: 0 };
    for (label, values) in [
        (4, Values::Bytes(vec![0, 1])),
        (3, Values::Floats(vec![2.0, 0.5])),
        (2, Values::Bytes(vec![255])),
        (1, Values::Floats(vec![-1.0])),
    ] {
        rows.append(piece(label, values), "a.csv").unwrap();
    }
    assert_eq!(rows.pixels, RawPixels::Floats(vec![vec![0.0, 1.0, 2.0, 0.5, 255.0, -1.0]]));
    assert_eq!((rows.labels.keys(), rows.count), (&["4", "3", "2", "1"].map(String::from)[..], 4));
}

#[test]
fn too_many_labels_name_the_option() {
    let mut rows = Rows { pixels: RawPixels::Bytes(Vec::new()), labels: RawLabels::default(), count: 0 };
    let labels = (0..70_000).map(|label| Label::Text(label.to_string())).collect();
    let piece = PieceRows { values: Values::Bytes(Vec::new()), labels, num_rows: 70_000, num_lines: 70_000 };
    let error = rows.append(piece, "a.csv").unwrap_err();
    assert_eq!(error.message(), "`a.csv`: the labels have more than 65,536 different values");
    assert!(error.to_string().contains("data.label_column"), "{error}");
}
