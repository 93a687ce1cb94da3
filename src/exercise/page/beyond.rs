//! Owns the last section, beyond the questions: what augmentation changes, and the page on which one
//! draws. Depends on the page's runs. Must not train.

use maud::{Markup, html};

use crate::data::{Augmenter, InputSpec};
use crate::exercise::page::hidden::{change, epoch_seconds, image_by_image, overfitting};
use crate::exercise::page::text::num_wrong;
use crate::exercise::page::{Beyond, ExercisePage, Missing, Work, command_block, missing_notice, quote_path};
use crate::plots::gray_png;
use crate::report::{components, curves};
use crate::run::RunRecords;
use crate::util::format::{counted, grouped, percent};

/// Largest number of images that are shown with their changes.
const MAX_IMAGES: usize = 5;
/// Largest number of epochs whose images are shown.
const MAX_EPOCHS: usize = 9;

/// Returns the result in one sentence.
pub(super) fn sentence(page: &ExercisePage<'_>) -> Work<String> {
    let Beyond { plain, augmented, .. } = page.beyond.as_ref().map_err(Clone::clone)?;
    Ok(format!(
        "With training images that are changed in every epoch, the test accuracy {}, and an epoch takes {} in place of {}.",
        change(plain.test()?, augmented.test()?),
        epoch_seconds(&augmented.records.epochs),
        epoch_seconds(&plain.records.epochs)
    ))
}

/// Builds the section. It is empty if only some of the questions were asked.
pub(super) fn section(page: &ExercisePage<'_>) -> Markup {
    let content = page.beyond.as_ref().map_err(Clone::clone).and_then(|beyond| content(page, beyond));
    if matches!(content, Err(Missing::NotAsked)) {
        return html! {};
    }
    html! {
        section.question #beyond {
            h2 { "Beyond the exercise: learn from changed images, and draw for the network" }
            @match content {
                Ok(content) => (content),
                Err(missing) => (missing_notice(page, &missing)),
            }
        }
    }
}

fn content(page: &ExercisePage<'_>, beyond: &Beyond) -> Work<Markup> {
    let Beyond { plain, augmented, draw_page, .. } = beyond;
    let runs = [plain.records.clone(), augmented.records.clone()];
    let names: Vec<String> = runs.iter().map(|run| run.info.experiment.clone()).collect();
    let experiment = &augmented.records.experiment;
    Ok(html! {
        p.answer { (sentence(page)?) }
        p {
            "A dense network does not know that the same shape one pixel to the right belongs to the same class. It has a weight \
             for each pixel, so it must have seen ink there. Augmentation shows it: every epoch changes each training image at random, and \
             no image comes twice. The validation and test images stay as they are. Here the changes are:"
        }
        ul { @for line in experiment.augmentation.sentences() { li { (line) } } }
        (samples(page, beyond)?)
        h3 { "The same network with and without" }
        p { "Everything else is equal: network, optimizer, seed, number of epochs." }
        (components::table(&["training images", "accuracy on them", "test accuracy", "mistakes", "time per epoch"], &[
            row("as they are", &runs[0], percent(plain.training.accuracy), plain.test()?),
            row("augmented", &runs[1], percent(augmented.training.accuracy), augmented.test()?),
        ], 1))
        p.note { "“Accuracy on them” is measured after training, on the images as they are." }
        (image_by_image(&runs, &names))
        (curves::draw_runs(&runs, &names)?)
        @if let Some(sentence) = overfitting(plain) { p { (sentence) } }
        h3 { "Draw for this network" }
        @match draw_page {
            Ok(path) => p {
                a href=(path) { "The page on which you draw" } " has this network in it and answers while you draw. It is one file: \
                 it works without an internet connection, on a phone, too."
            },
            Err(reason) => p { "The page on which you draw could not be written: " (reason) "." },
        }
        h3 { "The same with smallnet" }
        (command_block(page, &[
            format!("data {} --augmented", quote_path(page.augmented_file)),
            format!("train {}", quote_path(page.augmented_file)),
            format!("draw {}", augmented.folder()),
        ]))
    })
}

/// Builds a row of the table.
fn row(name: &str, run: &RunRecords, training: String, test: &crate::evaluation::Evaluation) -> [String; 5] {
    let accuracy = format!("{:.4}", test.accuracy);
    [name.to_owned(), training, accuracy, grouped(num_wrong(test)), epoch_seconds(&run.epochs)]
}

/// Draws the first image of some classes, and what the first epochs make of it.
fn samples(page: &ExercisePage<'_>, beyond: &Beyond) -> Work<Markup> {
    let InputSpec { height, width, num_classes } = page.layout;
    let Beyond { augmented, train, .. } = beyond;
    let experiment = &augmented.records.experiment;
    let num_epochs = MAX_EPOCHS.min(experiment.training.num_epochs);
    let Some(augmenter) = Augmenter::new(&experiment.augmentation, experiment.seed, (height, width)) else {
        return Ok(html! { p { "The file was edited, and changes no image." } });
    };
    let shown = train.first_per_class(num_classes, 1).concat();
    let mut rows = Vec::new();
    for &index in shown.iter().take(MAX_IMAGES) {
        let (original, label) = train.image(index);
        let in_data_set = train.index_in_data_set(index);
        let images = augmenter.first_epochs(&original, in_data_set, num_epochs);
        let mut row = Vec::new();
        for (epoch, image) in images.iter().enumerate() {
            let description = match epoch {
                0 => format!("training image {in_data_set}"),
                _ => format!("training image {in_data_set} in epoch {epoch}"),
            };
            row.push(components::image(&gray_png(image, height, width, 1)?, &description));
        }
        rows.push((label, row));
    }
    Ok(html! {
        div.samples {
            @for (label, row) in &rows {
                div { strong { (page.classes[usize::from(*label)]) } @for image in row { (image) } }
            }
        }
        p.note { "The class, a training image of it, then the same image in the first "
            (counted(num_epochs, "epoch", "epochs")) "." }
    })
}
