//! Owns the answer to question 10: the network with a hidden layer, compared with the one without.
//! First only the layer changes, then the settings. So each change has its own share of the gain.

use maud::{Markup, html};

use crate::evaluation::{Evaluation, paired_tests};
use crate::exercise::page::network::formula;
use crate::exercise::page::text::{num_wrong, signed_points};
use crate::exercise::page::{
    Answer, ExercisePage, ExerciseRun, Missing, Work, plan, quote_path, training_seconds,
};
use crate::experiment::differences;
use crate::report::{components, curves, paired_sentences, paired_table, result_table};
use crate::run::RunRecords;
use crate::statistics::spread_of;
use crate::training::EpochRecord;
use crate::util::format::{grouped, loss, percent, seconds, significant};

/// Three networks, each of which changes the one before.
struct Steps<'a> {
    softmax: &'a ExerciseRun,
    /// Run, or the reason why its training failed, since a too large learning rate is an
    /// observation, too.
    inserted: std::result::Result<&'a ExerciseRun, &'a str>,
    hidden: &'a ExerciseRun,
}

/// Answers question 10.
pub(super) fn answer(page: &ExercisePage<'_>) -> Work<Answer> {
    let steps = Steps::of(page)?;
    let (small, large) = (plan(&steps.softmax.records), plan(&steps.hidden.records));
    let widths: Vec<_> = steps.hidden.records.experiment.model.hidden.iter().map(usize::to_string).collect();
    let sentence = format!(
        "With {} hidden neurons inserted there are {} weights in place of {}, and an epoch takes {} in place of {}. With everything \
         else kept, {}; {}.",
        widths.join(" and "),
        grouped(large.num_parameters),
        grouped(small.num_parameters),
        epoch_seconds(&steps.timed().epochs),
        epoch_seconds(&steps.softmax.records.epochs),
        by_the_layer(&steps)?,
        by_the_settings(&steps)?
    );
    let activation = steps.hidden.records.experiment.model.activation;
    let runs: Vec<RunRecords> = steps.runs().into_iter().map(|run| run.records.clone()).collect();
    let names: Vec<String> = runs.iter().map(|run| run.info.experiment.clone()).collect();
    let content = html! {
        p {
            "A hidden layer, " code { "Dense(128, activation=\"relu\")" } " or " code { "nn.Linear(784, 128), nn.ReLU()" }
            ", stands between pixels and classes: " (large.shape()) ". Its neurons do not stand for classes. Each of \
             them can learn to look for some part of an image, such as a stroke at some place, and the last layer combines what \
             they have found. So there need no longer be one picture for all ways in which a class is written."
        }
        p {
            "Between the two linear layers stands a function, here " (activation.name()) ": " (activation.formula())
            ". Without it, the hidden layer would be useless: a weighted sum of weighted sums is again a weighted sum, and two \
             linear layers could do no more than one."
        }
        p { "The weights: " (formula(&large)) "." }
        h3 { "What the layer does, and what the settings do" }
        p {
            "Two things are changed, one after the other. First only the layer is inserted: same optimizer, learning rate, batch \
             size, epochs and seed. Then the settings are changed to what suits the larger network."
        }
        (shares(page, &steps)?)
        h3 { "Is that more than chance?" }
        (image_by_image(&runs, &names))
        @if let Some(sentence) = beside_chance(page, &steps)? { p { (sentence) } }
        h3 { "Side by side" }
        @if let Err(why) = steps.inserted { p { "With everything else kept, the training failed: " (why) "." } }
        (components::text_table(&result_table(&runs, &names)))
        p { "In all, the training steps took " (training_seconds(steps.timed())) " in place of " (training_seconds(&steps.softmax.records)) "." }
        h3 { "Learning curves" }
        (curves::draw_runs(&runs, &names)?)
        @if let Some(sentence) = overfitting(steps.hidden) { p { (sentence) } }
        h3 { "Which settings were changed" }
        (settings(&steps)?)
        p.note { "Question 13 compares more architectures with everything else equal." }
    };
    let commands = vec![
        format!("train {}", quote_path(page.files[1])),
        format!("train {}", quote_path(page.files[2])),
        format!(
            "compare {}",
            steps.runs().into_iter().map(ExerciseRun::folder).collect::<Vec<_>>().join(" ")
        ),
    ];
    Ok(Answer { sentence, content, commands })
}

