//! Question 8: one image through the network, calculated.

use maud::{Markup, html};

use super::{Answer, Asked, LabPage};
use crate::error::Result;
use crate::figures::gray_png;
use crate::number::{grouped, loss, percent, significant};
use crate::report::parts;

/// Classes in a table; with more, the most probable ones are shown.
const MAX_CLASSES: usize = 20;

/// Question 8.
pub(super) fn of_images(page: &LabPage<'_>) -> Result<Answer> {
    let shown: Vec<&Asked> = page.right.into_iter().chain(page.wrong).collect();
    let sentence = match (page.right, page.wrong) {
        (Some(right), Some(wrong)) => format!(
            "Test image {}, a {}, is recognised with probability {}; test image {}, a {}, is taken for a {} with probability {}.",
            right.index,
            right.label,
            percent(right.prediction.confidence()),
            wrong.index,
            wrong.label,
            wrong.prediction.class,
            percent(wrong.prediction.confidence())
        ),
        (Some(right), None) => format!(
            "Test image {}, a {}, is recognised with probability {}; there is no image that is not recognised.",
            right.index,
            right.label,
            percent(right.prediction.confidence())
        ),
        (None, Some(wrong)) => format!(
            "Test image {}, a {}, is taken for a {} with probability {}; there is no image that is recognised.",
            wrong.index,
            wrong.label,
            wrong.prediction.class,
            percent(wrong.prediction.confidence())
        ),
        (None, None) => "There is no test image.".to_owned(),
    };
    let content = html! {
        p {
            "The answer is a probability for each class; the network says the class that has the highest one. Shown are the first \
             test image that it recognises and the first that it does not. The tables calculate the answers: the score is the sum of \
             pixels times weights plus bias (question 4), and e to the score, divided by the sum of that column, is the \
             probability."
        }
        @for asked in &shown { (image(page, asked)?) }
        @if let Some(wrong) = page.wrong { p { (about_mistake(wrong)) } }
    };
    let indices: Vec<_> = shown.iter().map(|asked| asked.index.to_string()).collect();
    let commands = match indices.is_empty() {
        true => Vec::new(),
        false => vec![format!("predict {} --index {}", page.run(), indices.join(" "))],
    };
    Ok(Answer { sentence, content, commands })
}

fn about_mistake(wrong: &Asked) -> String {
    let Asked { label, prediction, .. } = wrong;
    let rank =
        prediction.log_probabilities.iter().filter(|&&p| p > prediction.log_probabilities[*label]).count();
    format!(
        "A probability is not a promise: the mistake was made with {}. The true class {label} had {} % and was choice number {}; the loss of this image is −ln p = {}.",
        percent(prediction.confidence()),
        significant(100.0 * prediction.log_probabilities[*label].exp()),
        rank + 1,
        loss(prediction.loss(*label))
    )
}

/// An image with its scores and probabilities.
fn image(page: &LabPage<'_>, asked: &Asked) -> Result<Markup> {
    let Asked { index, label, pixels, prediction } = asked;
    let png = gray_png(pixels, page.layout.height, page.layout.width, 6)?;
    let is_right = prediction.class == *label;
    let verdict = if is_right { "right" } else { "wrong" };
    let scores = scores(page, pixels);
    let sum: f64 = scores.iter().map(|score| score.exp()).sum();
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    if classes.len() > MAX_CLASSES {
        classes.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        classes.truncate(MAX_CLASSES);
    }
    Ok(html! {
        h3 { "Test image " (index) ": label " (label) ", predicted " (prediction.class) ", " (verdict) }
        div.result {
            figure.asked { (parts::image(&png, &format!("test image {index}, a {label}"))) }
            div.scroll {
                table.chances {
                    thead { tr { th { "class" } th { "score z" } th { "e" sup { "z" } } th { "probability" } th { } } }
                    tbody {
                        @for class in classes { (row(class, asked, scores[class])) }
                        tr { td { "sum" } td { } td { (power(sum)) } td { "100 %" } td { } }
                    }
                }
            }
        }
    })
}

fn row(class: usize, asked: &Asked, score: f64) -> Markup {
    let probability = asked.prediction.log_probabilities[class].exp();
    let mark = match (class == asked.label, class == asked.prediction.class) {
        (true, _) => Some("good"),
        (false, true) => Some("bad"),
        (false, false) => None,
    };
    html! {
        tr class=[mark] {
            td { (class) }
            td { (format!("{score:.2}").replace('-', "−")) }
            td { (power(score.exp())) }
            td { (percent(probability)) }
            td { span.bar style=(format!("width:{:.1}%", 100.0 * probability)) { } }
        }
    }
}

/// A power of e: large ones as whole numbers.
fn power(value: f64) -> String {
    if (1000.0..1e15).contains(&value) { grouped(value.round() as usize) } else { significant(value) }
}

/// Pixels times weights plus bias, class by class.
fn scores(page: &LabPage<'_>, pixels: &[u8]) -> Vec<f64> {
    let neurons = page.neurons.weights.iter().zip(&page.neurons.biases);
    let score = |(weights, &bias): (&Vec<f32>, &f32)| {
        let products =
            weights.iter().zip(pixels).map(|(&weight, &pixel)| f64::from(weight) * f64::from(pixel) / 255.0);
        products.sum::<f64>() + f64::from(bias)
    };
    neurons.map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mistake_names_the_rank_of_the_true_class() {
        let logits = [0.5f32.ln(), 0.125f32.ln(), 0.375f32.ln()];
        let prediction = crate::evaluation::Prediction::from_logits(&logits);
        let asked = Asked { index: 3, label: 1, pixels: Vec::new(), prediction };
        assert_eq!(
            about_mistake(&asked),
            "A probability is not a promise: the mistake was made with 50.0 %. The true class 1 had 12.5 % and was choice number 3; \
             the loss of this image is −ln p = 2.0794."
        );
    }
}
