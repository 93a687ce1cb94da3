//! Owns what a value is in terms of the output of one layer, and which activation that is. Depends
//! on `model` for the activations. Must not know graphs.
//!
//! The exporters write an activation such as GELU as several nodes, in different orders. So each
//! node changes a formula, and the formula at the end is compared with the activations.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::model::Activation;

/// Largest relative difference of a constant from the one that a formula expects: that of a number
/// in half precision.
const TOLERANCE: f64 = 5e-4;

/// Function that a node applies to each number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Function {
    Relu,
    LeakyRelu {
        slope: f32,
    },
    Gelu,
    Sigmoid,
    Tanh,
    /// erf(`factor` · x)
    Erf {
        factor: f64,
    },
}

/// The value (`plain`) + (`applied`) · f(x), where x is a number of a layer's output and f the
/// `function`. `plain` and `applied` are a + b · x each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Formula {
    plain: [f64; 2],
    applied: [f64; 2],
    function: Option<Function>,
}

impl Formula {
    /// x itself.
    pub(super) const IDENTITY: Self = Self { plain: [0.0, 1.0], applied: [0.0; 2], function: None };

    /// f(x)
    pub(super) fn of(function: Function) -> Self {
        Self { plain: [0.0; 2], applied: [1.0, 0.0], function: Some(function) }
    }

    /// Returns a and b if the formula is a + b · x.
    pub(super) fn as_linear(&self) -> Option<[f64; 2]> {
        self.function.is_none().then_some(self.plain)
    }

    /// Returns `factor` · formula + `offset`.
    pub(super) fn scaled(mut self, factor: f64, offset: f64) -> Self {
        for number in self.plain.iter_mut().chain(&mut self.applied) {
            *number *= factor;
        }
        self.plain[0] += offset;
        self
    }

    /// Returns the sum of two formulas of the same x, if it is a formula.
    pub(super) fn sum(&self, other: &Self) -> Option<Self> {
        let add = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
        Some(Self {
            plain: add(self.plain, other.plain),
            applied: add(self.applied, other.applied),
            function: common_function(self.function, other.function)?,
        })
    }

    /// Returns the product of two formulas of the same x, if it is a formula.
    pub(super) fn product(&self, other: &Self) -> Option<Self> {
        let (plain, formula) = match (self.as_linear(), other.as_linear()) {
            (Some(plain), _) => (plain, other),
            (_, Some(plain)) => (plain, self),
            (None, None) => return None,
        };
        let multiply = |[a, b]: [f64; 2]| {
            let is_square = plain[1] != 0.0 && b != 0.0;
            (!is_square).then_some([plain[0] * a, plain[0] * b + plain[1] * a])
        };
        Some(Self {
            plain: multiply(formula.plain)?,
            applied: multiply(formula.applied)?,
            function: formula.function,
        })
    }

    /// Returns the activation that this formula is.
    pub(super) fn activation(&self) -> Option<Activation> {
        let is = |plain: [f64; 2], applied: [f64; 2]| {
            let expected = plain.into_iter().chain(applied);
            let found = self.plain.into_iter().chain(self.applied);
            found.zip(expected).all(|(found, expected)| is_near(found, expected))
        };
        let is_function = is([0.0; 2], [1.0, 0.0]);
        match self.function? {
            Function::Relu if is_function => Some(Activation::Relu),
            Function::LeakyRelu { slope } if is_function => Some(leaky_relu(slope)),
            Function::Gelu if is_function => Some(Activation::Gelu),
            Function::Sigmoid if is_function => Some(Activation::Sigmoid),
            Function::Tanh if is_function => Some(Activation::Tanh),
            Function::Sigmoid if is([0.0; 2], [0.0, 1.0]) => Some(Activation::Silu),
            Function::Erf { factor } if is_near(factor, FRAC_1_SQRT_2) && is([0.0, 0.5], [0.0, 0.5]) => {
                Some(Activation::Gelu)
            }
            // erf(−x) = −erf(x)
            Function::Erf { factor } if is_near(factor, -FRAC_1_SQRT_2) && is([0.0, 0.5], [0.0, -0.5]) => {
                Some(Activation::Gelu)
            }
            _ => None,
        }
    }
}

fn is_near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= TOLERANCE * expected.abs()
}

/// Returns the function of both, if they can be added. Neither may have one.
fn common_function(a: Option<Function>, b: Option<Function>) -> Option<Option<Function>> {
    match (a, b) {
        (Some(a), Some(b)) => (a == b).then_some(Some(a)),
        (a, b) => Some(a.or(b)),
    }
}

/// Returns the leaky ReLU with the slope that a person wrote: 0.01 and not 0.009999999776, which is
/// its nearest number in single precision.
fn leaky_relu(slope: f32) -> Activation {
    Activation::LeakyRelu { slope: slope.to_string().parse().unwrap_or(f64::from(slope)) }
}
