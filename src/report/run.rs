//! Owns the page about one run.

use maud::{Markup, html};

use crate::data::InputSpec;
use crate::error::Result;
use crate::experiment::summary::ModelSummary;
use crate::model::LayerWeights;
use crate::optim::ScheduleConfig;
use crate::plots::{symmetric_limit, weight_png};
use crate::report::layout;
use crate::report::layout::section;
use crate::report::{components, curves, result};
use crate::run::diagnosis;
use crate::run::diagnosis::Finding;
use crate::run::{ImportedNetwork, ResumeEvent, RunRecords, Status};
use crate::training::{EpochRecord, Position};
use crate::util::format::{counted, grouped, loss, seconds, three_digits};

/// Most neurons that the page shows. `smallnet weights` draws more.
const MAX_NEURONS: usize = 60;

/// Words about a run that leaves the test images alone.
const NOT_TESTED: &str = "not tested (--no-test)";

/// Writes the page about a run, from its records and the first layer of its network (`None` before
/// its weights are saved).
///
/// # Errors
/// The records cannot be drawn, such as an image whose size is not the run's.
pub fn page(run: &RunRecords, first_layer: Option<&LayerWeights>) -> Result<String> {
    let layout = run.info.data.layout;
    let model = ModelSummary::new(&run.experiment, layout, run.info.data.num_train);
    let classes = run.info.data.classes();
    let classes = classes.names();
    let mut sections = Vec::new();
    if !run.epochs.is_empty() {
        sections.push(section("Learning curves", &learning(run)?));
    }
    sections.push(section("Network", &network(&model, run.info.imported.is_none())));
    if let Some(test) = &run.test {
        let evaluation = &test.evaluation;
        let result = html! {
            (result::confusion_note(&evaluation.confusion))
            div.result { (result::confusion(&evaluation.confusion, classes)?) (result::scores(&evaluation.classes, classes)) }
        };
        sections.push(section("Confusion matrix", &result));
    }
    if let Some(neurons) = first_layer {
        let is_softmax = run.experiment.model.hidden.is_empty();
        sections.push(section("Weights", &weights(neurons, layout, is_softmax, classes)?));
    }
    if let Some(test) = &run.test {
        if !test.evaluation.top_losses.is_empty() {
            sections.push(section("Worst mistakes", &result::mistakes(test, layout, classes)?));
        }
        sections.push(section("Calibration", &result::calibration(&test.evaluation.calibration)?));
    }
    sections.push(section("Provenance", &provenance(run)));
    sections.push(section("Experiment", &experiment(run)?));
    let title = format!("{} {}", run.info.experiment, run.folder.id());
    Ok(layout::page(&title, &header(run, &model), &sections))
}

fn header(run: &RunRecords, model: &ModelSummary) -> Markup {
    html! {
        h1 { (run.info.experiment) }
        p {
            (model.shape()) " for " (run.info.data.source) ", " (components::inline_code(&origin(run))) ", "
            (run.info.started_at.get(..16).unwrap_or_default().replace('T', " ")) " UTC"
        }
        @if let Some(notice) = status_notice(run) { p.warning { (components::inline_code(&notice)) } }
        @if run.info.is_inexact() {
            p.warning {
                "This run was resumed on another backend: it was trained on " (run.info.backends()) ". Each backend "
                "rounds differently, so an uninterrupted training does not end with the same weights to the last digit."
            }
        }
        @for [what, hint] in diagnosis::diagnose_run(run).iter().map(Finding::sentences) {
            p.warning { strong { (what) } " " (components::inline_code(&hint)) }
        }
        @if let Some(source) = &run.info.source_run {
            p { "The training started from the weights of another run: " (source.describe()) "." }
        }
        (components::stat_tiles(&key_figures(run, model)))
        @if run.info.skips_test && run.test.is_none() {
            p { (components::inline_code(&format!("{NOT_TESTED}: `smallnet evaluate` tests this network."))) }
        }
        @if let Some(note) = note(run) { p { (components::inline_code(&note)) } }
    }
}

