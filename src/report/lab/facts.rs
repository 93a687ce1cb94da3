//! What the page begins and ends with: what was done, where, with what, how long.

use maud::{Markup, html};

use super::words::tested;
use super::{LabPage, LabStudy};
use crate::number::{counted, grouped, seconds};
use crate::report::{parts, shell};

/// The page's head.
pub(super) fn header(page: &LabPage<'_>) -> Markup {
    let info = &page.softmax.info;
    html! {
        h1 { (super::TITLE) }
        p {
            "An exercise in fifteen questions about " (source(page)) ", run and answered by smallnet " (info.version) " on "
            (info.adapter) ", " (info.started.get(..16).unwrap_or_default().replace('T', " ")) " UTC"
        }
        @if page.quick { (quick(page)) }
        (parts::numbers(&numbers(page)))
        p {
            "Every number on this page was measured "
            @if reused(page) == 0 { "in this run" } @else { "in this run, or by an earlier start of it where that is said," }
            " or follows from the experiment by the arithmetic shown. Each answer comes first, in bold; then the idea behind it, the tables and pictures, and the command that gives the same."
        }
    }
}

fn source(page: &LabPage<'_>) -> String {
    match page.is_mnist() {
        true => "MNIST's handwritten digits".to_owned(),
        false => format!("the images in {}", page.softmax.info.data.source),
    }
}

/// What is not as in the whole exercise.
fn quick(page: &LabPage<'_>) -> Markup {
    let of = |study: &LabStudy<'_>| {
        let epochs = study.page.study.base.training.num_epochs;
        format!(
            "{} of {}",
            counted(study.page.plan.trials.len(), "training", "trainings"),
            counted(epochs, "epoch", "epochs")
        )
    };
    html! {
        p.warning {
            strong { "This is the quick version." } " Questions 0 to 10 are as in the whole exercise; the studies of questions 11 to \
             14 are shortened: "
            @for (index, study) in page.studies.iter().enumerate() {
                @if index > 0 { ", " }
                "question " (index + 11) " has " (of(study))
            }
            ". What each leaves out stands in its answer. Results of so short trainings may differ from those of the whole exercise; "
            "smallnet lab without --quick runs that."
        }
    }
}

fn numbers(page: &LabPage<'_>) -> Vec<(String, String)> {
    let accuracy = |run| tested(run).map_or_else(|| "–".to_owned(), |test| format!("{:.4}", test.accuracy));
    let trainings = page.studies.iter().map(|study| study.page.plan.trials.len()).sum::<usize>();
    vec![
        (accuracy(page.softmax), "test accuracy of the softmax network".to_owned()),
        (accuracy(page.hidden), "with a hidden layer".to_owned()),
        (grouped(trainings), "trainings in four studies".to_owned()),
        (seconds(page.seconds), "for everything".to_owned()),
    ]
}

/// Trials that an earlier start had left.
fn reused(page: &LabPage<'_>) -> usize {
    page.studies.iter().map(|study| study.num_reused).sum()
}

/// The facts of the run.
pub(super) fn section(page: &LabPage<'_>) -> Markup {
    let info = &page.softmax.info;
    let cores =
        std::thread::available_parallelism().map_or_else(|_| "–".to_owned(), |cores| cores.to_string());
    let mut facts = vec![
        (
            "version",
            if page.quick { "quick: shortened studies".to_owned() } else { "the whole exercise".to_owned() },
        ),
        ("took", seconds(page.seconds)),
        ("cores", cores),
    ];
    facts.extend(parts::origin(info));
    let reused = reused(page);
    if reused > 0 {
        facts.push(("from earlier starts", counted(reused, "trial of a study", "trials of studies")));
    }
    facts.push(("softmax network", page.softmax.folder.path().display().to_string()));
    facts.push(("with a hidden layer", page.hidden.folder.path().display().to_string()));
    if let Some(digest) = &info.weights_sha256 {
        facts.push(("weights digest", digest.clone()));
    }
    shell::section(
        "The facts of this run",
        &html! {
            (parts::facts(&facts))
            p.note {
                "Everything random is drawn from seeds: on the same kind of CPU, the same version of smallnet gives the same \
                 accuracies again, to the last digit. Times differ. The test images were used once by each network that the page tests: "
                "both networks of questions 0 and 10 and the winner of each study. None of them was chosen by its test."
            }
        },
    )
}
