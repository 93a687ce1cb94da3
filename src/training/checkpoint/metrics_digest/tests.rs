use super::*;

fn digest(lines: &[&str]) -> String {
    let mut digest = MetricsDigest::default();
    lines.iter().for_each(|line| digest.add(line.as_bytes()));
    digest.sha256()
}

#[test]
fn it_is_of_the_file_and_does_not_depend_on_the_kind_of_line_feeds() {
    let lines = digest(&["one\n", "two\n"]);
    // printf 'one\ntwo\n' | sha256sum
    assert_eq!(lines, "c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8");
    assert_eq!(lines, digest(&["one\r\n", "two\r\n"]));
    assert_ne!(lines, digest(&["two\n", "one\n"]));
    assert_ne!(lines, digest(&["one\n", "tw0\n"]));
    assert_ne!(lines, digest(&["one\n"]));
}