/// Origin of the network: `trained on` a device, or `imported from` a file.
fn origin(run: &RunRecords) -> String {
    match &run.info.imported {
        Some(imported) => imported.describe(),
        None => format!("trained on {}", run.info.adapter),
    }
}

/// Sentence about a run that has not finished. `None` if it has.
fn status_notice(run: &RunRecords) -> Option<String> {
    let message = run.info.message.as_deref().unwrap_or_default();
    let what = match run.info.status {
        Status::Finished => return None,
        Status::Running => "This run has not ended yet. The page shows what there is".to_owned(),
        Status::Killed => {
            "This run was killed. The page shows what there is; `smallnet resume` resumes it".to_owned()
        }
        Status::Interrupted => format!(
            "This run was interrupted {message}. The page shows what there is; `smallnet resume` resumes it"
        ),
        Status::Failed => format!("This run failed: {message}"),
    };
    Some(what + ".")
}

/// Sentence about an imported network.
const NOT_TRAINED: &str = "smallnet did not train this network: how it was trained, and on which images, is not known. So there are \
                           no learning curves. If test images were among its training images, the test accuracy is too high.";

/// Sentences about early stopping, restored weights and lost records, which the numbers alone do
/// not show.
fn note(run: &RunRecords) -> Option<String> {
    if run.info.imported.is_some() {
        return Some(NOT_TRAINED.to_owned());
    }
    let summary = run.summary.as_ref().filter(|_| run.info.status == Status::Finished)?;
    let early = summary.num_epochs < run.experiment.training.num_epochs;
    let early = early.then(|| format!("Training stopped early, after epoch {}.", summary.num_epochs));
    let restored = summary.model_epoch.filter(|&epoch| epoch != summary.num_epochs);
    let restored = restored
        .map(|epoch| format!("The weights are those of epoch {epoch}, of the lowest validation loss."));
    let lost = (run.epochs.len() != summary.num_epochs).then(|| {
        format!(
            "Its `metrics.jsonl` has {} of {}.",
            run.epochs.len(),
            counted(summary.num_epochs, "epoch", "epochs")
        )
    });
    let remarks: Vec<_> = early.into_iter().chain(restored).chain(lost).collect();
    (!remarks.is_empty()).then(|| remarks.join(" "))
}

fn key_figures(run: &RunRecords, model: &ModelSummary) -> Vec<(String, String)> {
    let mut figures = Vec::new();
    if let Some(accuracy) =
        run.summary.as_ref().filter(|_| run.test.is_none()).and_then(|s| s.validation_accuracy)
    {
        figures.push((format!("{:.2} %", 100.0 * accuracy), "validation accuracy".to_owned()));
    }
    if let Some(test) = &run.test {
        let (correct, all) = (test.evaluation.confusion.num_correct() as usize, test.evaluation.num_images);
        figures.push((
            format!("{:.2} %", 100.0 * test.evaluation.accuracy),
            format!("test accuracy: {} of {}", grouped(correct), counted(all, "image", "images")),
        ));
        if let Some(balanced) =
            test.evaluation.balanced_accuracy().filter(|_| test.evaluation.is_unbalanced())
        {
            figures.push((
                format!("{:.2} %", 100.0 * balanced),
                "balanced test accuracy: mean recall".to_owned(),
            ));
        }
        figures.push((loss(test.evaluation.loss), "test loss (nats)".to_owned()));
    }
    figures.push((grouped(model.num_parameters), "parameters".to_owned()));
    if run.info.imported.is_none() {
        figures.push((
            grouped(run.epochs.len()),
            format!("of {} trained", counted(model.num_epochs, "epoch", "epochs")),
        ));
    }
    if let Some(epoch) = EpochRecord::median_seconds(&run.epochs) {
        figures.push((seconds(epoch), "per epoch (median)".to_owned()));
    }
    figures
}

