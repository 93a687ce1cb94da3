//! Owns the charts of a study: accuracy over a parameter that varies, and learning curves. Depends
//! on `plots`.

use std::collections::HashMap;

use maud::{Markup, html};

use crate::error::Result;
use crate::plots::{Chart, Colour, Line, Scale, Series};
use crate::report::components;
use crate::report::curves::{LARGE, SIZE, line};
use crate::study::page::order::{MAX_CURVES, Selection};
use crate::study::page::{Section, StudyPage, repeat_name};
use crate::study::{Configuration, ConfigurationResult, EpochChoice, TrialRecord};
use crate::training::EpochRecord;

/// Most repeats, which are pairs of seed and fold, that are drawn as one line each. With more of
/// them, each trial is a point.
const MAX_LINES: usize = 5;

/// Chart of the accuracy over the numeric parameter with the most values, with one line for each
/// combination of the other parameters. With one line only, each seed and fold is drawn, too.
/// `None` where no number is varied.
pub(super) fn accuracy_chart(page: &StudyPage<'_>) -> Result<Option<Section>> {
    let Some(key) = numeric_key(page) else { return Ok(None) };
    let configurations = &page.summary.configurations;
    let lines = lines(configurations, &key);
    let highest = |of_line: &[&ConfigurationResult]| {
        of_line.iter().filter_map(|result| result.mean).fold(0.0, f64::max)
    };
    let highest: Vec<_> = lines.iter().map(|(line, of_line)| (line, highest(of_line))).collect();
    let selection = Selection::new(&highest);
    let single = lines.len() == 1;
    let mut series = Vec::new();
    if single {
        series.extend(trial_lines(page, &key));
    }
    for (place, &index) in selection.indices.iter().enumerate() {
        let (line, of_line) = &lines[index];
        let name = if single { "mean, with its 95 % interval".to_owned() } else { line.name() };
        series.push(mean_line(of_line, &key, &name, selection.colour(place)));
    }
    let xs: Vec<f64> = configurations.iter().filter_map(|result| result.configuration.number(&key)).collect();
    let short = key.rsplit('.').next().unwrap_or(&key).replace('_', " ");
    let chart = Chart {
        x_name: &short,
        y_name: &format!("validation {}", page.summary.measure.name()),
        x_scale: scale(&xs, &key),
        y_bounds: (0.0, 1.0),
        series: &series,
        ..Chart::default()
    };
    let best = page.summary.best.and_then(|best| configurations[best].configuration.number(&key));
    let label = "best";
    let marks: Vec<(f64, &str)> = best.map(|best| (best, label)).into_iter().collect();
    let chart = Chart { marks: &marks, ..chart };
    let content = html! {
        (components::large_svg_figure(chart.to_svg(LARGE.0, LARGE.1)?))
        @if let Some(note) = selection.note(lines.len()) { p.note { (note) } }
    };
    Ok(Some(Section { title: format!("{} against {short}", page.summary.measure.title()), content }))
}

/// Returns the configurations that differ in the value of `key` alone, as one line for each combination of the other
/// values. A study may have many thousand configurations, so each one is looked at once.
fn lines<'a>(
    configurations: &'a [ConfigurationResult],
    key: &str,
) -> Vec<(Configuration, Vec<&'a ConfigurationResult>)> {
    let mut lines: Vec<(Configuration, Vec<&ConfigurationResult>)> = Vec::new();
    let mut places = HashMap::new();
    for result in configurations {
        let values = result.configuration.values.iter().filter(|(name, _)| **name != *key).cloned();
        let others = Configuration { values: values.collect() };
        let place = *places.entry(others.clone()).or_insert(lines.len());
        if place == lines.len() {
            lines.push((others, Vec::new()));
        }
        lines[place].1.push(result);
    }
    lines
}

/// Returns the key that has only numbers as values, and the most of them.
fn numeric_key(page: &StudyPage<'_>) -> Option<String> {
    let values = |key: &str| -> Option<usize> {
        let numbers: Option<Vec<f64>> =
            page.plan.configurations.iter().map(|configuration| configuration.number(key)).collect();
        let mut numbers = numbers?;
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        (numbers.len() > 1).then_some(numbers.len())
    };
    let counted = page.study.keys().filter_map(|key| Some((values(key)?, key)));
    counted.max_by_key(|(count, _)| *count).map(|(_, key)| key.to_owned())
}

/// Chooses a logarithmic axis for positive values that span a factor of 8 or more, to base 2 for
/// batch sizes and powers of two, and else a linear one.
pub(super) fn scale(xs: &[f64], key: &str) -> Scale {
    let low = xs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = xs.iter().copied().fold(0.0, f64::max);
    if low <= 0.0 || high / low < 8.0 {
        return Scale::Linear;
    }
    let is_power = |x: &f64| x.log2().fract() == 0.0;
    if key.ends_with("batch_size") || xs.iter().all(is_power) { Scale::Log2 } else { Scale::Log }
}

/// Line of the mean accuracies of these configurations over the numeric parameter `key`, with their
/// 95 % intervals.
fn mean_line(configurations: &[&ConfigurationResult], key: &str, name: &str, colour: Colour) -> Series {
    let mut points: Vec<(f64, f64, (f64, f64))> = configurations
        .iter()
        .filter(|result| result.is_ranked())
        .filter_map(|result| Some((result.configuration.number(key)?, result.mean?, result.interval?)))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Series {
        name: name.to_owned(),
        points: points.iter().map(|(x, y, _)| (*x, *y)).collect(),
        spread: points.iter().map(|(_, _, interval)| *interval).collect(),
        colour,
        ..Series::default()
    }
}

