use super::*;

fn configurations(key: &str, values: &[&str]) -> Vec<Configuration> {
    let configuration = |value: &&str| Configuration {
        values: [(key.into(), (*value).into()), ("seed".into(), "1".into())].into(),
    };
    values.iter().map(configuration).collect()
}

fn shown(configurations: &[Configuration], means: &[f64]) -> Selection {
    Selection::new(&configurations.iter().zip(means.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn ordered_configurations_show_both_ends_the_middle_and_the_best() {
    // Nine learning rates, not in their order. The best one is the second smallest.
    let rates = ["10.0", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1.0", "3.0"];
    let means = [0.1, 0.5, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];
    let nine = shown(&configurations("optimizer.learning_rate", &rates), &means);
    let values: Vec<&str> = nine.indices.iter().map(|&place| rates[place]).collect();
    assert_eq!(values, ["0.001", "0.003", "0.01", "0.1", "1.0", "10.0"]);
    assert_eq!(nine.colour(0), Colour::Ordered { place: 0, of: 6 });
    assert_eq!(nine.colour(5), Colour::Ordered { place: 5, of: 6 });
    assert!(nine.note(9).is_some_and(|note| note.contains("both ends, the middle")));
    for count in [7, 8, 9, 10, 41] {
        let indices = spread_evenly(count, None);
        assert_eq!(
            (indices[0], indices[2], indices[4], indices.len()),
            (0, count / 2, count - 1, 5),
            "{count}"
        );
    }
    assert_eq!(spread_evenly(6, Some(3)), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn configurations_without_an_order_show_the_best_and_the_worst() {
    let names = ["\"relu\"", "\"tanh\"", "\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\"", "\"f\""];
    let means = [0.1, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];
    let eight = shown(&configurations("model.activation", &names), &means);
    assert!(!eight.is_ordered && eight.indices.contains(&0) && eight.indices.contains(&1), "{eight:?}");
    assert_eq!((eight.indices.len(), eight.colour(1)), (6, Colour::Category(1)));
    // Two varied keys give no order.
    let mut two = configurations("optimizer.learning_rate", &["0.1", "0.2"]);
    let [(key, rate), _] = &*two[0].values else { unreachable!() };
    two[0].values = [(key.clone(), rate.clone()), ("seed".into(), "2".into())].into();
    assert!(!shown(&two, &[0.5, 0.6]).is_ordered);
    assert_eq!(shown(&two, &[0.5, 0.6]).note(2), None);
}
