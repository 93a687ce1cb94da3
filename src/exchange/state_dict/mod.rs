//! Owns the rules that make a network of named tensors, which safetensors files and PyTorch's state
//! dictionaries are: pairs of weights and biases, their layout and their order. Depends on
//! `exchange::network`. Must not know how a file holds its tensors.

mod names;
mod order;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::data::natural_order;
use crate::error::{Error, Result};
use crate::exchange::number_type::NumberType;
use crate::exchange::{DenseLayer, DenseNetwork, Layout, ModelMetadata};
use crate::model::MlpConfig;
use names::Role;

/// Largest number of layers that a message lists.
const MAX_LISTED: usize = 6;

/// A tensor of a file, without its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorInfo {
    /// Name in the file, such as `fc1.weight`.
    pub(crate) name: String,
    /// Number of elements along each dimension.
    pub(crate) shape: Vec<usize>,
    /// Type of the numbers.
    pub(crate) number_type: NumberType,
}

/// Weights and biases that belong together.
#[derive(Debug)]
struct Pair<'a> {
    /// Name of the layer: that of the tensors without its last part.
    name: String,
    weights: &'a TensorInfo,
    /// Rows and columns of the weights.
    shape: [usize; 2],
    /// Layout of the weights that their name states.
    layout: Layout,
    biases: Option<&'a TensorInfo>,
}

impl Pair<'_> {
    /// Number of inputs and outputs if the weights have the layout.
    fn sizes(&self, layout: Layout) -> [usize; 2] {
        let [rows, columns] = self.shape;
        match layout {
            Layout::Burn => [rows, columns],
            Layout::Pytorch => [columns, rows],
        }
    }

    /// Returns whether there is one bias per output, or no bias at all.
    fn has_fitting_biases(&self, layout: Layout) -> bool {
        let [_, outputs] = self.sizes(layout);
        self.biases.is_none_or(|biases| biases.shape == [outputs])
    }
}

/// Makes a network of the `tensors` of a file. `read` returns the bytes of one of them, row by row and
/// little-endian.
///
/// The layout is `layout`, or else that in the `metadata`, or else that of the names: `weight` is
/// `[outputs, inputs]`, and `kernel` is `[inputs, outputs]`. If nothing but the names states it, and
/// the layers follow one another in the other layout only, they have that.
///
/// The order of the layers is the natural order of their names, or, if they do not follow one another
/// then, the only one in which they do.
///
/// # Errors
/// A tensor that is not a fully connected layer's, layers that do not follow one another, or those of
/// `read`.
pub(crate) fn read_network<'a>(
    tensors: &[TensorInfo],
    read: impl Fn(&TensorInfo) -> Result<Cow<'a, [u8]>>,
    metadata: ModelMetadata,
    layout: Option<Layout>,
) -> Result<DenseNetwork> {
    let layout = layout.or_else(|| Layout::from_key(metadata.layout.as_deref()?));
    let mut layers = pair(&of_network(tensors))?;
    layers.sort_by(|a, b| natural_order(&a.name, &b.name));
    let layers = arrange(layers, layout)?;
    check_size(&layers)?;
    let layers = layers.iter().map(|(pair, layout)| read_layer(pair, *layout, &read));
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let activation = metadata.activation.filter(|_| layers.len() > 1);
    Ok(DenseNetwork { layers, activation, metadata })
}

/// Returns the tensors of the network, without those of an optimizer beside it.
fn of_network(tensors: &[TensorInfo]) -> Vec<&TensorInfo> {
    let named = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.is_empty()));
    let entry = names::network_entry(&named.collect::<Vec<_>>());
    let is_inside = |tensor: &&TensorInfo| entry.is_none_or(|entry| names::is_inside(&tensor.name, entry));
    let mut tensors: Vec<&TensorInfo> = tensors.iter().filter(is_inside).collect();
    tensors.sort_by(|a, b| natural_order(&a.name, &b.name));
    tensors
}

/// Returns the pairs of weights and biases.
fn pair<'a>(tensors: &[&'a TensorInfo]) -> Result<Vec<Pair<'a>>> {
    let mut biases: BTreeMap<String, &TensorInfo> = BTreeMap::new();
    let mut pairs: BTreeMap<String, Pair<'a>> = BTreeMap::new();
    for &tensor in tensors {
        let Some((layer, role)) = names::parse(&tensor.name) else { return Err(not_dense(tensor)) };
        let is_second = match role {
            Role::Biases => biases.insert(layer, tensor).is_some(),
            Role::Weights(layout) => {
                let name = if layer.is_empty() { tensor.name.clone() } else { layer.clone() };
                let &[rows, columns] = &tensor.shape[..] else { return Err(not_dense(tensor)) };
                if names::is_embedding(&tensor.name) {
                    return Err(not_dense(tensor));
                }
                let pair = Pair { name, weights: tensor, shape: [rows, columns], layout, biases: None };
                pairs.insert(layer, pair).is_some()
            }
        };
        if is_second {
            return Err(Error::unsupported(format!(
                "the tensor `{}` is the second one of its kind in its layer",
                tensor.name
            )));
        }
    }
    for (layer, tensor) in biases {
        match pairs.get_mut(&layer) {
            Some(pair) if tensor.shape.len() == 1 => pair.biases = Some(tensor),
            Some(_) => return Err(not_dense(tensor)),
            None => {
                return Err(Error::unsupported(format!(
                    "the biases `{}` have no weights beside them",
                    tensor.name
                )));
            }
        }
    }
    match pairs.is_empty() {
        true => Err(Error::unsupported("the file has no tensor of a fully connected layer")
            .hint("expected are names such as `fc1.weight` and `fc1.bias`")),
        false => Ok(pairs.into_values().collect()),
    }
}

