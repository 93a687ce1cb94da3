//! Owns the page about a learning-rate range test.

use maud::{Markup, html};

use crate::error::Result;
use crate::experiment::Experiment;
use crate::experiment::summary::ModelSummary;
use crate::plots::{Chart, Line, Scale};
use crate::report::components;
use crate::report::curves::{LARGE, line};
use crate::report::layout;
use crate::report::layout::section;
use crate::run::RunInfo;
use crate::training::{NoSuggestion, RangeTest, RatePoint, Suggestion};
use crate::util::format::{counted, grouped, loss, significant, three_digits};
use crate::util::table::{Column, TextTable};

/// Writes the page about a range test of `experiment`, run as `info` says. `command` holds the
/// words after `smallnet` that train the experiment.
///
/// # Errors
/// The experiment cannot be written as TOML, or the points cannot be drawn.
pub fn lr_find(
    test: &RangeTest,
    experiment: &Experiment,
    info: &RunInfo,
    command: &[String],
) -> Result<String> {
    let suggestion = test.suggestion();
    let mut sections = vec![section("Loss against learning rate", &curve(test, suggestion.ok().as_ref())?)];
    if let Ok(suggestion) = &suggestion {
        sections.push(section("Learning rates", &learning_rates(test, suggestion, experiment)));
        sections.push(section("Train with it", &training(suggestion, command)));
    }
    sections.push(section("Provenance", &provenance(test, info)));
    sections.push(section("Experiment", &html! { pre { (experiment.to_toml()?.trim_end()) } }));
    let title = format!("Learning rate for {}", info.experiment);
    Ok(layout::page(&title, &header(&title, test, suggestion, experiment, info), &sections))
}

/// Command line, without the program's name, that trains with `learning_rate` what `command`
/// trains.
pub fn train_command(command: &[String], learning_rate: f64) -> String {
    let words: Vec<_> = command.iter().map(|word| components::shell_word(word)).collect();
    format!("{} --set optimizer.learning_rate={}", words.join(" "), significant(learning_rate))
}

fn header(
    title: &str,
    test: &RangeTest,
    suggestion: std::result::Result<Suggestion, NoSuggestion>,
    experiment: &Experiment,
    info: &RunInfo,
) -> Markup {
    let model = ModelSummary::new(experiment, info.data.layout, info.data.num_train);
    html! {
        h1 { (title) }
        p {
            (model.shape()) " for " (info.data.source) ", " (model.optimizer) ", tried on " (info.adapter) ", "
            (info.started_at.get(..16).unwrap_or_default().replace('T', " ")) " UTC"
        }
        @match suggestion {
            Ok(suggestion) => {
                (components::stat_tiles(&[
                    (significant(suggestion.learning_rate), "suggested learning rate".to_owned()),
                    (loss_at(test, suggestion.lowest), format!("lowest smoothed loss, at {}", significant(suggestion.lowest))),
                    (grouped(test.points.len()), "steps".to_owned()),
                ]))
                p { (conclusion(test, &suggestion)) }
            }
            Err(why) => p.warning { "No learning rate can be suggested: " (why) ". Hint: " (why.hint()) "." }
        }
    }
}

/// Sentences about the losses.
fn conclusion(test: &RangeTest, suggestion: &Suggestion) -> String {
    let Suggestion { learning_rate, steepest, lowest, largest, .. } = suggestion;
    let end = match largest {
        Some(largest) => format!("and after {} the training diverges", significant(*largest)),
        None => "and the training never diverges".to_owned(),
    };
    format!(
        "The smoothed loss begins at {}, falls steepest around the learning rate {}, is lowest, {}, at {}, {end}. Smaller learning rates \
         than the steepest learn slowly; beyond the lowest, each step undoes what others learned. {} is half-way between \
         the two on the logarithmic axis.",
        loss(test.points.first().map_or(f64::NAN, |point| point.smoothed_loss)),
        significant(*steepest),
        loss_at(test, *lowest),
        significant(*lowest),
        significant(*learning_rate),
    )
}

/// Smoothed loss at the step with the nearest learning rate. `None` for a learning rate that was
/// not reached.
fn smoothed_at(test: &RangeTest, learning_rate: f64) -> Option<f64> {
    let (first, last) = (test.points.first()?, test.points.last()?);
    let distance = |point: &RatePoint| (point.learning_rate / learning_rate).ln().abs();
    let nearest = test.points.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    (first.learning_rate..=last.learning_rate).contains(&learning_rate).then_some(nearest.smoothed_loss)
}

