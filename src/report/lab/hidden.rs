//! Question 10: the network with a hidden layer beside the one without.

use maud::{Markup, html};

use super::network::formula;
use super::softmax::points;
use super::words::{images, interval, num_wrong, tested};
use super::{Answer, LabPage, plan, training_seconds, word};
use crate::config::differences;
use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::number::{grouped, loss, percent, seconds};
use crate::report::{RESULT_COLUMNS, curves, parts, result_rows};
use crate::training::EpochRecord;

/// Question 10.
pub(super) fn layer(page: &LabPage<'_>) -> Result<Answer> {
    let (small, large) = (plan(page.softmax), plan(page.hidden));
    let runs = [page.softmax.clone(), page.hidden.clone()];
    let names = runs.clone().map(|run| run.info.experiment);
    let widths: Vec<_> = page.hidden.experiment.model.hidden.iter().map(usize::to_string).collect();
    let sentence = format!(
        "With {} hidden neurons there are {} weights in place of {}; {}; an epoch takes {} in place of {}.",
        widths.join(" and "),
        grouped(large.num_parameters),
        grouped(small.num_parameters),
        accuracies(page),
        an_epoch(&page.hidden.epochs),
        an_epoch(&page.softmax.epochs)
    );
    let activation = page.hidden.experiment.model.activation;
    let content = html! {
        p {
            "A hidden layer stands between pixels and classes: " (large.shape()) ". Its neurons do not stand for classes. Each of \
             them can learn to look for some part of an image, such as a stroke at some place, and the last layer combines what \
             they have found. So there need no longer be one picture for all ways in which a class is written."
        }
        p {
            "Between the two linear layers stands a function, here " (activation.name()) ": " (activation.formula())
            ". Without it, the hidden layer would be useless: a weighted sum of weighted sums is again a weighted sum, and two \
             linear layers could do no more than one."
        }
        p { "The weights: " (formula(&large)) "." }
        (parts::table(&RESULT_COLUMNS, &result_rows(&runs, &names), 1))
        @if let Some(sentence) = certainty(page) { p { (sentence) } }
        p { "In all, the training steps took " (training_seconds(page.hidden)) " in place of " (training_seconds(page.softmax)) "." }
        h3 { "Learning curves" }
        (curves::of_runs(&runs, &names)?)
        @if let Some(sentence) = overfitting(page) { p { (sentence) } }
        h3 { "What else differs" }
        p {
            "The comparison is not of the layer alone: the larger network needs smaller steps, and the images that are held out to \
             watch it are not learned from. Question 13 compares architectures with everything else equal."
        }
        (settings(page)?)
    };
    let commands = vec![
        format!("train {}", word(page.files[1])),
        format!("compare {} {}", page.run(), word(page.hidden.folder.path())),
    ];
    Ok(Answer { sentence, content, commands })
}

fn an_epoch(epochs: &[EpochRecord]) -> String {
    EpochRecord::median_seconds(epochs).map_or_else(|| "–".to_owned(), seconds)
}

fn both<'a>(page: &LabPage<'a>) -> Option<(&'a Evaluation, &'a Evaluation)> {
    Some((tested(page.softmax)?, tested(page.hidden)?))
}

/// Test accuracies and mistakes, in words that fit whichever is better.
fn accuracies(page: &LabPage<'_>) -> String {
    let Some((small, large)) = both(page) else { return "neither has been tested".to_owned() };
    let (before, now) = (small.accuracy, large.accuracy);
    let mistakes = format!("{} instead of {} mistakes", grouped(num_wrong(large)), grouped(num_wrong(small)));
    match now.total_cmp(&before) {
        std::cmp::Ordering::Greater => {
            format!("test accuracy rises from {before:.4} to {now:.4}, {mistakes}")
        }
        std::cmp::Ordering::Less => format!("test accuracy falls from {before:.4} to {now:.4}, {mistakes}"),
        std::cmp::Ordering::Equal => format!("test accuracy stays at {now:.4}"),
    }
}

/// Whether the difference is larger than what chance brings.
fn certainty(page: &LabPage<'_>) -> Option<String> {
    let (small, large) = both(page)?;
    let (low_small, high_small) = interval(small);
    let (low_large, high_large) = interval(large);
    let apart = low_large > high_small || high_large < low_small;
    let ranges = format!(
        "With {}, the 95 % intervals are {low_small:.4} to {high_small:.4} without the hidden layer and {low_large:.4} to \
         {high_large:.4} with it",
        images(large.num_images)
    );
    Some(match apart {
        true => format!(
            "{ranges}: they do not overlap, so the difference is more than the choice of test images explains."
        ),
        false => format!("{ranges}: they overlap, so this test alone does not prove that one is better."),
    })
}

/// What the images held out say of overfitting.
fn overfitting(page: &LabPage<'_>) -> Option<String> {
    let epochs = &page.hidden.epochs;
    let last = epochs.last()?;
    let validated = |epoch: &EpochRecord| epoch.validation_loss;
    let best = epochs.iter().filter(|epoch| validated(epoch).is_some());
    let best =
        best.min_by(|a, b| validated(a).unwrap_or(f64::MAX).total_cmp(&validated(b).unwrap_or(f64::MAX)))?;
    let (held_out, right) = (last.validation_loss?, last.validation_accuracy?);
    let mut said = format!(
        "The dashed lines are images held out of training, measured after each epoch. In the last epoch, the larger network is right \
         for {} of its training images and for {} of those held out, a gap of {} points; the losses are {} and {}.",
        percent(last.train_accuracy),
        percent(right),
        points(last.train_accuracy - right),
        loss(last.train_loss),
        loss(held_out)
    );
    said += &if best.epoch < last.epoch {
        format!(
            " The loss on the images held out was lowest after epoch {} ({}).{}",
            best.epoch,
            loss(best.validation_loss?),
            match last.train_loss < best.train_loss {
                true =>
                    " After that, it learned more about its own images and nothing more about others: that is overfitting, and \
                         the reason why early stopping keeps the weights of the best epoch.",
                false => "",
            }
        )
    } else {
        " The loss on the images held out was lowest after the last epoch: no sign of overfitting yet."
            .to_owned()
    };
    Some(said)
}

fn settings(page: &LabPage<'_>) -> Result<Markup> {
    let rows = differences(&[&page.softmax.experiment, &page.hidden.experiment])?;
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let values = row.values.into_iter().map(|value| value.unwrap_or_else(|| "–".to_owned()));
            [row.key].into_iter().chain(values).collect()
        })
        .collect();
    let names = ["setting", page.softmax.info.experiment.as_str(), page.hidden.info.experiment.as_str()];
    Ok(parts::table(&names, &rows, 1))
}
