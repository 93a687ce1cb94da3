//! Owns what is known about a value of an ONNX graph while the graph is read. Depends on formulas
//! and tensors. Must not know operators.

use std::rc::Rc;

use crate::exchange::onnx::formula::Formula;
use crate::exchange::onnx::proto::NodeProto;
use crate::exchange::onnx::tensor::{Constant, Tensor};

/// Knowledge about a value of the graph.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Constant numbers.
    Numbers(Rc<Tensor>),
    /// Constant texts.
    Texts(Rc<Vec<String>>),
    /// Numbers that depend on the images.
    Computed(Computed),
    /// Shape of numbers that depend on the images, or a part of it. `None` is the number of images.
    Shape(Vec<Option<i64>>),
    /// For each number of `Computed`, whether it is at least (or more than) 0.
    IsPositive(Computed),
    /// Values after the logits: probabilities, labels. The number is the index of the logits' stage.
    AfterLogits(usize),
    /// A constant that smallnet cannot use, such as a list or a mapping.
    Unknown,
}

/// Numbers that depend on the images: a formula of the numbers of a stage.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    /// Index of the stage.
    pub(super) stage: usize,
    pub(super) formula: Formula,
    /// Dimensions of one image's numbers, if they are known.
    pub(super) dims: Option<Rc<Vec<usize>>>,
    /// Description of the node that computes them, for messages.
    pub(super) node: Rc<str>,
}

impl From<Constant> for Value {
    fn from(constant: Constant) -> Self {
        match constant {
            Constant::Numbers(tensor) => Self::Numbers(Rc::new(tensor)),
            Constant::Texts(texts) => Self::Texts(Rc::new(texts)),
        }
    }
}

impl Computed {
    /// The same numbers with another formula.
    pub(super) fn with(&self, formula: Formula, node: &NodeProto) -> Self {
        Self { formula, node: describe(node).into(), ..self.clone() }
    }
}

/// The images, or the output of a layer: `factors` · x + `offsets`, where x is a pixel or a sum of
/// products with weights. `factors` and `offsets` have one number, or one per x.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) factors: Rc<Vec<f64>>,
    pub(super) offsets: Rc<Vec<f64>>,
    /// `None` for the images.
    pub(super) layer: Option<Layer>,
    /// True for images of whole numbers, before they are cast.
    pub(super) is_whole: bool,
}

/// Weights that multiply a value.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Name for messages.
    pub(super) name: Rc<str>,
    /// Value that the weights multiply.
    pub(super) input: Computed,
    /// `[inputs, outputs]`, or `[outputs, inputs]` if `is_transposed`.
    pub(super) weights: Rc<Tensor>,
    pub(super) is_transposed: bool,
    pub(super) outputs: usize,
}

/// Names a node for people, such as: node `/conv1/Conv` is a `Conv`.
pub(super) fn describe(node: &NodeProto) -> String {
    let domain = match node.domain.as_str() {
        "" | "ai.onnx" => String::new(),
        domain => format!(" of {}", quoted(domain)),
    };
    let operator = quoted(&node.op_type);
    match (node.name.as_str(), node.output.first()) {
        ("", Some(output)) => format!("node that makes {} is a {operator}{domain}", quoted(output)),
        ("", None) => format!("node without a name is a {operator}{domain}"),
        (name, _) => format!("node {} is a {operator}{domain}", quoted(name)),
    }
}

/// Largest number of characters of a name in a message.
const MAX_NAME: usize = 100;

/// Returns a name from the file in backquotes. A long one is cut, and control characters, which
/// could change the terminal, are replaced.
pub(super) fn quoted(name: &str) -> String {
    let shown = name.chars().take(MAX_NAME).map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let more = if name.chars().nth(MAX_NAME).is_some() { "…" } else { "" };
    format!("`{}{more}`", shown.collect::<String>())
}
