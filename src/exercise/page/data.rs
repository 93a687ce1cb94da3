//! Owns the answers to questions 1 and 2: images and labels.

use std::collections::HashSet;

use maud::{Markup, html};

use crate::data;
use crate::data::InputSpec;
use crate::exercise::page::{Answer, ExercisePage, Work};
use crate::plots::gray_png;
use crate::report::components;
use crate::util::format::{grouped, listed, percent};

/// Maximum number of classes shown. A data set may have many more.
const MAX_CLASSES: usize = 20;
/// Number of images per class on the contact sheet.
const SAMPLES: usize = 10;
/// Side of the patch whose pixel values are shown, in pixels.
const PATCH: usize = 8;
/// Scale of the enlarged image.
const SCALE: usize = 10;
/// Number of labels shown with their codes.
const NUM_LABELS: usize = 10;

/// Answers question 1.
pub(super) fn images(page: &ExercisePage<'_>) -> Work<Answer> {
    let InputSpec { height, width, .. } = page.layout;
    let (smallest, largest) = page.train.value_range();
    let pixels = height * width;
    let sentence = format!(
        "{height} × {width} = {} pixels, each a whole number from {smallest} to {largest}; there are {} images to learn from and {} to \
         test with.",
        grouped(pixels),
        grouped(page.train.len()),
        grouped(page.test.len())
    );
    let empty = share_of_zeros(page);
    let content = html! {
        p {
            "An image is a grid of small squares, the pixels. Each pixel is one number that says how much ink it has: "
            (smallest) " is the empty background, " (largest) " is full ink, and what lies between is grey, mostly at the rims \
             of the strokes. There is no colour, and nothing but these " (grouped(pixels)) " numbers: the network does not see a picture, it sees a list of numbers. Of all pixels of the training images, " (percent(empty)) " are 0."
        }
        p {
            "Keras and PyTorch keep all images in one array. Its shape is [" (page.train.len()) ", " (height) ", " (width)
            "]: images, rows, columns; one image has the shape [" (height) ", " (width) "]."
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

/// Returns the share of pixels that are 0.
fn share_of_zeros(page: &ExercisePage<'_>) -> f64 {
    let pixels = |position| page.train.image(position).0;
    let zeros: usize = (0..page.train.len())
        .map(|position| pixels(position).iter().filter(|&&value| value == 0).count())
        .sum();
    let (height, width) = page.train.image_size();
    zeros as f64 / (page.train.len() * height * width) as f64
}

/// Draws the first images of each class, one row per class.
pub(super) fn contact_sheet(page: &ExercisePage<'_>) -> Work<Markup> {
    let InputSpec { height, width, num_classes } = page.layout;
    let mut rows = Vec::new();
    for samples in page.train.first_per_class(num_classes, SAMPLES).iter().take(MAX_CLASSES) {
        let mut row = Vec::new();
        for &position in samples {
            let png = gray_png(&page.train.image(position).0, height, width, 1)?;
            row.push(components::image(&png, &format!("training image {position}")));
        }
        rows.push(row);
    }
    let shown = num_classes.min(MAX_CLASSES);
    Ok(html! {
        h3 { "The first images of each class" }
        div.samples {
            @for (class, row) in rows.iter().enumerate() {
                div { strong { (page.classes[class]) } @for image in row { (image) } }
            }
        }
        p.note {
            "Ink is shown bright on black."
            @if page.is_mnist() { " Every person writes differently: slant, width of the stroke, loops." }
            @if shown < num_classes { " Shown are the first " (shown) " of " (num_classes) " classes." }
        }
    })
}

/// Builds the first training image, enlarged, with the pixel values of a patch.
fn enlarged(page: &ExercisePage<'_>) -> Work<Markup> {
    let InputSpec { height, width, .. } = page.layout;
    let (pixels, label) = page.train.image(0);
    let png = gray_png(&pixels, height, width, SCALE)?;
    let (rows, columns) = (PATCH.min(height), PATCH.min(width));
    let (top, left) = most_varied_patch(&pixels, (height, width), (rows, columns));
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
                div { (components::image(&png, &format!("training image 0, {}", page.a_class(label.into())))) span style=(frame) { } }
                figcaption { "Training image 0, label " (page.classes[usize::from(label)]) ". The frame marks the part on the right." }
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

/// Builds the cell of one pixel value.
fn pixel(value: u8) -> Markup {
    let ink = if value > 127 { "#000" } else { "#fff" };
    html! { td style=(format!("background:rgb({value},{value},{value});color:{ink}")) { (value) } }
}

/// Returns the top left corner of the patch with the most different values. It contains background,
/// strokes and their edges.
fn most_varied_patch(
    pixels: &[u8],
    (height, width): (usize, usize),
    (rows, columns): (usize, usize),
) -> (usize, usize) {
    let num_values = |&(top, left): &(usize, usize)| {
        let values = (top..top + rows).flat_map(|row| &pixels[row * width + left..][..columns]);
        values.collect::<HashSet<_>>().len()
    };
    let corners = (0..=height - rows).flat_map(|top| (0..=width - columns).map(move |left| (top, left)));
    corners.max_by_key(num_values).unwrap_or((0, 0))
}

/// Answers question 2.
pub(super) fn labels(page: &ExercisePage<'_>) -> Work<Answer> {
    let num_classes = page.layout.num_classes;
    let first = page.train.label(0);
    let some: Vec<String> =
        (0..page.train.len().min(5)).map(|position| page.train.label(position).to_string()).collect();
    let sentence = format!(
        "Before, a label is a whole number from 0 to {}: the first are {}; after to_categorical (F.one_hot) it is a row of \
         {num_classes} numbers, 1 at the label's place and 0 elsewhere: {first} becomes {}.",
        num_classes - 1,
        listed(&some),
        code(first, num_classes)
    );
    let content = html! {
        p {
            "A label is the right answer that a person has given for an image. Learning from images with their labels is called "
            em { "supervised" } " learning: the network guesses, and the label says how wrong it is."
        }
        (one_hot(page)?)
        h3 { "How often each class occurs" }
        p { (frequencies(page)) }
        (counts(page))
    };
    Ok(Answer { sentence, content, commands: vec![format!("data{}", page.default_file())] })
}

/// Builds the table of the first labels before and after one-hot coding, with the reason for the
/// code.
fn one_hot(page: &ExercisePage<'_>) -> Work<Markup> {
    let num_classes = page.layout.num_classes;
    let first = page.train.label(0);
    let rows = first_images(page)?;
    Ok(html! {
        p {
            "The network answers with " (num_classes) " probabilities, one for each class. To compare the label with them, it is \
             written in the same form: as the probabilities that a perfect answer would have, all of it on the true class. This is \
             called its one-hot code. \
             Places are counted from 0, so that label " (first) " stands at the " (ordinal(first)) " place."
        }
        div.scroll {
            table.codes {
                thead { tr { th { "image" } th { } th { "label: before" } th { "one-hot code: after" } } }
                tbody {
                    @for (position, image, label) in &rows {
                        tr { td { (position) } td { (image) } td { (label) } (code_cell(&code(*label, num_classes))) }
                    }
                }
            }
        }
        p {
            "Why not compare the numbers of the classes themselves? Because they are names, not amounts: a 4 is not the half of \
             an 8, and to take a 3 for an 8 is no worse than to take it for a 4. In one-hot form, every two classes are equally \
             far apart."
        }
        p.note {
            "The loss of question 6 multiplies this row with the logarithms of the probabilities and adds up; the zeros leave only \
             the true class. PyTorch and smallnet therefore keep the labels as plain numbers and pick that one entry: the same result, \
             without the zeros."
        }
    })
}

/// Returns index, picture and label of the first training images.
pub(super) fn first_images(page: &ExercisePage<'_>) -> Work<Vec<(usize, Markup, u16)>> {
    let InputSpec { height, width, .. } = page.layout;
    let mut images = Vec::new();
    for position in 0..page.train.len().min(NUM_LABELS) {
        let (pixels, label) = page.train.image(position);
        let png = gray_png(&pixels, height, width, 1)?;
        images.push((position, components::image(&png, &format!("training image {position}")), label));
    }
    Ok(images)
}

/// Formats the one-hot code of a label.
fn code(label: u16, num_classes: usize) -> String {
    match num_classes {
        0..=MAX_CLASSES => {
            let numbers = data::one_hot(label, num_classes);
            numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
        }
        _ => format!("{num_classes} numbers, 1 at place {label}"),
    }
}

/// Explains the meaning of the class frequencies for an accuracy.
fn frequencies(page: &ExercisePage<'_>) -> String {
    let (train, test) = class_counts(page);
    let rarest = (0..train.len()).min_by_key(|&class| train[class]).unwrap_or(0);
    let most = most_frequent(&train).unwrap_or(0);
    let [rarest_name, most_name] = [rarest, most].map(|class| &page.classes[class]);
    format!(
        "Of the training images, {rarest_name} has the fewest ({}) and {most_name} the most ({}). The counts matter for what an accuracy means. \
         Whoever always answered “{most_name}”, the most frequent class of the training images, would be right for {} of {} test images, {}. \
         A network has to do better than that to have learned anything. {}",
        grouped(train[rarest]),
        grouped(train[most]),
        grouped(test[most]),
        grouped(page.test.len()),
        percent(test[most] as f64 / page.test.len() as f64),
        balance(&train)
    )
}

/// Returns the number of training images and of test images per class.
fn class_counts(page: &ExercisePage<'_>) -> (Vec<usize>, Vec<usize>) {
    let num_classes = page.layout.num_classes;
    (page.train.class_counts(num_classes), page.test.class_counts(num_classes))
}

/// Returns the most frequent class.
fn most_frequent(counts: &[usize]) -> Option<usize> {
    (0..counts.len()).rev().max_by_key(|&class| counts[class])
}

/// Describes how evenly the classes are distributed.
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
                  the recall of each class in question 0."
            .to_owned(),
    }
}

/// Builds the table of class counts.
fn counts(page: &ExercisePage<'_>) -> Markup {
    let (train, test) = class_counts(page);
    let (all_train, all_test) = (train.iter().sum::<usize>(), test.iter().sum::<usize>());
    let share = |part: usize, all: usize| percent(part as f64 / all.max(1) as f64);
    let row = |class: usize| {
        let (train, test) = (train[class], test[class]);
        [
            page.classes[class].clone(),
            grouped(train),
            share(train, all_train),
            grouped(test),
            share(test, all_test),
        ]
    };
    let mut rows: Vec<_> = (0..train.len()).map(row).collect();
    rows.push(["all".to_owned(), grouped(all_train), share(1, 1), grouped(all_test), share(1, 1)]);
    components::table(&["class", "training images", "share", "test images", "share"], &rows, 1)
}

/// Builds a cell with a code whose 1 is bold.
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

/// Formats the position of a label, which counts from 0, as an ordinal that counts from 1: `6th`.
fn ordinal(label: u16) -> String {
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
