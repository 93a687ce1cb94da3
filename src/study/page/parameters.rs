//! Owns the section about accuracy and number of parameters, with the Pareto front: the
//! architectures that are more accurate than all smaller ones. Depends on `plots`.

use maud::{Markup, html};

use crate::error::Result;
use crate::experiment::summary::ModelSummary;
use crate::plots::{Chart, Colour, Line, Scale, Series};
use crate::report::components;
use crate::report::curves::LARGE;
use crate::study::page::StudyPage;
use crate::study::{ConfigurationResult, Verdict};
use crate::util::format::{grouped, points};

/// Chart of the accuracy over the number of parameters, with the Pareto front, and sentences about
/// it. `None` where all networks have the same size.
pub(super) fn section(page: &StudyPage<'_>) -> Result<Option<Markup>> {
    let ranked: Vec<(&ConfigurationResult, usize, f64)> = page
        .summary
        .configurations
        .iter()
        .filter(|result| result.is_ranked())
        .filter_map(|result| Some((result, result.num_parameters?, result.mean?)))
        .collect();
    let sizes: Vec<usize> = ranked.iter().map(|(_, weights, _)| *weights).collect();
    if sizes.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(None);
    }
    let front: Vec<(usize, f64)> = page
        .summary
        .pareto_front()
        .iter()
        .filter_map(|result| Some((result.num_parameters?, result.mean?)))
        .collect();
    let place = |&(weights, mean): &(usize, f64)| (weights as f64, mean);
    let all = Series {
        name: "configurations, with their 95 % intervals".to_owned(),
        points: ranked.iter().map(|&(_, weights, mean)| place(&(weights, mean))).collect(),
        spread: ranked.iter().map(|(result, _, mean)| result.interval.unwrap_or((*mean, *mean))).collect(),
        labels: ranked.iter().map(|(result, _, _)| shape(result)).collect(),
        line: Line::None,
        colour: Colour::Category(0),
    };
    let best_of_their_size = Series {
        name: "nothing smaller is better (Pareto front)".to_owned(),
        points: front.iter().map(place).collect(),
        line: Line::Dashed,
        colour: Colour::Category(1),
        ..Series::default()
    };
    let series = [all, best_of_their_size];
    let chart = Chart {
        x_name: "parameters (weights and biases)",
        y_name: &format!("validation {}", page.summary.measure.name()),
        x_scale: Scale::Log,
        y_bounds: (0.0, 1.0),
        series: &series,
        ..Chart::default()
    };
    Ok(Some(html! {
        (components::large_svg_figure(chart.to_svg(LARGE.0, LARGE.1)?))
        @for sentence in sentences(page, &front) { p { (sentence) } }
    }))
}

/// Sizes of the layers of the best configuration's network, such as `784 → 128 → 10`.
fn layers(page: &StudyPage<'_>) -> String {
    let best = page.plan.trials.iter().find(|trial| Some(trial.configuration) == page.summary.best);
    let trained = page.records.first().map_or(0, |record| record.num_images.0);
    best.map_or_else(String::new, |trial| ModelSummary::new(&trial.experiment, page.layout, trained).shape())
}

/// Label of a configuration: the widths of its hidden layers, such as `128-64`, where they are
/// varied. Otherwise it is the configuration's name.
fn shape(result: &ConfigurationResult) -> String {
    match result.configuration.value("model.hidden") {
        Some("[]") => "none".to_owned(),
        Some(widths) => widths.trim_matches(['[', ']']).replace(", ", "-"),
        None => result.configuration.name(),
    }
}

/// Sentences about the best architecture, the smallest ones that are as good or may be, and the two
/// ends of the Pareto front. `front` has the number of parameters and the mean accuracy of each
/// configuration on the front.
fn sentences(page: &StudyPage<'_>, front: &[(usize, f64)]) -> Vec<String> {
    let mut sentences = Vec::new();
    let Some(best) = page.summary.best.map(|best| &page.summary.configurations[best]) else {
        return sentences;
    };
    let measure = page.summary.measure.name();
    let (mean, weights) = (best.mean.unwrap_or(f64::NAN), best.num_parameters.unwrap_or(0));
    sentences.push(format!(
        "The best architecture{} is {}, {}, with {} parameters and a mean validation {measure} of {mean:.4}.",
        if page.summary.configurations.iter().all(ConfigurationResult::is_ranked) {
            ""
        } else {
            " of those ranked"
        },
        best.configuration.name(),
        layers(page),
        grouped(weights)
    ));
    let region = crate::study::page::text::equivalence_region(page.summary);
    for (verdict, said) in [
        (Verdict::PracticallyEqual, format!("is practically equal to it, within {region}")),
        (Verdict::Undecided, format!("may be as good, undecided within {region}")),
    ] {
        if let Some(smallest) = page.summary.smallest_with_verdict(verdict) {
            sentences.push(format!(
                "The smallest on the front that {said}, is {}, with {} parameters ({:.4}).",
                smallest.configuration.name(),
                grouped(smallest.num_parameters.unwrap_or(0)),
                smallest.mean.unwrap_or(f64::NAN)
            ));
        }
    }
    if let [first, .., last] = front {
        sentences.push(format!(
            "From one end of the front to the other there are {} times as many parameters, {} in place of {}, and the mean {measure} is {} \
             higher.",
            crate::util::format::significant(last.0 as f64 / first.0 as f64),
            grouped(last.0),
            grouped(first.0),
            points(last.1 - first.1)
        ));
    }
    sentences
}
