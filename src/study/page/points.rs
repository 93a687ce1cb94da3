//! Owns the charts of a search, whose configurations hardly share a value: a point for each
//! configuration over each key with numbers. Depends on `plots`.

use maud::html;

use crate::error::Result;
use crate::plots::{Chart, Colour, Line, Scale, Series};
use crate::report::components;
use crate::report::curves::SIZE;
use crate::study::page::charts::scale;
use crate::study::page::{Section, StudyPage};
use crate::study::search_space::key_name;
use crate::study::{ConfigurationResult, RungResult, StudySummary};
use crate::util::format::counted;

/// A chart of the mean accuracy over each key that has only numbers as values. `None` if there is no
/// such key.
pub(super) fn section(page: &StudyPage<'_>) -> Result<Option<Section>> {
    let mut drawings = Vec::new();
    for key in page.study.keys() {
        drawings.extend(chart(page, key)?.map(components::svg_figure));
    }
    if drawings.is_empty() {
        return Ok(None);
    }
    let content = html! {
        div.drawings { @for drawing in &drawings { (drawing) } }
        p.note {
            "A point for each configuration: its mean over its trials."
            @if page.study.keys().count() > 1 {
                " All keys vary at once, so a low point in one chart can have its cause in another."
            }
        }
    };
    let title = format!("{} against each key", page.summary.measure.title());
    Ok(Some(Section { title, content }))
}

/// Points of the configurations at `places`, which has the value of a key and the mean of each: one
/// series, or with halving one for each rung.
fn series(summary: &StudySummary, places: &[(f64, Option<f64>)]) -> Vec<Series> {
    let last = summary.halving.as_ref().map_or(0, |rungs| rungs.len().saturating_sub(1));
    let ends: Vec<(String, Option<usize>)> = match &summary.halving {
        None => vec![(String::new(), None)],
        Some(rungs) => (rungs.iter().enumerate())
            .map(|(rung, &RungResult { epochs, .. })| {
                (format!("after {}", counted(epochs, "epoch", "epochs")), (rung < last).then_some(epochs))
            })
            .collect(),
    };
    let of_end = |(place, (name, end)): (usize, (String, Option<usize>))| Series {
        name,
        points: (summary.configurations.iter().zip(places))
            .filter(|(result, _)| result.stopped_after == end)
            .filter_map(|(_, (x, mean))| Some((*x, (*mean)?)))
            .collect(),
        line: Line::None,
        colour: Colour::Category(last - place),
        ..Series::default()
    };
    ends.into_iter().enumerate().map(of_end).collect()
}

/// Chart over one key, or `None` if some of its values are no numbers or none is ranked.
fn chart(page: &StudyPage<'_>, key: &str) -> Result<Option<String>> {
    let results = &page.summary.configurations;
    let place = |result: &ConfigurationResult| Some((result.configuration.number(key)?, result.mean));
    let Some(places) = results.iter().map(place).collect::<Option<Vec<_>>>() else { return Ok(None) };
    let xs: Vec<f64> = places.iter().map(|(x, _)| *x).collect();
    let series = series(page.summary, &places);
    if series.iter().all(|series| series.points.is_empty()) {
        return Ok(None);
    }
    let best = page.summary.best.and_then(|best| results[best].configuration.number(key));
    let marks: Vec<(f64, &str)> = best.map(|best| (best, "best")).into_iter().collect();
    let chart = Chart {
        x_name: &key_name(key),
        y_name: &format!("validation {}", page.summary.measure.name()),
        x_scale: match page.study.is_log(key) {
            Some(false) => Scale::Linear,
            Some(true) | None => scale(&xs, key),
        },
        y_bounds: (0.0, 1.0),
        series: &series,
        marks: &marks,
        ..Chart::default()
    };
    chart.to_svg(SIZE.0, SIZE.1).map(Some)
}
