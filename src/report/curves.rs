//! Owns the learning curves, drawn from the records of epochs.

use maud::{Markup, html};

use crate::error::Result;
use crate::plots::{Chart, Colour, Line, Scale, Series};
use crate::report::components;
use crate::run::RunRecords;
use crate::training::EpochRecord;

/// Width of a chart and height of its plot, in pixels: small enough to be read on a phone.
pub(crate) const SIZE: (usize, usize) = (440, 240);

/// Width and height of the main chart of a page.
pub(crate) const LARGE: (usize, usize) = (520, 290);

/// Points of a line: epoch and value.
pub(super) type Curve = Vec<(f64, f64)>;

/// A quantity that is measured after every epoch.
struct Measure {
    title: &'static str,
    unit: &'static str,
    bounds: (f64, f64),
    training: fn(&EpochRecord) -> Option<f64>,
    validation: fn(&EpochRecord) -> Option<f64>,
}

const LOSS: Measure = Measure {
    title: "Loss",
    unit: "cross-entropy (nats)",
    bounds: (0.0, f64::MAX),
    training: |epoch| Some(epoch.train_loss),
    validation: |epoch| epoch.validation_loss,
};

const ACCURACY: Measure = Measure {
    title: "Accuracy",
    unit: "share correct",
    bounds: (0.0, 1.0),
    training: |epoch| Some(epoch.train_accuracy),
    validation: |epoch| epoch.validation_accuracy,
};

fn curve(epochs: &[EpochRecord], value: fn(&EpochRecord) -> Option<f64>) -> Curve {
    epochs.iter().filter_map(|epoch| Some((epoch.epoch as f64, value(epoch)?))).collect()
}

/// Curves of each run's accuracy over its epochs, with their name: on the held-out images where all
/// runs with epochs have some, otherwise on the training images. An imported run has no epochs.
pub fn accuracy_curves(runs: &[RunRecords]) -> (String, Vec<Vec<(f64, f64)>>) {
    let of = |value: fn(&EpochRecord) -> Option<f64>| -> Vec<Curve> {
        runs.iter().map(|run| curve(&run.epochs, value)).collect()
    };
    let validation = of(ACCURACY.validation);
    if validation.iter().zip(runs).all(|(points, run)| !points.is_empty() || run.epochs.is_empty()) {
        return ("validation accuracy".to_owned(), validation);
    }
    ("training accuracy".to_owned(), of(ACCURACY.training))
}

/// Draws loss and accuracy of one run, each with training and validation.
pub(crate) fn draw_run(epochs: &[EpochRecord]) -> Result<Markup> {
    draw_measures(|measure| {
        vec![
            line("training", curve(epochs, measure.training), 0, Line::Solid),
            line("validation", curve(epochs, measure.validation), 1, Line::Dashed),
        ]
    })
}

/// Draws loss and accuracy of several runs in the same charts. Validation is dashed, in the colour
/// and with the marks of its run's training.
pub(crate) fn draw_runs(runs: &[RunRecords], names: &[String]) -> Result<Markup> {
    draw_measures(|measure| {
        let mut lines = Vec::new();
        for (index, (run, name)) in runs.iter().zip(names).enumerate() {
            lines.push(line(name, curve(&run.epochs, measure.training), index, Line::Solid));
            lines.push(line("", curve(&run.epochs, measure.validation), index, Line::Dashed));
        }
        // The legend explains both kinds of lines once for all runs. Twice as many names would be
        // no help.
        if lines.iter().any(|line| line.line == Line::Dashed && !line.points.is_empty()) {
            for (name, line) in [("training", Line::Solid), ("validation", Line::Dashed)] {
                lines.push(Series { name: name.to_owned(), line, colour: Colour::Text, ..Series::default() });
            }
        }
        lines
    })
}

/// Line in the colour of category `colour`.
pub(crate) fn line(name: &str, points: Curve, colour: usize, line: Line) -> Series {
    Series { name: name.to_owned(), points, line, colour: Colour::Category(colour), ..Series::default() }
}

fn draw_measures(lines: impl Fn(&Measure) -> Vec<Series>) -> Result<Markup> {
    let mut drawings = Vec::new();
    for measure in [LOSS, ACCURACY] {
        let mut series = lines(&measure);
        series.retain(|line| !line.points.is_empty() || line.colour == Colour::Text);
        let chart = Chart {
            title: measure.title,
            x_name: "epoch",
            y_name: measure.unit,
            x_scale: Scale::Whole,
            y_bounds: measure.bounds,
            series: &series,
            ..Chart::default()
        };
        drawings.push(components::svg_figure(chart.to_svg(SIZE.0, SIZE.1)?));
    }
    Ok(html! { div.drawings { @for drawing in &drawings { (drawing) } } })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
