//! Owns the answers to questions 3 to 7: Flatten, layers, weights, loss and update rule, steps.

use maud::{Markup, html};

use crate::data::InputSpec;
use crate::exercise::page::{Answer, ExercisePage, Work};
use crate::experiment::settings;
use crate::experiment::summary::ModelSummary;
use crate::model::LayerKind;
use crate::report::components;
use crate::util::format::{counted, grouped, loss, significant};

/// Answers question 3.
pub(super) fn flatten(page: &ExercisePage<'_>) -> Answer {
    let InputSpec { height, width, .. } = page.layout;
    let pixels = height * width;
    let sentence = format!(
        "Flatten makes one list of {} numbers of an image's {height} rows of {width} pixels, one row behind the other: a Dense \
         layer (nn.Linear) takes a list, not a grid. It learns nothing.",
        grouped(pixels)
    );
    let (row, column) = (height / 2, width / 2);
    let content = html! {
        p {
            code { "Flatten" } " only renames: the pixel in row r and column c becomes number " (width) " · r + c of the list, \
             both counted from 0. The pixel in row " (row) ", column " (column) ", for one, becomes number " (width) " · " (row)
            " + " (column) " = " (grouped(width * row + column)) ". A batch of shape [batch, " (height) ", " (width)
            "] becomes one of shape [batch, " (grouped(pixels)) "]; the first dimension, the images, stays."
        }
        p {
            "Which pixels were neighbours is lost: the network would learn just as well if all images had their pixels shuffled \
             in the same way."
        }
    };
    Answer { sentence, content, commands: vec![format!("summary{}", page.default_file())] }
}

/// Answers question 4.
pub(super) fn layers(page: &ExercisePage<'_>) -> Answer {
    let plan = page.plan();
    let InputSpec { height, width, num_classes } = page.layout;
    let pixels = height * width;
    let linear =
        plan.layers.iter().filter(|layer| matches!(layer.info.kind, LayerKind::Linear { .. })).count();
    let sentence = match linear {
        1 => format!(
            "One: the Dense layer (nn.Linear in PyTorch) with {num_classes} neurons and their softmax. Flatten learns nothing and is \
             not counted."
        ),
        several => format!(
            "{several}, the Dense layers (nn.Linear in PyTorch), the last of them with {num_classes} neurons and their softmax. \
             Flatten learns nothing and is not counted."
        ),
    };
    let content = html! {
        p {
            "People count the layers that have weights. The programs list more: Keras' " code { "model.summary()" } " has a row for "
            code { "Flatten" } ", too, PyTorch's " code { "print(model)" } " as well, and smallnet a row for each thing that is done \
             to an image. Keras hides softmax in " code { "Dense(…, activation=\"softmax\")" } ", PyTorch in the loss, "
            code { "CrossEntropyLoss" } "."
        }
        div.layers { (components::text_table(&plan.table())) }
        p {
            "The layer is called " code { "Dense" } " in Keras and " code { "Linear" } " in PyTorch and here. It has "
            (num_classes) " neurons, one for each class. A neuron \
             multiplies each of the " (grouped(pixels)) " numbers with a weight of its own, adds the products, and adds one more \
             number, its bias. The sum is the score of its class, also called its logit:"
        }
        p.formula {
            "z" sub { "k" } " = w" sub { "k,0" } " x" sub { "0" } " + w" sub { "k,1" } " x" sub { "1" } " + … + w"
            sub { "k," (pixels - 1) } " x" sub { (pixels - 1) } " + b" sub { "k" }
        }
        p {
            strong { "Softmax" } " turns the " (num_classes) " scores, which may be any numbers, into probabilities: it raises e \
             to each score, which makes all of them positive, and divides by their sum, which makes them add up to 1."
        }
        p.formula {
            "p" sub { "k" } " = e" sup { "z" sub { "k" } } " / (e" sup { "z" sub { "0" } } " + … + e"
            sup { "z" sub { (num_classes - 1) } } ")"
        }
        p {
            "Why not simply take the largest score? For the answer it makes no difference: the largest score has the largest \
             probability. For learning it does. A maximum says right or wrong and jumps from one to the other; probabilities \
             change a little with every weight, and so say in which direction a weight should go. Question 8 calculates one \
             image through."
        }
    };
    Answer { sentence, content, commands: vec![format!("summary{}", page.default_file())] }
}

