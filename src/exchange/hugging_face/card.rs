//! Owns the text of the model card. Must not know how the hub reads its head: see `head`.

use crate::data::Preparation;
use crate::exchange::DenseNetwork;
use crate::exchange::hugging_face::{
    CardFacts, TestFigures, Training, class_names, head, layer_sizes, snippets,
};
use crate::util::format::grouped;

/// Most classes whose names and scores are listed.
const MAX_LISTED: usize = 20;

/// Returns `README.md`: the head and the text.
pub(super) fn write(network: &DenseNetwork, facts: &CardFacts, has_confusion: bool) -> String {
    let mut text = head::write(network, facts);
    let mut section = |paragraphs: &[String]| {
        for paragraph in paragraphs {
            text.push('\n');
            text.push_str(paragraph);
            text.push('\n');
        }
    };
    section(&[format!("# {}", plain(head::name(network))), introduction(network, facts)]);
    if let Some(test) = &facts.test {
        section(&["## Results".to_owned(), figures(network, facts, test)]);
        section(&["The interval is Wilson's, with a confidence of 95 %. It says how far the choice of the test images \
                   moves the accuracy. It says nothing about another seed."
            .to_owned()]);
        if test.classes.len() == network.num_classes() && test.classes.len() <= MAX_LISTED {
            section(&[scores(network, test)]);
        }
        if has_confusion {
            section(&["![Confusion matrix](confusion.png)".to_owned()]);
        }
    }
    section(&["## Use".to_owned(), input(network), "With ONNX Runtime:".to_owned()]);
    section(&[snippets::onnx(network).trim_end().to_owned(), "With PyTorch:".to_owned()]);
    section(&[snippets::pytorch(network).trim_end().to_owned()]);
    section(&["## Limits".to_owned(), limits(network, facts)]);
    if let Some(training) = &facts.training {
        section(&["## Training".to_owned(), repetition(network, training)]);
    }
    text
}

