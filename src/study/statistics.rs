//! What can be said of the trials of a study: means with their uncertainty, and which settings cannot be told from the
//! best.

use serde::Serialize;

use super::{Plan, Setting, TrialEnd, TrialRecord};
use crate::training::EpochRecord;

/// How sure intervals and comparisons are.
const CONFIDENCE: f64 = 0.95;
/// The standard normal distribution's quantile for that.
const Z: f64 = 1.959_963_985;

/// What the trials of one setting amount to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingResult {
    /// The values.
    pub setting: Setting,
    /// Mean validation accuracy of the trials that finished; none where none did.
    pub mean: Option<f64>,
    /// Its standard deviation over them (n − 1); none with fewer than two.
    pub deviation: Option<f64>,
    /// The 95 % interval of the mean.
    pub interval: Option<(f64, f64)>,
    /// Mean validation loss.
    pub loss: Option<f64>,
    /// Trials that finished.
    pub num_finished: usize,
    /// Trials that diverged.
    pub num_diverged: usize,
    /// Trials that failed, or have not been run.
    pub num_missing: usize,
    /// Weights and biases; none where no trial has been run.
    pub num_parameters: Option<usize>,
    /// Median seconds of an epoch, over all trials; meant for comparison only where they were timed.
    pub seconds_per_epoch: Option<f64>,
    /// How it stands beside the best.
    pub standing: Standing,
}

/// How a setting stands beside the best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Of all settings whose trials all finished, it has the highest mean accuracy.
    Best,
    /// The data cannot tell it from the best.
    NotWorse(Comparison),
    /// It is worse than the best.
    Worse(Comparison),
    /// Not all of its trials finished, or there is no best.
    NotRanked,
}

/// The best setting minus another one, in accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// The mean of the differences.
    pub difference: f64,
    /// The 95 % interval of the difference.
    pub interval: (f64, f64),
}

/// All settings of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// In the plan's order.
    pub settings: Vec<SettingResult>,
    /// The best setting's place.
    pub best: Option<usize>,
}

impl Summary {
    /// What the records, one for each trial of `plan` that has one, amount to.
    pub fn new(plan: &Plan, records: &[Option<&TrialRecord>]) -> Self {
        let mut groups: Vec<Vec<Option<&TrialRecord>>> = vec![Vec::new(); plan.settings.len()];
        for (trial, record) in plan.trials.iter().zip(records) {
            groups[trial.setting].push(*record);
        }
        let mut settings: Vec<_> =
            plan.settings.iter().zip(&groups).map(|(setting, group)| result(setting, group)).collect();
        let best = best(&settings);
        for (index, setting) in settings.iter_mut().enumerate() {
            setting.standing = match best {
                Some(best) if best == index => Standing::Best,
                Some(best) if setting.is_ranked() => compare(&groups[best], &groups[index]),
                _ => Standing::NotRanked,
            };
        }
        Self { settings, best }
    }

    /// The settings that the data cannot tell from the best, without it.
    pub fn not_worse(&self) -> impl Iterator<Item = &SettingResult> {
        self.settings.iter().filter(|setting| matches!(setting.standing, Standing::NotWorse(_)))
    }
}

impl SettingResult {
    /// Whether all of its trials finished, so that it can be compared.
    pub fn is_ranked(&self) -> bool {
        self.num_finished > 0 && self.num_diverged + self.num_missing == 0
    }
}

fn result(setting: &Setting, records: &[Option<&TrialRecord>]) -> SettingResult {
    let run: Vec<_> = records.iter().flatten().collect();
    let count = |end| run.iter().filter(|record| record.end == end).count();
    let accuracies = accuracies(records);
    let losses: Vec<f64> = run.iter().filter_map(|record| record.loss).collect();
    let images = run.first().map_or((1, 1), |record| record.num_images);
    let epochs: Vec<EpochRecord> = run.iter().flat_map(|record| &record.epochs).cloned().collect();
    SettingResult {
        setting: setting.clone(),
        mean: mean(&accuracies),
        deviation: deviation(&accuracies),
        interval: interval(&accuracies, images),
        loss: mean(&losses),
        num_finished: count(TrialEnd::Finished),
        num_diverged: count(TrialEnd::Diverged),
        num_missing: records.len() - count(TrialEnd::Finished) - count(TrialEnd::Diverged),
        num_parameters: run.first().map(|record| record.num_parameters),
        seconds_per_epoch: EpochRecord::median_seconds(&epochs),
        standing: Standing::NotRanked,
    }
}

fn accuracies(records: &[Option<&TrialRecord>]) -> Vec<f64> {
    records.iter().flatten().filter_map(|record| record.accuracy).collect()
}

