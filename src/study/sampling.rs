//! Owns the drawing of a study's configurations from ranges: random points and Sobol' points.
//! Depends on the search space, ranges and the random streams of `util`. Must not know trials.

use std::collections::HashSet;

use rand::Rng;
use toml::Value;

use crate::error::{Error, Result};
use crate::study::search_space::{Domain, Parameter};
use crate::study::sobol::{MAX_DIMENSIONS, Sobol};
use crate::util::rng::{RngStream, rng};

/// Most configurations that are drawn from ranges. A larger number is taken for a mistake.
const MAX_CONFIGURATIONS: usize = 10_000;
/// Points that are drawn for each configuration before a search space is taken for exhausted.
const MAX_POINTS_PER_CONFIGURATION: usize = 100;

/// The section `[sample]`: which configurations of a search space are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    /// Number of configurations.
    pub(super) num: usize,
    /// Seed of the draw.
    pub(super) seed: u64,
    /// Method of drawing from ranges. `None` if the study file names none.
    pub(super) method: Option<Method>,
}

/// Method of drawing from ranges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Method {
    /// Each value by itself, at random.
    #[default]
    Random,
    /// Points of a scrambled Sobol' sequence, which fill the search space more evenly.
    Sobol,
}

impl Method {
    /// All methods.
    pub(super) const ALL: [Self; 2] = [Self::Random, Self::Sobol];

    /// The value of the key `method`.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Sobol => "sobol",
        }
    }
}

/// Refuses ranges without a `[sample]` section, and a method of drawing from ranges where there are
/// none. `origin` is the name of the study file.
pub(super) fn check(parameters: &[Parameter], sample: Option<Sample>, origin: &str) -> Result<()> {
    let range = parameters.iter().find(|parameter| parameter.domain.is_range());
    match (range, sample) {
        (Some(Parameter { key, .. }), None) => {
            Err(Error::config(format!("`vary.{key}` in `{origin}` is a range to draw from, and there is no `[sample]`"))
                .hint(
                    "write `[sample]` with `num = 20` to draw 20 configurations, or a grid: \
                     `{ from = 0.01, to = 1.0, num = 5 }`",
                ))
        }
        (None, Some(Sample { method: Some(method), .. })) => Err(Error::config(format!(
            "`sample.method` in `{origin}` is `{}`, and nothing in `[vary]` is a range to draw from",
            method.key()
        ))
        .hint(
            "leave `method` out to draw from a grid, or write a range such as `{ low = 0.01, high = 1.0, scale = \"log\" }`",
        )),
        (Some(_), Some(Sample { num, .. })) if num > MAX_CONFIGURATIONS => Err(Error::config(format!(
            "`sample.num` in `{origin}` is {num}, expected at most {MAX_CONFIGURATIONS} where values are drawn from ranges"
        ))),
        _ => Ok(()),
    }
}

/// Draws configurations, each with a value for every parameter. A list is a choice: each of its
/// values is as probable as another. A configuration that has been drawn before is left out, so all
/// of them differ.
///
/// The first configurations do not depend on the number of configurations: a larger number adds
/// others at the end.
///
/// # Errors
/// The search space has fewer different configurations.
pub(super) fn draw(parameters: &[Parameter], sample: Sample) -> Result<Vec<Vec<Value>>> {
    let Sample { num, seed, method } = sample;
    let sobol = Sobol::new(parameters.len().min(MAX_DIMENSIONS), seed);
    let point = |index: usize| match method.unwrap_or_default() {
        Method::Random => random_point(seed, index, parameters.len()),
        Method::Sobol => sobol.point(index as u32),
    };
    let (mut drawn, mut seen) = (Vec::with_capacity(num), HashSet::new());
    let size = parameters.iter().try_fold(1usize, |size, one| size.checked_mul(one.domain.count()?));
    let most = num.min(size.unwrap_or(usize::MAX));
    for index in 0..num.saturating_mul(MAX_POINTS_PER_CONFIGURATION) {
        if drawn.len() == most {
            break;
        }
        let values: Vec<Value> =
            parameters.iter().zip(point(index)).map(|(one, place)| one.domain.value(place)).collect();
        if seen.insert(values.iter().map(Value::to_string).collect::<Vec<_>>()) {
            drawn.push(values);
        }
    }
    if drawn.len() == num {
        return Ok(drawn);
    }
    Err(Error::config(format!(
        "`sample.num` is {num}, and only {} different configurations can be drawn from `[vary]`",
        drawn.len()
    ))
    .hint("make `sample.num` smaller, or the ranges wider"))
}

/// Random point number `index` of a cube, with coordinates in [0, 1).
fn random_point(seed: u64, index: usize, dimensions: usize) -> Vec<f64> {
    let mut rng = rng(seed, RngStream::RandomPoint, index as u64);
    (0..dimensions).map(|_| (rng.next_u64() >> 11) as f64 / 2f64.powi(53)).collect()
}

impl Domain {
    /// True if values are drawn from a range.
    pub(super) fn is_range(&self) -> bool {
        matches!(self, Self::Range(_))
    }

    /// Number of different values. `None` if there are as many as numbers.
    fn count(&self) -> Option<usize> {
        match self {
            Self::List(values) => Some(values.len()),
            Self::Range(range) => range.count(),
        }
    }

    /// Value at `place`, which is in [0, 1).
    fn value(&self, place: f64) -> Value {
        match self {
            Self::List(values) => {
                let index = ((place * values.len() as f64) as usize).min(values.len() - 1);
                values[index].clone()
            }
            Self::Range(range) => range.value(place),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
