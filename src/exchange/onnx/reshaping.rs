//! Owns the operators that change the shape of a value and not its numbers. Depends on values. Must
//! not know layers.

use std::rc::Rc;

use crate::error::Result;
use crate::exchange::onnx::operators::{Inputs, attribute, computed, input, int, misfit, numbers};
use crate::exchange::onnx::proto::NodeProto;
use crate::exchange::onnx::read::{Graph, MAX_DIMS, product};
use crate::exchange::onnx::tensor::Tensor;
use crate::exchange::onnx::value::{Computed, Value};

/// A shape, or a list of indices. `None` is the number of images.
type Sizes = Vec<Option<i64>>;

impl Graph {
    /// The output of a node that changes the shape of a value that depends on the images.
    pub(super) fn reshaped(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Option<Value>> {
        let Some(x) = computed(inputs, 0) else { return Ok(None) };
        let dims = x.dims.as_deref().map(Vec::as_slice);
        let new_dims = match node.op_type.as_str() {
            "Shape" => return Ok(Some(shape(node, dims))),
            "Flatten" => flattened(node, dims)?,
            "Reshape" => {
                let Some(target) = input(inputs, 1).and_then(sizes).or_else(|| ints(node, "shape")) else {
                    return Err(misfit(node, "its shape is not constant"));
                };
                reshaped_dims(node, dims, &target)?
            }
            _ => match dims.and_then(|dims| moved(node, inputs, dims)) {
                Some(dims) => Some(dims),
                None => return Err(misfit(node, "it moves pixels, or its dimensions are not known")),
            },
        };
        let dims = new_dims.map(Rc::new);
        Ok(Some(Value::Computed(Computed { dims, ..x.clone() })))
    }

    /// A constant with its dimensions in another order.
    pub(super) fn transposed_constant(
        &mut self,
        node: &NodeProto,
        inputs: Inputs<'_>,
    ) -> Result<Option<Value>> {
        let Some(tensor) = numbers(inputs, 0) else { return Ok(None) };
        self.charge(tensor.numbers.len())?;
        let reversed = || (0..tensor.dims.len()).rev().collect();
        let order = match attribute(node, "perm") {
            Some(order) => order.ints.iter().map(|&index| usize::try_from(index).ok()).collect(),
            None => Some(reversed()),
        };
        let transposed = order.and_then(|order: Vec<_>| tensor.transposed(&order));
        Ok(transposed.map(|tensor| Value::Numbers(Rc::new(tensor))))
    }
}

/// Returns the dimensions after a `Flatten`.
fn flattened(node: &NodeProto, dims: Option<&[usize]>) -> Result<Option<Vec<usize>>> {
    let axis = int(node, "axis", 1);
    let is_first = axis == 1 || dims.is_some_and(|dims| axis == -(dims.len() as i64));
    if !is_first {
        let text = format!("its axis is {axis}, expected 1: the first is the number of images");
        return Err(misfit(node, &text));
    }
    Ok(dims.and_then(product).map(|size| vec![size]))
}

/// Returns the dimensions after a `Reshape` to `target`, whose first number is that of the images.
fn reshaped_dims(node: &NodeProto, dims: Option<&[usize]>, target: &Sizes) -> Result<Option<Vec<usize>>> {
    let (Some((_, rest)), keep_zeros) = (target.split_first(), int(node, "allowzero", 0) != 0) else {
        return Err(misfit(node, "it has an empty shape"));
    };
    let size_of = |(index, size): (usize, &Option<i64>)| match size {
        Some(0) if !keep_zeros => dims.and_then(|dims| dims.get(index).copied()),
        Some(size) => usize::try_from(*size).ok().filter(|&size| size > 0),
        None => None,
    };
    let mut sizes: Vec<_> = rest.iter().enumerate().map(size_of).collect();
    let (expected, num_unknown) =
        (dims.and_then(product), sizes.iter().filter(|size| size.is_none()).count());
    let known = product(&sizes.iter().flatten().copied().collect::<Vec<_>>());
    if let (Some(expected), Some(known), 1) = (expected, known, num_unknown)
        && expected.checked_rem(known) == Some(0)
    {
        sizes.iter_mut().filter(|size| size.is_none()).for_each(|size| *size = Some(expected / known));
    }
    let sizes: Option<Vec<_>> = sizes.into_iter().collect();
    let keeps_images =
        |sizes: &Vec<usize>| !sizes.is_empty() && expected.is_none_or(|e| product(sizes) == Some(e));
    match sizes {
        Some(sizes) if keeps_images(&sizes) => Ok(Some(sizes)),
        None if expected.is_none() && !rest.is_empty() => Ok(None),
        _ => {
            let shown: Vec<_> = target.iter().map(|size| size.unwrap_or(-1)).collect();
            let text = format!("it makes {shown:?} of images of {:?}", dims.unwrap_or_default());
            Err(misfit(node, &text))
        }
    }
}

/// Returns the dimensions after a `Transpose`, `Squeeze` or `Unsqueeze`, if all numbers stay where
/// they are: only dimensions of 1 move, come or go.
fn moved(node: &NodeProto, inputs: Inputs<'_>, dims: &[usize]) -> Option<Vec<usize>> {
    let axes = || -> Option<Vec<i64>> {
        match input(inputs, 1) {
            Some(value) => sizes(value)?.into_iter().collect(),
            None => attribute(node, "axes").map(|axes| axes.ints.clone()),
        }
    };
    // The batch stands for a large dimension, which may not move.
    let with_batch: Vec<_> = [usize::MAX].into_iter().chain(dims.iter().copied()).collect();
    let rank = |added: usize| i64::try_from(with_batch.len() + added).ok();
    let index =
        |axis: i64, rank: i64| usize::try_from(if axis < 0 { axis.checked_add(rank)? } else { axis }).ok();
    let result: Vec<usize> = match node.op_type.as_str() {
        "Transpose" => {
            let order = &attribute(node, "perm")?.ints;
            let mut seen: Vec<_> = order.clone();
            seen.sort_unstable();
            if !seen.into_iter().eq(0..rank(0)?) {
                return None;
            }
            order
                .iter()
                .map(|&axis| with_batch.get(index(axis, rank(0)?)?).copied())
                .collect::<Option<_>>()?
        }
        "Squeeze" => {
            let axes = axes()?.into_iter().map(|axis| index(axis, rank(0)?)).collect::<Option<Vec<_>>>()?;
            let kept = with_batch.iter().enumerate().filter(|(index, _)| !axes.contains(index));
            kept.map(|(_, &size)| size).collect()
        }
        _ => {
            let axes = axes()?;
            let rank = rank(axes.len())?;
            let mut axes = axes.into_iter().map(|axis| index(axis, rank)).collect::<Option<Vec<_>>>()?;
            axes.sort_unstable();
            let mut result = with_batch.clone();
            for axis in axes {
                if axis > result.len() || result.len() >= MAX_DIMS {
                    return None;
                }
                result.insert(axis, 1);
            }
            result
        }
    };
    let large = |dims: &[usize]| dims.iter().copied().filter(|&size| size != 1).collect::<Vec<_>>();
    let (batch, rest) = result.split_first()?;
    (*batch == usize::MAX && large(&result) == large(&with_batch)).then(|| rest.to_vec())
}

/// Returns the shape of a value whose dimensions for one image are `dims`.
fn shape(node: &NodeProto, dims: Option<&[usize]>) -> Value {
    let Some(dims) = dims else { return Value::Unknown };
    let known = dims.iter().map(|&size| i64::try_from(size).ok());
    let all: Sizes = [None].into_iter().chain(known).collect();
    let rank = all.len() as i64;
    let bound = |name: &str, default: i64| {
        let value = int(node, name, default);
        usize::try_from(if value < 0 { value.saturating_add(rank) } else { value }.clamp(0, rank))
            .unwrap_or(0)
    };
    let (start, end) = (bound("start", 0), bound("end", rank));
    Value::Shape(all.get(start..end).unwrap_or_default().to_vec())
}

/// Returns a value as a shape, if it is one.
fn sizes(value: &Value) -> Option<Sizes> {
    match value {
        Value::Shape(sizes) => Some(sizes.clone()),
        Value::Numbers(tensor) if tensor.numbers.len() <= MAX_DIMS => {
            Some(tensor.whole()?.into_iter().map(Some).collect())
        }
        _ => None,
    }
}

/// Returns the attribute `name` as a shape.
fn ints(node: &NodeProto, name: &str) -> Option<Sizes> {
    Some(attribute(node, name)?.ints.iter().take(MAX_DIMS).map(|&size| Some(size)).collect())
}

/// Returns a constant with other dimensions.
pub(super) fn reshaped_constant(node: &NodeProto, inputs: Inputs<'_>) -> Option<Value> {
    let tensor = numbers(inputs, 0)?;
    let target = input(inputs, 1).and_then(sizes).or_else(|| ints(node, "shape"))?;
    let mut dims: Vec<_> = target.iter().map(|size| usize::try_from((*size)?).ok()).collect();
    let known = product(&dims.iter().flatten().copied().collect::<Vec<_>>())?;
    if let Some(unknown) = dims.iter_mut().find(|size| size.is_none()) {
        *unknown = tensor.numbers.len().checked_div(known);
    }
    let dims: Vec<_> = dims.into_iter().collect::<Option<_>>()?;
    let fits = product(&dims) == Some(tensor.numbers.len());
    fits.then(|| Value::Numbers(Rc::new(Tensor { dims, numbers: tensor.numbers.clone() })))
}

/// Returns a part or a concatenation of shapes.
pub(super) fn list_of_sizes(node: &NodeProto, inputs: Inputs<'_>) -> Option<Value> {
    let first = || input(inputs, 0).and_then(sizes);
    let constants =
        |index: usize| -> Option<Vec<i64>> { input(inputs, index).and_then(sizes)?.into_iter().collect() };
    let result = match node.op_type.as_str() {
        "Squeeze" | "Unsqueeze" => match input(inputs, 0)? {
            Value::Numbers(tensor) if tensor.numbers.len() > 1 => return None,
            _ => first()?,
        },
        "Gather" => {
            let list = first()?;
            let length = list.len() as i64;
            let at = |index: i64| {
                usize::try_from(if index < 0 { index.saturating_add(length) } else { index }).ok()
            };
            let indices = constants(1)?;
            indices.into_iter().map(|index| list.get(at(index)?).copied()).collect::<Option<_>>()?
        }
        "Slice" => {
            let list = first()?;
            let length = list.len() as i64;
            let bounds: Vec<_> = [(1, "starts"), (2, "ends")]
                .into_iter()
                .filter_map(|(index, name)| {
                    let values = constants(index).or_else(|| ints(node, name)?.into_iter().collect())?;
                    let [value] = values[..] else { return None };
                    let value = if value < 0 { value.saturating_add(length) } else { value };
                    usize::try_from(value.clamp(0, length)).ok()
                })
                .collect();
            let [start, end] = bounds[..] else { return None };
            if constants(4).is_some_and(|steps| steps != [1]) {
                return None;
            }
            list.get(start..end)?.to_vec()
        }
        "Concat" => {
            let parts = inputs.iter().map(|value| sizes(value.as_ref()?)).collect::<Option<Vec<_>>>()?;
            parts.concat()
        }
        _ => return None,
    };
    (result.len() <= MAX_DIMS).then_some(Value::Shape(result))
}
