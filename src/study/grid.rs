//! Owns the list of a study's configurations: the grid of listed values, a random sample of it, or
//! what `sampling` draws from ranges. Depends on the search space. Must not know trials.

use std::sync::Arc;

use toml::Value;

use crate::error::{Error, Result};
use crate::study::sampling::{Sample, draw};
use crate::study::search_space::{Configuration, Parameter};
use crate::util::rng::{RngStream, rng};

/// Most configurations of a study. A larger number is taken for a mistake.
const MAX_CONFIGURATIONS: usize = 100_000;

/// The configurations of a study.
pub(super) enum Configurations<'a> {
    /// Combinations of listed values.
    Grid(Grid<'a>),
    /// Values of these parameters that were drawn, in the order of the draw.
    Drawn(&'a [Parameter], Vec<Vec<Value>>),
}

impl<'a> Configurations<'a> {
    /// Lists the configurations of `parameters`: their grid, a `sample` of it, or configurations
    /// drawn from ranges.
    ///
    /// # Errors
    /// There are too many configurations, or fewer than are to be drawn.
    pub(super) fn new(parameters: &'a [Parameter], sample: Option<Sample>) -> Result<Self> {
        match sample {
            Some(sample) if parameters.iter().any(|parameter| parameter.domain.is_range()) => {
                Ok(Self::Drawn(parameters, draw(parameters, sample)?))
            }
            sample => {
                let sample = sample.map(|sample| (sample.num, sample.seed));
                Ok(Self::Grid(Grid::new(parameters, sample)?))
            }
        }
    }

    /// Number of configurations.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Grid(grid) => grid.indices.len(),
            Self::Drawn(_, all) => all.len(),
        }
    }

    /// The configurations in order, each with its values.
    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = (Configuration, Vec<Value>)> + '_> {
        match self {
            Self::Grid(grid) => Box::new(grid.configurations()),
            Self::Drawn(parameters, all) => Box::new(all.iter().map(|values| {
                let text = |(parameter, value): (&Parameter, &Value)| {
                    (parameter.key.as_str().into(), value.to_string().into())
                };
                let texts = parameters.iter().zip(values).map(text).collect();
                (Configuration { values: texts }, values.clone())
            })),
        }
    }
}

/// Every combination of values, the last key changing fastest, or a sample of them in the same
/// order.
pub(super) struct Grid<'a> {
    parameters: &'a [Parameter],
    /// Each key with its values as TOML.
    texts: Vec<(Arc<str>, Vec<Arc<str>>)>,
    /// Indices of the combinations, in the grid's order.
    indices: Vec<usize>,
}

impl<'a> Grid<'a> {
    /// Creates the grid of `parameters`, or a sample of it. `sample` is the number of combinations
    /// to draw and the seed of the draw.
    ///
    /// # Errors
    /// There are too many configurations.
    fn new(parameters: &'a [Parameter], sample: Option<(usize, u64)>) -> Result<Self> {
        let size =
            parameters.iter().try_fold(1usize, |size, parameter| size.checked_mul(parameter.values().len()));
        let indices: Vec<usize> = match (size, sample) {
            (Some(size), Some((num, seed))) if num.min(size) <= MAX_CONFIGURATIONS => {
                draw_sample(size, num, seed)
            }
            (Some(size), None) if size <= MAX_CONFIGURATIONS => (0..size).collect(),
            _ => {
                return Err(Error::config(format!(
                    "the study has more than {MAX_CONFIGURATIONS} configurations"
                ))
                .hint("draw some of them: `[sample]` with `num = 20`"));
            }
        };
        let texts = |parameter: &Parameter| {
            let values = parameter.values().iter().map(|value| value.to_string().into());
            (parameter.key.as_str().into(), values.collect())
        };
        Ok(Self { parameters, texts: parameters.iter().map(texts).collect(), indices })
    }

    /// The configurations in order, each with its values.
    fn configurations(&self) -> impl Iterator<Item = (Configuration, Vec<Value>)> {
        self.indices.iter().map(|&index| {
            let choices = self.choices(index);
            let value = |(key, &choice): (&Parameter, &usize)| key.values()[choice].clone();
            let text = |((key, values), &choice): (&(Arc<str>, Vec<Arc<str>>), &usize)| {
                (key.clone(), values[choice].clone())
            };
            let configuration = Configuration { values: self.texts.iter().zip(&choices).map(text).collect() };
            (configuration, self.parameters.iter().zip(&choices).map(value).collect())
        })
    }

    /// Returns the index of each key's value in the combination `index`. They are the digits of
    /// `index` in a number system where the base of each digit is the key's number of values.
    fn choices(&self, mut index: usize) -> Vec<usize> {
        let mut choices: Vec<usize> = Vec::with_capacity(self.parameters.len());
        for parameter in self.parameters.iter().rev() {
            let count = parameter.values().len();
            choices.push(index % count);
            index /= count;
        }
        choices.reverse();
        choices
    }
}

/// Draws `num` indices below `size` from `seed`, in ascending order.
fn draw_sample(size: usize, num: usize, seed: u64) -> Vec<usize> {
    let mut rng = rng(seed, RngStream::Sample, 0);
    let mut indices = rand::seq::index::sample(&mut rng, size, num.min(size)).into_vec();
    indices.sort_unstable();
    indices
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
