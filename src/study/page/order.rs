//! Which settings a drawing has room for, and their colours: ordered settings show both ends and the middle, in colours
//! that have an order too.

use crate::plots::Colour;
use crate::study::Configuration;

/// Curves in one drawing; of more settings some are chosen.
pub(super) const MAX_CURVES: usize = 6;
/// Of more ordered settings, so many equally far apart, and the best: an odd number, so that the middle is among them.
const NUM_APART: usize = 5;

/// What a drawing shows of several settings, in its order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    /// Places in the list that was chosen from.
    pub(super) places: Vec<usize>,
    /// Whether they stand in the order of a number.
    pub(super) are_ordered: bool,
}

impl Shown {
    /// Of `settings` with their mean accuracies, those to draw: all, or of many, those that say most.
    pub(super) fn of(settings: &[(&Configuration, f64)]) -> Self {
        let all = 0..settings.len();
        let numbers: Option<Vec<f64>> = all.clone().map(|place| only_number(settings, place)).collect();
        let best = all.clone().max_by(|&a, &b| settings[a].1.total_cmp(&settings[b].1));
        match numbers.filter(|_| settings.len() > 1) {
            Some(numbers) => {
                let mut order: Vec<usize> = all.collect();
                order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
                let best = order.iter().position(|&place| Some(place) == best);
                let shown = spread(order.len(), best);
                Self { places: shown.into_iter().map(|place| order[place]).collect(), are_ordered: true }
            }
            None => Self { places: by_accuracy(settings), are_ordered: false },
        }
    }

    /// The colour of what is drawn in this place.
    pub(super) fn colour(&self, place: usize) -> Colour {
        match self.are_ordered {
            true => Colour::Ordered { place, of: self.places.len() },
            false => Colour::Category(place),
        }
    }

    /// Which of `num_settings` are drawn, where not all are.
    pub(super) fn note(&self, num_settings: usize) -> Option<String> {
        let which = match self.are_ordered {
            true => "both ends, the middle, those half-way between, and the best",
            false => "the best, the worst and some in between",
        };
        (self.places.len() < num_settings).then(|| format!("Of {num_settings} settings, {which} are drawn."))
    }
}

/// The value of the one key that the settings differ in, where it is a number.
fn only_number(settings: &[(&Configuration, f64)], place: usize) -> Option<f64> {
    let (first, setting) = (settings.first()?.0, settings[place].0);
    let differs = |key: &str, value: &str| {
        settings.iter().any(|(other, _)| other.value(key).is_some_and(|other| other != value))
    };
    let mut varied = first.values.iter().filter(|(key, value)| differs(key, value));
    let (key, None) = (&varied.next()?.0, varied.next()) else { return None };
    setting.number(key)
}

/// Places in an order of `count`: all, or both ends, the middle, what lies half-way between them, and the best.
fn spread(count: usize, best: Option<usize>) -> Vec<usize> {
    if count <= MAX_CURVES {
        return (0..count).collect();
    }
    let share = |place: usize| (place * (count - 1) + (NUM_APART - 1) / 2) / (NUM_APART - 1);
    let mut places: Vec<usize> = (0..NUM_APART).map(share).chain(best).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// All places, or the best, the worst and evenly many between them, in the settings' order.
fn by_accuracy(settings: &[(&Configuration, f64)]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..settings.len()).collect();
    if places.len() > MAX_CURVES {
        places.sort_by(|&a, &b| settings[b].1.total_cmp(&settings[a].1));
        let last = places.len() - 1;
        places = (0..MAX_CURVES).map(|place| places[place * last / (MAX_CURVES - 1)]).collect();
        places.sort_unstable();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(key: &str, values: &[&str]) -> Vec<Configuration> {
        let setting = |value: &&str| Configuration {
            values: [(key.into(), (*value).into()), ("seed".into(), "1".into())].into(),
        };
        values.iter().map(setting).collect()
    }

    fn shown(settings: &[Configuration], means: &[f64]) -> Shown {
        Shown::of(&settings.iter().zip(means.iter().copied()).collect::<Vec<_>>())
    }

    #[test]
    fn ordered_settings_show_both_ends_the_middle_and_the_best() {
        // Nine rates, not in their order; the best is the second smallest.
        let rates = ["10.0", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1.0", "3.0"];
        let means = [0.1, 0.5, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];
        let nine = shown(&settings("optimizer.learning_rate", &rates), &means);
        let values: Vec<&str> = nine.places.iter().map(|&place| rates[place]).collect();
        assert_eq!(values, ["0.001", "0.003", "0.01", "0.1", "1.0", "10.0"]);
        assert_eq!(nine.colour(0), Colour::Ordered { place: 0, of: 6 });
        assert_eq!(nine.colour(5), Colour::Ordered { place: 5, of: 6 });
        assert!(nine.note(9).is_some_and(|note| note.contains("both ends, the middle")));
        for count in [7, 8, 9, 10, 41] {
            let places = spread(count, None);
            assert_eq!(
                (places[0], places[2], places[4], places.len()),
                (0, count / 2, count - 1, 5),
                "{count}"
            );
        }
        assert_eq!(spread(6, Some(3)), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn settings_without_an_order_show_the_best_and_the_worst() {
        let names = ["\"relu\"", "\"tanh\"", "\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\"", "\"f\""];
        let means = [0.1, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];
        let eight = shown(&settings("model.activation", &names), &means);
        assert!(!eight.are_ordered && eight.places.contains(&0) && eight.places.contains(&1), "{eight:?}");
        assert_eq!((eight.places.len(), eight.colour(1)), (6, Colour::Category(1)));
        // Two keys make no order.
        let mut two = settings("optimizer.learning_rate", &["0.1", "0.2"]);
        let [(key, rate), _] = &*two[0].values else { unreachable!() };
        two[0].values = [(key.clone(), rate.clone()), ("seed".into(), "2".into())].into();
        assert!(!shown(&two, &[0.5, 0.6]).are_ordered);
        assert_eq!(shown(&two, &[0.5, 0.6]).note(2), None);
    }
}
