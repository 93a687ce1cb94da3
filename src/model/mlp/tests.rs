use burn::tensor::Int;

use super::*;
use crate::model::{MlpConfig, cross_entropy};

type Rows<'a> = &'a [&'a [f32]];

/// Layer with these weights: one row per input, one column per output.
fn layer(weights: Rows<'_>, biases: &[f32], device: &Device) -> Linear {
    let values: Vec<f32> = weights.concat();
    let weight = TensorData::new(values, [weights.len(), biases.len()]);
    Linear {
        weight: Param::from_data(weight, device),
        bias: Some(Param::from_data(TensorData::new(biases.to_vec(), [biases.len()]), device)),
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn assert_close(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6, "{got}, expected {expected}");
    }
}

/// The image has the pixels 1 and ½. The logits are 1·1 + ½·3 + ½ = 3 and 1·2 − ½·1 − ½ = 1.
/// The softmax of (3, 1) is (e², 1) / (e² + 1). The loss of class 1 is −ln(1 / (e² + 1)) =
/// ln(e² + 1).
#[test]
fn a_softmax_network_computed_by_hand() {
    let device = Device::flex();
    let layer = layer(&[&[1.0, 2.0], &[3.0, -1.0]], &[0.5, -0.5], &device);
    let model = Mlp::new(vec![layer], Activation::Relu, Dropout::default());
    let image = Tensor::<3>::from_data([[[1.0], [0.5]]], &device);
    let e2 = 1f64.exp().powi(2);
    assert_close(&values(model.forward(image.clone())), &[3.0, 1.0]);
    assert_close(&values(model.probabilities(image.clone())), &[e2 / (e2 + 1.0), 1.0 / (e2 + 1.0)]);
    let target = Tensor::<1, Int>::from_data([1], &device);
    let loss = cross_entropy(model.forward(image.clone()), target.clone(), 0.0);
    assert_close(&values(loss), &[(e2 + 1.0).ln()]);
    // Label smoothing by 0.2 leaves 0.9 at class 1 and puts 0.1 at class 0, whose loss is ln(e²
    // + 1) − 2.
    let loss = cross_entropy(model.forward(image), target, 0.2);
    assert_close(&values(loss), &[0.9 * (e2 + 1.0).ln() + 0.1 * ((e2 + 1.0).ln() - 2.0)]);
}

/// The pre-activations are 1·2 + ½·0 = 2 and −1·1 + ½·1 = −½. ReLU makes (2, 0) of them. The
/// logit is 2·3 + 0·100 + 1 = 7.
#[test]
fn a_hidden_layer_computed_by_hand() {
    let device = Device::flex();
    let hidden = layer(&[&[2.0, -1.0], &[0.0, 1.0]], &[0.0, 0.0], &device);
    let output = layer(&[&[3.0], &[100.0]], &[1.0], &device);
    let model = Mlp::new(vec![hidden, output], Activation::Relu, Dropout::default());
    let image = Tensor::<3>::from_data([[[1.0, 0.5]]], &device);
    assert_close(&values(model.forward(image)), &[7.0]);
}

#[test]
fn a_neuron_has_the_weights_of_its_column() {
    let device = Device::flex();
    let layer = layer(&[&[1.0, 2.0], &[3.0, -1.0], &[5.0, 6.0]], &[0.5, -0.5], &device);
    let neurons = Mlp::new(vec![layer], Activation::Relu, Dropout::default()).first_layer().unwrap();
    assert_eq!(neurons.weights, [[1.0, 3.0, 5.0], [2.0, -1.0, 6.0]]);
    assert_eq!(neurons.biases, [0.5, -0.5]);
}

#[test]
fn dropout_acts_in_training_alone() {
    let device = Device::flex();
    for (dropout, input_dropout) in [(0.5, 0.0), (0.0, 0.5)] {
        let config = MlpConfig { hidden: vec![64], dropout, input_dropout, ..MlpConfig::default() };
        let model = config.init(4, 3, 1, &device).unwrap();
        let images = || Tensor::<3>::from_data([[[0.1, 0.9], [0.5, 0.3]]], &device);
        let in_training = |seed| values(model.forward_train(images(), Some(seed)));
        assert_ne!(in_training(1), in_training(2), "no neuron was left out");
        assert_eq!(in_training(1), in_training(1));
        let whole = values(model.forward(images()));
        assert_ne!(in_training(1), whole);
        assert_eq!(values(model.forward_train(images(), None)), whole);
    }
}

/// Each weight of a small network is changed by ±0.01, and the loss must change as the gradient
/// says. Central differences in single precision are exact to about 1e-3 here.
#[test]
fn gradients_agree_with_finite_differences() {
    let device = Device::flex();
    let config = MlpConfig { hidden: vec![4, 3], activation: Activation::Tanh, ..MlpConfig::default() };
    let model = config.init(6, 3, 3, &device).unwrap();
    let images: Vec<f32> = (0..5 * 6).map(|i| ((i * 7) % 11) as f32 / 11.0).collect();
    let images = |device: &Device| Tensor::<3>::from_data(TensorData::new(images.clone(), [5, 2, 3]), device);
    let targets = |device: &Device| Tensor::<1, Int>::from_data([0, 2, 1, 1, 0], device);
    let loss = |model: &Mlp, device: &Device| {
        cross_entropy(model.forward(images(device)), targets(device), 0.1).mean()
    };

    let training = device.clone().autodiff();
    let trained = model.clone().train();
    let gradients = loss(&trained, &training).backward();
    for (index, layer) in trained.layers().iter().enumerate() {
        let gradient = layer.weight.val().grad(&gradients).map(values).unwrap_or_default();
        let [rows, columns] = layer.weight.dims();
        assert_eq!(gradient.len(), rows * columns);
        for (place, &gradient) in gradient.iter().enumerate() {
            let nudged = |by: f32| {
                let mut model = model.clone();
                let weight = model.layers[index].weight.val();
                let mut data: Vec<f32> = weight.into_data().iter::<f32>().collect();
                data[place] += by;
                let data = TensorData::new(data, [rows, columns]);
                model.layers[index].weight = Param::from_data(data, &device);
                values(loss(&model, &device))[0]
            };
            let slope = (nudged(0.01) - nudged(-0.01)) / 0.02;
            assert!((slope - gradient).abs() < 1e-3, "layer {index}, weight {place}: {gradient}, {slope}");
        }
    }
}
