//! Owns a part of the answer to question 0: the evaluation on the test images.

use maud::{Markup, html};

use crate::evaluation::Evaluation;
use crate::exercise::page::text::{num_correct_of_all, num_wrong, signed_points};
use crate::exercise::page::{ExercisePage, ExerciseRun, Work};
use crate::report::{curves, result};
use crate::statistics::newcombe;
use crate::util::format::{counted, grouped, loss, percent};

/// Builds the evaluation on the test images, compared with the one on the training images.
pub(super) fn section(page: &ExercisePage<'_>, run: &ExerciseRun) -> Work<Markup> {
    let test = run.test()?;
    let worst = match &run.records.test {
        Some(record) if !test.top_losses.is_empty() => {
            Some(result::mistakes(record, page.layout, page.classes)?)
        }
        _ => None,
    };
    Ok(html! {
        h3 { "On images that it has never seen" }
        p {
            "The network recognises " (num_correct_of_all(test)) " test images at a mean loss of " (loss(test.loss)) "; "
            (grouped(num_wrong(test))) " are wrong."
        }
        p {
            "A network could simply remember its training images and know nothing of others; that is called "
            em { "overfitting" } ". So it is judged by images that it has never learned from, the test images. And they are used \
             once, at the end: whoever tries many settings and keeps the one with the best test accuracy has, in part, chosen the \
             luck of these images, and the number no longer says what to expect of new ones. Questions 11 to 14 choose by other \
             images for that reason."
        }
        p { (overfitting(&run.training, test)) }
        h3 { "Learning curves" }
        p.note {
            "Means over the images of an epoch, each measured just before the step that learns from it, as Keras' "
            code { "fit" } " prints them. The last point is not the finished network: that is measured above, after the training."
        }
        (curves::draw_run(&run.records.epochs)?)
        h3 { "Confusion matrix" }
        (result::confusion_note(&test.confusion))
        div.result { (result::confusion(&test.confusion, page.classes)?) (result::scores(&test.classes, page.classes)) }
        p { (best_and_worst_classes(test, page.classes)) }
        @if let Some(worst) = worst {
            h3 { "The worst mistakes" }
            (worst)
        }
    })
}

/// Describes whether the final weights classify the training images better than the test images.
fn overfitting(training: &Evaluation, test: &Evaluation) -> String {
    let share = |evaluation: &Evaluation| (evaluation.accuracy, evaluation.num_images);
    let (low, high) = newcombe(share(training), share(test));
    let said = format!(
        "After the training, the network is right for {} of its {} training images and for {} of the test images: a gap of {} \
         percentage points (95 % interval {} to {}, Newcombe)",
        percent(training.accuracy),
        grouped(training.num_images),
        percent(test.accuracy),
        signed_points(training.accuracy - test.accuracy),
        signed_points(low),
        signed_points(high)
    );
    match (low > 0.0, high < 0.0) {
        (true, _) => format!("{said}. It does better on what it has learned from, a sign of overfitting."),
        (_, true) => format!("{said}. It does better on the test images: there is no sign of overfitting."),
        _ => {
            format!("{said}. So there is no sign of overfitting that this number of test images could show.")
        }
    }
}

/// Describes the classes with the highest and the lowest recall, and the most frequent confusion.
fn best_and_worst_classes(test: &Evaluation, classes: &[String]) -> String {
    let recall = |class: &usize| test.classes[*class].recall;
    let known: Vec<usize> = (0..test.classes.len()).filter(|class| recall(class).is_some()).collect();
    let by_recall = |a: &&usize, b: &&usize| recall(a).unwrap_or(0.0).total_cmp(&recall(b).unwrap_or(0.0));
    let (Some(&worst), Some(&best)) = (known.iter().min_by(by_recall), known.iter().max_by(by_recall)) else {
        return String::new();
    };
    let share = |class: usize| percent(recall(&class).unwrap_or(0.0));
    let mut said = format!(
        "Best recognised are images of class {} ({} of them), worst those of class {} ({}).",
        classes[best],
        share(best),
        classes[worst],
        share(worst)
    );
    let counts = &test.confusion.counts;
    let pairs =
        (0..counts.len()).flat_map(|label| (0..counts.len()).map(move |predicted| (label, predicted)));
    let wrong = pairs.filter(|(label, predicted)| label != predicted);
    if let Some((label, predicted)) = wrong.max_by_key(|&(label, predicted)| counts[label][predicted])
        && counts[label][predicted] > 0
    {
        let often = counted(counts[label][predicted] as usize, "time", "times");
        let (label, predicted) = (&classes[label], &classes[predicted]);
        said +=
            &format!(" The most frequent mistake is to take class {label} for class {predicted}, {often}.");
    }
    said
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
