//! Owns the operators on each number: sums, products, activations. Depends on values and formulas.
//! Must not know layers.

use std::rc::Rc;

use crate::error::Result;
use crate::exchange::onnx::formula::{Formula, Function};
use crate::exchange::onnx::operators::{Inputs, attribute, computed, float, input, int, misfit, numbers};
use crate::exchange::onnx::proto::{NodeProto, data_type};
use crate::exchange::onnx::read::{Graph, product};
use crate::exchange::onnx::tensor::Tensor;
use crate::exchange::onnx::value::{Computed, Stage, Value};

impl Graph {
    /// The function of each number.
    pub(super) fn apply(
        &mut self,
        node: &NodeProto,
        inputs: Inputs<'_>,
        function: Function,
    ) -> Result<Option<Value>> {
        let Some(x) = computed(inputs, 0) else { return Ok(None) };
        if self.stages.get(x.stage).is_none_or(|stage| stage.layer.is_none()) {
            return Err(misfit(node, "it is before the first layer"));
        }
        // The factor of an error function tells whether it belongs to a GELU.
        if let (Some([0.0, factor]), Function::Erf { .. }) = (x.formula.as_linear(), function) {
            return Ok(Some(Value::Computed(x.with(Formula::of(Function::Erf { factor }), node))));
        }
        let x = self.settled(node, x)?;
        Ok(Some(Value::Computed(x.with(Formula::of(function), node))))
    }

    /// Returns `computed` as the numbers of a stage themselves: a scaling becomes part of the stage.
    pub(super) fn settled(&mut self, node: &NodeProto, computed: &Computed) -> Result<Computed> {
        if computed.formula.as_linear().is_none() {
            let text = format!("it follows another activation, the {}", computed.node);
            return Err(misfit(node, &text));
        }
        self.settle(computed)
    }

    /// As [`Graph::settled`], for a formula that is a + b · x.
    pub(super) fn settle(&mut self, computed: &Computed) -> Result<Computed> {
        match computed.formula.as_linear() {
            None | Some([0.0, 1.0]) => Ok(computed.clone()),
            Some([offset, factor]) => self.rescaled(computed, &[factor], &[offset]),
        }
    }

    /// Adds a stage with the numbers `factors` · x + `offsets`, where x are those of the stage of
    /// `computed`. `factors` and `offsets` have one number, or one per x.
    fn rescaled(&mut self, computed: &Computed, factors: &[f64], offsets: &[f64]) -> Result<Computed> {
        let Some(stage) = self.stages.get(computed.stage).cloned() else { return Ok(computed.clone()) };
        let length = [factors.len(), offsets.len(), stage.factors.len(), stage.offsets.len()];
        self.charge(length.iter().sum())?;
        let scaled = combined(&stage.offsets, factors, |offset, factor| offset * factor);
        self.stages.push(Stage {
            factors: Rc::new(combined(&stage.factors, factors, |a, b| a * b)),
            offsets: Rc::new(combined(&scaled, offsets, |a, b| a + b)),
            ..stage
        });
        let stage = self.stages.len().saturating_sub(1);
        Ok(Computed { stage, formula: Formula::IDENTITY, ..computed.clone() })
    }

    /// Multiplies each number by its own factor and adds its own offset, if `computed` is linear.
    fn rescaled_each(
        &mut self,
        node: &NodeProto,
        computed: &Computed,
        factors: &[f64],
        offsets: &[f64],
    ) -> Result<Value> {
        let settled = self.settled(node, computed)?;
        let scaled = self.rescaled(&settled, factors, offsets)?;
        Ok(Value::Computed(scaled.with(Formula::IDENTITY, node)))
    }

