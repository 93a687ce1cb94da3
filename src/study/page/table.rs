//! Owns the table of a study, one row per configuration: a column is declared once, for the
//! terminal and for the page. Depends on the study's summary. Must not write HTML or print.

use crate::study::page::text::verdict_cell;
use crate::study::search_space::{key_name, value_name};
use crate::study::{ConfigurationResult, StudySummary};
use crate::util::format::{grouped, range_of_seconds, seconds, short_points};
use crate::util::table::{Align, Column, Header, TextTable, or_dash};

/// Most keys that have a column each in the table of a search. With more, they share one.
const MAX_KEY_COLUMNS: usize = 3;
/// Name of the column with the values of all keys.
const CONFIGURATION: &str = "configuration";

/// Place where the table of a study is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A terminal, which may have 80 columns only.
    Terminal,
    /// An HTML page.
    Page,
}

/// Condition under which a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// On the terminal and in the page.
    Always,
    /// In the page, and on the terminal unless the columns of times take the space.
    UnlessTimed,
    /// In the page, and on the terminal unless the columns of times or of several keys take the
    /// space.
    WhereRoom,
    /// In the page only.
    OnPage,
    /// On the terminal and in the page of a timed study.
    IfTimed,
    /// In a study that shows balanced accuracies.
    IfBalanced,
    /// In a study with successive halving.
    IfHalved,
}

/// One row: a configuration, its index in the study, and the medium for which its cells are
/// formatted.
struct Row<'a> {
    result: &'a ConfigurationResult,
    summary: &'a StudySummary,
    index: usize,
    medium: Medium,
}

/// The columns, from left to right. A new column of the study table is one more line here.
fn columns<'a>() -> [(Shown, Column<Row<'a>>); 13] {
    [
        (Shown::Always, Column::text(CONFIGURATION, |row| row.result.configuration.name())),
        (Shown::IfHalved, Column::number("epochs", epochs)),
        (Shown::Always, Column::number("accuracy", |row| accuracy(row.result.accuracy))),
        (Shown::IfBalanced, Column::number("balanced", |row| accuracy(row.result.balanced_accuracy))),
        (Shown::OnPage, Column::number("± sd", |row| accuracy(row.result.deviation))),
        (Shown::WhereRoom, Column::number("95 % interval", interval)),
        (Shown::OnPage, Column::number("loss", |row| or_dash(row.result.loss, crate::util::format::loss))),
        (Shown::UnlessTimed, Column::number("Δ to best", |row| delta(row.result))),
        (Shown::Always, Column::number("verdict", |row| verdict_cell(row.summary, row.index))),
        (Shown::OnPage, Column::number("trials", |row| trials(row.result))),
        (Shown::OnPage, Column::number("parameters", |row| or_dash(row.result.num_parameters, grouped))),
        (Shown::IfTimed, Column::number("per epoch", |row| median_time(row.result))),
        (Shown::IfTimed, Column::number("from … to", |row| time_range(row.result))),
    ]
}

/// The table of a study: one row per configuration, in the plan's order, or of a search from the best
/// to the worst. With `is_timed` it has the time per epoch.
pub fn study_table(summary: &StudySummary, is_timed: bool, medium: Medium) -> TextTable {
    let is_shown = |shown: Shown| match shown {
        Shown::Always => true,
        Shown::UnlessTimed => medium == Medium::Page || !is_timed,
        Shown::WhereRoom => medium == Medium::Page || !(is_timed || summary.is_search),
        Shown::OnPage => medium == Medium::Page,
        Shown::IfTimed => is_timed,
        Shown::IfBalanced => summary.shows_balanced_accuracy(),
        Shown::IfHalved => summary.halving.is_some(),
    };
    let columns: Vec<_> =
        columns().into_iter().filter(|(shown, _)| is_shown(*shown)).map(|(_, column)| column).collect();
    let order = summary.order();
    let row = |&index: &usize| Row { result: &summary.configurations[index], summary, index, medium };
    let table = TextTable::new(&columns, order.iter().map(row));
    match summary.is_search {
        true => with_key_columns(table, summary, &order),
        false => table,
    }
}

/// The same table with a column for each key in place of the configurations' names, unless there are
/// too many keys. `order` has the index of each row's configuration.
fn with_key_columns(mut table: TextTable, summary: &StudySummary, order: &[usize]) -> TextTable {
    let values = |index: usize| &summary.configurations[index].configuration.values;
    let Some(keys) = order.first().map(|&index| values(index)) else { return table };
    if keys.len() > MAX_KEY_COLUMNS || table.headers.first().is_none_or(|first| first.name != CONFIGURATION) {
        return table;
    }
    let are_numbers = |place: usize| order.iter().all(|&index| values(index)[place].1.parse::<f64>().is_ok());
    let headers = keys.iter().enumerate().map(|(place, (key, _))| Header {
        name: key_name(key),
        align: if are_numbers(place) { Align::Right } else { Align::Left },
    });
    table.headers.splice(..1, headers);
    for (row, &index) in table.rows.iter_mut().zip(order) {
        row.splice(..1, values(index).iter().map(|(key, value)| value_name(key, value)));
    }
    table
}

/// Formats an accuracy, or a standard deviation of accuracies, with four decimals.
pub(super) fn accuracy(value: Option<f64>) -> String {
    or_dash(value, |value| format!("{value:.4}"))
}

/// Number of epochs after which a configuration was judged: those of the last rung that it has come to.
fn epochs(row: &Row<'_>) -> String {
    let last = row.summary.halving.iter().flatten().last().map(|rung| rung.epochs);
    or_dash(row.result.stopped_after.or(last), |epochs| epochs.to_string())
}

fn interval(row: &Row<'_>) -> String {
    or_dash(row.result.interval, |(low, high)| match row.medium {
        Medium::Page if !row.summary.is_search => format!("{low:.4} to {high:.4}"),
        // The columns of the keys leave no room for spaces.
        Medium::Terminal | Medium::Page => format!("{low:.4}–{high:.4}"),
    })
}

/// Formats the accuracy of the best configuration minus this one's, in percentage points.
fn delta(result: &ConfigurationResult) -> String {
    or_dash(result.comparison, |comparison| short_points(comparison.difference.difference))
}

/// Number of trials by their ends, such as `4, 1 diverged`: the first number are those that
/// finished.
fn trials(result: &ConfigurationResult) -> String {
    let mut trials = vec![result.num_finished.to_string()];
    trials.extend((result.num_diverged > 0).then(|| format!("{} diverged", result.num_diverged)));
    trials.extend((result.num_missing > 0).then(|| format!("{} missing", result.num_missing)));
    trials.join(", ")
}

/// Median time per epoch over the trials.
fn median_time(result: &ConfigurationResult) -> String {
    or_dash(result.epoch_seconds.as_ref(), |times| seconds(times.spread.median))
}

/// Range of the time per epoch over the trials.
fn time_range(result: &ConfigurationResult) -> String {
    or_dash(result.epoch_seconds.as_ref(), |times| range_of_seconds(times.spread.min, times.spread.max))
}
