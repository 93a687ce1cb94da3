//! Learning curves out of epochs' records.

use maud::{Markup, html};

use super::parts;
use crate::error::Result;
use crate::figures::{Chart, Series};
use crate::run::Records;
use crate::training::EpochRecord;

/// A drawing's width and its plot's height: small enough to be read on a phone.
pub(super) const SIZE: (usize, usize) = (520, 270);

/// Points of epoch and value.
type Curve = Vec<(f64, f64)>;

/// What is measured after every epoch.
struct Measure {
    title: &'static str,
    unit: &'static str,
    training: fn(&EpochRecord) -> Option<f64>,
    validation: fn(&EpochRecord) -> Option<f64>,
}

const LOSS: Measure = Measure {
    title: "Loss",
    unit: "cross-entropy (nats)",
    training: |epoch| Some(epoch.train_loss),
    validation: |epoch| epoch.validation_loss,
};

const ACCURACY: Measure = Measure {
    title: "Accuracy",
    unit: "share classified correctly",
    training: |epoch| Some(epoch.train_accuracy),
    validation: |epoch| epoch.validation_accuracy,
};

fn curve(epochs: &[EpochRecord], value: fn(&EpochRecord) -> Option<f64>) -> Curve {
    epochs.iter().filter_map(|epoch| Some((epoch.epoch as f64, value(epoch)?))).collect()
}

/// The accuracy of each run over its epochs, and which one: on the images held out where all runs have some, else on
/// those trained on.
pub fn accuracy_curves(runs: &[Records]) -> (String, Vec<Vec<(f64, f64)>>) {
    let of = |value: fn(&EpochRecord) -> Option<f64>| -> Vec<Curve> {
        runs.iter().map(|run| curve(&run.epochs, value)).collect()
    };
    let validation = of(ACCURACY.validation);
    if validation.iter().all(|points| !points.is_empty()) {
        return ("validation accuracy".to_owned(), validation);
    }
    ("training accuracy".to_owned(), of(ACCURACY.training))
}

/// Loss and accuracy of one run, training and validation in one drawing each.
pub(super) fn of_run(epochs: &[EpochRecord]) -> Result<Markup> {
    drawings(|measure| {
        vec![
            line("training", curve(epochs, measure.training), 0, false),
            line("validation", curve(epochs, measure.validation), 1, true),
        ]
    })
}

/// Loss and accuracy of several runs over one another: validation dashed, in the colour of its training.
pub(super) fn of_runs(runs: &[Records], names: &[String]) -> Result<Markup> {
    drawings(|measure| {
        let mut lines = Vec::new();
        for (index, (run, name)) in runs.iter().zip(names).enumerate() {
            lines.push(line(name, curve(&run.epochs, measure.training), index, false));
            let validation = curve(&run.epochs, measure.validation);
            lines.push(line(&format!("{name}, validation"), validation, index, true));
        }
        lines
    })
}

fn line(name: &str, points: Curve, colour: usize, dashed: bool) -> Series {
    Series { name: name.to_owned(), points, dashed, colour }
}

fn drawings(lines: impl Fn(&Measure) -> Vec<Series>) -> Result<Markup> {
    let mut drawings = Vec::new();
    for measure in [LOSS, ACCURACY] {
        let mut series = lines(&measure);
        series.retain(|line| !line.points.is_empty());
        let chart = Chart {
            title: measure.title,
            x_name: "epoch",
            y_name: measure.unit,
            x_whole: true,
            series: &series,
        };
        drawings.push(parts::drawing(chart.to_svg(SIZE.0, SIZE.1)?));
    }
    Ok(html! { div.drawings { @for drawing in &drawings { (drawing) } } })
}