    /// Sum, difference, product, quotient or maximum of two values.
    pub(super) fn binary(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Option<Value>> {
        if inputs.len() != 2 {
            return Ok(None);
        }
        if let (Some(x), Some(y)) = (computed(inputs, 0), computed(inputs, 1)) {
            return self.of_two(node, x, y);
        }
        let (x, constant, is_first) = match (computed(inputs, 0), numbers(inputs, 1)) {
            (Some(x), Some(constant)) => (x, constant, true),
            _ => match (numbers(inputs, 0), computed(inputs, 1)) {
                (Some(constant), Some(x)) => (x, constant, false),
                _ => return Ok(None),
            },
        };
        match constant.single() {
            Some(number) => self.with_number(node, x, number, is_first),
            None => self.with_numbers(node, x, constant, is_first),
        }
    }

    /// As [`Graph::binary`], for a value and one constant number.
    fn with_number(
        &mut self,
        node: &NodeProto,
        x: &Computed,
        number: f64,
        is_first: bool,
    ) -> Result<Option<Value>> {
        if node.op_type == "Max" {
            return if number == 0.0 { self.relu(node, x) } else { Ok(None) };
        }
        let Some((factor, offset)) = linear(&node.op_type, number, is_first) else { return Ok(None) };
        Ok(Some(Value::Computed(x.with(x.formula.scaled(factor, offset), node))))
    }

    /// As [`Graph::binary`], for a value and a constant number for each pixel or output.
    fn with_numbers(
        &mut self,
        node: &NodeProto,
        x: &Computed,
        constant: &Tensor,
        is_first: bool,
    ) -> Result<Option<Value>> {
        let Some(dims) = x.dims.clone() else {
            return Err(misfit(
                node,
                "it has a constant for each pixel, and the size of an image is not in the file",
            ));
        };
        self.charge(product(&dims).unwrap_or(usize::MAX).saturating_mul(2))?;
        let Some(constants) = constant.broadcast(&dims) else {
            let text = format!(
                "its constant has the dimensions {:?}, expected those of one image or layer, {dims:?}",
                constant.dims
            );
            return Err(misfit(node, &text));
        };
        let mut scaling = (Vec::new(), Vec::new());
        for number in constants {
            let Some((factor, offset)) = linear(&node.op_type, number, is_first) else { return Ok(None) };
            scaling.0.push(factor);
            scaling.1.push(offset);
        }
        self.rescaled_each(node, x, &scaling.0, &scaling.1).map(Some)
    }

    /// As [`Graph::binary`], for two values that depend on the images.
    fn of_two(&mut self, node: &NodeProto, x: &Computed, y: &Computed) -> Result<Option<Value>> {
        if x.stage != y.stage {
            return Ok(None);
        }
        let formula = match node.op_type.as_str() {
            "Add" => x.formula.sum(&y.formula),
            "Sub" => x.formula.sum(&y.formula.scaled(-1.0, 0.0)),
            "Mul" => x.formula.product(&y.formula),
            "Max" => match (x.formula.as_linear(), y.formula.as_linear()) {
                (Some([0.0, 1.0]), Some([0.0, slope])) | (Some([0.0, slope]), Some([0.0, 1.0]))
                    if (0.0..1.0).contains(&slope) =>
                {
                    Some(Formula::of(Function::LeakyRelu { slope: slope as f32 }))
                }
                _ => None,
            },
            _ => None,
        };
        Ok(formula.map(|formula| Value::Computed(x.with(formula, node))))
    }

    /// `factor` · x
    pub(super) fn scale(
        &mut self,
        node: &NodeProto,
        inputs: Inputs<'_>,
        factor: f64,
    ) -> Result<Option<Value>> {
        Ok(computed(inputs, 0).map(|x| Value::Computed(x.with(x.formula.scaled(factor, 0.0), node))))
    }

    fn relu(&mut self, node: &NodeProto, x: &Computed) -> Result<Option<Value>> {
        self.apply(node, &[Some(Value::Computed(x.clone()))], Function::Relu)
    }

    /// A `Clip` below 0 alone is a ReLU.
    pub(super) fn clip(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Option<Value>> {
        let bound = |index: usize, name: &str| {
            let listed = attribute(node, name).and_then(|attribute| attribute.f).map(f64::from);
            numbers(inputs, index).and_then(|tensor| tensor.single()).or(listed)
        };
        let has_no_maximum = bound(2, "max").is_none_or(|number| number >= f64::from(f32::MAX));
        match computed(inputs, 0) {
            Some(x)
                if bound(1, "min") == Some(0.0)
                    && has_no_maximum
                    && input(inputs, 2).is_none_or(is_number) =>
            {
                self.relu(node, x)
            }
            _ => Ok(None),
        }
    }

    /// x where x is positive, and `slope` · x elsewhere: a ReLU or leaky ReLU.
    pub(super) fn choice(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Option<Value>> {
        let (Some(Value::IsPositive(tested)), Some(x)) = (input(inputs, 0), computed(inputs, 1)) else {
            return Ok(None);
        };
        let slope = match (computed(inputs, 2), numbers(inputs, 2).and_then(|tensor| tensor.single())) {
            (Some(y), _) if y.stage == x.stage => y.formula.as_linear().filter(|y| y[0] == 0.0).map(|y| y[1]),
            (_, Some(0.0)) => Some(0.0),
            _ => None,
        };
        let is_same = tested.stage == x.stage && tested.formula == x.formula;
        match slope.filter(|slope| is_same && (0.0..1.0).contains(slope)) {
            Some(0.0) if x.formula == Formula::IDENTITY => self.relu(node, x),
            Some(slope) if x.formula == Formula::IDENTITY => {
                let function = Function::LeakyRelu { slope: slope as f32 };
                self.apply(node, &[Some(Value::Computed(x.clone()))], function)
            }
            _ => Ok(None),
        }
    }

    /// x · sigmoid(`alpha` · x)
    pub(super) fn swish(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Option<Value>> {
        if float(node, "alpha", 1.0) != 1.0 {
            return Err(misfit(node, "its `alpha` is not 1"));
        }
        let Some(Value::Computed(gate)) = self.apply(node, inputs, Function::Sigmoid)? else {
            return Ok(None);
        };
        let formula = Formula::IDENTITY.product(&gate.formula);
        Ok(formula.map(|formula| Value::Computed(gate.with(formula, node))))
    }

    /// (x − mean) / √(variance + ε) · scale + bias for each pixel or output.
    pub(super) fn batch_normalization(
        &mut self,
        node: &NodeProto,
        inputs: Inputs<'_>,
    ) -> Result<Option<Value>> {
        let [Some(scale), Some(bias), Some(mean), Some(variance)] =
            [1, 2, 3, 4].map(|index| numbers(inputs, index))
        else {
            return Ok(None);
        };
        let Some(x) = computed(inputs, 0).filter(|x| x.dims.as_ref().is_some_and(|dims| dims.len() == 1))
        else {
            return Ok(None);
        };
        let size = scale.numbers.len();
        let is_one_each = [bias, mean, variance].iter().all(|tensor| tensor.numbers.len() == size);
        let is_trained = int(node, "training_mode", 0) == 0;
        if !is_one_each || !is_trained || x.dims.as_ref().and_then(|dims| dims.first()) != Some(&size) {
            return Ok(None);
        }
        self.charge(size.saturating_mul(2))?;
        let epsilon = f64::from(float(node, "epsilon", 1e-5));
        let deviations = variance.numbers.iter().map(|variance| (variance + epsilon).sqrt());
        let factors: Vec<_> =
            scale.numbers.iter().zip(deviations).map(|(scale, deviation)| scale / deviation).collect();
        let means = mean.numbers.iter().zip(&factors).map(|(mean, factor)| mean * factor);
        let offsets: Vec<_> = bias.numbers.iter().zip(means).map(|(bias, mean)| bias - mean).collect();
        self.rescaled_each(node, x, &factors, &offsets).map(Some)
    }

    /// Images of whole numbers become floating-point numbers.
    pub(super) fn cast(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Option<Value>> {
        let Some(x) = computed(inputs, 0) else { return Ok(None) };
        let to = int(node, "to", i64::from(data_type::FLOAT));
        let floats = [data_type::FLOAT, data_type::DOUBLE, data_type::FLOAT16, data_type::BFLOAT16];
        let is_to_float = floats.iter().any(|&float| i64::from(float) == to);
        let Some(stage) = self.stages.get(x.stage).cloned() else { return Ok(None) };
        match (is_to_float, stage.is_whole) {
            (true, false) => Ok(Some(Value::Computed(x.clone()))),
            (true, true) => {
                self.stages.push(Stage { is_whole: false, ..stage });
                let stage = self.stages.len().saturating_sub(1);
                Ok(Some(Value::Computed(Computed { stage, ..x.clone() })))
            }
            (false, _) => Err(misfit(node, "it makes whole numbers of numbers")),
        }
    }

    /// Operators of `ai.onnx.ml`, which scikit-learn's models have.
    pub(super) fn machine_learning(
        &mut self,
        node: &NodeProto,
        inputs: Inputs<'_>,
    ) -> Result<Option<Vec<Value>>> {
        match node.op_type.as_str() {
            "LinearClassifier" => self.linear_classifier(node, inputs).map(Some),
            "Scaler" => self.scaler(node, inputs).map(|value| value.map(|value| vec![value])),
            _ => Ok(None),
        }
    }

    /// (x − `offset`) · `scale`
    fn scaler(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Option<Value>> {
        let list = |name: &str| attribute(node, name).map(|attribute| &attribute.floats);
        let (Some(x), Some(offsets), Some(scales)) = (computed(inputs, 0), list("offset"), list("scale"))
        else {
            return Ok(None);
        };
        let size = x.dims.as_ref().filter(|dims| dims.len() == 1).and_then(|dims| dims.first()).copied();
        let fits = |list: &Vec<f32>| list.len() == 1 || Some(list.len()) == size;
        if !fits(offsets) || !fits(scales) {
            return Err(misfit(node, "expected one number, or one for each pixel"));
        }
        let scales: Vec<_> = scales.iter().map(|&scale| f64::from(scale)).collect();
        let offsets: Vec<_> = offsets.iter().map(|&offset| -f64::from(offset)).collect();
        let offsets = combined(&offsets, &scales, |offset, scale| offset * scale);
        // Its output has floating-point numbers, whatever the input has.
        let Some(Value::Computed(x)) =
            self.cast(&NodeProto::default(), &[Some(Value::Computed(x.clone()))])?
        else {
            return Ok(None);
        };
        self.rescaled_each(node, &x, &scales, &offsets).map(Some)
    }

    /// Arithmetic with constants alone.
    pub(super) fn constant_arithmetic(
        &mut self,
        node: &NodeProto,
        inputs: Inputs<'_>,
    ) -> Result<Option<Value>> {
        let Some(a) = numbers(inputs, 0) else { return Ok(None) };
        let b = numbers(inputs, 1);
        let unary = |number: f64| match node.op_type.as_str() {
            "Sqrt" => Some(number.sqrt()),
            "Neg" => Some(-number),
            "Reciprocal" => Some(1.0 / number),
            _ => None,
        };
        let binary = |a: f64, b: f64| match node.op_type.as_str() {
            "Add" => Some(a + b),
            "Sub" => Some(a - b),
            "Mul" => Some(a * b),
            "Div" => Some(a / b),
            "Pow" => Some(a.powf(b)),
            "Max" => Some(a.max(b)),
            "Min" => Some(a.min(b)),
            _ => None,
        };
        let (dims, numbers) = match b {
            None => {
                self.charge(a.numbers.len())?;
                (&a.dims, a.numbers.iter().map(|&number| unary(number)).collect::<Option<Vec<_>>>())
            }
            Some(b) => {
                let dims = if a.numbers.len() >= b.numbers.len() { &a.dims } else { &b.dims };
                self.charge(product(dims).unwrap_or(usize::MAX).saturating_mul(3))?;
                let (Some(a), Some(b)) = (a.broadcast(dims), b.broadcast(dims)) else { return Ok(None) };
                (dims, a.iter().zip(&b).map(|(&a, &b)| binary(a, b)).collect())
            }
        };
        Ok(numbers.map(|numbers| Value::Numbers(Rc::new(Tensor { dims: dims.clone(), numbers }))))
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Numbers(_))
}

/// Returns the factor and the offset that `operator` with a constant is. `is_first` says whether the
/// constant is the second operand.
fn linear(operator: &str, number: f64, is_first: bool) -> Option<(f64, f64)> {
    match (operator, is_first) {
        ("Add", _) => Some((1.0, number)),
        ("Sub", true) => Some((1.0, -number)),
        ("Sub", false) => Some((-1.0, number)),
        ("Mul", _) => Some((number, 0.0)),
        ("Div", true) => Some((1.0 / number, 0.0)),
        _ => None,
    }
}

/// Combines two lists, each of one number or of one per pixel or output.
fn combined(a: &[f64], b: &[f64], function: fn(f64, f64) -> f64) -> Vec<f64> {
    let at =
        |numbers: &[f64], index: usize| numbers.get(index).or(numbers.first()).copied().unwrap_or_default();
    (0..a.len().max(b.len())).map(|index| function(at(a, index), at(b, index))).collect()
}
