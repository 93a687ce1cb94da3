//! Questions 1 to 3: images, labels, one-hot codes.

use std::collections::HashSet;

use maud::{Markup, html};

use super::{Answer, LabPage};
use crate::data::{self, Layout};
use crate::error::Result;
use crate::figures::gray_png;
use crate::number::{grouped, percent};
use crate::report::parts;

/// Classes that are shown; a data set may have many more.
const MAX_CLASSES: usize = 20;
/// Images of each class on the contact sheet.
const SAMPLES: usize = 10;
/// Rows and columns of the patch whose numbers are shown.
const PATCH: usize = 8;
/// How many times larger than stored the enlarged image is.
const SCALE: usize = 10;
/// Labels that are shown with their codes.
const NUM_LABELS: usize = 10;

/// Question 1.
pub(super) fn images(page: &LabPage<'_>) -> Result<Answer> {
    let Layout { height, width, .. } = page.layout;
    let (smallest, largest) = page.train.value_range();
    let sentence = format!(
        "{} images to learn from and {} to test with, each of {height} × {width} pixels; a pixel is a whole number from \
         {smallest} to {largest}.",
        grouped(page.train.len()),
        grouped(page.test.len())
    );
    let pixels = height * width;
    let empty = share_of_zeros(page);
    let content = html! {
        p {
            "An image is a grid of small squares, the pixels. Each pixel is one number that says how much ink it has: "
            (smallest) " is the empty background, " (largest) " is full ink, and what lies between is grey, mostly at the rims \
             of the strokes. There is no colour, and nothing but these " (grouped(pixels)) " numbers: the network does not see a picture, it sees a list of numbers. Of all pixels of the training images, " (percent(empty)) " are 0."
        }
        p {
            "Before the network gets them, the numbers are divided by 255, so that they lie between 0 and 1: sums over many \
             inputs then stay of moderate size, and so do the steps of training."
        }
        (contact_sheet(page)?)
        (enlarged(page)?)
    };
    let commands =
        vec![format!("data{}", page.default_file()), format!("data{} --index 0", page.default_file())];
    Ok(Answer { sentence, content, commands })
}

fn share_of_zeros(page: &LabPage<'_>) -> f64 {
    let pixels = |position| page.train.image(position).0;
    let zeros: usize = (0..page.train.len())
        .map(|position| pixels(position).iter().filter(|&&value| value == 0).count())
        .sum();
    let (height, width) = page.train.image_size();
    zeros as f64 / (page.train.len() * height * width) as f64
}

/// The first images of each class, a row a class.
fn contact_sheet(page: &LabPage<'_>) -> Result<Markup> {
    let Layout { height, width, num_classes } = page.layout;
    let mut rows = Vec::new();
    for samples in page.train.first_of_each_class(num_classes, SAMPLES).iter().take(MAX_CLASSES) {
        let mut row = Vec::new();
        for &position in samples {
            let png = gray_png(page.train.image(position).0, height, width, 1)?;
            row.push(parts::image(&png, &format!("training image {position}")));
        }
        rows.push(row);
    }
    let shown = num_classes.min(MAX_CLASSES);
    Ok(html! {
        h3 { "The first images of each class" }
        div.samples {
            @for (class, row) in rows.iter().enumerate() {
                div { strong { (class) } @for image in row { (image) } }
            }
        }
        p.note {
            "Ink is shown bright on black."
            @if page.is_mnist() { " Every person writes differently: slant, width of the stroke, loops." }
            @if shown < num_classes { " Shown are the first " (shown) " of " (num_classes) " classes." }
        }
    })
}

/// The first training image, enlarged, with the numbers of a part of it.
fn enlarged(page: &LabPage<'_>) -> Result<Markup> {
    let Layout { height, width, .. } = page.layout;
    let (pixels, label) = page.train.image(0);
    let png = gray_png(pixels, height, width, SCALE)?;
    let (rows, columns) = (PATCH.min(height), PATCH.min(width));
    let (top, left) = liveliest_patch(pixels, (height, width), (rows, columns));
    let share = |part: usize, whole: usize| format!("{:.3}%", 100.0 * part as f64 / whole as f64);
    let frame = format!(
        "left:{};top:{};width:{};height:{}",
        share(left, width),
        share(top, height),
        share(columns, width),
        share(rows, height)
    );
    Ok(html! {
        h3 { "One image and its numbers" }
        div.result {
            figure.enlarged {
                div { (parts::image(&png, &format!("training image 0, a {label}"))) span style=(frame) { } }
                figcaption { "Training image 0, label " (label) ". The frame marks the part on the right." }
            }
            figure {
                table.patch {
                    tbody {
                        @for row in top..top + rows {
                            tr { @for column in left..left + columns { (pixel(pixels[row * width + column])) } }
                        }
                    }
                }
                figcaption {
                    "Its rows " (top) " to " (top + rows - 1) ", columns " (left) " to " (left + columns - 1)
                    ", counted from 0: the numbers that the file holds."
                }
            }
        }
    })
}

fn pixel(value: u8) -> Markup {
    let ink = if value > 127 { "#000" } else { "#fff" };
    html! { td style=(format!("background:rgb({value},{value},{value});color:{ink}")) { (value) } }
}

/// The part of an image with the most different values: background, ink and rims are in it.
fn liveliest_patch(
    pixels: &[u8],
    (height, width): (usize, usize),
    (rows, columns): (usize, usize),
) -> (usize, usize) {
    let num_values = |&(top, left): &(usize, usize)| {
        let values = (top..top + rows).flat_map(|row| &pixels[row * width + left..][..columns]);
        values.collect::<HashSet<_>>().len()
    };
    let places = (0..=height - rows).flat_map(|top| (0..=width - columns).map(move |left| (top, left)));
    places.max_by_key(num_values).unwrap_or((0, 0))
}

