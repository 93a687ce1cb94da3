//! Owns the shards of a study: parts of its trials that separate processes train, on one machine or on
//! many, each with its own trial log. Must not know files or how trials are trained.
//!
//! The cut depends on the study and on the number of shards alone, and not on the machine: every process
//! finds the same trials in the same shard.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Largest number of shards of a study. A larger number is taken for a mistake.
pub const MAX_SHARDS: usize = 10_000;

/// One of the shards of a study, such as 3/16: the third one of sixteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard {
    /// Number of all shards, from 1 to [`MAX_SHARDS`].
    pub count: usize,
    /// Number of this shard, from 1 to `count`.
    pub number: usize,
}

impl Shard {
    /// All shards of a cut into `count`.
    pub fn all(count: usize) -> impl Iterator<Item = Self> {
        (1..=count).map(move |number| Self { count, number })
    }

    /// Name of its trial log in the study's folder, such as `trials-3-of-16.jsonl`.
    pub(super) fn log_name(self) -> String {
        format!("trials-{}-of-{}.jsonl", self.number, self.count)
    }

    /// The shard whose trial log has this name. `None` if it is another file.
    pub(super) fn of_log_name(name: &str) -> Option<Self> {
        let (number, count) = name.strip_prefix("trials-")?.strip_suffix(".jsonl")?.split_once("-of-")?;
        let shard: Self = format!("{number}/{count}").parse().ok()?;
        (shard.log_name() == name).then_some(shard)
    }

    /// Name of its lock file in the study's folder.
    pub(super) fn lock_name(self) -> String {
        format!(".lock-{}-of-{}", self.number, self.count)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "expected I/N, the number of the shard and of all shards, such as 3/16; from 1/N to N/N, and N at most \
                 {MAX_SHARDS}"
            )
        };
        let parse = |text: &str| text.parse::<usize>().map_err(|_| expected());
        let (number, count) = text.split_once('/').ok_or_else(expected)?;
        let (number, count) = (parse(number)?, parse(count)?);
        match (1..=count).contains(&number) && count <= MAX_SHARDS {
            true => Ok(Self { count, number }),
            false => Err(expected()),
        }
    }
}

/// Trials that the same shard trains, as indices into the plan, and what they cost: any unit, such as
/// images × epochs × parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The trials, in order.
    pub trials: Vec<usize>,
    /// Estimated cost of all of them.
    pub cost: f64,
}

/// Distributes `units` over `count` shards so that their costs are about the same: the costliest unit that is
/// left goes to the shard with the lowest cost so far (longest processing time first, Graham 1969). The
/// costliest shard is at most 4/3 of the best possible one. Returns the trials of each shard, in order.
pub fn cut(mut units: Vec<Unit>, count: usize) -> Vec<Vec<usize>> {
    units.sort_by(|one, other| other.cost.total_cmp(&one.cost).then_with(|| one.trials.cmp(&other.trials)));
    let mut shards = vec![Vec::new(); count];
    // The lightest shard is the largest entry; of equal costs, that with the lowest number. Costs are not
    // negative, so their bits have the order of their values.
    let mut lightest: BinaryHeap<_> = (0..count).map(|shard| Reverse((0.0f64.to_bits(), shard))).collect();
    for Unit { trials, cost } in units {
        if let Some(mut top) = lightest.peek_mut() {
            let Reverse((bits, shard)) = *top;
            shards[shard].extend(trials);
            *top = Reverse(((f64::from_bits(bits) + cost).to_bits(), shard));
        }
    }
    shards.iter_mut().for_each(|trials: &mut Vec<usize>| trials.sort_unstable());
    shards
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn unit(trials: &[usize], cost: f64) -> Unit {
        Unit { trials: trials.to_vec(), cost }
    }

    #[test]
    fn the_costliest_unit_goes_to_the_lightest_shard() {
        let units =
            vec![unit(&[0], 1.0), unit(&[1, 2], 5.0), unit(&[3], 3.0), unit(&[4], 3.0), unit(&[5], 1.0)];
        // 5 → first, 3 → second, 3 → second (3 < 5), 1 → first (5 < 6), 1 → first (6 = 6).
        assert_eq!(cut(units.clone(), 2), [vec![0, 1, 2, 5], vec![3, 4]]);
        let mut reversed = units;
        reversed.reverse();
        assert_eq!(cut(reversed, 2), [vec![0, 1, 2, 5], vec![3, 4]], "in any order");
        assert_eq!(cut(vec![unit(&[7], 1.0)], 3), [vec![7], vec![], vec![]], "more shards than units");
    }

    #[test]
    fn a_shard_is_a_number_of_a_number() {
        let shard: Shard = "3/16".parse().unwrap();
        assert_eq!(
            (shard.to_string(), shard.log_name()),
            ("3/16".to_owned(), "trials-3-of-16.jsonl".to_owned())
        );
        assert_eq!(Shard::of_log_name("trials-3-of-16.jsonl"), Some(shard));
        for text in ["0/4", "5/4", "1", "1/0", "a/4", "1/10001", "-1/4", "1/4/4", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        for name in ["trials.jsonl", "trials-1.jsonl", "trials-5-of-4.jsonl", "trials-01-of-4.jsonl"] {
            assert_eq!(Shard::of_log_name(name), None, "{name}");
        }
    }
}
