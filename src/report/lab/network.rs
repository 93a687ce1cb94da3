//! Questions 4 to 6: layers, weights, loss and update rule.

use maud::{Markup, html};

use super::{Answer, LabPage};
use crate::data::Layout;
use crate::model::LayerKind;
use crate::number::{counted, grouped, loss, significant};
use crate::plan::{LAYER_COLUMNS, Plan};
use crate::report::parts;

/// Question 4.
pub(super) fn layers(page: &LabPage<'_>) -> Answer {
    let plan = page.plan();
    let Layout { height, width, num_classes } = page.layout;
    let pixels = height * width;
    let names: Vec<_> = plan.layers.iter().skip(1).map(|layer| layer.name.as_str()).collect();
    let sentence = format!(
        "{}, applied to an image: {}; Flatten lays the {height} rows of {width} pixels one behind the other, which makes one \
         list of {}, and learns nothing.",
        counted(names.len(), "layer", "layers"),
        names.join(", "),
        grouped(pixels)
    );
    let (row, column) = (height / 2, width / 2);
    let content = html! {
        div.layers { (parts::table(&LAYER_COLUMNS, &plan.rows(), 2)) }
        p {
            strong { "Flatten" } " only renames: the pixel in row r and column c becomes number " (width) " · r + c of the list, \
             both counted from 0. The pixel in row " (row) ", column " (column) ", for one, becomes number " (width) " · " (row)
            " + " (column) " = " (grouped(width * row + column)) ". Which pixels were neighbours is lost: the network would \
             learn just as well if all images had their pixels shuffled in the same way."
        }
        p {
            strong { "Linear" } " is where everything is learned. It has " (num_classes) " neurons, one for each class. A neuron \
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

/// Question 5.
pub(super) fn weights(page: &LabPage<'_>) -> Answer {
    let plan = page.plan();
    let pixels = page.layout.height * page.layout.width;
    let num_classes = page.layout.num_classes;
    let sentence = format!(
        "{}: each of the {num_classes} neurons has {} weights, one for each pixel, and one bias, and {}.",
        grouped(plan.num_parameters),
        grouped(pixels),
        formula(&plan)
    );
    let content = html! {
        p {
            "A weight says how much ink on one pixel speaks for one class, or against it, if the weight is negative. The bias is \
             what the score is without any ink. Every pixel is connected with every neuron, which is called "
            em { "fully connected" } " or " em { "dense" } ": " (grouped(pixels)) " · " (num_classes) " = "
            (grouped(pixels * num_classes)) " connections, and " (num_classes) " biases. Flatten and Softmax have none: there is \
             nothing in them to learn."
        }
        p {
            "In memory, each is a number of four bytes: " (plan.size()) ". To recognise one image, each connection costs a \
             multiplication and an addition, " (grouped(plan.flops_per_image)) " operations."
        }
    };
    Answer { sentence, content, commands: vec![format!("summary{}", page.default_file())] }
}

/// How the number of weights follows: the formulas of the linear layers, and their sum where there are several.
pub(super) fn formula(plan: &Plan) -> String {
    let linear = plan.layers.iter().filter(|layer| matches!(layer.info.kind, LayerKind::Linear { .. }));
    let notes: Vec<_> = linear.clone().map(|layer| layer.note.replace('×', "·")).collect();
    if notes.len() == 1 {
        return notes.concat();
    }
    let parts: Vec<_> = linear.map(|layer| grouped(layer.info.num_parameters)).collect();
    format!("{}; together {} = {}", notes.join(", "), parts.join(" + "), grouped(plan.num_parameters))
}

/// Question 6.
pub(super) fn minimised(page: &LabPage<'_>) -> Answer {
    let plan = page.plan();
    let rate = significant(page.softmax.experiment.optimizer.learning_rate());
    let sentence = format!(
        "The mean cross-entropy −ln p of the true class is minimised by {}, {}; an epoch has {}.",
        plan.optimizer,
        plan.update_rule.join(", "),
        counted(plan.steps_per_epoch, "step", "steps")
    );
    let num_classes = page.layout.num_classes;
    let guess = (num_classes as f64).ln();
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
            strong { "Steps." } " Not all images are needed for a useful direction: a gradient over a random batch of "
            (plan.batch_size) " points roughly the same way and costs a fraction of the time. This is what “stochastic” in \
             stochastic gradient descent (SGD) means. An epoch goes through all images once, in a new random order, batch by \
             batch: " (plan.steps) "."
        }
    };
    Answer { sentence, content, commands: vec![format!("summary{}", page.default_file())] }
}

/// What the loss did in this run.
fn first_and_last(page: &LabPage<'_>) -> Markup {
    let (Some(first), Some(last)) = (page.softmax.epochs.first(), page.softmax.epochs.last()) else {
        return html! {};
    };
    html! {
        "In this run, the mean loss was " (loss(first.train_loss)) " in the first epoch and " (loss(last.train_loss))
        " in the last."
    }
}