/// Question 2.
pub(super) fn labels(page: &LabPage<'_>) -> Answer {
    let num_classes = page.layout.num_classes;
    let (train, test) = (page.train.class_counts(num_classes), page.test.class_counts(num_classes));
    let of =
        |choose: fn(&[usize]) -> Option<usize>| choose(&train).map_or((0, 0), |class| (class, train[class]));
    let (rarest, most) =
        (of(|counts| (0..counts.len()).min_by_key(|&class| counts[class])), of(most_frequent));
    let sentence = format!(
        "The label is the class of an image, a whole number from 0 to {}; of the training images {} has the fewest ({}) and \
         {} the most ({}).",
        num_classes - 1,
        rarest.0,
        grouped(rarest.1),
        most.0,
        grouped(most.1)
    );
    let guessed = test[most.0] as f64 / page.test.len() as f64;
    let content = html! {
        p {
            "A label is the right answer that a person has given for an image. Learning from images with their labels is called "
            em { "supervised" } " learning: the network guesses, and the label says how wrong it is."
        }
        p {
            "The counts matter for what an accuracy means. Whoever always answered “" (most.0) "”, the most frequent class of the \
             training images, would be right for " (grouped(test[most.0])) " of " (grouped(page.test.len())) " test images, "
            (percent(guessed)) ". A network has to do better than that to have learned anything. "
            (balance(&train))
        }
        (counts(&train, &test))
    };
    Answer { sentence, content, commands: vec![format!("data{}", page.default_file())] }
}

fn most_frequent(counts: &[usize]) -> Option<usize> {
    (0..counts.len()).rev().max_by_key(|&class| counts[class])
}

fn balance(counts: &[usize]) -> String {
    let (Some(&most), Some(&fewest)) = (counts.iter().max(), counts.iter().min()) else {
        return String::new();
    };
    let ratio = most as f64 / fewest.max(1) as f64;
    match ratio < 1.5 && fewest > 0 {
        true => format!(
            "The classes are nearly balanced: the most frequent one has {ratio:.2} times as many images as the rarest, so that \
             accuracy, which counts all images alike, is a fair measure."
        ),
        false => "The classes are not balanced: accuracy, which counts all images alike, says little about the rare ones; see \
                  the recall of each class in question 7."
            .to_owned(),
    }
}

fn counts(train: &[usize], test: &[usize]) -> Markup {
    let (all_train, all_test) = (train.iter().sum::<usize>(), test.iter().sum::<usize>());
    let share = |part: usize, all: usize| percent(part as f64 / all.max(1) as f64);
    let row = |class: usize| {
        let (train, test) = (train[class], test[class]);
        [class.to_string(), grouped(train), share(train, all_train), grouped(test), share(test, all_test)]
    };
    let mut rows: Vec<_> = (0..train.len()).map(row).collect();
    rows.push(["all".to_owned(), grouped(all_train), share(1, 1), grouped(all_test), share(1, 1)]);
    parts::table(&["class", "training images", "share", "test images", "share"], &rows, 1)
}

/// Question 3.
pub(super) fn one_hot(page: &LabPage<'_>) -> Result<Answer> {
    let Layout { height, width, num_classes } = page.layout;
    let code = |label: u8| match num_classes {
        0..=MAX_CLASSES => {
            data::one_hot(label, num_classes).iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
        }
        _ => format!("{num_classes} numbers, 1 at place {label}"),
    };
    let first = page.train.image(0).1;
    let sentence = format!(
        "Each label becomes a row of {num_classes} numbers, 1 at the label's place and 0 everywhere else; the first label, \
         {first}, becomes {}.",
        code(first)
    );
    let mut rows = Vec::new();
    for position in 0..page.train.len().min(NUM_LABELS) {
        let (pixels, label) = page.train.image(position);
        let png = gray_png(pixels, height, width, 1)?;
        rows.push((position, parts::image(&png, &format!("training image {position}")), label));
    }
    let content = html! {
        p {
            "The network answers with " (num_classes) " probabilities, one for each class. To compare the label with them, it is \
             written in the same form: as the probabilities that a perfect answer would have, all of it on the true class. \
             Places are counted from 0, so that label " (first) " stands at the " (ordinal(first)) " place."
        }
        p {
            "Why not compare the numbers of the classes themselves? Because they are names, not amounts: a 4 is not the half of \
             an 8, and to take a 3 for an 8 is no worse than to take it for a 4. In one-hot form, every two classes are equally \
             far apart."
        }
        div.scroll {
            table.codes {
                thead { tr { th { "image" } th { } th { "label" } th { "one-hot code" } } }
                tbody {
                    @for (position, image, label) in &rows {
                        tr { td { (position) } td { (image) } td { (label) } (code_cell(&code(*label))) }
                    }
                }
            }
        }
        p.note {
            "The loss of question 6 multiplies this row with the logarithms of the probabilities and adds up; the zeros leave only \
             the true class. smallnet therefore keeps the labels as plain numbers and picks that one entry: the same result, without \
             the zeros."
        }
    };
    Ok(Answer { sentence, content, commands: vec![format!("data{}", page.default_file())] })
}

/// A code with its 1 in bold.
fn code_cell(code: &str) -> Markup {
    html! {
        td.code {
            @for (index, number) in code.split(' ').enumerate() {
                @if index > 0 { " " }
                @if number == "1" { strong { "1" } } @else { (number) }
            }
        }
    }
}

/// The place of a label that is counted from 0, counted from 1: `6th`.
fn ordinal(label: u8) -> String {
    let place = usize::from(label) + 1;
    let ending = match (place % 10, place % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{place}{ending}")
}
