//! Owns the sheet to hand out: the questions with their images and code, and space for the answers.

use maud::{Markup, html};

use crate::exercise::page::{
    ExercisePage, QUESTIONS, TITLE, Work, code, data, keep_signs_together, provenance,
};
use crate::plots::gray_png;
use crate::report::{components, layout};

/// Space for the answer to a question.
enum Space {
    /// This number of lines to write on.
    Lines(usize),
    /// Lines that begin with these labels.
    Named(&'static [&'static str]),
    /// Table with these columns and this number of rows.
    Table(&'static [&'static str], usize),
}

/// Space for the answer to each question.
const SPACES: [Space; QUESTIONS.len()] = [
    Space::Named(&["Test accuracy with Keras", "Time", "Test accuracy with PyTorch", "Time"]),
    Space::Named(&["Rows and columns", "Number of pixels"]),
    Space::Lines(1),
    Space::Lines(3),
    Space::Named(&["Number of layers", "Which"]),
    Space::Named(&["Number of weights", "How it follows"]),
    Space::Named(&["Loss function", "Optimization algorithm", "Its parameters"]),
    Space::Lines(3),
    Space::Named(&["Predicted class", "Its probability", "Label"]),
    Space::Lines(4),
    Space::Table(&["layers inserted", "number of weights", "test accuracy", "time", "observation"], 4),
    Space::Table(&["learning rate", "accuracy", "observation"], 6),
    Space::Table(&["learning rate", "fold 1", "fold 2", "fold 3", "fold 4", "fold 5", "mean"], 5),
    Space::Table(&["architecture", "number of weights", "accuracy"], 5),
    Space::Table(&["batch size", "accuracy", "training time"], 6),
];

/// Returns the sheet as HTML.
///
/// # Errors
/// If images cannot be drawn.
pub(crate) fn sheet(page: &ExercisePage<'_>) -> crate::error::Result<String> {
    let mut sections = Vec::new();
    for &number in page.questions {
        let section = section(page, number);
        sections
            .push(section.map_err(|_| crate::error::Error::new("the images of the sheet cannot be drawn"))?);
    }
    let header = html! {
        h1 { (TITLE) }
        p { (provenance::what(page)) " about " (provenance::source(page)) "." }
        (space(&Space::Named(&["Name", "Date"])))
    };
    Ok(keep_signs_together(&layout::page_from(
        "from the images, without training anything",
        TITLE,
        &header,
        &sections,
    )))
}

/// Builds the section of one question.
fn section(page: &ExercisePage<'_>, number: usize) -> Work<Markup> {
    let figure = match number {
        0 => Some(html! { (code::snippets(page, 0)) }),
        1 => Some(data::contact_sheet(page)?),
        2 => Some(labels(page)?),
        8 => Some(first_test_image(page)?),
        _ => None,
    };
    Ok(html! {
        section.question.sheet id={ "question-" (number) } {
            h2 { span.number { (number) } " " (QUESTIONS[number]) }
            @if let Some(figure) = figure { (figure) }
            (space(&SPACES[number]))
        }
    })
}

/// Builds the table of images whose labels a student writes down, before and after one-hot coding.
fn labels(page: &ExercisePage<'_>) -> Work<Markup> {
    let images = data::first_images(page)?;
    Ok(html! {
        div.scroll {
            table.codes.blank {
                thead { tr { th { "image" } th { } th { "label: before" } th { "after to_categorical" } } }
                tbody { @for (position, image, _) in &images { tr { td { (position) } td { (image) } td { } td { } } } }
            }
        }
    })
}

/// Builds the picture of the first test image.
fn first_test_image(page: &ExercisePage<'_>) -> Work<Markup> {
    let png = gray_png(&page.test.image(0).0, page.layout.height, page.layout.width, 6)?;
    Ok(html! { figure.asked { (components::image(&png, "test image 0")) figcaption { "Test image 0." } } })
}

/// Builds the space for an answer.
fn space(space: &Space) -> Markup {
    match space {
        Space::Lines(number) => html! { div.space { @for _ in 0..*number { div { } } } },
        Space::Named(names) => html! { div.space { @for name in *names { div { (name) ":" } } } },
        Space::Table(columns, rows) => html! {
            table.blank {
                thead { tr { @for name in *columns { th { (name) } } } }
                tbody { @for _ in 0..*rows { tr { @for _ in *columns { td { } } } } }
            }
        },
    }
}
