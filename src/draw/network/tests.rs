use super::*;
use crate::exchange::ModelMetadata;
use crate::model::Activation;

fn layer(weights: &[f32], inputs: usize, biases: &[f32]) -> DenseLayer {
    let (weights, biases) = (weights.to_vec(), biases.to_vec());
    DenseLayer { name: "layer".to_owned(), inputs, outputs: biases.len(), weights, biases }
}

/// The weights of the first neuron are 1 and -0.25 in steps of 1/32,767: -0.25 is -8,191.75 steps. The
/// second neuron has no weights.
#[test]
fn hidden_weights_alone_are_rounded() {
    let layers = vec![layer(&[1.0, 0.0, -0.25, 0.0], 2, &[0.1, 0.1]), layer(&[0.1, 0.1], 2, &[0.1])];
    let metadata = ModelMetadata::default();
    let network = DenseNetwork { layers, activation: Some(Activation::Relu), metadata };
    let rounded = rounded(&network).unwrap();
    assert_eq!(rounded.layers[0].weights, [1.0, 0.0, -8192.0 * (1.0 / 32767.0), 0.0]);
    assert_eq!(rounded.layers[0].biases, [0.1, 0.1]);
    assert_eq!(rounded.layers[1], network.layers[1]);
    let decoded = |text: &str| BASE64_STANDARD.decode(text).unwrap();
    // Rounded weights are encoded as they are.
    let encoded = encode(&rounded.layers[0], true);
    assert_eq!(decoded(&encoded.weights), [0xFF, 0x7F, 0, 0, 0x00, 0xE0, 0, 0]);
    assert_eq!(decoded(&encoded.steps.unwrap()), [(1.0f32 / 32767.0).to_le_bytes(), [0; 4]].concat());
    let encoded = encode(&network.layers[1], false);
    assert_eq!((decoded(&encoded.weights), encoded.steps), (0.1f32.to_le_bytes().repeat(2), None));
    let mut broken = network;
    broken.layers[0].weights[1] = f32::NAN;
    assert!(super::rounded(&broken).is_none());
}

/// The first pair has the probabilities ½, ½ and ¾, ¼, with the same answer.
#[test]
fn answers_and_probabilities_are_compared() {
    let prediction = |odds: f32| Prediction::from_logits(&[odds.ln(), 0.0]);
    let own = [prediction(1.0), prediction(9.0)];
    let same = compare(SplitName::Test, &own, &[prediction(3.0), prediction(9.0)]);
    assert_eq!((same.num_images, same.num_changed), (2, 0));
    assert!((same.max_difference - 0.25).abs() < 1e-6, "{}", same.max_difference);
    assert!(!same.allows_rounding());
    let near = compare(SplitName::Test, &own, &[prediction(1.0003), prediction(9.0)]);
    assert!(near.allows_rounding(), "{}", near.max_difference);
    let changed = compare(SplitName::Test, &own, &[prediction(0.9999), prediction(9.0)]);
    assert_eq!((changed.num_changed, changed.allows_rounding()), (1, false));
    assert!(changed.max_difference < TOLERANCE);
}
