//! What can be said of the trials of a study: means with their uncertainty, and which settings cannot be told from the
//! best.

use serde::Serialize;

use super::{Plan, Setting, TrialEnd, TrialRecord};

/// How sure intervals and comparisons are.
const CONFIDENCE: f64 = 0.95;

/// What the trials of one setting amount to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingResult {
    /// The values.
    pub setting: Setting,
    /// Mean validation accuracy of the trials that finished; none where none did.
    pub mean: Option<f64>,
    /// Its standard deviation over them (n − 1); none with fewer than two.
    pub deviation: Option<f64>,
    /// The 95 % interval of the mean; see [`interval`].
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
        let of = |setting: usize| -> Vec<Option<&TrialRecord>> {
            let pairs = plan.trials.iter().zip(records);
            pairs.filter(|(trial, _)| trial.setting == setting).map(|(_, record)| *record).collect()
        };
        let groups: Vec<_> = (0..plan.settings.len()).map(of).collect();
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
    fn is_ranked(&self) -> bool {
        self.num_finished > 0 && self.num_diverged + self.num_missing == 0
    }
}

fn result(setting: &Setting, records: &[Option<&TrialRecord>]) -> SettingResult {
    let run: Vec<_> = records.iter().flatten().collect();
    let count = |end| run.iter().filter(|record| record.end == end).count();
    let accuracies = accuracies(records);
    let losses: Vec<f64> = run.iter().filter_map(|record| record.loss).collect();
    let images = run.first().map_or((1, 1), |record| record.num_images);
    let mut seconds: Vec<f64> =
        run.iter().flat_map(|record| &record.epochs).map(|epoch| epoch.seconds).collect();
    seconds.sort_by(f64::total_cmp);
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
        seconds_per_epoch: seconds.get(seconds.len() / 2).copied(),
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
/// images (Nadeau and Bengio 2003). A single trial has Wilson's interval for the images that it was
/// judged by, which says nothing of another seed.
fn interval(accuracies: &[f64], (train, judged): (usize, usize)) -> Option<(f64, f64)> {
    let mean = mean(accuracies)?;
    let half = match deviation(accuracies) {
        None => return Some(wilson(mean, judged)),
        Some(deviation) => margin(deviation, accuracies.len(), (train, judged)),
    };
    Some((mean - half, mean + half))
}

/// Half the width of the t interval of a mean, corrected for what the trials share.
fn margin(deviation: f64, n: usize, (train, judged): (usize, usize)) -> f64 {
    let shared = judged as f64 / train.max(1) as f64;
    let t = distrs::StudentsT::ppf(0.5 + CONFIDENCE / 2.0, (n - 1) as f64);
    t * deviation * (1.0 / n as f64 + shared).sqrt()
}

/// Wilson's 95 % interval (1927) of a share over `n` images; sound near 0 and 1 too.
pub fn wilson(share: f64, n: usize) -> (f64, f64) {
    let (n, z) = (n.max(1) as f64, 1.959_964);
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
    let half = match deviation(&differences) {
        Some(deviation) => margin(deviation, differences.len(), images),
        None => {
            // One trial each: two shares of the same number of images, as if they were different images.
            let variance = |share: f64| share * (1.0 - share) / images.1.max(1) as f64;
            1.959_964 * (variance(best_accuracies[0]) + variance(accuracies[0])).sqrt()
        }
    };
    let comparison = Comparison { difference, interval: (difference - half, difference + half) };
    if comparison.interval.0 > 0.0 { Standing::Worse(comparison) } else { Standing::NotWorse(comparison) }
}