/// Answers question 5.
pub(super) fn weights(page: &ExercisePage<'_>) -> Answer {
    let plan = page.plan();
    let pixels = page.layout.height * page.layout.width;
    let num_classes = page.layout.num_classes;
    let each = match page.experiment.model.hidden.is_empty() {
        true => format!(
            "each of the {num_classes} neurons has {} weights, one for each pixel, and one bias: ",
            grouped(pixels)
        ),
        false => String::new(),
    };
    let sentence = format!("{}: {each}{}.", grouped(plan.num_parameters), formula(&plan));
    let content = html! {
        p {
            "A weight says how much ink on one pixel speaks for one class, or against it, if the weight is negative. The bias is \
             what the score is without any ink. Every pixel is connected with every neuron, which is called "
            em { "fully connected" } " or " em { "dense" } ": " (grouped(pixels)) " · " (num_classes) " = "
            (grouped(pixels * num_classes)) " connections, and " (num_classes) " biases. Flatten and Softmax have none: there is \
             nothing in them to learn."
        }
        p {
            "Keras' " code { "model.summary()" } " calls them “trainable params”; " code { "model.count_params()" }
            " and, in PyTorch, the sum of " code { "p.numel()" } " over " code { "model.parameters()" } " give the same number. \
             In memory, each is a number of four bytes: " (plan.size()) ". To recognise one image, each connection costs a \
             multiplication and an addition, " (grouped(plan.flops_per_image)) " operations."
        }
    };
    Answer { sentence, content, commands: vec![format!("summary{}", page.default_file())] }
}

/// Formats the calculation of the number of parameters: the formula of each linear layer, and their
/// sum if there are several.
pub(super) fn formula(plan: &ModelSummary) -> String {
    let linear = plan.layers.iter().filter(|layer| matches!(layer.info.kind, LayerKind::Linear { .. }));
    let notes: Vec<_> = linear.clone().map(|layer| layer.note.replace('×', "·")).collect();
    if notes.len() == 1 {
        return notes.concat();
    }
    let parts: Vec<_> = linear.map(|layer| grouped(layer.info.num_parameters)).collect();
    format!("{}; together {} = {}", notes.join(", "), parts.join(" + "), grouped(plan.num_parameters))
}

/// Answers question 6.
pub(super) fn loss_and_optimizer(page: &ExercisePage<'_>) -> Work<Answer> {
    let plan = page.plan();
    let rate = significant(page.experiment.optimizer.learning_rate());
    let sentence = format!(
        "Loss: the mean cross-entropy −ln p of the true class (categorical_crossentropy, nn.CrossEntropyLoss). Algorithm: {} with \
         {}, {}.",
        algorithm(&plan),
        plan.learning_rate,
        plan.update_rule.join(", ")
    );
    let num_classes = page.layout.num_classes;
    let guess = (num_classes as f64).ln();
    let parameters = parameters(page)?;
    let content = html! {
        p {
            strong { "The loss" } " measures how wrong an answer is: −ln p, where p is the probability that the network gives to the \
             true class. An answer that is certain and right, p = 1, costs 0; p = 0.5 costs " (loss(-(0.5f64).ln()))
            "; p = 0.01 costs " (loss(-(0.01f64).ln())) "; and as p goes to 0 the cost grows without bound: to be certain and wrong \
             is the worst. Whoever knows nothing and gives each of the " (num_classes) " classes 1/" (num_classes)
            " pays ln " (num_classes) " = " (loss(guess)) ". " (first_and_last(page))
        }
        p.formula { "L = −(ln p" sub { "(1)" } " + … + ln p" sub { "(B)" } ") / B, over the B = " (plan.batch_size) " images of a batch" }
        p {
            "Keras calls this loss " code { "categorical_crossentropy" } " where the labels are one-hot rows, and "
            code { "sparse_categorical_crossentropy" } " where they are numbers. PyTorch's " code { "nn.CrossEntropyLoss" }
            " takes numbers, and the scores before softmax: softmax is a part of it."
        }
        p {
            strong { "The gradient" } " of the loss says for every weight how the loss would change if that weight grew a little. \
             If the gradient g is positive, a larger weight makes the loss larger, so the weight has to shrink; if it is \
             negative, the weight has to grow. A step moves all weights at once, each against its gradient, and η times as far as \
             the gradient is large; η is the learning rate, here " (rate) ":"
        }
        pre { @for line in &plan.update_rule { (line) "\n" } (plan.learning_rate) }
        p {
            "For this network, the gradient has a simple form: for the weight from pixel i to class k it is the mean of x" sub { "i" }
            " · (p" sub { "k" } " − y" sub { "k" } ") over the batch, the pixel times how far the probability is from its target \
             in the one-hot row. So a weight moves only if its pixel has ink, and the more, the more wrong the answer was."
        }
        p {
            "Not all images are needed for a useful direction: a gradient over a random batch of "
            (plan.batch_size) " points roughly the same way and costs a fraction of the time. This is what “stochastic” in \
             stochastic gradient descent (SGD) means."
        }
        h3 { "Its parameters" }
        (parameters)
    };
    Ok(Answer { sentence, content, commands: vec![format!("summary{}", page.default_file())] })
}

