use super::*;

#[test]
fn the_sizes_give_the_order_where_only_one_is_possible() {
    assert!(is_chain(&[[784, 30], [30, 10]]) && !is_chain(&[[30, 10], [784, 30]]));
    assert_eq!(only_chain(&[[30, 10], [784, 20], [20, 30]]), Some(vec![1, 2, 0]));
    // Two layers of one shape can be exchanged.
    assert_eq!(only_chain(&[[30, 10], [30, 30], [784, 30], [30, 30]]), None);
    assert_eq!(only_chain(&[[784, 30], [20, 10]]), None);
}

#[test]
fn a_file_of_many_equal_layers_takes_no_time() {
    assert_eq!(only_chain(&[[8, 8]; 60]), None);
    let mut layers = vec![[8, 8]; 60];
    layers.push([9, 10]);
    assert_eq!(only_chain(&layers), None);
}
