use super::*;

#[test]
fn texts_are_read_as_they_were_written() {
    let metadata = ModelMetadata {
        version: Some("0.1.0".to_owned()),
        experiment: Some("softmax".to_owned()),
        run: Some("20261126-073000".to_owned()),
        class_names: vec!["T-shirt/top".to_owned(), "a \"quoted\" name".to_owned()],
        image_size: Some((28, 20)),
        activation: Some(Activation::LeakyRelu { slope: 0.2 }),
        value_range: Some(ValueRange { black: -1.0, white: 1.0 }),
        preparation: Some(Preparation::Whole),
        weights_sha256: Some("fbd9b3e3c45b105a".to_owned()),
        data_source: Some("mnist".to_owned()),
        data_sha256: Some("00ff".to_owned()),
        test_accuracy: Some(0.9239),
        layout: Some("burn".to_owned()),
    };
    assert_eq!(ModelMetadata::from_texts(&metadata.to_texts().unwrap()), metadata);
    let none = ModelMetadata::default();
    assert!(none.to_texts().unwrap().is_empty());
    assert_eq!(ModelMetadata::from_texts(&BTreeMap::new()), none);
}

#[test]
fn a_text_of_another_form_is_left_out() {
    let texts = [("class_names", "zero, one"), ("test_accuracy", "92 %"), ("layout", "pytorch")];
    let texts = texts.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
    let expected = ModelMetadata { layout: Some("pytorch".to_owned()), ..ModelMetadata::default() };
    assert_eq!(ModelMetadata::from_texts(&texts), expected);
}
