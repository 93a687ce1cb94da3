//! Owns the section about batch size and time: accuracy over training time, time per epoch, and
//! their explanation. Depends on `plots` and `statistics`.

use maud::{Markup, html};

use crate::error::Result;
use crate::plots::{Chart, Scale, Series};
use crate::report::components;
use crate::report::curves::{LARGE, SIZE};
use crate::statistics::FiveNumbers;
use crate::study::page::StudyPage;
use crate::study::page::order::Selection;
use crate::study::page::table::accuracy;
use crate::study::{ConfigurationResult, EpochSeconds, Faster, TrialRecord};
use crate::training::EpochRecord;
use crate::util::format::{
    counted, grouped, listed, p_value, range_of_seconds, seconds, significant, three_digits,
};
use crate::util::table::{Column, TextTable, or_dash};

/// Measurements of one batch size, which is one configuration.
struct BatchSizeTimes<'a> {
    result: &'a ConfigurationResult,
    batch_size: f64,
    /// Number of steps per epoch, each of which updates the parameters once.
    num_updates: usize,
    /// Seconds per epoch over its trials.
    times: &'a EpochSeconds,
    /// Records of its trials.
    records: Vec<&'a TrialRecord>,
}

impl BatchSizeTimes<'_> {
    /// Seconds per epoch, the median over its trials.
    fn epoch_seconds(&self) -> f64 {
        self.times.spread.median
    }

    /// Seconds per update.
    fn update_seconds(&self) -> f64 {
        self.epoch_seconds() / self.num_updates as f64
    }

    /// Smallest and largest seconds per epoch over its trials.
    fn seconds_range(&self) -> (f64, f64) {
        (self.times.spread.min, self.times.spread.max)
    }

    /// Seconds of its shortest training, over all epochs.
    fn shortest_training(&self) -> f64 {
        let seconds = |record: &&TrialRecord| record.epochs.iter().map(|epoch| epoch.seconds).sum::<f64>();
        self.records.iter().map(seconds).fold(f64::INFINITY, f64::min)
    }

    /// One point for each epoch that all its trainings reached: the median of the seconds that they
    /// had trained by then, and the mean validation accuracy.
    fn learning_curve(&self) -> Vec<(f64, f64)> {
        let epochs = self.records.iter().map(|record| record.epochs.len()).min().unwrap_or(0);
        let point = |last: usize| {
            let spent =
                |record: &&TrialRecord| record.epochs[..=last].iter().map(|epoch| epoch.seconds).sum();
            let accuracy = |record: &&TrialRecord| record.epochs[last].validation_accuracy;
            let accuracies: Vec<f64> = self.records.iter().map(accuracy).collect::<Option<_>>()?;
            let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
            let spent: Vec<f64> = self.records.iter().map(spent).collect();
            Some((FiveNumbers::new(&spent)?.median, mean))
        };
        (0..epochs).filter_map(point).collect()
    }

    /// Mean accuracy after the last epoch that ended within `limit` seconds, and the mean number of
    /// epochs. `None` where a trial had no epoch by then.
    fn accuracy_within(&self, limit: f64) -> Option<(f64, f64)> {
        let of = |record: &&TrialRecord| -> Option<(f64, f64)> {
            let mut spent = 0.0;
            let in_time = |epoch: &&EpochRecord| {
                spent += epoch.seconds;
                // The limit is a sum of such seconds, so a rounding error must not count.
                spent <= limit * 1.000_001
            };
            let last = record.epochs.iter().take_while(in_time).last()?;
            Some((last.validation_accuracy?, last.epoch as f64))
        };
        let values: Vec<_> = self.records.iter().map(of).collect::<Option<_>>()?;
        let n = values.len() as f64;
        let sum = values.iter().fold((0.0, 0.0), |sum, value| (sum.0 + value.0, sum.1 + value.1));
        Some((sum.0 / n, sum.1 / n))
    }
}

