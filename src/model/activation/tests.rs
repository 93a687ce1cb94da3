use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Section {
    activation: Activation,
}

#[test]
fn every_kind_is_written_and_read_alike() {
    assert_eq!(Activation::KINDS.map(Activation::key), Activation::KEYS);
    let steep = Activation::LeakyRelu { slope: 0.2 };
    for activation in Activation::KINDS.into_iter().chain([steep]) {
        let text = toml::to_string(&Section { activation }).unwrap();
        assert_eq!(toml::from_str::<Section>(&text).unwrap(), Section { activation }, "{text}");
    }
    let text = "activation = { kind = \"leaky-relu\", slope = 0.2 }";
    assert_eq!(toml::from_str::<Section>(text).unwrap().activation, steep);
    assert_eq!(
        toml::to_string(&Section { activation: Activation::Relu }).unwrap(),
        "activation = \"relu\"\n"
    );
}

#[test]
fn a_table_needs_a_kind_that_takes_its_keys() {
    let message = |text: &str| toml::from_str::<Section>(text).unwrap_err().to_string();
    assert!(message("activation = { slope = 0.2 }").contains("missing field `kind`"));
    assert!(message("activation = { kind = \"relu\", slope = 0.2 }").contains("no slope with relu"));
    assert!(message("activation = { kind = \"relu\", alpha = 1 }").contains("unknown field `alpha`"));
    assert!(Activation::LeakyRelu { slope: 1.0 }.check().is_err());
    assert!(Activation::LeakyRelu { slope: 0.0 }.check().is_ok());
}
