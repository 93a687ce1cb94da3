//! Owns the answer to question 0: the run of the given network, beside the given code.

use maud::{Markup, html};

use crate::data::InputSpec;
use crate::exercise::page::text::{decimals, num_correct_of_all};
use crate::exercise::page::{Answer, ExercisePage, ExerciseRun, Work, quote_path, training_seconds, unseen};
use crate::report::components;
use crate::statistics::{deviation, mean, prediction_interval};
use crate::util::format::{counted, loss, seconds, significant};

/// Test accuracy that the sheet's Keras program printed in one run.
const KERAS: f64 = 0.9217;

/// Answers question 0.
pub(super) fn answer(page: &ExercisePage<'_>) -> Work<Answer> {
    let plan = page.plan();
    let run = page.softmax()?;
    let test = run.test()?;
    let epochs = counted(run.records.epochs.len(), "epoch", "epochs");
    let everything = run.seconds.map(|all| format!(", everything together {}", seconds(all)));
    let sentence = format!(
        "Test accuracy {:.4}: {} images are recognised; the training steps of {epochs} took {}{}.",
        test.accuracy,
        num_correct_of_all(test),
        training_seconds(&run.records),
        everything.unwrap_or_default()
    );
    let mut numbers = vec![
        (format!("{:.4}", test.accuracy), "test accuracy".to_owned()),
        (loss(test.loss), "test loss".to_owned()),
        (training_seconds(&run.records), format!("training steps of {epochs}")),
    ];
    numbers.extend(run.seconds.map(|all| (seconds(all), "with reading, testing, saving".to_owned())));
    let content = html! {
        (components::stat_tiles(&numbers))
        p {
            "The example is about the simplest network for this task: " (plan.shape()) ", each pixel connected to each class. \
             It is trained by " (plan.optimizer) " with learning rate "
            (significant(page.experiment.optimizer.learning_rate())) " in batches of " (plan.batch_size) " images, "
            (epochs) " long, and then tested once on images that played no part in the training. " em { "Accuracy" }
            " is the share of images whose most probable class is the true one. The words are explained in questions 3 to 7."
        }
        h3 { "Line by line" }
        (line_by_line(page))
        (chance(page, run)?)
        (unseen::section(page, run)?)
    };
    let commands = vec![format!("train {}", quote_path(page.files[0])), format!("evaluate {}", run.folder())];
    Ok(Answer { sentence, content, commands })
}

/// Builds the table of the given program beside the corresponding settings of smallnet.
fn line_by_line(page: &ExercisePage<'_>) -> Markup {
    let training = &page.experiment.training;
    let rate = decimals(page.experiment.optimizer.learning_rate());
    let hidden = format!("[model] hidden = {:?}", page.experiment.model.hidden);
    let kind = page.plan().optimizer;
    let InputSpec { height, width, num_classes } = page.layout;
    let rows = [
        (
            "x_train / 255, to_categorical(y_train)".to_owned(),
            "x / 255; the labels stay as they are".to_owned(),
            format!("[data] source = \"{}\"", page.info.data.source),
        ),
        (
            format!("Flatten(), Dense({num_classes}, activation=\"softmax\")"),
            format!("Flatten(), Linear({}, {num_classes})", height * width),
            hidden,
        ),
        (
            format!("{kind}(learning_rate={rate})"),
            format!("{kind}(model.parameters(), lr={rate})"),
            format!("[optimizer] kind = \"{}\", learning_rate = {rate}", kind.to_lowercase()),
        ),
        (
            "loss=\"categorical_crossentropy\"".to_owned(),
            "CrossEntropyLoss(), softmax included".to_owned(),
            "always this loss".to_owned(),
        ),
        (
            format!("fit(…, batch_size={}, epochs={})", training.batch_size, training.num_epochs),
            format!("DataLoader(…, batch_size={}), a loop over the epochs", training.batch_size),
            format!("[training] batch_size = {}, num_epochs = {}", training.batch_size, training.num_epochs),
        ),
        (
            "evaluate(x_test, t_test)".to_owned(),
            "model(x_test).argmax(1) == y_test".to_owned(),
            format!("train {} tests at its end", quote_path(page.files[0])),
        ),
    ];
    html! {
        div.scroll {
            table.lines {
                thead { tr { th.left { "Keras" } th.left { "PyTorch" } th.left { "smallnet" } } }
                tbody {
                    @for (keras, torch, smallnet) in &rows {
                        tr { td { code { (keras) } } td { code { (torch) } } td { code { (smallnet) } } }
                    }
                }
            }
        }
    }
}

/// Builds the accuracies with other seeds, which show how much the accuracy depends on chance, and
/// compares the accuracy of the given code with them.
fn chance(page: &ExercisePage<'_>, run: &ExerciseRun) -> Work<Markup> {
    let test = run.test()?;
    let first = (run.records.info.seed, test.accuracy);
    let seeds = match page.seeds {
        Ok(seeds) => seeds.as_slice(),
        Err(_) => {
            return Ok(
                html! { p.note { "How far another seed moves the accuracy has not been measured here." } },
            );
        }
    };
    let of_run = |run: &crate::run::RunRecords| {
        let test = run.test.as_ref()?;
        Some((run.info.seed, test.evaluation.accuracy))
    };
    let all: Vec<(u64, f64)> = [first].into_iter().chain(seeds.iter().filter_map(of_run)).collect();
    let accuracies: Vec<f64> = all.iter().map(|(_, accuracy)| *accuracy).collect();
    let Some(((low, high), (mean, deviation))) =
        prediction_interval(&accuracies).zip(mean(&accuracies).zip(deviation(&accuracies)))
    else {
        return Ok(html! {});
    };
    let rows: Vec<[String; 2]> =
        all.iter().map(|(seed, accuracy)| [seed.to_string(), format!("{accuracy:.4}")]).collect();
    Ok(html! {
        h3 { "How far chance moves it" }
        p {
            "The initial weights and the order of the images are random: they follow from the seed, and another seed gives \
             another accuracy. This network, trained from " (rows.len()) " seeds:"
        }
        (components::table(&["seed", "test accuracy"], &rows, 0))
        p {
            "The mean is " (format!("{mean:.4}")) ", the standard deviation " (format!("{deviation:.4}"))
            ". So one more training of this network, from any seed, is expected between " (format!("{low:.4}")) " and "
            (format!("{high:.4}")) " (the 95 % prediction interval for one more value, Student's t)."
            @if page.is_mnist() { " " (keras(&accuracies)) }
        }
    })
}

/// Compares the accuracy of the given code with the spread over seeds.
fn keras(accuracies: &[f64]) -> String {
    let Some((low, high)) = prediction_interval(accuracies) else { return String::new() };
    let verdict = match (low..=high).contains(&KERAS) {
        true => "It lies inside that range: nothing says that both programs do not do the same.",
        false => {
            "It lies outside that range: chance alone hardly explains that, so the two programs differ in something else."
        }
    };
    format!(
        "On the sheet, the given code's output shows {KERAS}; that, too, is a single training from a random start. {verdict}"
    )
}

#[cfg(test)]
mod tests;
