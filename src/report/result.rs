//! Owns the sections about a test: confusion matrix, scores, calibration, mistakes.

use maud::{Markup, html};

use crate::data::InputSpec;
use crate::error::Result;
use crate::evaluation::{Calibration, CalibrationBin, ClassScores, ConfusionMatrix, score_table};
use crate::plots;
use crate::plots::{Chart, Line, gray_png};
use crate::report::components;
use crate::report::curves::{SIZE, line};
use crate::run::TestEvaluation;
use crate::util::format::{counted, grouped, percent};
use crate::util::table::{Column, TextTable};

/// Confusion matrix with one row per true class. Each cell is shaded by its share of the row.
pub(crate) fn confusion(matrix: &ConfusionMatrix, classes: &[String]) -> Result<Markup> {
    let counts = &matrix.counts;
    if !matrix.is_readable() {
        let picture = plots::ConfusionMatrix { title: "", subtitle: "", classes, counts };
        let png = picture.draw()?.to_png()?;
        return Ok(html! { figure { (components::image(&png, "confusion matrix")) } });
    }
    let strengths = plots::confusion_strengths(counts);
    Ok(html! {
        div.scroll {
            table.confusion {
                thead {
                    tr { th { } th.axis colspan=(counts.len()) { "predicted class" } }
                    tr { th.axis { "true" } @for class in classes { th scope="col" { (class) } } }
                }
                tbody {
                    @for (class, row) in counts.iter().enumerate() {
                        tr {
                            th scope="row" { (classes[class]) }
                            @for (predicted, &strength) in strengths[class].iter().enumerate() {
                                (cell([class, predicted], row, strength, classes))
                            }
                        }
                    }
                }
            }
        }
    })
}

/// Explains the matrix and the scores beside it.
pub(crate) fn confusion_note(matrix: &ConfusionMatrix) -> Markup {
    let shades = match matrix.is_readable() {
        true => {
            "Blue is right, the stronger the larger its share of the row; orange is wrong, strongest for the worst mistake. "
        }
        false => "",
    };
    html! {
        p.note {
            "Each row is a true class, each column a predicted one. " (shades)
            "Precision: of the images given a class, the share that is of it; recall: of the images of a class, the share "
            "that was given it; F1: the harmonic mean of both."
        }
    }
}

/// Cell of the images of `class` that were taken for the class `predicted`.
fn cell([class, predicted]: [usize; 2], row: &[u64], strength: f64, classes: &[String]) -> Markup {
    let (count, total) = (row[predicted], row.iter().copied().fold(0, u64::saturating_add));
    let right = class == predicted;
    let hue = if right { "--good" } else { "--bad" };
    // A stronger shade would take the contrast from the numbers.
    let style = format!("background:rgba(var({hue}),{:.2})", 0.75 * strength);
    let total = counted(total as usize, "image", "images");
    let [name, predicted] = [class, predicted].map(|class| &classes[class]);
    let meaning = format!("{count} of {total} of class {name} taken for {predicted}");
    html! {
        td style=(style) title=(meaning) {
            @if count == 0 { "·" } @else { (grouped(count as usize)) }
        }
    }
}

/// Table of precision, recall and F1 of each class.
pub(crate) fn scores(classes: &[ClassScores], names: &[String]) -> Markup {
    components::text_table(&score_table(classes, names))
}

/// Chart and table of the accuracy over the confidence.
pub(super) fn calibration(calibration: &Calibration) -> Result<Markup> {
    let filled: Vec<_> = calibration.bins.iter().filter(|bin| bin.num_images > 0).collect();
    let points: Vec<(f64, f64)> = filled.iter().map(|bin| (bin.confidence, bin.accuracy)).collect();
    let columns: [Column<CalibrationBin>; 3] = [
        Column::number("confidence", |bin| percent(bin.confidence)),
        Column::number("accuracy", |bin| percent(bin.accuracy)),
        Column::number("images", |bin| grouped(bin.num_images as usize)),
    ];
    let table = TextTable::new(&columns, filled);
    let series = [
        line("this network", points, 0, Line::Solid),
        line("confidence equals accuracy", vec![(0.0, 0.0), (1.0, 1.0)], 2, Line::Dashed),
    ];
    let chart = Chart {
        x_name: "confidence",
        y_name: "accuracy",
        y_bounds: (0.0, 1.0),
        series: &series,
        ..Chart::default()
    };
    Ok(html! {
        p {
            "Where the line lies below the diagonal, the network is overconfident. The expected calibration error is "
            strong { (format!("{:.4}", calibration.error)) } ": the mean gap between confidence and accuracy, over all images (Guo et al. 2017, 15 bins). "
            "Points of few images say little."
        }
        div.result { (components::svg_figure(chart.to_svg(SIZE.0, SIZE.1)?)) (components::text_table(&table)) }
    })
}

/// The misclassified images of the highest loss, each with its true and its predicted class.
pub(crate) fn mistakes(test: &TestEvaluation, layout: InputSpec, classes: &[String]) -> Result<Markup> {
    let mut tiles = Vec::new();
    for (mistake, pixels) in test.evaluation.top_losses.iter().zip(&test.worst_pixels) {
        let png = gray_png(pixels, layout.height, layout.width, 1)?;
        tiles.push(components::tile(
            &png,
            &[
                format!("{} taken for {}", classes[mistake.label], classes[mistake.predicted]),
                format!("confidence {}", percent(mistake.confidence)),
                format!("test image {}", mistake.index),
            ],
        ));
    }
    Ok(html! {
        p { "The images with the highest loss: those where the network gave the true class the least probability." }
        div.tiles { @for tile in &tiles { (tile) } }
    })
}
