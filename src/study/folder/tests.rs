use super::*;

#[test]
fn a_folder_of_the_future_is_refused() {
    let artifacts = tempfile::tempdir().unwrap();
    let folder = StudyFolder::open(artifacts.path(), "s").unwrap();
    fs::write(folder.path().join(PLAN), "{\"format\": 2, \"facts\": {}}").unwrap();
    let error = StudyFolder::open(artifacts.path(), "s").unwrap_err();
    assert!(error.message().ends_with("has format 2, and this smallnet reads formats up to 1"), "{error}");
}

#[test]
fn changes_are_named() {
    let fingerprint = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let found =
        diff(&fingerprint(&[("a", "1"), ("b", "2")]), &fingerprint(&[("a", "1"), ("b", "3"), ("c", "4")]));
    let text = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(found, [text("b", "2", "3"), text("c", "–", "4")]);
}