/// The highest mean accuracy; of equal ones the lower loss, and of those the first.
fn best(settings: &[SettingResult]) -> Option<usize> {
    let ranked = settings.iter().enumerate().filter(|(_, setting)| setting.is_ranked());
    let key = |setting: &SettingResult| (setting.mean.unwrap_or(0.0), -setting.loss.unwrap_or(f64::INFINITY));
    let better = |a: (f64, f64), b: (f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).is_gt();
    let choose = |best: Option<(usize, (f64, f64))>, (index, setting): (usize, &SettingResult)| {
        let key = key(setting);
        if best.is_none_or(|(_, best)| better(key, best)) { Some((index, key)) } else { best }
    };
    ranked.fold(None, choose).map(|(index, _)| index)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// How far the mean of accuracies over folds or seeds may be off, on 95 of 100 occasions.
///
/// Student's t with n − 1 degrees of freedom. Trials of different folds learn from images that they share, and so do seeds,
/// each of which holds other images of one set out: their variance is too small, and is raised by judged / learned-from
/// images (Nadeau and Bengio 2003). A single trial, or several of one accuracy, has Wilson's interval for the
/// images that it was judged by, which says nothing of another seed.
fn interval(accuracies: &[f64], (train, judged): (usize, usize)) -> Option<(f64, f64)> {
    let mean = mean(accuracies)?;
    let (low, high) = match deviation(accuracies).filter(|&deviation| deviation > 0.0) {
        None => wilson(mean, judged.saturating_mul(accuracies.len())),
        Some(deviation) => {
            let half = margin(deviation, accuracies.len(), (train, judged));
            (mean - half, mean + half)
        }
    };
    Some((low.max(0.0), high.min(1.0)))
}

/// Half the width of the t interval of a mean, corrected for what the trials share.
fn margin(deviation: f64, n: usize, (train, judged): (usize, usize)) -> f64 {
    let shared = judged as f64 / train.max(1) as f64;
    let t = distrs::StudentsT::ppf(0.5 + CONFIDENCE / 2.0, (n - 1) as f64);
    t * deviation * (1.0 / n as f64 + shared).sqrt()
}

/// Wilson's 95 % interval (1927) of a share over `n` images; sound near 0 and 1 too.
pub fn wilson(share: f64, n: usize) -> (f64, f64) {
    let (n, z) = (n.max(1) as f64, Z);
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    (centre - half, centre + half)
}

/// Compares trial with trial: those of the same fold and seed saw and were judged by the same images.
fn compare(best: &[Option<&TrialRecord>], other: &[Option<&TrialRecord>]) -> Standing {
    let (best_accuracies, accuracies) = (accuracies(best), accuracies(other));
    let differences: Vec<f64> = best_accuracies.iter().zip(&accuracies).map(|(a, b)| a - b).collect();
    let Some(difference) = mean(&differences) else { return Standing::NotRanked };
    let images = best.iter().flatten().next().map_or((1, 1), |record| record.num_images);
    let interval = match deviation(&differences).filter(|&deviation| deviation > 0.0) {
        Some(deviation) => {
            let half = margin(deviation, differences.len(), images);
            (difference - half, difference + half)
        }
        None => newcombe(&best_accuracies, &accuracies, images.1),
    };
    let comparison = Comparison { difference, interval };
    if interval.0 > 0.0 { Standing::Worse(comparison) } else { Standing::NotWorse(comparison) }
}

/// Newcombe's 95 % interval (1998, method 10) of the difference of two shares, from Wilson's of each: for trials whose
/// differences do not vary. It takes the images for different ones, which is cautious.
fn newcombe(best: &[f64], other: &[f64], judged: usize) -> (f64, f64) {
    let share = |values: &[f64]| mean(values).unwrap_or(0.0);
    let (p1, p2) = (share(best), share(other));
    let images = |values: &[f64]| judged.saturating_mul(values.len());
    let ((l1, u1), (l2, u2)) = (wilson(p1, images(best)), wilson(p2, images(other)));
    let reach = |one: f64, two: f64| (one * one + two * two).sqrt();
    (p1 - p2 - reach(p1 - l1, u2 - p2), p1 - p2 + reach(u1 - p1, p2 - l2))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Study;
    use super::*;
    use crate::backend::Backend;

    fn plan() -> Plan {
        let text = "folds = 5\n[vary]\noptimizer.learning_rate = [0.1, 0.2, 0.3]";
        let study = Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap();
        Plan::new(&study, Backend::Flex, "", None).unwrap()
    }

    /// Records of 5 folds of 100 images for each of three settings; what is not a number diverged.
    fn records(plan: &Plan, accuracies: [[f64; 5]; 3]) -> Vec<TrialRecord> {
        let record = |(trial, accuracy): (&super::super::Trial, f64)| TrialRecord {
            id: trial.id.clone(),
            setting: plan.settings[trial.setting].clone(),
            seed: 1,
            fold: trial.fold,
            end: if accuracy.is_nan() { TrialEnd::Diverged } else { TrialEnd::Finished },
            message: None,
            accuracy: Some(accuracy).filter(|accuracy| !accuracy.is_nan()),
            loss: Some(0.5),
            epoch: Some(1),
            num_images: (400, 100),
            num_parameters: 1,
            steps_per_epoch: 1,
            stacked: false,
            epochs: Vec::new(),
        };
        plan.trials.iter().zip(accuracies.into_iter().flatten()).map(record).collect()
    }

    fn summary(accuracies: [[f64; 5]; 3]) -> Summary {
        let plan = plan();
        let records = records(&plan, accuracies);
        Summary::new(&plan, &records.iter().map(Some).collect::<Vec<_>>())
    }

    fn close(got: f64, expected: f64) -> bool {
        (got - expected).abs() < 1e-9
    }

    /// `tests/reference/statistics.py` computed the intervals with scipy.
    #[test]
    fn means_intervals_and_comparisons_as_scipy_gives_them() {
        let one = [0.90, 0.91, 0.92, 0.93, 0.94];
        let same = [0.895, 0.912, 0.915, 0.931, 0.937];
        let worse = [0.85, 0.86, 0.86, 0.88, 0.89];
        let summary = summary([worse, one, same]);
        assert_eq!(summary.best, Some(1));
        let best = &summary.settings[1];
        assert!(close(best.mean.unwrap(), 0.92) && close(best.deviation.unwrap(), 0.015_811_388_300_841_9));
        let (low, high) = best.interval.unwrap();
        assert!(close(low, REFERENCE[0].0) && close(high, REFERENCE[0].1), "{low} {high}");
        assert_eq!(best.standing, Standing::Best);
        let Standing::Worse(comparison) = summary.settings[0].standing else { unreachable!() };
        assert!(close(comparison.difference, 0.052));
        assert!(close(comparison.interval.0, REFERENCE[1].0) && close(comparison.interval.1, REFERENCE[1].1));
        let Standing::NotWorse(comparison) = summary.settings[2].standing else { unreachable!() };
        assert!(close(comparison.difference, 0.002));
        assert!(close(comparison.interval.0, REFERENCE[2].0) && close(comparison.interval.1, REFERENCE[2].1));
        assert_eq!(summary.not_worse().count(), 1);
    }

    const REFERENCE: [(f64, f64); 3] = [
        (0.890_551_352_578, 0.949_448_647_422),
        (0.043_670_664_684, 0.060_329_335_316),
        (-0.004_177_200_397, 0.008_177_200_397),
    ];

    #[test]
    fn what_diverged_is_not_ranked_however_good_the_rest() {
        let summary = summary([[0.99, 0.99, f64::NAN, 0.99, 0.99], [0.5; 5], [0.4; 5]]);
        assert_eq!(summary.best, Some(1));
        let diverged = &summary.settings[0];
        assert_eq!((diverged.num_finished, diverged.num_diverged), (4, 1));
        assert_eq!(diverged.standing, Standing::NotRanked);
        assert!(self::summary([[f64::NAN; 5]; 3]).best.is_none());
    }

    #[test]
    fn a_missing_trial_leaves_its_setting_unranked() {
        let plan = plan();
        let records = records(&plan, [[0.9; 5], [0.8; 5], [0.7; 5]]);
        let some: Vec<_> = records.iter().enumerate().map(|(i, record)| (i != 2).then_some(record)).collect();
        let summary = Summary::new(&plan, &some);
        assert_eq!((summary.best, summary.settings[0].num_missing), (Some(1), 1));
    }

    /// Wilson's interval of 8 of 10: 0.4901625 to 0.9433178, as statsmodels' `proportion_confint` gives it too.
    #[test]
    fn trials_without_spread_are_compared_by_their_images() {
        let at = |accuracy| [accuracy; 5];
        // 500 images: 0.90 and 0.88 cannot be told apart, 0.90 and 0.70 can.
        let summary = summary([at(0.9), at(0.88), at(0.7)]);
        assert!(matches!(summary.settings[1].standing, Standing::NotWorse(_)), "{summary:?}");
        assert!(matches!(summary.settings[2].standing, Standing::Worse(_)), "{summary:?}");
        assert!(
            summary.settings.iter().all(|setting| setting.interval.is_some_and(|(low, high)| low < high))
        );
        // Newcombe's own example (1998, table II, a): 56/70 and 48/80 differ by 0.0524 to 0.3339.
        let (low, high) = newcombe(&[0.8], &[0.6], 75);
        assert!(low > 0.05 && low < 0.06 && high > 0.33 && high < 0.34, "{low} {high}");
    }

    #[test]
    fn a_single_trial_has_the_interval_of_its_images() {
        let (low, high) = wilson(0.8, 10);
        assert!((low - 0.490_162_5).abs() < 1e-6 && (high - 0.943_317_8).abs() < 1e-6, "{low} {high}");
    }
}
