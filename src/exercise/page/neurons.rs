//! Owns the answer to question 9: the weights of the softmax network as pictures.

use maud::{Markup, html};

use crate::exercise::page::text::place;
use crate::exercise::page::{Answer, ExercisePage, Inside, Work};
use crate::report::run;
use crate::util::format::{counted, grouped, significant};

/// Answers question 9.
pub(super) fn answer(page: &ExercisePage<'_>) -> Work<Answer> {
    let inside = page.inside()?;
    let never = num_blank_pixels(page);
    let (height, width) = (page.layout.height, page.layout.width);
    let pixels = height * width;
    let sentence = format!(
        "Like a stencil of its class: each of the {} neurons has {} weights, one for each pixel; ink where they are positive (red) \
         speaks for the class, ink where they are negative (blue) against it.",
        inside.neurons.weights.len(),
        grouped(pixels)
    );
    let content = html! {
        p {
            "A neuron has one weight for each pixel, so its weights can be drawn as an image of " (height) " × " (width)
            " pixels. In Keras, " code { "get_weights()" } " of the " code { "Dense" } " layer gives them as a matrix with a column \
             for each neuron; in PyTorch, the " code { "weight" } " of " code { "nn.Linear" } " has a row for each neuron. "
            code { "reshape(28, 28)" } " undoes what Flatten did."
        }
        p {
            "Laid over an image to recognise, it \
             works like a stencil: ink on red adds to the score, ink on blue takes away, and the class whose stencil fits best \
             wins. This is all that a network without hidden layers can do: one picture for each class, for all the ways in which \
             that class is written."
        }
        div.neurons { (run::weights(&inside.neurons, page.layout, true, page.classes)?) }
        p { (extreme_weights(page, inside)) }
        @if never > 0 {
            p {
                (counted(never, "pixel", "pixels")) " of " (grouped(pixels)) " have no ink in any training image. Their weights have \
                 a gradient of 0 in every step, so they still are as they were drawn at random before the training: the pale rim of the pictures."
            }
        }
    };
    let run = page.softmax()?.folder();
    Ok(Answer { sentence, content, commands: vec![format!("weights {run}")] })
}

/// Returns the number of pixels that are 0 in all training images.
fn num_blank_pixels(page: &ExercisePage<'_>) -> usize {
    let mut inked = vec![false; page.layout.height * page.layout.width];
    for position in 0..page.train.len() {
        for (inked, &value) in inked.iter_mut().zip(page.train.image(position).0.iter()) {
            *inked |= value > 0;
        }
    }
    inked.iter().filter(|inked| !**inked).count()
}

/// Describes the largest and the smallest of all weights, as examples.
fn extreme_weights(page: &ExercisePage<'_>, inside: &Inside) -> Markup {
    let all = inside.neurons.weights.iter().enumerate();
    let all = all.flat_map(|(class, weights)| {
        weights.iter().enumerate().map(move |(pixel, &weight)| (class, pixel, weight))
    });
    let by_weight = |a: &(usize, usize, f32), b: &(usize, usize, f32)| a.2.total_cmp(&b.2);
    let (Some(largest), Some(smallest)) = (all.clone().max_by(by_weight), all.min_by(by_weight)) else {
        return html! {};
    };
    let said = |(class, pixel, weight): (usize, usize, f32)| {
        format!(
            "{} for class {}, at {}",
            significant(f64::from(weight)).replace('-', "−"),
            page.classes[class],
            place(pixel, page.layout.width)
        )
    };
    html! {
        "The largest of all weights is " (said(largest)) ": full ink there adds that much to the score. The smallest is "
        (said(smallest)) "."
    }
}
