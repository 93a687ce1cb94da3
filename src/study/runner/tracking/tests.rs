use super::*;

#[test]
fn names_of_configurations_are_names_of_folders() {
    for (values, name) in [
        (&[][..], "as-it-is"),
        (
            &[("model.hidden", "[128, 64]"), ("optimizer.learning_rate", "0.1")],
            "hidden-128-64_learning-rate-0.1",
        ),
        (&[("data.source", "\"../../etc\"")], "source-..-..-etc"),
    ] {
        let values = values.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        assert_eq!(configuration_folder(&Configuration { values }), name);
    }
    let long = Configuration { values: [("data.source".into(), "x".repeat(500).into())].into() };
    assert_eq!(configuration_folder(&long).len(), MAX_NAME);
}
