//! Pictures of data sets, networks, evaluations and predictions, and their files.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::data::{InputSpec, Split};
use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::experiment::Experiment;
use crate::model::LayerWeights;
use crate::pipeline::{EvalSet, ImagePrediction, ImageRef, LoadedModel, SplitName, Splits};
use crate::plots::{
    CaptionLine, ConfusionMatrix, Prediction, Sheet, Tile, Tone, WeightSheet, gray_png, symmetric_limit,
};
use crate::run;
use crate::util::format::{counted, grouped, percent, three_digits};

/// The largest number of sheets of neurons.
const MAX_SHEETS: usize = 16;
/// The largest number of neurons that are drawn.
pub const MAX_NEURONS: usize = MAX_SHEETS * NEURONS_PER_SHEET;
/// The longest side of an enlarged image, in pixels.
const MAX_SIDE: usize = 2_000;
/// Samples of each class on a sheet.
const SAMPLES_PER_CLASS: usize = 10;
/// Neurons on a sheet.
const NEURONS_PER_SHEET: usize = 64;
/// The largest factor by which a single image is enlarged. The factor is smaller for a large image.
const IMAGE_SCALE: usize = 10;

/// Draws the first samples of each class of a split and returns the path of the picture.
///
/// # Errors
/// A split without images, or a picture that cannot be drawn or written.
pub fn draw_samples(
    splits: &Splits,
    name: SplitName,
    experiment: &Experiment,
    artifacts: &Path,
) -> Result<PathBuf> {
    let split = splits.get(name)?;
    let InputSpec { height, width, num_classes } = splits.layout;
    let (rows, row_labels, title) = match split.is_labelled() {
        true => (
            split.first_per_class(num_classes, SAMPLES_PER_CLASS),
            splits.properties.classes.names(),
            format!("The first {SAMPLES_PER_CLASS} images of each class"),
        ),
        false => {
            let first: Vec<usize> = (0..split.len().min(SAMPLES_PER_CLASS * SAMPLES_PER_CLASS)).collect();
            let rows = first.chunks(SAMPLES_PER_CLASS).map(<[usize]>::to_vec).collect();
            (rows, &[][..], "The first images, which have no labels".to_owned())
        }
    };
    let mut tiles = Vec::with_capacity(rows.len() * SAMPLES_PER_CLASS);
    let images: Vec<Vec<_>> =
        rows.iter().map(|samples| samples.iter().map(|&index| split.image(index).0).collect()).collect();
    for (samples, images) in rows.iter().zip(&images) {
        tiles.extend(
            samples
                .iter()
                .zip(images)
                .map(|(index, values)| Tile { values, caption: vec![CaptionLine::plain(index.to_string())] }),
        );
        // A tile without values stays empty: a class may have few images, or none.
        tiles.resize(
            tiles.len() + SAMPLES_PER_CLASS - samples.len(),
            Tile { values: &[], caption: Vec::new() },
        );
    }
    let sheet = Sheet {
        title: &title,
        subtitle: &format!(
            "{}, {name} split: {}; under each its number",
            experiment.data.source,
            counted(split.len(), "image", "images")
        ),
        height,
        width,
        columns: SAMPLES_PER_CLASS,
        row_labels,
        tiles: &tiles,
    };
    let file = format!("{}-samples.png", file_stem(splits, experiment, name));
    run::write_file(&data_folder(artifacts), &file, &sheet.draw()?.to_png()?)
}

/// Saves image `index` of a split, enlarged, and returns the path of the picture.
///
/// # Errors
/// An index beyond the last image, or a picture that cannot be written.
pub fn draw_image(
    splits: &Splits,
    name: SplitName,
    index: usize,
    experiment: &Experiment,
    artifacts: &Path,
) -> Result<PathBuf> {
    let InputSpec { height, width, .. } = splits.layout;
    let (pixels, _) = splits.get(name)?.get(index, &name.to_string())?;
    let scale = (MAX_SIDE / height.max(width)).clamp(1, IMAGE_SCALE);
    let png = gray_png(&pixels, height, width, scale)?;
    run::write_file(
        &data_folder(artifacts),
        &format!("{}-{index}.png", file_stem(splits, experiment, name)),
        &png,
    )
}