fn learning(run: &RunRecords) -> Result<Markup> {
    Ok(html! {
        p.note {
            "Training values are means over the images of an epoch, each measured just before the step that learns from it; "
            "validation values are measured after the epoch."
            @if run.experiment.augmentation.is_active() { " Training values are those of the augmented images." }
            @if run.experiment.model.has_dropout() { " Dropout acts on training values alone." }
            @if run.experiment.training.label_smoothing > 0.0 {
                " The training loss is that of the smoothed targets, the validation loss that of the labels."
            }
            @if run.experiment.training.mixup.is_some() {
                " Training values are those of mixtures of two images; a mixture counts as right if the class of its larger part is \
                 predicted."
            }
            @if run.experiment.training.average.is_some() {
                " Training values are of the weights that the optimizer updates, validation values of their average, which is the "
                "network of the run."
            }
        }
        (curves::draw_run(&run.epochs)?)
    })
}

/// Table of the layers and, for a network that smallnet trained, its update rule.
fn network(model: &ModelSummary, is_trained: bool) -> Markup {
    html! {
        div.layers { (components::text_table(&model.table())) }
        (components::definition_list(&[
            ("parameters", model.size()),
            ("FLOPs", model.flops()),
            ("Flatten", model.flatten.clone()),
            ("loss", model.loss.clone()),
        ]))
        @if is_trained {
            h3 { "Update rule: " (model.optimizer) }
            pre { @for line in &model.update_rule { (line) "\n" } (model.learning_rate) }
            p { (model.steps) "." }
            @if !model.augmentation.is_empty() {
                h3 { "Augmentation of the training images" }
                ul { @for line in &model.augmentation { li { (line) } } }
            }
        }
    }
}

/// Images of the weights of each neuron in the first layer, all with one scale of colours.
pub(crate) fn weights(
    neurons: &LayerWeights,
    layout: InputSpec,
    is_softmax: bool,
    classes: &[String],
) -> Result<Markup> {
    let limit = symmetric_limit(&neurons.weights.concat());
    let order = neurons.in_order(is_softmax);
    let mut tiles = Vec::new();
    for &neuron in order.iter().take(MAX_NEURONS) {
        let png = weight_png(&neurons.weights[neuron], layout.height, layout.width, limit, 1)?;
        let norm = format!("norm {}", three_digits(neurons.norm(neuron)));
        tiles.push(components::tile(&png, &[LayerWeights::name(neuron, is_softmax, classes), norm]));
    }
    let bar: Vec<f32> = (0..101).map(|step| (step as f32 / 50.0 - 1.0) * limit).collect();
    let bar = weight_png(&bar, 1, bar.len(), limit, 1)?;
    let limit = three_digits(f64::from(limit));
    let what = match is_softmax {
        true => {
            "The weights of each output neuron: ink on red pixels raises the score of its class, ink on blue ones lowers \
             it. Where no image of the training set has ink, nothing is learned."
        }
        false => {
            "The weights of neurons of the first hidden layer, largest norm first: red is positive, blue negative."
        }
    };
    let more = (order.len() > MAX_NEURONS).then(|| {
        format!(" Shown are {MAX_NEURONS} of {}; smallnet weights draws more.", grouped(order.len()))
    });
    Ok(html! {
        p.note { (what) (more.unwrap_or_default()) }
        div.scale { "−" (limit) (components::image(&bar, "colour scale from blue over white to red")) "+" (limit) }
        div.tiles.small { @for tile in &tiles { (tile) } }
    })
}

