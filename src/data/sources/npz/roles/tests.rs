use super::*;

#[test]
fn names_of_arrays() {
    let train = Some(Subset::Train);
    for (name, expected) in [
        ("x_train", Some((train, Kind::Images))),
        ("Y_train", Some((train, Kind::Labels))),
        ("trainX", Some((train, Kind::Images))),
        ("val_labels", Some((Some(Subset::Validation), Kind::Labels))),
        ("test_images", Some((Some(Subset::Test), Kind::Images))),
        ("X", Some((None, Kind::Images))),
        ("target", Some((None, Kind::Labels))),
        ("target_names", Some((None, Kind::ClassNames))),
        ("train", None),
        ("arr_0", None),
        ("feature_names", None),
        ("x_train_raw", None),
    ] {
        assert_eq!(of_array(name), expected, "{name}");
    }
}

#[test]
fn names_of_files() {
    let role = |subset, kind| Role { subset: Some(subset), kind };
    for (stem, rest, expected) in [
        ("kmnist-train-imgs", "kmnist", role(Subset::Train, Some(Kind::Images))),
        ("k49-test-labels", "k49", role(Subset::Test, Some(Kind::Labels))),
        ("train", "", role(Subset::Train, None)),
        ("y_test", "", role(Subset::Test, Some(Kind::Labels))),
    ] {
        assert_eq!(of_file(stem).unwrap(), (rest.to_owned(), expected), "{stem}");
    }
    assert_eq!(of_file("pathmnist"), None);
    assert_eq!(of_file("images"), None);
}
