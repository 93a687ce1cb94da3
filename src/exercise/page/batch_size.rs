//! Owns the answer to question 14: the batch size.

use maud::html;

use crate::exercise::page::studies::{answer, mean, others_beside_best, value, with_best};
use crate::exercise::page::{Answer, ExercisePage, ExerciseStudy, Work};
use crate::study::{ConfigurationResult, Faster, StudySummary};
use crate::util::format::{counted, seconds};

/// Key of the batch size.
const BATCH_SIZE: &str = "training.batch_size";

/// Answers question 14.
pub(super) fn batch_size(page: &ExercisePage<'_>, study: &ExerciseStudy<'_>) -> Work<Answer> {
    let summary = study.page.summary;
    let epochs = study.page.study.base.training.num_epochs;
    let sentence = with_best(summary, |best| {
        let (first, last) = (summary.configurations.first(), summary.configurations.last());
        let epoch = |setting: Option<&ConfigurationResult>| {
            setting
                .and_then(|setting| setting.epoch_seconds.as_ref())
                .map_or_else(|| "–".to_owned(), |times| seconds(times.spread.median))
        };
        format!(
            "After {}, batches of {} give the highest validation accuracy, {}{}; an epoch takes {} with batches of {} and {} with \
             batches of {}, which reach {}.",
            counted(epochs, "epoch", "epochs"),
            value(Some(best), BATCH_SIZE),
            mean(best),
            others_beside_best(summary, BATCH_SIZE),
            epoch(first),
            value(first, BATCH_SIZE),
            epoch(last),
            value(last, BATCH_SIZE),
            last.map_or_else(|| "–".to_owned(), mean)
        )
    });
    let explanation = html! {
        p {
            "The batch size is the number of images whose gradients are averaged for one step. An epoch always goes through all \
             images once, so larger batches mean fewer steps. The average over a large batch is closer to the gradient over all \
             images; that over a small one is noisier, but there are many more steps for the same number of images. In Keras it is "
            code { "fit(…, batch_size=…)" } ", in PyTorch " code { "DataLoader(…, batch_size=…)" } "."
        }
        @if is_faster(summary) { p {
            "Why is an epoch faster with large batches than with small ones? A step has a cost that does not depend on the batch, and large matrix \
             products keep all units of a processor busy. Here the networks are trained one at a time, after a warm-up, so that they \
             do not disturb each other's times."
        } }
    };
    answer(page, study, sentence, &explanation)
}

/// Returns whether an epoch with the largest batches takes significantly less time than one with
/// the smallest.
fn is_faster(summary: &StudySummary) -> bool {
    let seconds = |setting: Option<&ConfigurationResult>| setting?.epoch_seconds.clone();
    let both = seconds(summary.configurations.first()).zip(seconds(summary.configurations.last()));
    both.is_some_and(|(small, large)| matches!(large.compare(&small), Faster::First(_)))
}
