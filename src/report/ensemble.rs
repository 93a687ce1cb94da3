//! Owns the comparison of an ensemble with its networks, as a table and in sentences, for the
//! terminal.

use crate::evaluation::{EnsembleEvaluation, Evaluation, PairedTest};
use crate::statistics::wilson;
use crate::util::format::{grouped, loss};
use crate::util::table::{Column, TextTable, or_dash};

use crate::report::paired::p_cell;

/// Row of the table: a name, its evaluation, and the comparison with the ensemble, which the
/// ensemble itself has not.
type Row<'a> = (&'a str, &'a Evaluation, Option<&'a PairedTest>);

/// The table of the networks, called `names`, and of their ensemble: one row for each.
pub fn ensemble_table(names: &[String], ensemble: &EnsembleEvaluation) -> TextTable {
    let columns: [Column<Row<'_>>; 6] = [
        Column::text("network", |(name, ..)| (*name).to_owned()),
        Column::number("accuracy", |(_, evaluation, _)| format!("{:.4}", evaluation.accuracy)),
        Column::number("95 % interval", |(_, evaluation, _)| {
            let (low, high) = interval(evaluation);
            format!("{low:.4}–{high:.4}")
        }),
        Column::number("loss", |(_, evaluation, _)| loss(evaluation.loss)),
        Column::number("right alone", |(.., test)| {
            let alone = test.and_then(|test| test.only_this_right.zip(test.only_first_right));
            or_dash(alone, |(this, ensemble)| format!("{} : {}", grouped(this), grouped(ensemble)))
        }),
        Column::number("p (Holm)", |(.., test)| p_cell(test.and_then(|test| test.p_holm))),
    ];
    let EnsembleEvaluation { evaluation, members, tests } = ensemble;
    let members = names.iter().zip(members).zip(tests);
    let rows = members.map(|((name, member), test)| (name.as_str(), member, Some(test)));
    TextTable::new(&columns, rows.chain([("ensemble", evaluation, None)]))
}

/// Returns Wilson's 95 % interval of the accuracy of an evaluation, in [0, 1].
pub fn interval(evaluation: &Evaluation) -> (f64, f64) {
    wilson(evaluation.accuracy, evaluation.num_images)
}

/// Returns the sentence that explains the columns of [`ensemble_table`].
pub fn ensemble_note(ensemble: &EnsembleEvaluation) -> String {
    let count = ensemble.members.len();
    format!(
        "Mean accuracy of the {count} networks: {:.4}. The ensemble's probabilities are the means of theirs. Right alone: images \
         that only the network gets right : only the ensemble; p: McNemar's exact test of the two, after Holm's \
         correction for {count} tests. The intervals (Wilson 1927) are about the images, not about other seeds.",
        ensemble.mean_accuracy()
    )
}