impl<'a> Steps<'a> {
    /// Returns the networks of the page.
    fn of(page: &ExercisePage<'a>) -> Work<Self> {
        let inserted = match page.inserted {
            Ok(run) => Ok(run),
            Err(Missing::Failed(why)) => Err(why.as_str()),
            Err(missing) => return Err(missing.clone()),
        };
        let hidden = page.hidden.as_ref().map_err(Clone::clone)?;
        Ok(Self { softmax: page.softmax()?, inserted, hidden })
    }

    /// Returns the finished runs.
    fn runs(&self) -> Vec<&'a ExerciseRun> {
        [Some(self.softmax), self.inserted.ok(), Some(self.hidden)].into_iter().flatten().collect()
    }

    /// Returns the network with a hidden layer whose time is compared: the one that has most in
    /// common with the softmax network.
    fn timed(&self) -> &'a RunRecords {
        &self.inserted.unwrap_or(self.hidden).records
    }
}

/// Formats the time per epoch.
pub(super) fn epoch_seconds(epochs: &[EpochRecord]) -> String {
    EpochRecord::median_seconds(epochs).map_or_else(|| "–".to_owned(), seconds)
}

/// Describes a change of the test accuracy in either direction: `rises from 0.9200 to 0.9700`.
pub(super) fn change(before: &Evaluation, after: &Evaluation) -> String {
    let verb = match after.accuracy.total_cmp(&before.accuracy) {
        std::cmp::Ordering::Greater => "rises",
        std::cmp::Ordering::Less => "falls",
        std::cmp::Ordering::Equal => return format!("stays at {:.4}", after.accuracy),
    };
    format!(
        "{verb} from {:.4} to {:.4} ({} percentage points)",
        before.accuracy,
        after.accuracy,
        signed_points(after.accuracy - before.accuracy)
    )
}

/// Describes the effect of the layer alone.
fn by_the_layer(steps: &Steps<'_>) -> Work<String> {
    match steps.inserted {
        Ok(inserted) => Ok(format!("the test accuracy {}", change(steps.softmax.test()?, inserted.test()?))),
        Err(_) => Ok("the training fails: the learning rate is too large for this network".to_owned()),
    }
}

/// Describes the effect of the settings.
fn by_the_settings(steps: &Steps<'_>) -> Work<String> {
    let hidden = steps.hidden.test()?;
    Ok(match steps.inserted {
        Ok(inserted) => format!("with settings that suit it, it {}", change(inserted.test()?, hidden)),
        Err(_) => {
            format!("with settings that suit it, the test accuracy {}", change(steps.softmax.test()?, hidden))
        }
    })
}

/// Builds a table with one row per network: its change and the effect of the change.
fn shares(page: &ExercisePage<'_>, steps: &Steps<'_>) -> Work<Markup> {
    let start = steps.softmax.test()?;
    let mut rows = vec![row("the softmax network", None, start)];
    let mut before = start;
    if let Ok(inserted) = steps.inserted {
        rows.push(row("a hidden layer inserted, everything else kept", Some(before), inserted.test()?));
        before = inserted.test()?;
    }
    let settings = if page.inserted.is_ok() {
        "then the settings changed"
    } else {
        "a hidden layer, and the settings changed"
    };
    let end = steps.hidden.test()?;
    rows.push(row(settings, Some(before), end));
    rows.push(row("both together", Some(start), end));
    Ok(components::table(&["step", "test accuracy", "mistakes", "change, percentage points"], &rows, 1))
}

