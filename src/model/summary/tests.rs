use super::*;
use crate::model::Activation;

#[test]
fn the_softmax_network_by_hand() {
    let layers = MlpConfig::default().layers(28, 28, 10);
    let kinds: Vec<_> = layers.iter().map(|layer| layer.kind).collect();
    let linear = LayerKind::Linear { inputs: 784, outputs: 10 };
    assert_eq!(kinds, [LayerKind::Input, LayerKind::Flatten, linear, LayerKind::Softmax]);
    // 784·10 weights and 10 biases. Two operations per weight.
    assert_eq!((layers[2].num_parameters, layers[2].flops), (7850, Some(15_680)));
    let shapes: Vec<_> = layers.iter().map(|layer| &layer.output_shape[..]).collect();
    assert_eq!(shapes, [&[28, 28][..], &[784], &[10], &[10]]);
}

#[test]
fn hidden_layers_by_hand() {
    let config = MlpConfig { hidden: vec![5, 4], dropout: 0.1, ..MlpConfig::default() };
    let layers = config.layers(2, 3, 7);
    let parameters: Vec<_> = layers.iter().map(|layer| layer.num_parameters).collect();
    // Linear layers: 6·5 + 5, 5·4 + 4 and 4·7 + 7.
    assert_eq!(parameters, [0, 0, 35, 0, 0, 24, 0, 0, 35, 0]);
    assert_eq!(layers[3].kind, LayerKind::Activation(Activation::Relu));
    assert_eq!(
        (layers[4].kind, &layers[4].output_shape[..]),
        (LayerKind::Dropout { probability: 0.1 }, &[5][..])
    );
    assert_eq!(layers.iter().filter_map(|layer| layer.flops).sum::<usize>(), 2 * (30 + 20 + 28));
}