pub(super) fn data_folder(artifacts: &Path) -> PathBuf {
    artifacts.join("data")
}

/// Returns the beginning of the names of a split's pictures. It contains the number of validation
/// images and the seed, since they decide which image has which index.
pub(super) fn file_stem(splits: &Splits, experiment: &Experiment, name: SplitName) -> String {
    let tag = experiment.data.source().tag(&splits.sha256);
    let num_validation = experiment.data.validation;
    match name {
        SplitName::Train | SplitName::Validation if num_validation > 0 => {
            format!("{tag}-{name}-{num_validation}-held-out-seed-{}", experiment.seed)
        }
        _ => format!("{tag}-{name}"),
    }
}

/// Key figures of a neuron's weights.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NeuronInfo {
    /// The index of the neuron in its layer, from 0. In a softmax network, it is the class.
    pub neuron: usize,
    /// The L2 norm of the weights.
    pub norm: f64,
    /// The smallest weight.
    pub smallest: f64,
    /// The largest weight.
    pub largest: f64,
    /// The bias.
    pub bias: f64,
}

/// Paths of the pictures of a prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictionPictures {
    /// The image with the probabilities of the classes.
    pub path: PathBuf,
    /// The image as the network saw it, in the network's size. Only for a picture file.
    pub prepared: Option<PathBuf>,
}

impl LoadedModel {
    /// Returns the neurons of the first layer: by class in a softmax network, else by norm, largest
    /// first.
    ///
    /// # Errors
    /// A device that fails.
    pub fn neurons(&self) -> Result<Vec<NeuronInfo>> {
        Ok(neuron_infos(&self.model.first_layer()?, self.experiment.model.hidden.is_empty()))
    }

    /// Draws the weights of the first layer's neurons into the run's folder and returns the paths
    /// of the pictures. `infos` is the result of [`LoadedModel::neurons`]. It gives the order. At
    /// most [`MAX_NEURONS`] neurons are drawn.
    ///
    /// # Errors
    /// A device that fails, or a file that cannot be written.
    pub fn draw_weights(&self, infos: &[NeuronInfo]) -> Result<Vec<PathBuf>> {
        let layer = self.model.first_layer()?;
        let limit = symmetric_limit(&layer.weights.concat());
        let sheets: Vec<&[NeuronInfo]> = infos.chunks(NEURONS_PER_SHEET).take(MAX_SHEETS).collect();
        let mut paths = Vec::with_capacity(sheets.len());
        for (index, sheet) in sheets.iter().enumerate() {
            let (stem, part) = match sheets.len() {
                1 => ("weights".to_owned(), String::new()),
                all => (format!("weights-{}", index + 1), format!(", sheet {} of {all}", index + 1)),
            };
            let png = self.weight_sheet(&layer, sheet, &part, limit)?;
            paths.push(self.folder.write_figure(&self.figure_name(&stem), &png)?);
        }
        Ok(paths)
    }

    /// Draws the first sheet of the first layer's neurons, as [`LoadedModel::draw_weights`] does, and
    /// returns the bytes of the PNG file.
    ///
    /// # Errors
    /// A device that fails, or a picture that cannot be drawn.
    pub(super) fn first_weight_sheet(&self, infos: &[NeuronInfo]) -> Result<Vec<u8>> {
        let layer = self.model.first_layer()?;
        let limit = symmetric_limit(&layer.weights.concat());
        let (first, part) = match infos.split_at_checked(NEURONS_PER_SHEET) {
            Some((first, rest)) if !rest.is_empty() => {
                (first, format!(", {NEURONS_PER_SHEET} of {} neurons", grouped(infos.len())))
            }
            _ => (infos, String::new()),
        };
        self.weight_sheet(&layer, first, &part, limit)
    }