/// The smoothed loss as text.
fn loss_at(test: &RangeTest, learning_rate: f64) -> String {
    smoothed_at(test, learning_rate).map_or_else(|| "–".to_owned(), loss)
}

fn curve(test: &RangeTest, suggestion: Option<&Suggestion>) -> Result<Markup> {
    // A loss that explodes in the last steps would press all others flat.
    let top = 1.25 * test.points.first().map_or(1.0, |point| point.loss);
    let along = |value: fn(&RatePoint) -> f64| {
        test.points.iter().map(|point| (point.learning_rate, value(point).min(top))).collect()
    };
    let series = [
        line("single batches", along(|point| point.loss), 4, Line::Dashed),
        line("smoothed", along(|point| point.smoothed_loss), 0, Line::Solid),
    ];
    let marks: Vec<(f64, &str)> = suggestion.map_or_else(Vec::new, |suggestion| {
        vec![
            (suggestion.steepest, "steepest"),
            (suggestion.learning_rate, "suggested"),
            (suggestion.lowest, "lowest"),
        ]
    });
    let chart = Chart {
        x_name: "learning rate",
        y_name: "cross-entropy (nats)",
        x_scale: Scale::Log,
        y_bounds: (0.0, f64::MAX),
        series: &series,
        marks: &marks,
        ..Chart::default()
    };
    let is_cut = test.points.iter().any(|point| point.loss > top);
    Ok(html! {
        p.note {
            "One training whose learning rate rises by the same factor from each step to the next. Each loss is measured on a batch just "
            "before the step that learns from it; smoothed, it follows a little later."
            @if is_cut { " Losses above " (loss(top)) " are drawn at that height." }
        }
        (components::large_svg_figure(chart.to_svg(LARGE.0, LARGE.1)?))
    })
}

fn learning_rates(test: &RangeTest, suggestion: &Suggestion, experiment: &Experiment) -> Markup {
    let Suggestion { learning_rate, steepest, lowest, lowest_tenth, largest } = *suggestion;
    let mut rows = vec![
        ("suggested", learning_rate, "half-way between steepest and lowest"),
        ("steepest", steepest, "the smoothed loss falls most per decade of the learning rate"),
        ("lowest", lowest, "the smoothed loss is lowest"),
        ("lowest / 10", lowest_tenth, "what fastai's minimum suggests"),
    ];
    rows.extend(largest.map(|lr| ("largest", lr, "the last before the loss diverges")));
    rows.push(("the experiment's", experiment.optimizer.learning_rate(), "not used in this test"));
    let rows = rows.into_iter().map(|(name, lr, meaning)| (name, lr, loss_at(test, lr), meaning));
    let columns: [Column<(&str, f64, String, &str)>; 4] = [
        Column::text("", |row| row.0.to_owned()),
        Column::number("learning rate", |row| three_digits(row.1)),
        Column::number("smoothed loss", |row| row.2.clone()),
        Column::text("meaning", |row| row.3.to_owned()),
    ];
    html! {
        div.layers { (components::text_table(&TextTable::new(&columns, rows))) }
        p.note {
            "These are losses of a network that has learned at all the smaller learning rates before, and nothing more. They say where "
            "learning is quick and where it breaks, not how good a whole training becomes."
        }
    }
}

fn training(suggestion: &Suggestion, command: &[String]) -> Markup {
    html! {
        pre { "smallnet " (train_command(command, suggestion.learning_rate)) }
        p.note {
            "The best learning rate of a whole training is often two or three times smaller or larger. To find it, hold images out "
            "(--set data.validation=10000) and compare a few learning rates on them, not on the test images."
        }
    }
}

fn provenance(test: &RangeTest, info: &RunInfo) -> Markup {
    let end = if test.has_diverged { "the loss diverged" } else { "the last learning rate" };
    let range = match (test.points.first(), test.points.last()) {
        (Some(first), Some(last)) => format!(
            "{} to {}, in {}, ended by {end}",
            significant(first.learning_rate),
            significant(last.learning_rate),
            counted(test.points.len(), "step", "steps")
        ),
        _ => "none".to_owned(),
    };
    let mut entries = vec![("learning rates", range), ("started", info.started_at.clone())];
    entries.extend(components::origin(info));
    components::definition_list(&entries)
}
