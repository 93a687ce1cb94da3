//! Owns the selection of the configurations that a chart shows where it cannot show all, and their
//! colours. Ordered configurations show both ends and the middle, in colours that are ordered as
//! well. Must not know how a chart is drawn.

use crate::plots::Colour;
use crate::study::Configuration;

/// Most curves in one chart. Of more configurations, some are selected.
pub(super) const MAX_CURVES: usize = 6;
/// Number of ordered configurations that are selected at equal distances, besides the best one. It
/// is odd, so that the middle is among them.
const NUM_SPREAD: usize = 5;

/// Configurations that a chart shows, in the order of its curves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    /// Indices of the shown configurations in the list of all.
    pub(super) indices: Vec<usize>,
    /// True if the configurations are ordered by a number, which is the only key that differs.
    pub(super) is_ordered: bool,
}

impl Selection {
    /// Selects the configurations to draw from `configurations`, each with its mean accuracy. Up to
    /// [`MAX_CURVES`] are all drawn. Of more, `spread_evenly` or `by_accuracy` selects some.
    pub(super) fn new(configurations: &[(&Configuration, f64)]) -> Self {
        let all = 0..configurations.len();
        let numbers: Option<Vec<f64>> = all.clone().map(|place| only_number(configurations, place)).collect();
        let best = all.clone().max_by(|&a, &b| configurations[a].1.total_cmp(&configurations[b].1));
        match numbers.filter(|_| configurations.len() > 1) {
            Some(numbers) => {
                let mut order: Vec<usize> = all.collect();
                order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
                let best = order.iter().position(|&place| Some(place) == best);
                let chosen = spread_evenly(order.len(), best);
                Self { indices: chosen.into_iter().map(|place| order[place]).collect(), is_ordered: true }
            }
            None => Self { indices: by_accuracy(configurations), is_ordered: false },
        }
    }

    /// Colour of the curve at `place`, an index into [`Selection::indices`].
    pub(super) fn colour(&self, place: usize) -> Colour {
        match self.is_ordered {
            true => Colour::Ordered { place, of: self.indices.len() },
            false => Colour::Category(place),
        }
    }

    /// Sentence that says which of `num_configurations` are drawn. `None` where all are drawn.
    pub(super) fn note(&self, num_configurations: usize) -> Option<String> {
        let which = match self.is_ordered {
            true => "both ends, the middle, those half-way between, and the best",
            false => "the best, the worst and some in between",
        };
        (self.indices.len() < num_configurations)
            .then(|| format!("Of {num_configurations} configurations, {which} are drawn."))
    }
}

/// Value of the configuration at `place` for the one key in which the configurations differ. `None`
/// where several keys differ, or the value is no number.
fn only_number(configurations: &[(&Configuration, f64)], place: usize) -> Option<f64> {
    let (first, configuration) = (configurations.first()?.0, configurations[place].0);
    let differs = |key: &str, value: &str| {
        configurations.iter().any(|(other, _)| other.value(key).is_some_and(|other| other != value))
    };
    let mut parameters = first.values.iter().filter(|(key, value)| differs(key, value));
    let (key, None) = (&parameters.next()?.0, parameters.next()) else { return None };
    configuration.number(key)
}

/// Returns the places to draw of `count` ordered configurations: all up to [`MAX_CURVES`], or else
/// both ends, the middle, the two half-way between them, and the place `best`.
fn spread_evenly(count: usize, best: Option<usize>) -> Vec<usize> {
    if count <= MAX_CURVES {
        return (0..count).collect();
    }
    let share = |place: usize| (place * (count - 1) + (NUM_SPREAD - 1) / 2) / (NUM_SPREAD - 1);
    let mut indices: Vec<usize> = (0..NUM_SPREAD).map(share).chain(best).collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

/// Returns the indices to draw of configurations without an order: all up to [`MAX_CURVES`], or
/// else the best, the worst and some at equal distances of rank between them. They are in the order
/// of the configurations.
fn by_accuracy(configurations: &[(&Configuration, f64)]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..configurations.len()).collect();
    if indices.len() > MAX_CURVES {
        indices.sort_by(|&a, &b| configurations[b].1.total_cmp(&configurations[a].1));
        let last = indices.len() - 1;
        indices = (0..MAX_CURVES).map(|place| indices[place * last / (MAX_CURVES - 1)]).collect();
        indices.sort_unstable();
    }
    indices
}

#[cfg(test)]
mod tests;
