use super::*;

fn experiment(text: &str) -> Experiment {
    Experiment::from_toml(text, "test.toml", &[]).unwrap()
}

#[test]
fn only_what_differs_is_named() {
    let one = experiment("name = \"a\"\n[tracking]\nkinds = [\"csv\"]\n[optimizer]\nlearning_rate = 0.5");
    let other = experiment("name = \"b\"\nseed = 7\n[model]\nhidden = [3]\n[optimizer]\nkind = \"adam\"");
    assert_eq!(differences(&[&one, &one]).unwrap(), []);
    let found = differences(&[&one, &other]).unwrap();
    let keys: Vec<_> = found.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "seed",
            "model.hidden",
            "optimizer.kind",
            "optimizer.beta_1",
            "optimizer.beta_2",
            "optimizer.epsilon",
            "optimizer.learning_rate",
            "optimizer.momentum",
            "optimizer.nesterov"
        ]
    );
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(found[1].values, [some("[]"), some("[3]")]);
    assert_eq!(found[6].values, [some("0.5"), some("0.001")]);
    assert_eq!(found[7].values, [some("0.0"), None]);
}
