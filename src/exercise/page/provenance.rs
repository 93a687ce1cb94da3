//! Owns the beginning and the end of the page: the work that was done, its machine, software and
//! duration.

use maud::{Markup, html};

use crate::exercise::page::{ExercisePage, ExerciseRun, ExerciseStudy, QUESTIONS, Work};
use crate::report::{components, layout};
use crate::util::format::{counted, grouped, listed, seconds};

/// Builds the header of the page.
pub(super) fn header(page: &ExercisePage<'_>) -> Markup {
    let info = page.info;
    html! {
        h1 { (crate::exercise::page::TITLE) }
        p {
            (what(page)) " about " (source(page)) ", run and answered by smallnet " (info.version) " on "
            (info.adapter) ", " (info.started_at.get(..16).unwrap_or_default().replace('T', " ")) " UTC"
        }
        @if page.quick && page.finished_studies().next().is_some() { (quick(page)) }
        @if !page.edited.is_empty() { (edited(page)) }
        (components::stat_tiles(&numbers(page)))
        p {
            "Every number on this page was measured "
            @if reused(page) == 0 { "in this run" } @else { "in this run, or by an earlier start of it where that is said," }
            " or follows from the experiment by the arithmetic shown; where a number is from elsewhere, that is said. Each answer comes \
             first, in bold; then the idea behind it, the tables and pictures, the same in Keras and PyTorch, and the command that \
             gives the same here."
        }
    }
}

/// Describes the range of the questions.
pub(super) fn what(page: &ExercisePage<'_>) -> String {
    match page.questions.len() {
        all if all == QUESTIONS.len() => "An exercise in fifteen questions".to_owned(),
        1 => format!("Question {} of an exercise", page.questions[0]),
        _ => {
            let numbers: Vec<_> = page.questions.iter().map(usize::to_string).collect();
            format!("Questions {} of an exercise", listed(&numbers))
        }
    }
}

/// Describes the data set.
pub(super) fn source(page: &ExercisePage<'_>) -> String {
    match page.is_mnist() {
        true => "MNIST's handwritten digits".to_owned(),
        false => format!("the images in {}", page.info.data.source),
    }
}

/// Builds the note about shortened studies.
fn quick(page: &ExercisePage<'_>) -> Markup {
    let of = |study: &ExerciseStudy<'_>| {
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
            @for (index, (question, study)) in page.finished_studies().enumerate() {
                @if index > 0 { ", " }
                "question " (question) " has " (of(study))
            }
            ". What each leaves out stands in its answer. Results of so short trainings may differ from those of the whole exercise; "
            "smallnet lab without --quick runs that."
        }
    }
}

/// Builds the note about edited files.
fn edited(page: &ExercisePage<'_>) -> Markup {
    html! {
        p.warning {
            strong { "With edited files: " } (listed(page.edited))
            ". They were used as they stand, and not written again; " code { "--seed" } ", " code { "--set" } " and "
            code { "--data" } " do not change them. Delete such a file to have smallnet's own again."
        }
    }
}

/// Returns the main figures with their labels.
fn numbers(page: &ExercisePage<'_>) -> Vec<(String, String)> {
    let accuracy = |run: &Work<ExerciseRun>| {
        let test = run.as_ref().ok()?.records.test.as_ref()?;
        Some(format!("{:.4}", test.evaluation.accuracy))
    };
    let mut numbers = Vec::new();
    numbers.extend(
        accuracy(page.softmax).map(|number| (number, "test accuracy of the softmax network".to_owned())),
    );
    numbers.extend(accuracy(page.hidden).map(|number| (number, "with a hidden layer".to_owned())));
    let num_studies = page.finished_studies().count();
    if num_studies > 0 {
        let trainings = page.finished_studies().map(|(_, study)| study.page.plan.trials.len()).sum::<usize>();
        let name = format!("trainings in {}", counted(num_studies, "study", "studies"));
        numbers.push((grouped(trainings), name));
    }
    numbers.push((seconds(page.seconds), "for everything".to_owned()));
    numbers
}

/// Returns the number of trials that an earlier start had finished.
fn reused(page: &ExercisePage<'_>) -> usize {
    page.finished_studies().map(|(_, study)| study.num_reused).sum()
}

/// Builds the section about machine and software.
pub(super) fn section(page: &ExercisePage<'_>) -> Markup {
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
    facts.extend(components::origin(page.info));
    let reused = reused(page);
    if reused > 0 {
        facts.push(("from earlier starts", counted(reused, "trial of a study", "trials of studies")));
    }
    let runs = [
        ("softmax network", page.softmax),
        ("a layer inserted", page.inserted),
        ("with a hidden layer", page.hidden),
    ];
    for (name, run) in runs {
        let Ok(run) = run else { continue };
        let earlier = if run.seconds.is_none() { ", from an earlier start" } else { "" };
        facts.push((name, format!("{}{earlier}", run.records.folder.path().display())));
    }
    if let Ok(ExerciseRun { records, .. }) = page.softmax
        && let Some(digest) = &records.info.weights_sha256
    {
        facts.push(("weights digest", digest.clone()));
    }
    layout::section(
        "The facts of this run",
        &html! {
            (components::definition_list(&facts))
            p.note {
                "Everything random is drawn from seeds: on the same kind of CPU, the same version of smallnet gives the same \
                 accuracies again, to the last digit. Times differ. The test images were used once by each network that the page tests: "
                "those of questions 0 and 10 and the winner of each study. None of them was chosen by its test."
            }
        },
    )
}