/// Charts, table and sentences about accuracy and seconds per epoch over the batch size. `None`
/// where other keys vary, too, or fewer than two batch sizes are ranked.
pub(super) fn section(page: &StudyPage<'_>) -> Result<Option<Markup>> {
    const KEY: &str = "training.batch_size";
    let mut all: Vec<BatchSizeTimes<'_>> = Vec::new();
    for result in &page.summary.configurations {
        let records: Vec<&TrialRecord> = page
            .records
            .iter()
            .copied()
            .filter(|record| record.configuration == result.configuration)
            .collect();
        let timed = (result.configuration.number(KEY), result.epoch_seconds.as_ref(), result.is_ranked());
        if let (Some(batch_size), Some(times), true) = timed {
            let updates = records.first().map_or(1, |record| record.steps_per_epoch.max(1));
            all.push(BatchSizeTimes { result, batch_size, num_updates: updates, times, records });
        }
    }
    all.sort_by(|a, b| a.batch_size.total_cmp(&b.batch_size));
    let varies = |key: &str| {
        page.plan
            .configurations
            .iter()
            .any(|configuration| configuration.number(key) != page.plan.configurations[0].number(key))
    };
    if all.len() < 2 || page.study.keys().any(|key| key != KEY && varies(key)) {
        return Ok(None);
    }
    // All batch sizes get the same time: that of the fastest of all trainings.
    let limit = all.iter().map(BatchSizeTimes::shortest_training).fold(f64::INFINITY, f64::min);
    let epochs = page.study.base.training.num_epochs;
    Ok(Some(html! {
        (against_time(&all)?)
        (components::svg_figure(epoch_times(&all)?))
        @for sentence in explanation(&all, limit, epochs) { p { (components::inline_code(&sentence)) } }
        (components::text_table(&table(&all, limit, epochs)))
    }))
}

