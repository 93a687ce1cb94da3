use super::*;

#[test]
fn classes_are_unbalanced_from_a_ratio_of_ten() {
    assert!(is_unbalanced(&[100, 10, 0]) && is_unbalanced(&[1, 99]));
    assert!(!is_unbalanced(&[99, 10]) && !is_unbalanced(&[0, 7]) && !is_unbalanced(&[]));
}

#[test]
fn the_first_of_the_largest_classes_is_the_answer() {
    let class = |name: &str, train, test| ClassCount { name: name.to_owned(), train, test };
    let with_test = [class("a", 1, Some(4)), class("b", 3, Some(1)), class("c", 3, Some(5))];
    assert_eq!(majority(&with_test).map(|class| class.name.as_str()), Some("b"));
    assert_eq!(majority_accuracy(&with_test), 0.1);
    let without_test = [class("a", 1, None), class("b", 3, None)];
    assert_eq!((majority_accuracy(&without_test), majority_accuracy(&[])), (0.75, 0.0));
}
