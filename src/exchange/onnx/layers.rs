//! Owns the operators with weights, the end of the network, and which of them may follow one
//! another. Depends on values. Must not know other operators.

use std::rc::Rc;

use crate::error::{Error, Result};
use crate::exchange::onnx::formula::Formula;
use crate::exchange::onnx::operators::{
    Inputs, attribute, class_labels, computed, float, input, int, misfit, numbers,
};
use crate::exchange::onnx::proto::NodeProto;
use crate::exchange::onnx::read::{EXPECTED, Graph};
use crate::exchange::onnx::tensor::Tensor;
use crate::exchange::onnx::value::{Computed, Layer, Stage, Value, describe, quoted};
use crate::model::Activation;

/// Weights of a node.
struct Weights {
    tensor: Rc<Tensor>,
    /// True for `[outputs, inputs]`.
    is_transposed: bool,
    factor: f64,
    biases: Vec<f64>,
}

impl Graph {
    /// Y = `alpha` · A · B + `beta` · C, where A depends on the images.
    pub(super) fn gemm(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Value> {
        let (Some(images), Some(tensor)) = (computed(inputs, 0), numbers(inputs, 1)) else {
            return Err(misfit(
                node,
                "expected a product of what comes from the images (A) and constant weights (B)",
            ));
        };
        if int(node, "transA", 0) != 0 {
            return Err(misfit(node, "it exchanges the images and their pixels (`transA` = 1)"));
        }
        let beta = f64::from(float(node, "beta", 1.0));
        let biases = match (input(inputs, 2), numbers(inputs, 2)) {
            (None, _) => vec![0.0],
            (_, Some(biases)) => biases.numbers.iter().map(|bias| bias * beta).collect(),
            _ => return Err(misfit(node, "its biases (C) are not constant")),
        };
        let weights = Weights {
            tensor: tensor.clone(),
            is_transposed: int(node, "transB", 0) != 0,
            factor: float(node, "alpha", 1.0).into(),
            biases,
        };
        self.layer(node, images, weights)
    }

    /// The product of what comes from the images and constant weights. An `Add` may follow.
    pub(super) fn mat_mul(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Value> {
        let (Some(images), Some(tensor)) = (computed(inputs, 0), numbers(inputs, 1)) else {
            return Err(misfit(
                node,
                "expected a product of what comes from the images and constant weights",
            ));
        };
        let weights =
            Weights { tensor: tensor.clone(), is_transposed: false, factor: 1.0, biases: vec![0.0] };
        self.layer(node, images, weights)
    }

    /// The linear classifier of scikit-learn: label and scores.
    pub(super) fn linear_classifier(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Vec<Value>> {
        let images =
            computed(inputs, 0).ok_or_else(|| misfit(node, "its input does not depend on the images"))?;
        let list = |name: &str| -> Vec<f64> {
            let floats = attribute(node, name).map_or(&[][..], |attribute| &attribute.floats);
            floats.iter().map(|&number| number.into()).collect()
        };
        let (coefficients, intercepts) = (list("coefficients"), list("intercepts"));
        let labels = class_labels(node).unwrap_or_default();
        let num_classes = labels.len();
        if num_classes < 2 || coefficients.len() % num_classes != 0 || intercepts.len() != num_classes {
            return Err(misfit(
                node,
                &format!(
                    "it has {} coefficients and {} intercepts for {num_classes} classes",
                    coefficients.len(),
                    intercepts.len()
                ),
            ));
        }
        let end = attribute(node, "post_transform").and_then(|attribute| attribute.s.as_deref());
        let end = String::from_utf8_lossy(end.unwrap_or(b"NONE")).into_owned();
        if !["NONE", "SOFTMAX"].contains(&end.as_str()) {
            return Err(misfit(
                node,
                &format!("its scores become probabilities by {}, expected the softmax", quoted(&end)),
            ));
        }
        let dims = vec![num_classes, coefficients.len() / num_classes];
        self.charge(coefficients.len())?;
        let tensor = Rc::new(Tensor { dims, numbers: coefficients });
        let weights = Weights { tensor, is_transposed: true, factor: 1.0, biases: intercepts };
        let scores = self.layer(node, images, weights)?;
        self.class_names = labels;
        let Value::Computed(logits) = &scores else { return Ok(Vec::new()) };
        let label = Value::AfterLogits(logits.stage);
        let probabilities = label.clone();
        Ok(vec![label, if end == "NONE" { scores } else { probabilities }])
    }

    /// Adds a layer that multiplies `images` by `weights`.
    fn layer(&mut self, node: &NodeProto, images: &Computed, weights: Weights) -> Result<Value> {
        let [rows, columns] = weights.tensor.dims[..] else {
            let text = format!("its weights have {} dimensions, expected 2", weights.tensor.dims.len());
            return Err(misfit(node, &text));
        };
        let (num_inputs, outputs) = if weights.is_transposed { (columns, rows) } else { (rows, columns) };
        let images = self.layer_input(node, images, num_inputs)?;
        let biases = Tensor::list(weights.biases).broadcast(&[outputs]).ok_or_else(|| {
            misfit(node, &format!("expected one bias, or one for each of {outputs} outputs"))
        })?;
        self.charge(outputs.saturating_mul(2))?;
        let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
        let layer = Layer {
            name: name.map_or("", String::as_str).into(),
            input: images,
            weights: weights.tensor,
            is_transposed: weights.is_transposed,
            outputs,
        };
        self.stages.push(Stage {
            factors: Rc::new(vec![weights.factor]),
            offsets: Rc::new(biases),
            layer: Some(layer),
            is_whole: false,
        });
        Ok(Value::Computed(Computed {
            stage: self.stages.len().saturating_sub(1),
            formula: Formula::IDENTITY,
            dims: Some(Rc::new(vec![outputs])),
            node: describe(node).into(),
        }))
    }

    /// Checks that `images` may be the input of a layer: `num_inputs` pixels, or what an activation
    /// makes of the layer before.
    fn layer_input(&mut self, node: &NodeProto, images: &Computed, num_inputs: usize) -> Result<Computed> {
        match images.dims.as_deref().map(Vec::as_slice) {
            Some([size]) if *size != num_inputs => {
                let text = format!("it multiplies {size} numbers, and its weights are for {num_inputs}");
                return Err(misfit(node, &text));
            }
            Some(dims) if dims.len() != 1 => {
                let text =
                    format!("it multiplies the rows of images of {dims:?}, expected a Flatten before it");
                return Err(misfit(node, &text));
            }
            _ => {}
        }
        let Some(layer) = self.stages.get(images.stage).and_then(|stage| stage.layer.clone()) else {
            return self.settled(node, images);
        };
        let Some(activation) = images.formula.activation() else {
            let reason = match images.formula.as_linear() {
                Some(_) => format!("no activation is between it and the layer {}", quoted(&layer.name)),
                None => format!("the {} before it computes none of smallnet's activations", images.node),
            };
            return Err(misfit(node, &reason));
        };
        self.check_activation(images, activation, &layer)?;
        Ok(images.clone())
    }

    /// Checks that an activation is that of the hidden layer before.
    fn check_activation(&self, images: &Computed, activation: Activation, layer: &Layer) -> Result<()> {
        let is_hidden = self.stages.get(layer.input.stage).is_some_and(|stage| stage.layer.is_some());
        let Some(first) = layer.input.formula.activation().filter(|_| is_hidden) else { return Ok(()) };
        if first == activation {
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "the {}: the activation after its layer is {}, and after the layer before {}; a network of smallnet \
             has the same after each hidden layer",
            images.node,
            activation.formula(),
            first.formula()
        ))
        .hint(EXPECTED))
    }

    /// The end of the network: the softmax of its logits.
    pub(super) fn softmax(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Value> {
        let default = if self.opset < 13 { 1 } else { -1 };
        let axis = int(node, "axis", default);
        if ![1, -1].contains(&axis) {
            let text = format!("its axis is {axis}, expected 1 or -1: the classes");
            return Err(misfit(node, &text));
        }
        self.after_computed(node, inputs)
    }

    /// The output of a node that takes logits and ends the network.
    pub(super) fn after_computed(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Value> {
        let logits =
            computed(inputs, 0).ok_or_else(|| misfit(node, "its input does not depend on the images"))?;
        self.logits(logits).map(Value::AfterLogits)
    }

    /// Returns the stage whose numbers are the logits `computed`.
    ///
    /// # Errors
    /// Numbers that are no output of a layer.
    pub(super) fn logits(&mut self, computed: &Computed) -> Result<usize> {
        let is_layer = self.stages.get(computed.stage).is_some_and(|stage| stage.layer.is_some());
        if !is_layer || computed.formula.as_linear().is_none() {
            let what = if is_layer { "an activation" } else { "no layer" };
            return Err(Error::unsupported(format!(
                "the network ends with {what}: the {}; expected a layer, and perhaps a softmax",
                computed.node
            ))
            .hint(EXPECTED));
        }
        self.settle(computed).map(|settled| settled.stage)
    }
}