/// Describes the optimizer.
fn algorithm(plan: &ModelSummary) -> String {
    match plan.optimizer.as_str() {
        "SGD" => "stochastic gradient descent (SGD)".to_owned(),
        other => other.to_owned(),
    }
}

/// Builds the table of all settings of the optimizer and the training, with the keys of the
/// experiment file.
fn parameters(page: &ExercisePage<'_>) -> Work<Markup> {
    let rows: Vec<[String; 2]> = settings(page.experiment)?
        .into_iter()
        .filter(|(key, _)| ["optimizer.", "schedule.", "training."].iter().any(|part| key.starts_with(part)))
        .map(|(key, value)| [key, value])
        .collect();
    Ok(components::table(&["parameter", "value"], &rows, 1))
}

/// Describes the course of the loss in this run.
fn first_and_last(page: &ExercisePage<'_>) -> Markup {
    let Ok(run) = page.softmax() else { return html! {} };
    let (Some(first), Some(last)) = (run.records.epochs.first(), run.records.epochs.last()) else {
        return html! {};
    };
    html! {
        "In the run of question 0, the mean loss was " (loss(first.train_loss)) " in the first epoch and "
        (loss(last.train_loss)) " in the last."
    }
}

/// Answers question 7.
pub(super) fn steps(page: &ExercisePage<'_>) -> Answer {
    let plan = page.plan();
    let (images, batch, steps) = (plan.num_train, plan.batch_size, plan.steps_per_epoch);
    let bar = format!("{steps}/{steps}");
    let rest = images % batch;
    let batches = match (images / batch, rest) {
        (full, 0) => format!("all of them full, {full} · {batch} images"),
        (0, rest) => format!("a single batch of {}", grouped(rest)),
        (full, rest) => {
            format!("{} full batches and a last one of {}", grouped(full), counted(rest, "image", "images"))
        }
    };
    let sentence = format!(
        "Steps done / steps of an epoch: {} images / {} in a batch = {}, so an epoch has {}, {batches}.",
        grouped(images),
        grouped(batch),
        quotient(images, batch),
        counted(steps, "step", "steps")
    );
    let content = html! {
        p {
            "A step learns from one batch: it computes the loss and the gradient of these images and moves all weights once \
             (question 6). An epoch goes through all training images once, in a new random order, batch by batch. While " code { "fit" }
            " works, Keras counts the steps; at the end of the epoch the line reads " code { (bar) } ", and the next epoch begins \
             with " code { "1/" (steps) } "."
        }
        p { "All in all: " (plan.steps) "." }
        p {
            "The numbers behind it in that line are the time per step and the means of accuracy and loss over the steps of this epoch so \
             far. The weights change after every step, so the means mix the answers of " (grouped(steps))
            " different networks; they are not what the network at the epoch's end does on the training images."
        }
        p {
            "In PyTorch, " code { "len(loader)" } " is the number of steps; a " code { "DataLoader" } " with " code { "drop_last=True" }
            " leaves the short batch out. " code { "model.evaluate" } " prints such a line, too, but with batches of 32 images unless \
             it is told otherwise: for " (grouped(page.test.len())) " test images " code { (evaluated(page)) } ", which learns nothing."
        }
    };
    Answer { sentence, content, commands: vec![format!("summary{}", page.default_file())] }
}

/// Formats a quotient with at most two decimals: `468.75`, `4`.
fn quotient(images: usize, batch: usize) -> String {
    let text = format!("{:.2}", images as f64 / batch as f64);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Describes the number that Keras prints at the end of `evaluate`.
fn evaluated(page: &ExercisePage<'_>) -> String {
    let steps = page.test.len().div_ceil(32);
    format!("{steps}/{steps}")
}
