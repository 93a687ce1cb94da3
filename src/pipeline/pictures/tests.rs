use super::*;

#[test]
fn names_that_occur_again_are_numbered() {
    let names = ["a", "b", "a", "a-2", "a"].map(str::to_owned).to_vec();
    assert_eq!(distinct(names), ["a", "b", "a-2", "a-2-2", "a-3"]);
}
