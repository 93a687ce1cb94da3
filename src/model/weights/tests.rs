use super::*;
use crate::model::{Activation, Dropout};
use burn::nn::Linear;
use burn::tensor::Device;

#[test]
fn weights_of_another_kind_of_number_are_refused() {
    let model = Mlp::new(vec![], Activation::Relu, Dropout::default());
    let whole = burn_pack::Tensor::new(
        "layers.0.bias".to_owned(),
        DType::I32,
        [2],
        None,
        Bytes::from_bytes_vec(vec![0; 8]),
    );
    let bytes = burn_pack::Writer::new(vec![whole]).into_bytes().unwrap();
    assert_eq!(
        load_weights(model, bytes.to_vec(), "x").unwrap_err().to_string(),
        "`x` holds `layers.0.bias` as i32, expected f32\n\nhint: is it the file that this run saved?"
    );
}

#[test]
fn one_weight_that_is_no_number_is_found() {
    for (value, finite) in
        [(1.0, true), (f32::NAN, false), (f32::INFINITY, false), (f32::NEG_INFINITY, false)]
    {
        let weights = Tensor::<2>::ones([4, 3], &Device::flex()).slice_fill([2..3, 1..2], value);
        let layer = Linear { weight: Param::from_tensor(weights), bias: None };
        let model = Mlp::new(vec![layer], Activation::Relu, Dropout::default());
        assert_eq!(has_finite_weights(&model.clone().train()).unwrap(), finite, "{value}");
        assert_eq!(has_finite_weights(&model).unwrap(), finite, "{value}");
    }
}
