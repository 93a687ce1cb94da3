//! Accuracy against the number of weights: which architectures nothing smaller beats.

use maud::{Markup, html};

use super::super::curves::LARGE;
use super::super::parts;
use super::StudyPage;
use super::points;
use crate::error::Result;
use crate::figures::{Chart, Line, Scale, Series};
use crate::number::grouped;
use crate::plan::Plan;
use crate::study::SettingResult;

/// Accuracy against weights, with the Pareto front and the best architecture; none where all networks are of one size.
pub(super) fn section(page: &StudyPage<'_>) -> Result<Option<Markup>> {
    let ranked: Vec<(&SettingResult, usize, f64)> = page
        .summary
        .settings
        .iter()
        .filter(|setting| setting.is_ranked())
        .filter_map(|setting| Some((setting, setting.num_parameters?, setting.mean?)))
        .collect();
    let sizes: Vec<usize> = ranked.iter().map(|(_, weights, _)| *weights).collect();
    if sizes.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(None);
    }
    let front = pareto(&ranked.iter().map(|(_, weights, mean)| (*weights, *mean)).collect::<Vec<_>>());
    let place = |&index: &usize| (ranked[index].1 as f64, ranked[index].2);
    let all = Series {
        name: "settings, with their 95 % intervals".to_owned(),
        points: (0..ranked.len()).map(|index| place(&index)).collect(),
        spread: ranked.iter().map(|(setting, _, mean)| setting.interval.unwrap_or((*mean, *mean))).collect(),
        labels: ranked.iter().map(|(setting, _, _)| shape(setting)).collect(),
        line: Line::None,
        colour: 0,
    };
    let best_of_their_size = Series {
        name: "nothing smaller is better (Pareto front)".to_owned(),
        points: front.iter().map(place).collect(),
        line: Line::Dashed,
        colour: 1,
        ..Series::default()
    };
    let series = [all, best_of_their_size];
    let chart = Chart {
        x_name: "weights and biases",
        y_name: "validation accuracy",
        x_scale: Scale::Log,
        y_bounds: (0.0, 1.0),
        series: &series,
        ..Chart::default()
    };
    let front: Vec<_> = front.iter().map(|&index| ranked[index]).collect();
    Ok(Some(html! {
        (parts::large_drawing(chart.to_svg(LARGE.0, LARGE.1)?))
        @for sentence in sentences(page, &front) { p { (sentence) } }
    }))
}

/// The places of those that nothing smaller or equally small is better than, smallest first.
fn pareto(points: &[(usize, f64)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| points[a].0.cmp(&points[b].0).then(points[b].1.total_cmp(&points[a].1)));
    let mut best = f64::NEG_INFINITY;
    order.retain(|&index| {
        let is_better = points[index].1 > best;
        best = best.max(points[index].1);
        is_better
    });
    order
}

/// The sizes of the best network's layers: `784 → 128 → 10`.
fn layers(page: &StudyPage<'_>) -> String {
    let best = page.plan.trials.iter().find(|trial| Some(trial.setting) == page.summary.best);
    let trained = page.records.first().map_or(0, |record| record.num_images.0);
    best.map_or_else(String::new, |trial| Plan::new(&trial.experiment, page.layout, trained).shape())
}

/// The widths, such as `784-128-10`, where they are varied; else the setting's name.
fn shape(setting: &SettingResult) -> String {
    let hidden = setting.setting.values.iter().find(|(key, _)| key == "model.hidden");
    match hidden {
        Some((_, widths)) if widths == "[]" => "none".to_owned(),
        Some((_, widths)) => widths.trim_matches(['[', ']']).replace(", ", "-"),
        None => setting.setting.name(),
    }
}

fn sentences(page: &StudyPage<'_>, front: &[(&SettingResult, usize, f64)]) -> Vec<String> {
    let mut sentences = Vec::new();
    let Some(best) = page.summary.best.map(|best| &page.summary.settings[best]) else { return sentences };
    let (mean, weights) = (best.mean.unwrap_or(f64::NAN), best.num_parameters.unwrap_or(0));
    sentences.push(format!(
        "The best architecture{} is {}, {}, with {} weights and a mean validation accuracy of {mean:.4}.",
        if page.summary.settings.iter().all(SettingResult::is_ranked) { "" } else { " of those ranked" },
        best.setting.name(),
        layers(page),
        grouped(weights)
    ));
    let smaller = page.summary.not_worse().filter(|setting| setting.num_parameters < best.num_parameters);
    if let Some(smallest) = smaller.min_by_key(|setting| setting.num_parameters) {
        sentences.push(format!(
            "The smallest that the data cannot tell from it is {}, with {} weights ({:.4}).",
            smallest.setting.name(),
            grouped(smallest.num_parameters.unwrap_or(0)),
            smallest.mean.unwrap_or(f64::NAN)
        ));
    }
    if let [first, .., last] = front {
        sentences.push(format!(
            "Along the front, {} times as many weights, {} in place of {}, classify {} more of the images correctly.",
            crate::number::significant(last.1 as f64 / first.1 as f64),
            grouped(last.1),
            grouped(first.1),
            points(last.2 - first.2)
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::pareto;

    #[test]
    fn the_front_by_hand() {
        assert_eq!(pareto(&[(10, 0.5), (5, 0.4), (7, 0.3), (10, 0.6), (20, 0.6), (30, 0.7)]), [1, 3, 5]);
        assert_eq!(pareto(&[]), [] as [usize; 0]);
    }
}
