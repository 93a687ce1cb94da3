//! Owns the answer to question 8: the prediction for one image, step by step.

use maud::{Markup, html};

use crate::exercise::page::{Answer, ExampleImage, ExercisePage, Inside, Work};
use crate::model::LayerWeights;
use crate::plots::gray_png;
use crate::report::components;
use crate::util::format::{grouped, loss, percent, significant};

/// Maximum number of classes in a table. If there are more, the most probable ones are shown.
const MAX_CLASSES: usize = 20;

/// Answers question 8.
pub(super) fn of_images(page: &ExercisePage<'_>) -> Work<Answer> {
    let Inside { first, other, .. } = page.inside()?;
    let verdict = if first.is_right() { "right" } else { "wrong" };
    let sentence = format!(
        "Test image {} is predicted to be {}, with probability {}; its label is {}: {verdict}.",
        first.index,
        page.a_class(first.prediction.class),
        percent(first.prediction.confidence()),
        page.classes[first.label]
    );
    let shown: Vec<&ExampleImage> = [first].into_iter().chain(other).collect();
    let wrong = shown.iter().find(|asked| !asked.is_right());
    let mut images = Vec::new();
    for asked in &shown {
        images.push(image(page, asked)?);
    }
    let content = html! {
        p {
            "The answer is a probability for each class; the network says the class that has the highest one. Keras' "
            code { "predict" } " gives the probabilities, PyTorch's " code { "model(x)" } " the scores before softmax; "
            code { "argmax" } " is the place of the largest, counted from 0, and so the class. The table calculates the answer: the \
             score is the sum of pixels times weights plus bias (question 4), and e to the score, divided by the sum of that \
             column, is the probability."
        }
        @for (index, image) in images.iter().enumerate() {
            @if index > 0 { p { (about_other(first)) } }
            (image)
        }
        @if let Some(wrong) = wrong { p { (about_mistake(wrong, page.classes)) } }
    };
    let indices: Vec<_> = shown.iter().map(|asked| asked.index.to_string()).collect();
    let commands = vec![format!("predict {} --index {}", page.softmax()?.folder(), indices.join(" "))];
    Ok(Answer { sentence, content, commands })
}

/// Explains the purpose of the second image.
fn about_other(first: &ExampleImage) -> &'static str {
    match first.is_right() {
        true => "For comparison, the first test image that is not recognised:",
        false => "For comparison, the first test image that is recognised:",
    }
}

impl ExampleImage {
    /// Returns whether the prediction is the class of the image.
    fn is_right(&self) -> bool {
        self.prediction.class == self.label
    }
}

/// Explains a misclassification.
fn about_mistake(wrong: &ExampleImage, classes: &[String]) -> String {
    let ExampleImage { label, prediction, .. } = wrong;
    let rank =
        prediction.log_probabilities.iter().filter(|&&p| p > prediction.log_probabilities[*label]).count();
    format!(
        "A probability is not a promise: the mistake was made with {}. The true class {} had {} % and was choice number {}; the loss of this image is −ln p = {}.",
        percent(prediction.confidence()),
        classes[*label],
        significant(100.0 * prediction.log_probabilities[*label].exp()),
        rank + 1,
        loss(prediction.loss(*label))
    )
}

/// Builds an image with its scores and probabilities.
fn image(page: &ExercisePage<'_>, asked: &ExampleImage) -> Work<Markup> {
    let ExampleImage { index, label, pixels, prediction } = asked;
    let png = gray_png(pixels, page.layout.height, page.layout.width, 6)?;
    let verdict = if asked.is_right() { "right" } else { "wrong" };
    let scores = scores(&page.inside()?.neurons, pixels);
    let sum: f64 = scores.iter().map(|score| score.exp()).sum();
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    if classes.len() > MAX_CLASSES {
        classes.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        classes.truncate(MAX_CLASSES);
    }
    Ok(html! {
        h3 { "Test image " (index) ": label " (page.classes[*label]) ", predicted " (page.classes[prediction.class]) ", " (verdict) }
        div.result {
            figure.asked { (components::image(&png, &format!("test image {index}, {}", page.a_class(*label)))) }
            div.scroll {
                table.chances {
                    thead { tr { th { "class" } th { "score z" } th { "e" sup { "z" } } th { "probability" } th { } } }
                    tbody {
                        @for class in classes { (row(class, asked, scores[class], page.classes)) }
                        tr { td { "sum" } td { } td { (power(sum)) } td { "100 %" } td { } }
                    }
                }
            }
        }
    })
}

/// Builds the row of one class.
fn row(class: usize, asked: &ExampleImage, score: f64, classes: &[String]) -> Markup {
    let probability = asked.prediction.log_probabilities[class].exp();
    let mark = match (class == asked.label, class == asked.prediction.class) {
        (true, _) => Some("good"),
        (false, true) => Some("bad"),
        (false, false) => None,
    };
    html! {
        tr class=[mark] {
            td { (classes[class]) }
            td { (format!("{score:.2}").replace('-', "−")) }
            td { (power(score.exp())) }
            td { (percent(probability)) }
            td { span.bar style=(format!("width:{:.1}%", 100.0 * probability)) { } }
        }
    }
}

/// Formats a power of e. Large ones are rounded to whole numbers.
fn power(value: f64) -> String {
    if (1000.0..1e15).contains(&value) { grouped(value.round() as usize) } else { significant(value) }
}

/// Computes the score of each class: the sum of pixels (0 to 1) times weights, plus the bias.
fn scores(neurons: &LayerWeights, pixels: &[u8]) -> Vec<f64> {
    let neurons = neurons.weights.iter().zip(&neurons.biases);
    let score = |(weights, &bias): (&Vec<f32>, &f32)| {
        let products =
            weights.iter().zip(pixels).map(|(&weight, &pixel)| f64::from(weight) * f64::from(pixel) / 255.0);
        products.sum::<f64>() + f64::from(bias)
    };
    neurons.map(score).collect()
}

#[cfg(test)]
mod tests;