fn provenance(run: &RunRecords) -> Markup {
    let info = &run.info;
    let mut entries = vec![
        ("run", run.folder.path().display().to_string()),
        ("status", info.state()),
        ("started", info.started_at.clone()),
        ("ended", info.ended_at.clone().unwrap_or_else(|| "–".to_owned())),
    ];
    if let Some(source) = &info.source_run {
        entries.push(("from run", source.path.clone()));
        entries.push(("its weights", source.weights_sha256.clone()));
    }
    if let Some(imported) = &info.imported {
        entries.extend(import_entries(imported));
    }
    if !info.resumes.is_empty() {
        entries.push(("resumed", info.resumes.iter().map(describe_resume).collect::<Vec<_>>().join("; ")));
    }
    entries.extend(components::origin(info));
    if let Some(digest) = &info.weights_sha256 {
        entries.push(("weights digest", digest.clone()));
    }
    match run.test.as_ref().map(|test| &test.evaluation) {
        Some(evaluation) => {
            entries.push(("test", format!("{:.2} % wrong", 100.0 * (1.0 - evaluation.accuracy))));
        }
        None if info.skips_test => entries.push(("test", NOT_TESTED.to_owned())),
        None => {}
    }
    let config = components::shell_word(&run.folder.config_path().display().to_string());
    // No other command repeats a cosine schedule that was stretched by `resume`.
    let is_stretched =
        info.num_epochs.is_some() && matches!(run.experiment.schedule, ScheduleConfig::Cosine(_));
    let is_exact = info.imported.is_none()
        && info.status == Status::Finished
        && !info.backend.is_gpu()
        && !info.is_inexact()
        && !is_stretched;
    let from = info.source_run.as_ref();
    let from = from.map(|source| format!(" --from {}", components::shell_word(&source.path)));
    let extended = info.num_epochs.map(|epochs| format!(" --set training.num_epochs={epochs}"));
    let command = match &info.imported {
        Some(imported) => import_command(run, imported),
        None => format!(
            "smallnet --backend {} train {config}{}{}",
            info.backend,
            from.unwrap_or_default(),
            extended.unwrap_or_default()
        ),
    };
    html! {
        (components::definition_list(&entries))
        h3 { "Repeat it" }
        pre { (command) }
        @if is_exact {
            p.note {
                "On the same kind of CPU, the same version of smallnet gives the same weights to the last bit: compare the "
                "digests."
            }
        }
    }
}

/// Entries about the file of an imported network.
fn import_entries(imported: &ImportedNetwork) -> Vec<(&'static str, String)> {
    let mut entries = vec![
        ("imported from", imported.file.clone()),
        ("its format", imported.format.clone()),
        ("its digest", imported.sha256.clone()),
    ];
    if !imported.scaling.is_none() {
        entries
            .push(("its scaling", format!("{}; part of the first layer since", imported.scaling.describe())));
    }
    entries
}

/// The command that imports the network again.
fn import_command(run: &RunRecords, imported: &ImportedNetwork) -> String {
    let word = components::shell_word;
    let mut command = format!("smallnet --backend {} import {}", run.info.backend, word(&imported.file));
    let mut add = |option: &str, value: String| command += &format!(" --{option} {}", word(&value));
    add("name", run.info.experiment.clone());
    add("data", run.info.data.source.clone());
    if let Some(activation) = &imported.activation {
        add("activation", activation.setting());
    }
    imported.layout.iter().for_each(|layout| add("layout", layout.clone()));
    if let Some(range) = &imported.scaling.value_range {
        add("value-range", format!("{},{}", range.black, range.white));
    }
    imported.scaling.mean.iter().for_each(|mean| add("mean", mean.to_string()));
    imported.scaling.std.iter().for_each(|std| add("std", std.to_string()));
    command
}

/// Time and position at which a run was resumed.
fn describe_resume(resumed: &ResumeEvent) -> String {
    let from = match resumed.position {
        None => "from the beginning".to_owned(),
        Some(Position { epochs, steps: 0 }) => format!("after epoch {epochs}"),
        Some(Position { epochs, steps }) => {
            format!("in epoch {}, after step {steps}", epochs.saturating_add(1))
        }
    };
    let backend =
        resumed.change.map(|change| format!(", on {} instead of {}", change.backend, change.backend_before));
    format!("{} {from}{}", resumed.resumed_at, backend.unwrap_or_default())
}

fn experiment(run: &RunRecords) -> Result<Markup> {
    Ok(html! {
        @if run.info.imported.is_some() {
            p.note {
                "An imported network has used the data set, the hidden layers and the activation alone. All other settings are "
                "those that " code { "smallnet train --from" } " begins with."
            }
        }
        pre { (run.experiment.to_toml()?.trim_end()) }
    })
}