    fn weight_sheet(
        &self,
        layer: &LayerWeights,
        infos: &[NeuronInfo],
        part: &str,
        limit: f32,
    ) -> Result<Vec<u8>> {
        let is_softmax = self.experiment.model.hidden.is_empty();
        let classes = self.info.data.classes();
        let tile = |info: &'_ NeuronInfo| Tile {
            values: &layer.weights[info.neuron][..],
            caption: neuron_caption(info, is_softmax, classes.names()),
        };
        let what =
            if is_softmax { "each output neuron" } else { "the first hidden layer, largest norm first" };
        let InputSpec { height, width, .. } = self.info.data.layout;
        let sheet = WeightSheet {
            title: &format!("{}: weights of {what}", self.info.experiment),
            subtitle: &format!("run {}{part}", self.folder.id()),
            height,
            width,
            columns: if is_softmax { 5 } else { 8 },
            limit,
            tiles: &infos.iter().map(tile).collect::<Vec<_>>(),
        };
        sheet.draw()?.to_png()
    }

    /// Draws the confusion matrix and the misclassified images with the highest loss into the run's
    /// folder, and returns the paths of the pictures.
    ///
    /// # Errors
    /// A picture that cannot be drawn or written.
    pub fn draw_evaluation(&self, evaluation: &Evaluation, eval_set: &EvalSet) -> Result<Vec<PathBuf>> {
        let confusion = self.confusion_picture(evaluation, eval_set)?;
        // Drawn even without any misclassified image. Otherwise, the sheet of an earlier evaluation
        // would stay beside this matrix.
        let subtitle = self.evaluation_subtitle(evaluation, eval_set);
        let mistakes = self.mistake_sheet(evaluation, &eval_set.split, &subtitle)?;
        let write = |stem: &str, png: &[u8]| {
            self.folder.write_figure(&self.figure_name(&format!("{stem}-{}", eval_set.tag)), png)
        };
        Ok(vec![write("confusion", &confusion)?, write("mistakes", &mistakes)?])
    }

    /// Draws the confusion matrix of an evaluation and returns the bytes of the PNG file.
    ///
    /// # Errors
    /// A picture that cannot be drawn.
    pub(super) fn confusion_picture(&self, evaluation: &Evaluation, eval_set: &EvalSet) -> Result<Vec<u8>> {
        let classes = self.info.data.classes();
        let matrix = ConfusionMatrix {
            title: &format!("{}: confusion matrix", self.info.experiment),
            subtitle: &self.evaluation_subtitle(evaluation, eval_set),
            classes: classes.names(),
            counts: &evaluation.confusion.counts,
        };
        matrix.draw()?.to_png()
    }

    fn evaluation_subtitle(&self, evaluation: &Evaluation, eval_set: &EvalSet) -> String {
        format!(
            "run {}, {}: {} of {} right, {}",
            self.folder.id(),
            eval_set.describe(),
            grouped(evaluation.confusion.num_correct() as usize),
            counted(evaluation.num_images, "image", "images"),
            percent(evaluation.accuracy)
        )
    }

    fn mistake_sheet(&self, evaluation: &Evaluation, split: &Split, subtitle: &str) -> Result<Vec<u8>> {
        let (height, width) = split.image_size();
        let classes = self.info.data.classes();
        let name = |class: usize| &classes.names()[class];
        let mistakes = &evaluation.top_losses;
        let images: Vec<_> = mistakes.iter().map(|mistake| split.image(mistake.index).0).collect();
        let tiles: Vec<_> = mistakes
            .iter()
            .zip(&images)
            .map(|(mistake, values)| Tile {
                values,
                caption: vec![
                    CaptionLine::new(
                        format!("{} taken for {}", name(mistake.label), name(mistake.predicted)),
                        Tone::Wrong,
                    ),
                    CaptionLine::plain(format!("confidence {}", percent(mistake.confidence))),
                    CaptionLine::plain(format!("image {}", mistake.index)),
                ],
            })
            .collect();
        let sheet = Sheet {
            title: &format!("{}: the worst mistakes, highest loss first", self.info.experiment),
            subtitle,
            height,
            width,
            columns: 5,
            row_labels: &[],
            tiles: &tiles,
        };
        sheet.draw()?.to_png()
    }

    /// Draws each prediction into the run's folder: the image as the network saw it, and the
    /// probabilities of the classes.
    ///
    /// # Errors
    /// A picture that cannot be drawn or written.
    pub fn draw_predictions(&self, predictions: &[ImagePrediction]) -> Result<Vec<PredictionPictures>> {
        let stems = distinct(predictions.iter().map(|prediction| prediction.image.stem()).collect());
        let pairs = predictions.par_iter().zip(&stems);
        pairs.map(|(prediction, stem)| self.draw_prediction(prediction, stem)).collect()
    }

    fn draw_prediction(&self, prediction: &ImagePrediction, stem: &str) -> Result<PredictionPictures> {
        let InputSpec { height, width, .. } = self.info.data.layout;
        let ImagePrediction { image, pixels, prediction, doubts, .. } = prediction;
        let classes = self.info.data.classes();
        let name = &classes.names()[prediction.class];
        // A high confidence would hide the doubt.
        let (title, reasons) = match doubts.is_empty() {
            true => (format!("{name} with {}", percent(prediction.confidence())), String::new()),
            false => (
                format!("{name}, which is doubtful"),
                doubts.iter().map(|doubt| format!("; {doubt}")).collect(),
            ),
        };
        let origin = format!("{}, run {} {}", image.name(), self.info.experiment, self.folder.id());
        let picture = Prediction {
            title: &title,
            subtitle: &(origin + &reasons),
            pixels,
            height,
            width,
            classes: classes.names(),
            probabilities: &prediction.probabilities(),
            true_class: image.label(),
        };
        let path = self.folder.write_prediction(&self.figure_name(stem), &picture.draw()?.to_png()?)?;
        let prepared = match image {
            ImageRef::Index { .. } => None,
            ImageRef::File { .. } | ImageRef::Digit { .. } => {
                let png = gray_png(pixels, height, width, 1)?;
                Some(self.folder.write_prediction(&self.figure_name(&format!("prepared-{stem}")), &png)?)
            }
        };
        Ok(PredictionPictures { path, prepared })
    }
}

