//! The ensemble of several runs: their networks, checked to take the same images and to have the
//! same classes, and the images that they are evaluated on.

use std::path::Path;

use crate::backend::{Backend, Engine};
use crate::data::{Classes, InputSpec, Source, Split};
use crate::error::{Error, Result};
use crate::evaluation::{EnsembleEvaluation, evaluate_ensemble};
use crate::pipeline::compare::names_of;
use crate::pipeline::{EvalSet, LoadedModel, SplitName};

/// Networks of several runs whose probabilities are averaged. They may differ in everything but the
/// images and the classes.
#[derive(Debug, Clone)]
pub struct Ensemble {
    /// At least one network.
    members: Vec<LoadedModel>,
    classes: Classes,
}

impl Ensemble {
    /// Loads the networks that `texts` name, each as [`LoadedModel::load`] does, to be computed by
    /// `engine` if it is given.
    ///
    /// # Errors
    /// Those of [`LoadedModel::load`], a network that is named twice, or one that takes images of
    /// another size or has other classes than the first.
    pub fn load(
        texts: &[String],
        artifacts: &Path,
        backend: Option<Backend>,
        engine: Option<Engine>,
    ) -> Result<Self> {
        let mut members: Vec<LoadedModel> = Vec::with_capacity(texts.len());
        for text in texts {
            let member = LoadedModel::load(text, artifacts, backend)?.with_engine(engine)?;
            if members.iter().any(|other| is_same_file(&other.weights_path, &member.weights_path)) {
                return Err(Error::usage(format!("`{text}` is named twice"))
                    .hint("an ensemble is of different networks; `smallnet runs` lists the runs"));
            }
            if let Some(first) = members.first() {
                check_fits(first, &member)?;
            }
            members.push(member);
        }
        let classes = members.first().map(|first| first.info.data.classes());
        let classes = classes.ok_or_else(|| Error::usage("an ensemble needs a network"))?;
        Ok(Self { members, classes })
    }

    /// Leaves out pictures of data sets that cannot be read.
    pub fn skip_broken(mut self) -> Self {
        self.members.iter_mut().for_each(|member| member.experiment.data.skip_broken = true);
        self
    }

    /// Classes of all networks.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// Networks of the ensemble, in the order in which the caller named them.
    pub fn members(&self) -> &[LoadedModel] {
        &self.members
    }

    /// Returns a short name of each network: the experiment's name, with the run's id and the
    /// checkpoint if that is needed to tell it from others.
    pub fn names(&self) -> Vec<String> {
        let parts =
            |member: &LoadedModel| (member.experiment.name.clone(), member.figure_name(&member.folder.id()));
        names_of(&self.members.iter().map(parts).collect::<Vec<_>>())
    }

    /// Loads the split `name` of the data set of all networks, or of `source`.
    ///
    /// # Errors
    /// Those of [`LoadedModel::eval_set`], or a run whose images of this split differ from those of
    /// the first run.
    pub fn eval_set(&self, name: SplitName, source: Option<&Source>) -> Result<EvalSet> {
        let Some((first, others)) = self.members.split_first() else {
            return Err(Error::usage("an ensemble needs a network"));
        };
        let eval_set = first.eval_set(name, source.cloned())?;
        for other in others.iter().filter(|other| !has_same_split(first, other, name)) {
            let other_set = other.eval_set(name, source.cloned())?;
            if !is_same_split(&eval_set.split, &other_set.split) {
                return Err(other_images(first, other, name, source));
            }
        }
        Ok(eval_set)
    }

    /// Evaluates the networks and the ensemble on `eval_set`.
    ///
    /// # Errors
    /// A device that fails.
    pub fn evaluate(&self, eval_set: &EvalSet) -> Result<EnsembleEvaluation> {
        let members = self.members.iter().map(|member| (&member.model, &member.handle.device));
        evaluate_ensemble(&members.collect::<Vec<_>>(), &eval_set.split)
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Checks that `other` takes images of the same size as `first` and has the same classes.
fn check_fits(first: &LoadedModel, other: &LoadedModel) -> Result<()> {
    let path = |member: &LoadedModel| member.folder.path().display().to_string();
    let (own, expected) = (path(other), path(first));
    let misfit = |found: String, wanted: String| {
        let message = format!("`{own}` {found}, and `{expected}` {wanted}");
        Err(Error::usage(message).hint("an ensemble is of networks for the same images and classes"))
    };
    let InputSpec { height, width, .. } = other.info.data.layout;
    let InputSpec { height: first_height, width: first_width, .. } = first.info.data.layout;
    if (height, width) != (first_height, first_width) {
        return misfit(
            format!("takes images of {height}x{width} pixels"),
            format!("of {first_height}x{first_width}"),
        );
    }
    let (classes, wanted) = (other.info.data.classes(), first.info.data.classes());
    if classes.len() != wanted.len() {
        return misfit(format!("has {} classes", classes.len()), format!("{}", wanted.len()));
    }
    let pairs = || classes.names().iter().zip(wanted.names());
    match pairs().position(|(own, wanted)| own != wanted) {
        None => Ok(()),
        Some(class) => misfit(
            format!("calls class {class} `{}`", classes.names()[class]),
            format!("calls it `{}`", wanted.names()[class]),
        ),
    }
}

/// Returns whether the records of two runs say that their images of the split `name` are the same.
/// If not, they may still be the same.
fn has_same_split(first: &LoadedModel, other: &LoadedModel, name: SplitName) -> bool {
    let (data, first_data) = (&other.experiment.data, &first.experiment.data);
    let is_drawn_alike = (data.test, data.test_seed) == (first_data.test, first_data.test_seed)
        && data.skip_broken == first_data.skip_broken
        && (data.scale, data.transpose) == (first_data.scale, first_data.transpose)
        && data.label_column == first_data.label_column;
    // The validation images are drawn from the seed of the experiment.
    let has_same_seed = name == SplitName::Test
        || ((data.validation, data.stratified) == (first_data.validation, first_data.stratified)
            && other.experiment.seed == first.experiment.seed);
    is_drawn_alike && has_same_seed && other.info.data.identity() == first.info.data.identity()
}

/// Returns whether two splits have the same images with the same classes, in the same order.
fn is_same_split(one: &Split, other: &Split) -> bool {
    one.len() == other.len() && (0..one.len()).all(|index| one.image(index) == other.image(index))
}

/// Error for a run whose images of the split `name` are not those of the first run.
fn other_images(first: &LoadedModel, other: &LoadedModel, name: SplitName, source: Option<&Source>) -> Error {
    let path = |member: &LoadedModel| member.folder.path().display().to_string();
    let error =
        Error::usage(format!("the {name} images of `{}` are not those of `{}`", path(other), path(first)));
    error.hint(match name {
        SplitName::Test if source.is_some() => {
            "their settings `data.scale`, `data.transpose` or `data.label_column` differ"
        }
        SplitName::Test => "`--data DATA` evaluates all networks on the same data set",
        SplitName::Validation | SplitName::Train => {
            "runs of other seeds hold other images out of their training; `--split test` is the same for all"
        }
    })
}
