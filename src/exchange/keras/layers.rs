//! Owns the meaning of Keras' layers. Depends on `chain`. Must not know weights.

use serde_json::Value;

use crate::error::Result;
use crate::exchange::keras::chain::Layer;
use crate::model::Activation;

/// Slopes of a leaky ReLU without a setting: of the function `leaky_relu`, and of the layer
/// `LeakyReLU`.
const FUNCTION_SLOPE: f64 = 0.2;
const LAYER_SLOPE: f64 = 0.3;

/// Layers that change nothing when a network is used, only while it learns.
const WITHOUT_EFFECT: [&str; 22] = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Masking",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomInvert",
    "RandomPerspective",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "SpatialDropout1D",
    "SpatialDropout2D",
];

/// Function of a layer's outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Function {
    /// None.
    Linear,
    /// Softmax or its logarithm, which the logits before it give.
    Softmax,
    /// One that smallnet has after hidden layers.
    Hidden(Activation),
}

/// Effect of a layer on its input.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Nothing.
    Nothing,
    /// Makes one row of numbers of it.
    Flatten,
    /// Gives it another shape. A size of -1 follows from the others.
    Reshape(Vec<i64>),
    /// Multiplies it and adds to it.
    Rescale {
        /// Factor.
        scale: f64,
        /// Number that is added after that.
        offset: f64,
    },
    /// Subtracts means and divides by standard deviations.
    Normalize,
    /// A fully connected layer.
    Dense {
        /// Number of outputs.
        units: usize,
        /// Whether there are biases.
        has_bias: bool,
        /// Function of its outputs.
        function: Function,
    },
    /// Applies a function.
    Apply(Function),
}

/// Returns what `layer` does.
///
/// # Errors
/// A layer or a setting that no dense network has. The error names the layer.
pub(super) fn step(layer: &Layer) -> Result<Step> {
    Ok(match layer.class.as_str() {
        class if WITHOUT_EFFECT.contains(&class) => Step::Nothing,
        "Flatten" if is_channels_first(layer) => return Err(layer.unsupported("has its channels first")),
        "Flatten" => Step::Flatten,
        "Reshape" => Step::Reshape(target_shape(layer)?),
        "Rescaling" => {
            Step::Rescale { scale: number(layer, "scale", 1.0)?, offset: number(layer, "offset", 0.0)? }
        }
        "Normalization" if layer.setting("invert") == Some(&Value::Bool(true)) => {
            return Err(layer.unsupported("has `invert = true`"));
        }
        "Normalization" => Step::Normalize,
        "Dense" => dense(layer)?,
        "Activation" => Step::Apply(function(layer, layer.setting("activation"))?),
        "ReLU" | "LeakyReLU" | "Softmax" => Step::Apply(function_layer(layer, &layer.class, &layer.config)?),
        _ => {
            return Err(layer.unsupported("is no part of a dense network").hint(
                "smallnet reads Flatten, Reshape, Rescaling, Normalization, Dense, Activation, ReLU, LeakyReLU, \
                 Softmax, and layers that only act during training, such as Dropout",
            ));
        }
    })
}

fn is_channels_first(layer: &Layer) -> bool {
    layer.setting("data_format").and_then(Value::as_str) == Some("channels_first")
}

fn target_shape(layer: &Layer) -> Result<Vec<i64>> {
    let sizes = layer.setting("target_shape").and_then(Value::as_array);
    let sizes = sizes.and_then(|sizes| sizes.iter().map(Value::as_i64).collect());
    sizes.ok_or_else(|| layer.unsupported("has no `target_shape`"))
}

fn dense(layer: &Layer) -> Result<Step> {
    let units = layer.setting("units").and_then(Value::as_u64).and_then(|units| usize::try_from(units).ok());
    let units = units.ok_or_else(|| layer.unsupported("has no `units`"))?;
    if layer.setting("quantization_config").is_some() {
        return Err(layer.unsupported("has quantized weights, expected floating-point numbers"));
    }
    let has_bias = layer.setting("use_bias") != Some(&Value::Bool(false));
    Ok(Step::Dense { units, has_bias, function: function(layer, layer.setting("activation"))? })
}

