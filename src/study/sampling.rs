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
mod tests {
    use toml::Table;

    use super::*;
    use crate::study::search_space::read;

    const SPACE: &str = "optimizer.learning_rate = { low = 0.001, high = 1.0, scale = \"log\" }\n\
                         optimizer.momentum = { low = 0.0, high = 0.99 }\ntraining.batch_size = [32, 64, 128]";

    fn parameters(text: &str) -> Vec<Parameter> {
        read(&text.parse::<Table>().unwrap(), "", "s.toml", &|key| key == "whole").unwrap()
    }

    fn sample(num: usize, seed: u64, method: Method) -> Sample {
        Sample { num, seed, method: Some(method) }
    }

    fn drawn(text: &str, num: usize, seed: u64, method: Method) -> Vec<Vec<f64>> {
        let number = |value: &Value| value.to_string().parse::<f64>().unwrap();
        let all = draw(&parameters(text), sample(num, seed, method)).unwrap();
        all.iter().map(|values| values.iter().map(number).collect()).collect()
    }

    /// These values must never change: a study that is started again finds its trials by them.
    #[test]
    fn a_seed_gives_these_configurations_for_ever() {
        assert_eq!(drawn(SPACE, 3, 0, Method::Random), RANDOM);
        assert_eq!(drawn(SPACE, 3, 0, Method::Sobol), SOBOL);
    }

    const RANDOM: [[f64; 3]; 3] = [[0.8304, 0.8717, 32.0], [0.07735, 0.4937, 128.0], [0.03745, 0.8749, 32.0]];
    const SOBOL: [[f64; 3]; 3] =
        [[0.1404, 0.7555, 128.0], [0.003358, 0.2609, 64.0], [0.006869, 0.6028, 128.0]];

    #[test]
    fn a_larger_number_keeps_the_earlier_configurations() {
        for method in Method::ALL {
            let many = drawn(SPACE, 50, 7, method);
            assert_eq!(drawn(SPACE, 20, 7, method), many[..20]);
            assert_ne!(drawn(SPACE, 20, 8, method), many[..20]);
            assert!(many.iter().all(|values| (0.001..=1.0).contains(&values[0])));
            assert!(many.iter().all(|values| (0.0..=0.99).contains(&values[1])));
            for size in [32.0, 64.0, 128.0] {
                let count = many.iter().filter(|values| values[2] == size).count();
                assert!((8..=26).contains(&count), "{method:?}: {count} of 50 have batches of {size}");
            }
        }
    }

    /// Of 64 Sobol' points, each of 64 equal parts of the range of logarithms has one.
    #[test]
    fn sobol_points_are_even_on_the_logarithmic_scale() {
        let part = |values: &Vec<f64>| ((values[0] / 0.001).ln() / 1000f64.ln() * 64.0) as usize;
        let mut parts: Vec<usize> = drawn(SPACE, 64, 3, Method::Sobol).iter().map(part).collect();
        parts.sort_unstable();
        parts.dedup();
        assert!(parts.len() >= 62, "two values may be rounded to a neighbouring part: {parts:?}");
        let mut random: Vec<usize> = drawn(SPACE, 64, 3, Method::Random).iter().map(part).collect();
        random.sort_unstable();
        random.dedup();
        assert!(random.len() < 50, "{random:?}");
    }

    #[test]
    fn no_configuration_is_drawn_twice() {
        let text = "whole = { low = 1, high = 3 }\nb = [true, false]";
        for method in Method::ALL {
            let all = draw(&parameters(text), sample(6, 1, method)).unwrap();
            let texts: HashSet<String> = all.iter().map(|values| format!("{values:?}")).collect();
            assert_eq!(texts.len(), 6);
            assert_eq!(
                draw(&parameters(text), sample(7, 1, method)).unwrap_err().message(),
                "`sample.num` is 7, and only 6 different configurations can be drawn from `[vary]`"
            );
        }
    }
}
