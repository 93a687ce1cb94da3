//! Questions 0, 7 and 9: the softmax network's run, its test, its neurons.

use maud::{Markup, html};

use super::words::{images, interval, num_wrong, place, right_of_all, tested};
use super::{Answer, LabPage, training_seconds, word};
use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::number::{counted, grouped, loss, percent, seconds, significant};
use crate::report::{curves, parts, result, run};

/// What Keras reports for the example, on MNIST.
const KERAS: f64 = 0.9217;

/// Question 0.
pub(super) fn example(page: &LabPage<'_>) -> Answer {
    let plan = page.plan();
    let Some(test) = tested(page.softmax) else { return not_tested() };
    let epochs = counted(page.softmax.epochs.len(), "epoch", "epochs");
    let sentence = format!(
        "Test accuracy {:.4}: {} images are recognised; the training steps of {epochs} took {}, everything together {}.",
        test.accuracy,
        right_of_all(test),
        training_seconds(page.softmax),
        seconds(page.softmax_seconds)
    );
    let (low, high) = interval(test);
    let content = html! {
        (parts::numbers(&[
            (format!("{:.4}", test.accuracy), "test accuracy".to_owned()),
            (loss(test.loss), "test loss".to_owned()),
            (training_seconds(page.softmax), format!("training steps of {epochs}")),
            (seconds(page.softmax_seconds), "with reading, testing, saving".to_owned()),
        ]))
        p {
            "The example is about the simplest network for this task: " (plan.shape()) ", each pixel connected to each class. \
             It is trained by " (plan.optimizer) " with learning rate "
            (significant(page.softmax.experiment.optimizer.learning_rate())) " in batches of " (plan.batch_size) " images, "
            (epochs) " long, and then tested once on images that played no part in the training. " em { "Accuracy" }
            " is the share of images whose most probable class is the true one. The words are explained in questions 4 to 7."
        }
        p {
            "How exact is such a number? " (images(test.num_images)) " are a sample: as far as they can tell, the accuracy over all \
             images of their kind lies between " (format!("{low:.4}")) " and " (format!("{high:.4}"))
            " (Wilson's interval, 95 %). "
            @if page.is_mnist() { (keras(test)) }
        }
    };
    Answer { sentence, content, commands: vec![format!("train {}", word(page.files[0]))] }
}

fn keras(test: &Evaluation) -> String {
    let (low, high) = interval(test);
    let difference = (test.accuracy - KERAS).abs();
    let apart = images((difference * test.num_images as f64).round() as usize);
    let verdict = match (low..=high).contains(&KERAS) {
        true => "inside this range",
        false => "outside this range",
    };
    format!(
        "Keras reports {KERAS} for the same network, {difference:.4} or {apart} away and {verdict}. Both programs draw the initial weights and the order of the images at random, so two runs are hardly ever equal."
    )
}

fn not_tested() -> Answer {
    let sentence = "The network has not been tested.".to_owned();
    Answer { sentence, content: html! {}, commands: Vec::new() }
}

/// Question 7.
pub(super) fn unseen(page: &LabPage<'_>) -> Result<Answer> {
    let (Some(record), Some(test)) = (&page.softmax.test, tested(page.softmax)) else {
        return Ok(not_tested());
    };
    let sentence = format!(
        "It recognises {} of the {} test images, accuracy {:.4} at a mean loss of {}; {} are wrong.",
        grouped(test.confusion.num_correct() as usize),
        grouped(test.num_images),
        test.accuracy,
        loss(test.loss),
        grouped(num_wrong(test))
    );
    let content = html! {
        p {
            "A network could simply remember its training images and know nothing of others; that is called "
            em { "overfitting" } ". So it is judged by images that it has never learned from, the test images. And they are used \
             once, at the end: whoever tries many settings and keeps the one with the best test accuracy has, in part, chosen the \
             luck of these images, and the number no longer says what to expect of new ones. Questions 11 to 14 choose by other \
             images for that reason."
        }
        p { (overfitting(page, test)) }
        h3 { "Learning curves" }
        p.note { "Means over the images of an epoch, each measured just before the step that learns from it." }
        (curves::of_run(&page.softmax.epochs)?)
        h3 { "Confusion matrix" }
        (result::confusion_note(&test.confusion))
        div.result { (result::confusion(&test.confusion)?) (result::scores(&test.classes)) }
        p { (hardest(test)) }
        @if !test.worst.is_empty() {
            h3 { "The worst mistakes" }
            (result::mistakes(record, page.layout)?)
        }
    };
    Ok(Answer { sentence, content, commands: vec![format!("evaluate {}", page.run())] })
}

