use super::*;

#[test]
fn names_of_files() {
    let name = |set: &str, subset, shard| Some(FileName { set: set.to_owned(), subset, shard });
    for (text, expected) in [
        ("train.parquet", name("", Subset::Train, None)),
        ("train-00001-of-00002.parquet", name("", Subset::Train, Some((1, 2)))),
        ("test-00000-of-00001-5fa2c0.parquet", name("", Subset::Test, Some((0, 1)))),
        ("fashion_mnist-validation.parquet", name("fashion-mnist", Subset::Validation, None)),
        ("test_0.parquet", name("", Subset::Test, None)),
        ("data.parquet", None),
        ("train-extra.parquet", None),
        ("train.csv", None),
    ] {
        assert_eq!(parse(text), expected, "{text}");
    }
}

/// Shards of several data sets, which the beginning of the names tells apart.
#[test]
fn a_folder_of_several_data_sets() {
    let files = ["a-test.parquet", "a-train-2.parquet", "a-train-10.parquet", "b-train.parquet"];
    let files = files.map(ToOwned::to_owned).to_vec();
    let listing = Listing { path: PathBuf::from("x"), files, folders: Vec::new(), others: Vec::new() };
    let error = find(&listing, "").unwrap_err();
    assert!(error.message().starts_with("`x` holds `a-test.parquet`, `a-train-2.parquet`, "), "{error}");
    let paths = |names: &[&str]| names.iter().map(|name| PathBuf::from("x").join(name)).collect();
    let train = paths(&["a-train-2.parquet", "a-train-10.parquet"]);
    assert_eq!(
        find(&listing, "a").unwrap(),
        [
            Part { subset: Subset::Train, files: train },
            Part { subset: Subset::Test, files: paths(&["a-test.parquet"]) }
        ]
    );
}