/// One line over the parameter `key` for each seed and fold, or points where there are more than
/// [`MAX_LINES`] of them. Empty where each configuration was trained once.
fn trial_lines(page: &StudyPage<'_>, key: &str) -> Vec<Series> {
    let mut repeats: Vec<(u64, Option<usize>)> = Vec::new();
    for record in page.records {
        if !repeats.contains(&(record.seed, record.fold)) {
            repeats.push((record.seed, record.fold));
        }
    }
    let measure = page.summary.measure;
    let points = |records: &mut dyn Iterator<Item = &&TrialRecord>| {
        let mut points: Vec<(f64, f64)> = records
            .filter_map(|record| Some((record.configuration.number(key)?, record.score(measure)?)))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    };
    if repeats.len() < 2 {
        return Vec::new();
    }
    if repeats.len() > MAX_LINES {
        return vec![line("each trial", points(&mut page.records.iter()), 3, Line::None)];
    }
    let lines = repeats.iter().enumerate().map(|(index, &(seed, fold))| {
        let name = repeat_name(page.study, (seed, fold));
        let mut of_repeat = page.records.iter().filter(|record| record.seed == seed && record.fold == fold);
        line(&name, points(&mut of_repeat), index + 1, Line::Dashed)
    });
    lines.collect()
}

/// Charts of the validation accuracy and loss per epoch, or of those on the stopping images, as means over the trials of each ranked
/// configuration. `None` where no trial has two epochs.
pub(super) fn learning_curves(page: &StudyPage<'_>) -> Result<Option<Markup>> {
    let longest = page.records.iter().map(|record| record.epochs.len()).max().unwrap_or(0);
    if longest < 2 {
        return Ok(None);
    }
    let configurations = &page.summary.configurations;
    let is_finished = |index: &usize| configurations[*index].is_finished();
    let is_halved = page.summary.halving.is_some();
    // With halving, the tables begin with the configurations that were trained longest.
    let ranked: Vec<usize> = match is_halved {
        true => page.summary.order().into_iter().filter(is_finished).take(MAX_CURVES).collect(),
        false => (0..configurations.len()).filter(is_finished).collect(),
    };
    let with_mean =
        |&index: &usize| (&configurations[index].configuration, configurations[index].mean.unwrap_or(0.0));
    let selection = Selection::new(&ranked.iter().map(with_mean).collect::<Vec<_>>());
    type Value = fn(&EpochRecord) -> Option<f64>;
    let is_held_out = matches!(page.summary.epoch_choice, Some(EpochChoice::StoppingImages { .. }));
    let [accuracy, loss] = match is_held_out {
        true => ["Accuracy on the stopping images", "Loss on the stopping images"],
        false => ["Validation accuracy", "Validation loss"],
    };
    let measures: [(&str, &str, (f64, f64), Value); 2] = [
        (accuracy, "share correct", (0.0, 1.0), |epoch| epoch.validation_accuracy),
        (loss, "cross-entropy (nats)", (0.0, f64::MAX), |epoch| epoch.validation_loss),
    ];
    let mut drawings = Vec::new();
    for (title, unit, bounds, value) in measures {
        let of_place = |(place, &index): (usize, &usize)| Series {
            name: page.plan.configurations[ranked[index]].name(),
            points: mean_curve(page, ranked[index], value),
            colour: selection.colour(place),
            ..Series::default()
        };
        let series: Vec<Series> = selection.indices.iter().enumerate().map(of_place).collect();
        let chart = Chart {
            title,
            x_name: "epoch",
            y_name: unit,
            x_scale: Scale::Whole,
            y_bounds: bounds,
            series: &series,
            ..Chart::default()
        };
        drawings.push(components::svg_figure(chart.to_svg(SIZE.0, SIZE.1)?));
    }
    Ok(Some(html! {
        div.drawings { @for drawing in &drawings { (drawing) } }
        p.note {
            "Means over each configuration's trials."
            @if is_halved {
                " A curve ends where halving stopped its configuration. Up to " (MAX_CURVES)
                " are drawn: those of most epochs, and of these the best."
            }
            @if let Some(note) = selection.note(ranked.len()) { " " (note) }
        }
    }))
}

/// Points (epoch, mean of `value`) of the configuration `index`, for each epoch that all of its
/// trials reached.
fn mean_curve(page: &StudyPage<'_>, index: usize, value: fn(&EpochRecord) -> Option<f64>) -> Vec<(f64, f64)> {
    let configuration = &page.plan.configurations[index];
    let trials: Vec<_> =
        page.records.iter().filter(|record| record.configuration == *configuration).collect();
    let epochs = trials.iter().map(|record| record.epochs.len()).min().unwrap_or(0);
    let mean = |epoch: usize| {
        let values: Option<Vec<f64>> = trials.iter().map(|record| value(&record.epochs[epoch])).collect();
        let values = values?;
        Some(((epoch + 1) as f64, values.iter().sum::<f64>() / values.len() as f64))
    };
    (0..epochs).filter_map(mean).collect()
}
