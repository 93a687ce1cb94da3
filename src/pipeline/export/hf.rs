//! The export as a folder for a model hub: the facts of the run that its card states.

use std::path::Path;

use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::exchange::hugging_face::{self, CardFacts, ClassFigures, Parts, TestFigures, Training};
use crate::exchange::onnx::{self, Pixels};
use crate::exchange::{DenseNetwork, Layout, safetensors};
use crate::pipeline::LoadedModel;
use crate::pipeline::export::{Contents, ExportOptions, Format};
use crate::plots::ConfusionMatrix;
use crate::statistics::wilson;
use crate::util::format::{grouped, percent};

pub(super) struct HuggingFace;

impl Format for HuggingFace {
    fn file_name(&self) -> &'static str {
        "hf"
    }

    fn opened_by(&self) -> &'static str {
        "a model hub (`hf upload NAME/MODEL FOLDER`), ONNX Runtime and PyTorch: `README.md` has the programs"
    }

    fn write(&self, saved: &LoadedModel, network: &DenseNetwork, _: &ExportOptions) -> Result<Contents> {
        // The run's test is one of its final weights, not of those of a checkpoint.
        let test = saved.folder.test(&saved.info)?.filter(|_| saved.is_final());
        let evaluation = test.map(|test| test.evaluation);
        // An imported network was trained by another program, so its experiment repeats nothing.
        let is_imported = saved.info.imported.is_some();
        let facts = CardFacts {
            training: (!is_imported).then(|| training(saved)),
            test: evaluation.as_ref().map(figures),
        };
        let parts = Parts {
            onnx: onnx::write(network, Pixels::Fractions)?,
            safetensors: safetensors::write(network, Layout::Pytorch)?,
            experiment: if is_imported { None } else { Some(experiment(saved)?) },
            confusion: evaluation.as_ref().map(|evaluation| confusion(saved, evaluation)).transpose()?,
        };
        hugging_face::write(network, &facts, parts).map(Contents::Folder)
    }

    fn read(&self, contents: &Contents) -> Result<Vec<DenseNetwork>> {
        let Contents::Folder(files) = contents else { return Ok(Vec::new()) };
        let content = |name| files.iter().find(|(file, _)| file == name).map_or(&[][..], |(_, bytes)| bytes);
        let onnx = onnx::read(content(hugging_face::ONNX))?;
        Ok(vec![onnx, safetensors::read(content(hugging_face::SAFETENSORS), None)?])
    }
}

/// The experiment file. Other people cannot use the folders of this machine, so a path to the data set
/// becomes its last part.
fn experiment(saved: &LoadedModel) -> Result<String> {
    let mut experiment = saved.experiment.clone();
    if let Some(name) = Path::new(&experiment.data.source).file_name() {
        experiment.data.source = name.to_string_lossy().into_owned();
    }
    experiment.to_toml()
}

fn training(saved: &LoadedModel) -> Training {
    let (info, experiment) = (&saved.info, &saved.experiment);
    let optimizer = &experiment.optimizer;
    let not_repeatable = if !saved.is_final() {
        Some("the exported weights are those of a checkpoint before the end".to_owned())
    } else if let Some(source) = &info.source_run {
        Some(format!("the training started from the weights of the run {}", source.id))
    } else if info.is_inexact() {
        Some("the training was resumed on another backend".to_owned())
    } else {
        None
    };
    Training {
        num_train: info.data.num_train,
        num_validation: info.data.num_validation,
        num_epochs: experiment.training.num_epochs,
        optimizer: format!("{}, learning rate {}", optimizer.kind(), optimizer.learning_rate()),
        computed_by: format!("the backend {} with the engine {}", info.backend, info.engine()),
        not_repeatable,
    }
}

fn figures(evaluation: &Evaluation) -> TestFigures {
    let classes = evaluation.classes.iter().map(|class| ClassFigures {
        precision: class.precision,
        recall: class.recall,
        f1: class.f1,
        num_images: class.num_images,
    });
    TestFigures {
        num_images: evaluation.num_images,
        accuracy: evaluation.accuracy,
        interval: wilson(evaluation.accuracy, evaluation.num_images),
        loss: evaluation.loss,
        classes: classes.collect(),
    }
}

/// Draws the confusion matrix of the test.
fn confusion(saved: &LoadedModel, evaluation: &Evaluation) -> Result<Vec<u8>> {
    let title = format!("{}: confusion matrix", saved.info.experiment);
    let subtitle = format!(
        "{} of {} test images right, {}",
        grouped(evaluation.confusion.num_correct() as usize),
        grouped(evaluation.num_images),
        percent(evaluation.accuracy)
    );
    let classes = saved.info.data.classes();
    let counts = &evaluation.confusion.counts;
    ConfusionMatrix { title: &title, subtitle: &subtitle, classes: classes.names(), counts }.draw()?.to_png()
}