/// A text in Markdown without a meaning of its own. A name of a class may contain anything.
fn plain(text: &str) -> String {
    let escaped = |letter: char| match letter {
        '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' => format!("\\{letter}"),
        '<' => "&lt;".to_owned(),
        '&' => "&amp;".to_owned(),
        letter if letter.is_control() => " ".to_owned(),
        letter => letter.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// A share in [0, 1] with two decimals: `97.64 %`.
fn share(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn introduction(network: &DenseNetwork, facts: &CardFacts) -> String {
    let sizes: Vec<String> = layer_sizes(network).iter().map(usize::to_string).collect();
    let activation =
        network.activation.map_or(String::new(), |activation| format!(" with {}", activation.name()));
    let images = match network.metadata.image_size {
        Some((height, width)) => format!("grey images of {height} × {width} pixels"),
        None => format!("rows of {} pixels", network.num_inputs()),
    };
    let names = class_names(network);
    let classes = match names.len() <= MAX_LISTED {
        true => format!("{} classes: {}", names.len(), plain(&names.join(", "))),
        false => format!("{} classes, whose names are in `config.json`", grouped(names.len())),
    };
    let data = head::data_name(network).map_or(String::new(), |data| format!(" on {}", plain(data)));
    let version = network.metadata.version.as_deref().unwrap_or_default();
    let origin = match facts.training {
        Some(_) => format!("smallnet {version} trained it{data}."),
        None => format!("Another program trained it. smallnet {version} read it and wrote this folder."),
    };
    format!(
        "A fully connected network ({}{activation}) that sorts {images} into {classes}. {origin}",
        sizes.join("-")
    )
}

fn figures(network: &DenseNetwork, facts: &CardFacts, test: &TestFigures) -> String {
    let (low, high) = test.interval;
    let mut rows = vec![
        ("Test accuracy".to_owned(), format!("{} ({} to {})", share(test.accuracy), share(low), share(high))),
        ("Test loss (cross-entropy)".to_owned(), format!("{:.4}", test.loss)),
        ("Test images".to_owned(), grouped(test.num_images)),
    ];
    if let Some(training) = &facts.training {
        rows.push(("Training images".to_owned(), grouped(training.num_train)));
        rows.push(("Validation images".to_owned(), grouped(training.num_validation)));
    }
    let parameters = network.layers.iter().map(|layer| layer.weights.len() + layer.biases.len()).sum();
    rows.push(("Parameters".to_owned(), grouped(parameters)));
    let rows: Vec<String> = rows.into_iter().map(|(name, value)| format!("| {name} | {value} |")).collect();
    format!("| Figure | Value |\n|---|---:|\n{}", rows.join("\n"))
}

fn scores(network: &DenseNetwork, test: &TestFigures) -> String {
    let score = |score: Option<f64>| score.map_or("–".to_owned(), share);
    let names = class_names(network);
    let rows = names.iter().zip(&test.classes).map(|(name, class)| {
        format!(
            "| {} | {} | {} | {} | {} |",
            plain(name),
            score(class.precision),
            score(class.recall),
            score(class.f1),
            class.num_images
        )
    });
    let rows: Vec<String> = rows.collect();
    format!("| Class | Precision | Recall | F1 | Images |\n|---|---:|---:|---:|---:|\n{}", rows.join("\n"))
}

fn input(network: &DenseNetwork) -> String {
    let shape = match network.metadata.image_size {
        Some((height, width)) => format!("[batch, {height}, {width}]"),
        None => format!("[batch, {}]", network.num_inputs()),
    };
    let mut text = format!(
        "Both files take numbers of the type float32 and the shape `{shape}`, from 0 to 1. `model.onnx` gives logits and \
         probabilities, `model.safetensors` the weights."
    );
    if let Some(range) =
        network.metadata.value_range.filter(|range| (range.black, range.white) != (0.0, 255.0))
    {
        text.push_str(&format!(
            " In the files of the training images, 0 was the value {} and 1 the value {}.",
            range.black, range.white
        ));
    }
    match network.metadata.preparation {
        Some(Preparation::Digits) => text.push_str(
            " The training images show one light digit on a dark background, scaled to 20 pixels and centred by its \
             mass, as in MNIST. Prepare your pictures in the same way. `smallnet predict` does that; the programs below \
             only change the size.",
        ),
        _ => text.push_str(" Background and foreground must be as light and dark as in the training images."),
    }
    text
}

fn limits(network: &DenseNetwork, facts: &CardFacts) -> String {
    let data = head::data_name(network)
        .map_or("training images".to_owned(), |data| format!("images of {}", plain(data)));
    let mut lines = vec![
        format!(
            "It was made for pictures like the {data}. Pictures from another source, in another preparation or of another \
             polarity usually give more mistakes than the test images."
        ),
        "It answers with one of its classes, whatever the picture shows. There is no answer \"none of them\".".to_owned(),
        "A probability near 1 is no proof: networks are often sure about pictures that are unlike their training images."
            .to_owned(),
    ];
    match &facts.test {
        Some(_) => lines.push("The figures are those of one training and one set of test images.".to_owned()),
        None => lines.push("It was not tested by smallnet.".to_owned()),
    }
    let lines: Vec<String> = lines.into_iter().map(|line| format!("- {line}")).collect();
    lines.join("\n")
}

fn repetition(network: &DenseNetwork, training: &Training) -> String {
    let digest = network.metadata.weights_sha256.as_deref().unwrap_or_default();
    let mut text = format!(
        "{} epochs with {}, on {}. `config.toml` is the experiment file.",
        training.num_epochs, training.optimizer, training.computed_by
    );
    match &training.not_repeatable {
        Some(reason) => text.push_str(&format!(" It does not give the same weights again: {reason}.")),
        None => text.push_str(&format!(
            " This command trains the network again:\n\n```sh\nsmallnet train config.toml\n```\n\n\
             It gives the same weights to the last bit on the same kind of processor, with the same version of smallnet, \
             backend and engine. The digest of the weights (`weights_sha256`) is then `{digest}`."
        )),
    }
    if let Some(digest) = &network.metadata.data_sha256 {
        text.push_str(&format!(" The digest of the data set is `{digest}`."));
    }
    text
}
