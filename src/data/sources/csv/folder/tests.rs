use super::*;

fn listing(files: &[&str]) -> Listing {
    let files = files.iter().map(|&name| name.to_owned()).collect();
    Listing { path: "data".into(), files, folders: Vec::new(), others: Vec::new() }
}

fn found(files: &[&str], prefix: &str) -> Vec<(Subset, String)> {
    parts(&listing(files), prefix).unwrap()
}

#[test]
fn names_tell_the_parts() {
    use Subset::{Test, Train, Validation};
    let pair = |train: &str, test: &str| vec![(Train, train.to_owned()), (Test, test.to_owned())];
    for (train, test) in [
        ("train.csv", "test.csv"),
        ("mnist_train.csv", "mnist_test.csv"),
        ("fashion-mnist_train.csv.gz", "fashion-mnist_test.csv.gz"),
        ("Train.TSV", "Test.tsv"),
    ] {
        assert_eq!(found(&[test, train], ""), pair(train, test));
    }
    let kaggle =
        ["sample_submission.csv", "sampleSubmission.csv", "test.csv", "train.csv", "readme.txt", "notes.csv"];
    assert_eq!(found(&kaggle, ""), pair("train.csv", "test.csv"));
    assert_eq!(found(&["a-train.csv", "a-val.csv"], "")[1], (Validation, "a-val.csv".to_owned()));
    assert_eq!(found(&["test.csv"], ""), [(Train, "test.csv".to_owned())]);
    assert_eq!(found(&["digits.csv", "digits.csv.gz", "train.txt"], ""), [(Train, "digits.csv".to_owned())]);
    assert_eq!(found(&["a.txt", "b.png"], ""), []);
    // `contest` and `trainer` are other words.
    assert_eq!(
        found(&["contest.csv", "trainer.csv", "x train.csv"], ""),
        [(Train, "x train.csv".to_owned())]
    );
}

#[test]
fn the_prefix_chooses_a_data_set() {
    let files = ["fashion-mnist_test.csv", "fashion-mnist_train.csv", "mnist_test.csv", "mnist_train.csv"];
    assert_eq!(found(&files, "mnist")[0].1, "mnist_train.csv");
    assert_eq!(found(&files, "fashion")[1].1, "fashion-mnist_test.csv");
    assert_eq!(found(&files, "kmnist"), []);
    let error = parts(&listing(&files), "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`data` has several CSV files that could be the training images: `fashion-mnist_train.csv` and \
         `mnist_train.csv`\n\nhint: name one file, or the beginning of the names of one data set: `data/NAME`"
    );
    let error = parts(&listing(&["a.csv", "b.csv"]), "").unwrap_err();
    assert_eq!(
        error.message(),
        "`data` has several CSV files that could be the data set: `a.csv` and `b.csv`"
    );
}
