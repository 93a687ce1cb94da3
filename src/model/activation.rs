//! Owns the activation functions of hidden layers: names, formulas and the functions on tensors.
//! Depends on Burn's tensors. Must not know how `engine::cpu` computes the same functions on
//! slices.
//!
//! To add a function, add a variant here with its name, formula and tensor function. Then add the
//! function and its derivative to `kernels/src/activation.rs`, and both to `engine/cpu/activation.rs`, where the
//! compiler asks for them.

use std::f64::consts::SQRT_2;
use std::fmt;

use burn::tensor::{Tensor, activation};
use serde::de::{Error as _, MapAccess, Unexpected, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Result, ensure};

/// Function after each hidden layer.
///
/// An experiment file names it by a string, as in `activation = "relu"`. A leaky ReLU with another
/// slope than the default is a table: `activation = { kind = "leaky-relu", slope = 0.2 }`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// max(0, x)
    Relu,
    /// x where x ≥ 0, `slope` · x elsewhere (Maas, Hannun and Ng 2013).
    LeakyRelu {
        /// Slope for negative x, in [0, 1). PyTorch's default is 0.01, Keras' is 0.3.
        slope: f64,
    },
    /// x · Φ(x), where Φ is the normal distribution function. It is the exact form, not the tanh
    /// approximation.
    Gelu,
    /// x · sigmoid(x), also called swish
    Silu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
    Tanh,
}

/// Default slope of a leaky ReLU, as in PyTorch.
const DEFAULT_SLOPE: f64 = 0.01;

impl Activation {
    /// All kinds of activation, each with its default constants.
    pub const KINDS: [Self; 6] = [
        Self::Relu,
        Self::LeakyRelu { slope: DEFAULT_SLOPE },
        Self::Gelu,
        Self::Silu,
        Self::Sigmoid,
        Self::Tanh,
    ];

    /// Names in experiment files, in the order of [`Activation::KINDS`].
    const KEYS: [&'static str; 6] = ["relu", "leaky-relu", "gelu", "silu", "sigmoid", "tanh"];

    /// Name in experiment files, such as `leaky-relu`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky-relu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
        }
    }

    /// Name on the screen and in pages, such as `Leaky ReLU`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "ReLU",
            Self::LeakyRelu { .. } => "Leaky ReLU",
            Self::Gelu => "GELU",
            Self::Silu => "SiLU",
            Self::Sigmoid => "Sigmoid",
            Self::Tanh => "Tanh",
        }
    }

    /// Value in an experiment file: `relu`, or a table for a leaky ReLU with another slope than the
    /// default.
    pub(crate) fn setting(self) -> String {
        match self {
            Self::LeakyRelu { slope } if slope != DEFAULT_SLOPE => {
                format!("{{ kind = \"{}\", slope = {slope} }}", self.key())
            }
            _ => self.key().to_owned(),
        }
    }

    /// Formula of the function as text, for an input x.
    pub fn formula(self) -> String {
        match self {
            Self::Relu => "max(0, x)".to_owned(),
            Self::LeakyRelu { slope } => format!("max(0, x) + {slope} · min(0, x)"),
            Self::Gelu => "x · Φ(x)".to_owned(),
            Self::Silu => "x · sigmoid(x)".to_owned(),
            Self::Sigmoid => "1 / (1 + e⁻ˣ)".to_owned(),
            Self::Tanh => "tanh(x)".to_owned(),
        }
    }

    /// Applies the function to every element.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(x),
            Self::LeakyRelu { slope } => activation::leaky_relu(x, slope),
            // Burn's own gelu is exact in its forward pass, but its gradient is that of the tanh
            // approximation. So the function is composed here, and Burn differentiates the exact
            // form.
            Self::Gelu => x.clone() * ((x / SQRT_2).erf() + 1.0) * 0.5,
            Self::Silu => activation::silu(x),
            Self::Sigmoid => activation::sigmoid(x),
            Self::Tanh => activation::tanh(x),
        }
    }

    /// Returns whether a neuron can stop learning ("dead ReLU"). This is possible if a negative
    /// input gives an output of 0 and a gradient of 0.
    pub(crate) fn can_die(self) -> bool {
        self == Self::Relu
    }

    /// Checks the ranges of the constants.
    ///
    /// # Errors
    /// A slope outside [0, 1).
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::LeakyRelu { slope } => {
                let expected = "a number from 0 up to, not with, 1";
                ensure((0.0..1.0).contains(&slope), "model.activation.slope", slope, expected)
            }
            _ => Ok(()),
        }
    }

    /// Returns the activation called `key` in experiment files, with its default constants.
    fn from_key(key: &str) -> Option<Self> {
        let index = Self::KEYS.iter().position(|name| *name == key)?;
        Some(Self::KINDS[index])
    }
}

impl Serialize for Activation {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::LeakyRelu { slope } if *slope != DEFAULT_SLOPE => {
                let mut table = serializer.serialize_struct("Activation", 2)?;
                table.serialize_field("kind", self.key())?;
                table.serialize_field("slope", slope)?;
                table.end()
            }
            _ => serializer.serialize_str(self.key()),
        }
    }
}

impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(ActivationVisitor)
    }
}

/// Reader of an activation in an experiment file: a name, or a table with `kind` and `slope`.
struct ActivationVisitor;

impl<'de> Visitor<'de> for ActivationVisitor {
    type Value = Activation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `experiment::read` recognises these words and says `a string` in its messages.
        f.write_str("string only")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> std::result::Result<Activation, E> {
        Activation::from_key(key).ok_or_else(|| E::unknown_variant(key, &Activation::KEYS))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut table: M) -> std::result::Result<Activation, M::Error> {
        let (mut activation, mut slope) = (None, None);
        while let Some(key) = table.next_key::<String>()? {
            match key.as_str() {
                "kind" => activation = Some(ActivationVisitor.visit_str(&table.next_value::<String>()?)?),
                "slope" => slope = Some(table.next_value::<f64>()?),
                other => return Err(M::Error::unknown_field(other, &["kind", "slope"])),
            }
        }
        match (activation, slope) {
            (None, _) => Err(M::Error::missing_field("kind")),
            (Some(activation), None) => Ok(activation),
            (Some(Activation::LeakyRelu { .. }), Some(slope)) => Ok(Activation::LeakyRelu { slope }),
            (Some(other), Some(slope)) => Err(M::Error::invalid_value(
                Unexpected::Float(slope),
                &&*format!("no slope with {}", other.key()),
            )),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