/// Error of a tensor that is not a fully connected layer's.
fn not_dense(tensor: &TensorInfo) -> Error {
    Error::unsupported(format!(
        "the tensor `{}` of shape {:?} is not that of a fully connected layer, which has weights of two dimensions \
         and biases of one",
        tensor.name, tensor.shape
    ))
    .hint("smallnet imports networks of fully connected layers with one activation, and nothing else")
}

/// Returns the layers, first to last, each with its layout. `layers` are in the order of their names.
fn arrange(layers: Vec<Pair<'_>>, layout: Option<Layout>) -> Result<Vec<(Pair<'_>, Layout)>> {
    // Before the search for an order, whose depth is the number of layers.
    let hidden = vec![1; layers.len().saturating_sub(1)];
    MlpConfig { hidden, ..MlpConfig::default() }.check()?;
    let stated = |pair: &Pair| layout.unwrap_or(pair.layout);
    let by_name: Vec<Layout> = layers.iter().map(stated).collect();
    let mut candidates = vec![by_name.clone()];
    if layout.is_none() {
        candidates.push(by_name.iter().map(|layout| layout.other()).collect());
    }
    candidates
        .retain(|layouts| layers.iter().zip(layouts).all(|(pair, layout)| pair.has_fitting_biases(*layout)));
    let sizes = |layouts: &[Layout]| -> Vec<[usize; 2]> {
        layers.iter().zip(layouts).map(|(pair, layout)| pair.sizes(*layout)).collect()
    };
    // The names are a stronger sign than the sizes, in either layout.
    let in_order = candidates.iter().find(|layouts| order::is_chain(&sizes(layouts)));
    let order = match in_order {
        Some(layouts) => Some(((0..layers.len()).collect(), layouts)),
        None => candidates.iter().find_map(|layouts| Some((order::only_chain(&sizes(layouts))?, layouts))),
    };
    let Some((order, layouts)) = order else { return Err(no_chain(&layers, &by_name)) };
    let mut layers: Vec<Option<(Pair, Layout)>> =
        layers.into_iter().zip(layouts.iter().copied()).map(Some).collect();
    Ok(order.into_iter().filter_map(|index: usize| layers.get_mut(index)?.take()).collect())
}

/// Error of layers that do not follow one another, or whose biases do not fit.
fn no_chain(layers: &[Pair], layouts: &[Layout]) -> Error {
    let unfit = layers.iter().zip(layouts).find(|(pair, layout)| !pair.has_fitting_biases(**layout));
    let hint =
        "`--layout burn` reads weights as `[inputs, outputs]`, `--layout pytorch` as `[outputs, inputs]`";
    if let Some((pair, layout)) = unfit
        && let Some(biases) = pair.biases
    {
        return Error::unsupported(format!(
            "the biases `{}` have the shape {:?}, expected one for each of the {} outputs of the weights `{}`",
            biases.name,
            biases.shape,
            pair.sizes(*layout)[1],
            pair.weights.name
        ))
        .hint(hint);
    }
    let sizes = layers.iter().zip(layouts).take(MAX_LISTED).map(|(pair, layout)| {
        let [inputs, outputs] = pair.sizes(*layout);
        format!("`{}` from {inputs} to {outputs}", pair.name)
    });
    let mut listed = sizes.collect::<Vec<_>>().join(", ");
    if layers.len() > MAX_LISTED {
        listed += &format!(" and {} more", layers.len() - MAX_LISTED);
    }
    Error::unsupported(format!(
        "the layers do not follow one another in one order: {listed}; expected as many inputs of each as the layer before \
         it has outputs"
    ))
    .hint(hint)
}

/// Checks that the network has at most as many parameters as an experiment's may have, before its
/// numbers are read.
fn check_size(layers: &[(Pair, Layout)]) -> Result<()> {
    let sizes: Vec<[usize; 2]> = layers.iter().map(|(pair, layout)| pair.sizes(*layout)).collect();
    let (Some([inputs, _]), Some([_, outputs])) = (sizes.first(), sizes.last()) else { return Ok(()) };
    let hidden = sizes.iter().take(sizes.len() - 1).map(|[_, outputs]| *outputs).collect();
    MlpConfig { hidden, ..MlpConfig::default() }.check_num_parameters(*inputs, *outputs)
}

/// Reads the numbers of a layer.
fn read_layer<'a>(
    pair: &Pair,
    layout: Layout,
    read: &impl Fn(&TensorInfo) -> Result<Cow<'a, [u8]>>,
) -> Result<DenseLayer> {
    let numbers = |tensor: &TensorInfo| tensor.number_type.to_f32(&read(tensor)?, &tensor.name);
    let [inputs, outputs] = pair.sizes(layout);
    let mut weights = numbers(pair.weights)?;
    if layout == Layout::Pytorch {
        weights = transpose(&weights, inputs);
    }
    let biases = pair.biases.map_or_else(|| Ok(vec![0.0; outputs]), numbers)?;
    Ok(DenseLayer { name: pair.name.clone(), inputs, outputs, weights, biases })
}

/// Exchanges rows and columns of a matrix, row-major, whose rows have `columns` numbers.
pub(super) fn transpose(matrix: &[f32], columns: usize) -> Vec<f32> {
    let column = |index: usize| matrix.iter().skip(index).step_by(columns.max(1)).copied();
    (0..columns).flat_map(column).collect()
}