/// Reads a number: itself, or Keras' form of a number of NumPy.
fn number(layer: &Layer, key: &str, default: f64) -> Result<f64> {
    let Some(value) = layer.setting(key) else { return Ok(default) };
    let inner = value.get("config").and_then(|config| config.get("value")).unwrap_or(value);
    let finite = inner.as_f64().filter(|number| number.is_finite());
    finite.ok_or_else(|| layer.unsupported(&format!("has `{key} = {value}`, expected one number")))
}

/// Reads an activation: its name, a function under its name, or a layer. Nothing means none.
fn function(layer: &Layer, value: Option<&Value>) -> Result<Function> {
    let Some(value) = value else { return Ok(Function::Linear) };
    if let Some(name) = value.as_str() {
        return named(layer, name);
    }
    let class = value.get("class_name").and_then(Value::as_str).unwrap_or_default();
    match value.get("config") {
        Some(Value::String(name)) => named(layer, name),
        Some(Value::Object(config)) => function_layer(layer, class, config),
        _ => named(layer, class),
    }
}

fn named(layer: &Layer, name: &str) -> Result<Function> {
    Ok(match name {
        "linear" => Function::Linear,
        "softmax" | "log_softmax" => Function::Softmax,
        "relu" => Function::Hidden(Activation::Relu),
        "leaky_relu" => Function::Hidden(Activation::LeakyRelu { slope: FUNCTION_SLOPE }),
        "gelu" => Function::Hidden(Activation::Gelu),
        "silu" | "swish" => Function::Hidden(Activation::Silu),
        "sigmoid" => Function::Hidden(Activation::Sigmoid),
        "tanh" => Function::Hidden(Activation::Tanh),
        name => {
            return Err(layer.unsupported(&format!("has the activation `{name}`")).hint(
                "smallnet has relu, leaky_relu, gelu, silu, sigmoid and tanh, and softmax or none after the last layer",
            ));
        }
    })
}

/// Function of a layer of the class `class` with the settings `config`: `layer` itself, or the
/// activation of `layer`.
fn function_layer(layer: &Layer, class: &str, config: &serde_json::Map<String, Value>) -> Result<Function> {
    let inner = Layer { class: class.to_owned(), config: config.clone(), ..layer.clone() };
    match class {
        "Activation" => match inner.setting("activation").and_then(Value::as_str) {
            Some(name) => named(layer, name),
            None => Err(layer.unsupported("has an activation without a name")),
        },
        "Softmax" => match inner.setting("axis").and_then(Value::as_i64) {
            None | Some(-1 | 1) => Ok(Function::Softmax),
            Some(axis) => Err(layer.unsupported(&format!("has `axis = {axis}`, expected -1"))),
        },
        "LeakyReLU" => {
            let key = if inner.setting("alpha").is_some() { "alpha" } else { "negative_slope" };
            leaky(&inner, number(&inner, key, LAYER_SLOPE)?)
        }
        "ReLU" => {
            if inner.setting("max_value").is_some() || number(&inner, "threshold", 0.0)? != 0.0 {
                return Err(layer.unsupported("has a largest value or a threshold, expected max(0, x)"));
            }
            match number(&inner, "negative_slope", 0.0)? {
                0.0 => Ok(Function::Hidden(Activation::Relu)),
                slope => leaky(&inner, slope),
            }
        }
        class => named(layer, class),
    }
}

fn leaky(layer: &Layer, slope: f64) -> Result<Function> {
    match (0.0..1.0).contains(&slope) {
        true => Ok(Function::Hidden(Activation::LeakyRelu { slope })),
        false => {
            Err(layer
                .unsupported(&format!("has the slope {slope}, expected a number from 0 up to, not with, 1")))
        }
    }
}