/// Returns a row of that table.
fn row(name: &str, before: Option<&Evaluation>, after: &Evaluation) -> [String; 4] {
    let change = before.map(|before| signed_points(after.accuracy - before.accuracy));
    [
        name.to_owned(),
        format!("{:.4}", after.accuracy),
        grouped(num_wrong(after)),
        change.unwrap_or_else(|| "–".to_owned()),
    ]
}

/// Compares the effect of the layer with the effect of another seed.
fn beside_chance(page: &ExercisePage<'_>, steps: &Steps<'_>) -> Work<Option<String>> {
    let (Ok(seeds), Ok(inserted)) = (page.seeds, steps.inserted) else { return Ok(None) };
    let tested = |run: &RunRecords| run.test.as_ref().map(|test| test.evaluation.accuracy);
    let softmax = steps.softmax.test()?.accuracy;
    let accuracies: Vec<f64> = [softmax].into_iter().chain(seeds.iter().filter_map(tested)).collect();
    let Some(deviation) = spread_of(&accuracies) else { return Ok(None) };
    let times = (inserted.test()?.accuracy - softmax).abs() / deviation;
    Ok(Some(format!(
        "And another seed? Over the {} seeds of question 0, the softmax network's accuracy has a standard deviation of {} \
         percentage points. What the layer alone changes is {} times that{}.",
        accuracies.len(),
        significant(100.0 * deviation),
        significant(times),
        if times > 3.0 { ", much more than another seed does" } else { ": another seed could do as much" }
    )))
}

/// Builds the paired comparison of the networks on the same test images.
pub(super) fn image_by_image(runs: &[RunRecords], names: &[String]) -> Markup {
    let tests = runs.iter().map(|run| run.test.as_ref().map(|test| &test.evaluation));
    let tests: Option<Vec<&Evaluation>> = tests.collect();
    let Some([first, others @ ..]) = tests.as_deref() else { return html! {} };
    let tests: Vec<_> = [None].into_iter().chain(paired_tests(first, others).into_iter().map(Some)).collect();
    html! {
        @for sentence in paired_sentences(runs, names, &tests) { p { (components::inline_code(&sentence)) } }
        (components::text_table(&paired_table(names, &tests)))
    }
}

/// Describes signs of overfitting in the validation loss.
pub(super) fn overfitting(run: &ExerciseRun) -> Option<String> {
    let epochs = &run.records.epochs;
    let last = epochs.last()?;
    let validated = |epoch: &EpochRecord| epoch.validation_loss;
    let best = epochs.iter().filter(|epoch| validated(epoch).is_some());
    let best =
        best.min_by(|a, b| validated(a).unwrap_or(f64::MAX).total_cmp(&validated(b).unwrap_or(f64::MAX)))?;
    let (held_out, right) = (last.validation_loss?, last.validation_accuracy?);
    let mut said = format!(
        "The dashed lines are images held out of training, measured after each epoch. After the last one, the network “{}” is right \
         for {} of its training images and for {} of those held out, a gap of {} percentage points; the losses are {} and {}.",
        run.records.info.experiment,
        percent(run.training.accuracy),
        percent(right),
        signed_points(run.training.accuracy - right),
        loss(run.training.loss),
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
        " The loss on the images held out was lowest after the last epoch: it had not begun to rise."
            .to_owned()
    };
    Some(said)
}

/// Builds the table of the settings that differ.
fn settings(steps: &Steps<'_>) -> Work<Markup> {
    let runs = steps.runs();
    let experiments: Vec<_> = runs.iter().map(|run| &run.records.experiment).collect();
    let rows: Vec<Vec<String>> = differences(&experiments)?
        .into_iter()
        .map(|row| {
            let values = row.values.into_iter().map(|value| value.unwrap_or_else(|| "–".to_owned()));
            [row.key].into_iter().chain(values).collect()
        })
        .collect();
    let names = runs.iter().map(|run| run.records.info.experiment.as_str());
    let header: Vec<&str> = ["setting"].into_iter().chain(names).collect();
    Ok(components::table(&header, &rows, 1))
}