/// The table of the batch sizes. `epochs` is the configured number of epochs. `limit` is the time
/// in seconds after which all batch sizes are compared.
fn table(all: &[BatchSizeTimes<'_>], limit: f64, epochs: usize) -> TextTable {
    type Row<'a> = (&'a BatchSizeTimes<'a>, Option<(f64, f64)>);
    let columns: [Column<Row<'_>>; 8] = [
        Column::number("batch size", |(timed, _)| grouped(timed.batch_size as usize)),
        Column::number("updates per epoch", |(timed, _)| grouped(timed.num_updates)),
        Column::number("per update", |(timed, _)| microseconds(timed.update_seconds())),
        Column::number("per epoch", |(timed, _)| seconds(timed.epoch_seconds())),
        Column::number("from … to", |(timed, _)| {
            range_of_seconds(timed.seconds_range().0, timed.seconds_range().1)
        }),
        Column::number(AT_END, |(timed, _)| accuracy(timed.result.mean)),
        Column::number(AT_LIMIT, |(_, accuracy_within)| {
            accuracy(accuracy_within.map(|(accuracy, _)| accuracy))
        }),
        Column::number("epochs by then", |(_, accuracy_within)| {
            or_dash(*accuracy_within, |(_, epochs)| format!("{epochs:.1}"))
        }),
    ];
    TextTable::new(&columns, all.iter().map(|timed| (timed, timed.accuracy_within(limit))))
        .renamed(AT_END, &format!("accuracy after {epochs} epochs"))
        .renamed(AT_LIMIT, &format!("after {}", seconds(limit)))
}

/// Names of the columns whose headers depend on the study.
const AT_END: &str = "accuracy at the end";
const AT_LIMIT: &str = "accuracy at the limit";

/// Chart of the accuracy over the seconds of training: one line per batch size, one point per
/// epoch.
fn against_time(all: &[BatchSizeTimes<'_>]) -> Result<Markup> {
    let configurations: Vec<_> =
        all.iter().map(|timed| (&timed.result.configuration, timed.result.mean.unwrap_or(0.0))).collect();
    let selection = Selection::new(&configurations);
    let of_place = |(place, &index): (usize, &usize)| Series {
        name: all[index].result.configuration.name(),
        points: all[index].learning_curve(),
        colour: selection.colour(place),
        ..Series::default()
    };
    let series: Vec<Series> = selection.indices.iter().enumerate().map(of_place).collect();
    let chart = Chart {
        x_name: "seconds of training",
        y_name: "validation accuracy",
        x_scale: Scale::Log,
        y_bounds: (0.0, 1.0),
        series: &series,
        ..Chart::default()
    };
    Ok(html! {
        (components::large_svg_figure(chart.to_svg(LARGE.0, LARGE.1)?))
        p.note {
            "A point for each epoch: the mean accuracy of a batch size's trainings, and the median of the seconds that they had \
             trained by then. Further left is sooner, higher is better."
            @if let Some(note) = selection.note(all.len()) { " " (note) }
        }
    })
}

/// Chart of the seconds per epoch over the batch size.
fn epoch_times(all: &[BatchSizeTimes<'_>]) -> Result<String> {
    let series = [Series {
        name: "median over the trials, with their range".to_owned(),
        points: all.iter().map(|timed| (timed.batch_size, timed.epoch_seconds())).collect(),
        spread: all.iter().map(BatchSizeTimes::seconds_range).collect(),
        ..Series::default()
    }];
    let chart = Chart {
        title: "Seconds per epoch",
        x_name: "batch size",
        y_name: "seconds per epoch",
        x_scale: Scale::Log2,
        y_bounds: (0.0, f64::MAX),
        series: &series,
        ..Chart::default()
    };
    chart.to_svg(SIZE.0, SIZE.1)
}

/// Formats seconds as microseconds, always in this unit, so that a column can be compared.
fn microseconds(seconds: f64) -> String {
    format!("{} µs", three_digits(1e6 * seconds))
}

/// Sentences about the trade-off: updates per epoch, time per update, accuracy at equal epochs and
/// at equal time.
fn explanation(all: &[BatchSizeTimes<'_>], limit: f64, epochs: usize) -> Vec<String> {
    let (Some(small), Some(large)) = (all.first(), all.last()) else { return Vec::new() };
    let size = |timed: &BatchSizeTimes<'_>| grouped(timed.batch_size as usize);
    let mean = |timed: &BatchSizeTimes<'_>| timed.result.mean.unwrap_or(f64::NAN);
    let mut sentences = vec![
        format!(
            "With batches of {} images an epoch has {} of {} in the median, with batches of {} it has {} of {}.",
            size(small),
            counted(small.num_updates, "update", "updates"),
            microseconds(small.update_seconds()),
            size(large),
            grouped(large.num_updates),
            microseconds(large.update_seconds()),
        ),
        faster(small, large),
    ];
    let Some(best) = all.iter().max_by(|a, b| mean(a).total_cmp(&mean(b))) else { return sentences };
    sentences.push(format!(
        "At equal epochs ({epochs}), batches of {} give the highest mean accuracy, {:.4}; the smallest give {:.4}, the largest \
         {:.4}; the verdicts above say which of this is more than chance. With the learning rate the same for all, fewer \
         updates may not go far enough, and the smaller the batch, the noisier each step.",
        size(best),
        mean(best),
        mean(small),
        mean(large)
    ));
    let in_time: Vec<_> =
        all.iter().filter_map(|timed| Some((timed, timed.accuracy_within(limit)?))).collect();
    if let Some((best, (accuracy, done))) = in_time.iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0)) {
        let late: Vec<String> =
            all.iter().filter(|timed| timed.accuracy_within(limit).is_none()).map(size).collect();
        let late = match late.as_slice() {
            [] => String::new(),
            late => format!(" Batches of {} had not finished their first epoch by then.", listed(late)),
        };
        sentences.push(format!(
            "At equal time ({}, as long as the fastest training of all took), batches of {} have the highest mean accuracy, \
             {accuracy:.4} after {}.{late}",
            seconds(limit),
            size(best),
            counted_epochs(*done),
        ));
    }
    sentences
}

/// Sentence that says whether an epoch takes less time with the smallest or the largest batches, or
/// that the trials do not decide it.
fn faster(small: &BatchSizeTimes<'_>, large: &BatchSizeTimes<'_>) -> String {
    let name = |timed: &BatchSizeTimes<'_>| format!("batches of {}", grouped(timed.batch_size as usize));
    let trials = small.times.trials.len().min(large.times.trials.len());
    let both = format!(
        "{} with {} and {} with {}",
        seconds(small.epoch_seconds()),
        name(small),
        seconds(large.epoch_seconds()),
        name(large)
    );
    let test = |p: f64| format!("(Mann-Whitney test over {trials} trials of each, p {})", p_value(p));
    let (fast, slow, p) = match small.times.compare(large.times) {
        Faster::First(p) => (small, large, p),
        Faster::Second(p) => (large, small, p),
        Faster::Undecided(p) => {
            return format!(
                "An epoch takes {both} in the median, but the trials overlap so much that neither can be called faster {}.",
                test(p)
            );
        }
        Faster::TooFew => {
            return format!(
                "An epoch took {both}. With {} of each it cannot be said whether that is more than chance: that takes four \
                 `seeds` or more.",
                counted(trials, "trial", "trials")
            );
        }
    };
    format!(
        "An epoch is faster with {} than with {}: {} in place of {} in the median, {} times as fast {}.",
        name(fast),
        name(slow),
        seconds(fast.epoch_seconds()),
        seconds(slow.epoch_seconds()),
        significant(slow.epoch_seconds() / fast.epoch_seconds()),
        test(p)
    )
}

fn counted_epochs(epochs: f64) -> String {
    if epochs == 1.0 { "one epoch".to_owned() } else { format!("{} epochs", significant(epochs)) }
}
