use super::*;

/// Layout of a file with this first line. `label` is the answer of the guess.
fn find_in(first_line: &str, options: &ReadOptions, may_lack: bool, label: Option<End>) -> Result<Layout> {
    let header = Header::read("a.csv", first_line.as_bytes())?.unwrap();
    find("a.csv", header, options, may_lack, |_, _, _| Ok(label))
}

fn runs_of(first_line: &str) -> Vec<Run> {
    find_in(first_line, &ReadOptions::default(), false, Some(End::Last)).unwrap().runs
}

fn with_label(column: &str) -> ReadOptions {
    ReadOptions { label_column: Some(column.to_owned()), ..ReadOptions::default() }
}

fn pixel_names(format: impl Fn(usize) -> String) -> String {
    (0..9).map(format).collect::<Vec<_>>().join(",")
}

#[test]
fn names_tell_the_columns() {
    use Run::{Label, LeftOut, Pixels};
    let pixels = pixel_names(|pixel| format!("pixel{pixel}"));
    for (line, runs) in [
        (format!("label,{pixels}"), vec![Label, Pixels(9)]),
        (pixels.clone(), vec![Pixels(9)]),
        (format!("{pixels},CLASS"), vec![Pixels(9), Label]),
        (format!("Id,{pixels},Target"), vec![LeftOut, Pixels(9), Label]),
        (format!(",y,{pixels}"), vec![LeftOut, Label, Pixels(9)]),
        (format!("Unnamed: 0,{pixels}"), vec![LeftOut, Pixels(9)]),
        (
            format!("label,{}", pixel_names(|pixel| format!("{}x{}", pixel / 3, pixel % 3))),
            vec![Label, Pixels(9)],
        ),
        ("label,a,b,c,d".to_owned(), vec![Label, Pixels(4)]),
        // One column that is no pixel by its name.
        (format!("animal,{pixels}"), vec![Label, Pixels(9)]),
        // Names that only count: the guess says the last.
        (format!("{pixels},pixel9"), vec![Pixels(9), Label]),
    ] {
        assert_eq!(runs_of(&line), runs, "{line}");
    }
}

#[test]
fn the_number_of_columns_tells_the_label() {
    use Run::{Label, LeftOut, Pixels};
    assert_eq!(runs_of("0,0,0,0"), [Pixels(4)]);
    assert_eq!(runs_of("0,0,0,0,7"), [Pixels(4), Label]);
    assert_eq!(runs_of("0,0,0,0,7,"), [Pixels(4), Label, LeftOut]);
    let first = find_in("0,0,0,0,7", &ReadOptions::default(), false, Some(End::First)).unwrap();
    assert_eq!((first.runs, first.notes.len()), (vec![Label, Pixels(4)], 0));
    let doubtful = find_in("0,0,0,0,7", &ReadOptions::default(), false, None).unwrap();
    assert_eq!(doubtful.runs, [Label, Pixels(4)]);
    assert!(
        doubtful.notes[0].contains("could both be the label: the first is taken"),
        "{:?}",
        doubtful.notes
    );
    let options = ReadOptions { image_size: Some([2, 3]), ..ReadOptions::default() };
    let tall = find_in("0,0,0,0,0,0,1", &options, false, Some(End::Last)).unwrap();
    assert_eq!((tall.runs, tall.height, tall.width), (vec![Pixels(6), Label], 2, 3));
}

#[test]
fn the_user_names_the_label() {
    use Run::{Label, Pixels};
    let runs = |line: &str, column: &str| find_in(line, &with_label(column), false, None).unwrap().runs;
    assert_eq!(runs("0,0,7,0,0", "2"), [Pixels(2), Label, Pixels(2)]);
    assert_eq!(runs("a,b,c,d,e", "D"), [Pixels(3), Label, Pixels(1)]);
    let layout = find_in("label,fine_class,p0,p1,p2,p3", &with_label("fine_class"), false, None).unwrap();
    assert_eq!(layout.runs, [Run::LeftOut, Label, Pixels(4)]);
    assert_eq!(layout.notes, ["column 1 (`label`) is left out: it is no pixel"]);
    // The test file has no labels.
    for (line, column) in [("p0,p1,p2,p3", "label"), ("p0,p1,p2,p3", "0"), ("0,0,0,0", "0")] {
        let layout = find_in(line, &with_label(column), true, None).unwrap();
        assert_eq!((layout.runs, layout.has_labels), (vec![Pixels(4)], false), "{line}");
    }
    let error = find_in("p0,p1,p2,p3", &with_label("label"), false, None).unwrap_err();
    assert_eq!(error.message(), "`a.csv` has no column `label`, which `data.label_column` names");
    assert!(
        error
            .to_string()
            .ends_with("the columns are `p0`, `p1`, `p2` and `p3`; a number from 0 to 3 is possible, too")
    );
}

#[test]
fn what_is_not_clear_is_an_error() {
    let message = |line: &str| {
        find_in(line, &ReadOptions::default(), false, None)
            .unwrap_err()
            .to_string()
            .replace("\n\nhint: ", " | ")
    };
    assert_eq!(
        message("label,class,p0,p1,p2,p3"),
        "the label of `a.csv` is not clear: it could be column 1 (`label`) and column 2 (`class`) \
         | name its column with `--set data.label_column=\"NAME\"`"
    );
    assert_eq!(
        message("0,0,0"),
        "`a.csv` has 3 columns, as many pixels, or one less and a label: this is no known size of images \
         | 3 pixels are no square: say the size with `--set data.image_size=[HEIGHT,WIDTH]`"
    );
    assert!(
        message("label,p0,p1,p2").starts_with("`a.csv` has 4 columns, 3 of them pixels: this is no known")
    );
    assert!(message("id,label").starts_with("`a.csv` has no pixels: its columns are `id` and `label`"));
}

#[test]
fn columns_in_another_order_are_told() {
    let layout = find_in("label,p0,p1,p10,p2", &ReadOptions::default(), false, None).unwrap();
    assert!(layout.notes[0].contains("(`p10` before `p2`)"), "{:?}", layout.notes);
}