fn neuron_infos(layer: &LayerWeights, is_softmax: bool) -> Vec<NeuronInfo> {
    let info = |neuron: usize| {
        let weights = &layer.weights[neuron];
        NeuronInfo {
            neuron,
            norm: layer.norm(neuron),
            smallest: f64::from(weights.iter().copied().fold(f32::INFINITY, f32::min)),
            largest: f64::from(weights.iter().copied().fold(f32::NEG_INFINITY, f32::max)),
            bias: f64::from(layer.biases[neuron]),
        }
    };
    layer.in_order(is_softmax).into_iter().map(info).collect()
}

fn neuron_caption(info: &NeuronInfo, is_softmax: bool, classes: &[String]) -> Vec<CaptionLine> {
    vec![
        CaptionLine::plain(LayerWeights::name(info.neuron, is_softmax, classes)),
        CaptionLine::plain(format!("norm {}", three_digits(info.norm))),
    ]
}

/// Adds numbers to names that occur several times, so that no file overwrites another: `a`, `b`,
/// `a-2`.
pub(super) fn distinct(names: Vec<String>) -> Vec<String> {
    let mut used: HashSet<String> = HashSet::with_capacity(names.len());
    let mut next_number: HashMap<String, u64> = HashMap::new();
    let mut distinct = Vec::with_capacity(names.len());
    for name in names {
        let number = next_number.entry(name.clone()).or_insert(2);
        let mut unused = name.clone();
        while used.contains(&unused) {
            unused = format!("{name}-{number}");
            *number += 1;
        }
        used.insert(unused.clone());
        distinct.push(unused);
    }
    distinct
}

#[cfg(test)]
mod tests;
