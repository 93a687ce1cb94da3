//! Owns the comparison of networks with the first one on the same test images, as a table and in
//! sentences, for the terminal and the page.

use crate::evaluation::{Method, PairedTest};
use crate::run::RunRecords;
use crate::util::format::{counted, grouped, p_value};
use crate::util::table::{Column, TextTable, or_dash};

/// Largest p-value, after Holm's correction, at which a difference is more than the choice of
/// images explains.
const SIGNIFICANT: f64 = 0.05;

/// The tests as a table: one row per network that is compared with the first one.
pub fn paired_table(names: &[String], tests: &[Option<PairedTest>]) -> TextTable {
    let columns: [Column<(&String, PairedTest)>; 6] = [
        Column::text("against the first", |(name, _)| (*name).clone()),
        Column::number("difference", |(_, test)| format!("{:+.2} pp", 100.0 * test.difference + 0.0)),
        Column::number("95 % interval", |(_, test)| {
            format!("{:+.2} to {:+.2}", 100.0 * test.interval.0, 100.0 * test.interval.1)
        }),
        Column::number("right alone", |(_, test)| {
            or_dash(test.only_this_right.zip(test.only_first_right), |(this, first)| {
                format!("{} : {}", grouped(this), grouped(first))
            })
        }),
        Column::number("p", |(_, test)| p_cell(test.p_value)),
        Column::number("p (Holm)", |(_, test)| p_cell(test.p_holm)),
    ];
    let compared = names.iter().zip(tests).filter_map(|(name, test)| Some((name, (*test)?)));
    TextTable::new(&columns, compared)
}

/// A p-value without its equals sign, which a column does not need.
pub(super) fn p_cell(value: Option<f64>) -> String {
    or_dash(value, |value| p_value(value).trim_start_matches("= ").to_owned())
}

/// Sentences about the results of the tests and about the tests themselves. Words between backticks
/// are code.
pub fn paired_sentences(runs: &[RunRecords], names: &[String], tests: &[Option<PairedTest>]) -> Vec<String> {
    let found: Vec<(&String, PairedTest)> =
        names.iter().zip(tests).filter_map(|(name, test)| Some((name, (*test)?))).collect();
    let first = &names[0];
    let mut sentences: Vec<String> = found.iter().map(|(name, test)| sentence(first, name, test)).collect();
    sentences.extend(untested(runs, names, tests));
    if found.iter().any(|(_, test)| test.method == Method::NewcombeUnpaired) {
        sentences.extend(unpaired(runs, names));
    }
    let tested = found.iter().filter(|(_, test)| test.method == Method::McnemarExact).count();
    if tested > 0 {
        let holm = match tested {
            1 => String::new(),
            tested => {
                format!(" The verdicts follow from the p-values after Holm’s correction for {tested} tests.")
            }
        };
        sentences.push(format!(
            "McNemar’s exact test compares two networks image by image: of the images that only one of them gets right (right \
             alone: it : {first}), is either’s share larger than a fair coin would make it?{holm} The intervals are Bonett and \
             Price’s (2012), each by itself; pp stands for percentage points."
        ));
    }
    if !found.is_empty() {
        sentences.push(
            "All of this is about these networks, not about their experiments: another seed gives another network. \
             Experiments are compared by several seeds or folds, `smallnet study`."
                .to_owned(),
        );
    }
    sentences
}

fn sentence(first: &str, name: &str, test: &PairedTest) -> String {
    let points = crate::util::format::points(test.difference);
    let images = counted(test.num_images, "test image", "test images");
    let direction = if test.difference < 0.0 { "fewer" } else { "more" };
    match (test.method, test.p_holm) {
        (Method::McnemarExact, Some(p)) if p < SIGNIFICANT => format!(
            "{name} is right about {direction} of the same {images} than {first}, by {points}: more than the choice of images \
             explains (p {}).",
            p_value(p)
        ),
        (Method::McnemarExact, p) => format!(
            "Between {name} and {first} there are {points} on the same {images}: no more than the choice of images may explain \
             (p {}).",
            p_value(p.unwrap_or(1.0))
        ),
        (Method::NewcombeUnpaired, _) if test.interval.0 > 0.0 || test.interval.1 < 0.0 => format!(
            "{name} is right about {direction} of the {images} than {first}, by {points}; the interval does not contain 0."
        ),
        (Method::NewcombeUnpaired, _) => format!(
            "Between {name} and {first} there are {points} on the {images}; the interval contains 0, so it is not known which is \
             better."
        ),
    }
}

/// Sentences about runs that are not compared, with the reason.
fn untested(runs: &[RunRecords], names: &[String], tests: &[Option<PairedTest>]) -> Vec<String> {
    let evaluate = |index: usize| {
        format!(
            "{} has not been tested in detail, so it is not compared: `smallnet evaluate {}` tests it.",
            names[index],
            crate::report::components::shell_word(&runs[index].folder.path().display().to_string())
        )
    };
    if runs[0].test.is_none() {
        return vec![evaluate(0)];
    }
    let without = (1..runs.len()).filter(|&index| tests[index].is_none());
    without
        .map(|index| match runs[index].test {
            None => evaluate(index),
            Some(_) => format!(
                "{} was tested on other images than {}, so there is no test of both.",
                names[index], names[0]
            ),
        })
        .collect()
}

/// Sentences about runs without a paired test: the reason, and how to get the test.
fn unpaired(runs: &[RunRecords], names: &[String]) -> Vec<String> {
    let lacks =
        |run: &RunRecords| run.test.as_ref().is_some_and(|test| test.evaluation.misclassified.is_none());
    let lacking = runs.iter().zip(names).filter(|(run, _)| lacks(run));
    lacking
        .map(|(run, name)| {
            format!(
                "{name} was tested by an earlier smallnet, which did not note which images it got wrong: in place of the paired \
                 test there is Newcombe’s interval (1998), which takes the images for different ones and is wider. `smallnet \
                 evaluate {}` adds the record.",
                crate::report::components::shell_word(&run.folder.path().display().to_string())
            )
        })
        .collect()
}