/// Whether the training images are recognised better than the test images.
fn overfitting(page: &LabPage<'_>, test: &Evaluation) -> String {
    let Some(last) = page.softmax.epochs.last() else { return String::new() };
    let (low, high) = interval(test);
    let said = format!(
        "In its last epoch, the network was right for {} of its training images, and it is right for {} of the test images",
        percent(last.train_accuracy),
        percent(test.accuracy)
    );
    match last.train_accuracy {
        training if training > high => format!(
            "{said}: it does better on what it has learned from, a sign of overfitting, by {} points.",
            points(training - test.accuracy)
        ),
        training if training < low => {
            format!("{said}, which is better still: there is no sign of overfitting.")
        }
        _ => format!(
            "{said}: no difference that this number of test images could show, and so no sign of overfitting. With {} weights for {} \
             images, there is little room to remember single ones.",
            grouped(page.plan().num_parameters),
            grouped(page.train.len())
        ),
    }
}

/// A difference of shares in percent points.
pub(super) fn points(difference: f64) -> String {
    format!("{:.1}", 100.0 * difference.abs())
}

/// The classes that are recognised best and worst, and the most frequent mistake.
fn hardest(test: &Evaluation) -> String {
    let recall = |class: &usize| test.classes[*class].recall;
    let known: Vec<usize> = (0..test.classes.len()).filter(|class| recall(class).is_some()).collect();
    let by_recall = |a: &&usize, b: &&usize| recall(a).unwrap_or(0.0).total_cmp(&recall(b).unwrap_or(0.0));
    let (Some(&worst), Some(&best)) = (known.iter().min_by(by_recall), known.iter().max_by(by_recall)) else {
        return String::new();
    };
    let share = |class: usize| percent(recall(&class).unwrap_or(0.0));
    let mut said = format!(
        "Best recognised are images of class {best} ({} of them), worst those of class {worst} ({}).",
        share(best),
        share(worst)
    );
    let counts = &test.confusion.counts;
    let pairs =
        (0..counts.len()).flat_map(|label| (0..counts.len()).map(move |predicted| (label, predicted)));
    let wrong = pairs.filter(|(label, predicted)| label != predicted);
    if let Some((label, predicted)) = wrong.max_by_key(|&(label, predicted)| counts[label][predicted])
        && counts[label][predicted] > 0
    {
        let often = counted(counts[label][predicted] as usize, "time", "times");
        said +=
            &format!(" The most frequent mistake is to take class {label} for class {predicted}, {often}.");
    }
    said
}

/// Question 9.
pub(super) fn neurons(page: &LabPage<'_>) -> Result<Answer> {
    let never = never_inked(page);
    let pixels = page.layout.height * page.layout.width;
    let sentence = format!(
        "Each of the {} neurons has learned a picture of its class: the pixels where ink speaks for the class (red) and those \
         where ink speaks against it (blue).",
        page.layout.num_classes
    );
    let content = html! {
        p {
            "A neuron has one weight for each pixel, so its weights can be drawn as an image. Laid over an image to recognise, it \
             works like a stencil: ink on red adds to the score, ink on blue takes away, and the class whose stencil fits best \
             wins. This is all that a network without hidden layers can do: one picture for each class, for all the ways in which \
             that class is written."
        }
        div.neurons { (run::weights(page.neurons, page.layout, true)?) }
        p { (strongest(page)) }
        @if never > 0 {
            p {
                (counted(never, "pixel", "pixels")) " of " (grouped(pixels)) " have no ink in any training image. Their weights have \
                 a gradient of 0 in every step, so they still are as they were drawn at random before the training: the pale rim of the pictures."
            }
        }
    };
    Ok(Answer { sentence, content, commands: vec![format!("weights {}", page.run())] })
}

/// Pixels that are 0 in all training images.
fn never_inked(page: &LabPage<'_>) -> usize {
    let mut inked = vec![false; page.layout.height * page.layout.width];
    for position in 0..page.train.len() {
        for (inked, &value) in inked.iter_mut().zip(page.train.image(position).0) {
            *inked |= value > 0;
        }
    }
    inked.iter().filter(|inked| !**inked).count()
}

/// The largest and the smallest of all weights, as examples.
fn strongest(page: &LabPage<'_>) -> Markup {
    let all = page.neurons.weights.iter().enumerate();
    let all = all.flat_map(|(class, weights)| {
        weights.iter().enumerate().map(move |(pixel, &weight)| (class, pixel, weight))
    });
    let by_weight = |a: &(usize, usize, f32), b: &(usize, usize, f32)| a.2.total_cmp(&b.2);
    let (Some(largest), Some(smallest)) = (all.clone().max_by(by_weight), all.min_by(by_weight)) else {
        return html! {};
    };
    let said = |(class, pixel, weight): (usize, usize, f32)| {
        format!(
            "{} for class {class}, at {}",
            significant(f64::from(weight)).replace('-', "−"),
            place(pixel, page.layout.width)
        )
    };
    html! {
        "The largest of all weights is " (said(largest)) ": full ink there adds that much to the score. The smallest is "
        (said(smallest)) "."
    }
}
