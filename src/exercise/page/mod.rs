//! Owns the page of the exercise. Each question of the sheet is answered in one sentence, then
//! explained, then shown in pictures and tables, with the commands that repeat it. Every number is
//! computed from measurements or from the experiment. A question whose results are missing has a
//! notice instead. Must not train.

mod architecture;
mod batch_size;
mod beyond;
mod code;
mod data;
mod example;
mod hidden;
mod network;
mod neurons;
mod prediction;
mod provenance;
mod sheet;
mod studies;
mod text;
mod unseen;

use std::path::Path;

use maud::{Markup, html};

use crate::data::{InputSpec, Split};
use crate::error::Error;
use crate::evaluation::{Evaluation, Prediction};
use crate::exercise::compute_options;
use crate::experiment::Experiment;
use crate::experiment::summary::ModelSummary;
use crate::model::LayerWeights;
use crate::report::components::shell_word;
use crate::report::layout;
use crate::run::{RunInfo, RunRecords};
use crate::study::page::StudyPage;
use crate::util::format::{seconds, with_article};

pub(crate) use sheet::sheet;

/// Questions of the exercise's sheet, in its order.
pub(crate) const QUESTIONS: [&str; 15] = [
    "Run the given code, in Keras and in PyTorch. Which test accuracy does it reach, and how long does it take?",
    "What is the size of each image?",
    "What are some of the labels, before and after to_categorical?",
    "What is the aim of Flatten?",
    "How many layers does the network have?",
    "How many weights are learned?",
    "Which loss function and which optimization algorithm are used, and with which parameters?",
    "What does 469/469 in the output mean?",
    "What does the network predict for the first test image, and what is its label?",
    "What do the learned weights of each neuron look like as an image?",
    "Insert fully connected layers. What do you observe?",
    "Change the learning rate, with the same batch size and number of epochs. What do you observe?",
    "Choose the learning rate by 5-fold cross-validation. Which one is best?",
    "Which architecture is best, and how many weights does it have?",
    "How does the batch size influence the accuracy and the training time?",
];

/// First of the consecutive questions that a study answers.
pub(crate) const FIRST_STUDY: usize = 11;

/// Reason why a result that a question needs is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// No requested question needs it.
    NotAsked,
    /// The work was interrupted, at this position.
    Interrupted(String),
    /// The work failed, with this error message.
    Failed(String),
}

impl From<Error> for Missing {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Result that a question needs, or the reason why it is missing.
pub(crate) type Work<T> = std::result::Result<T, Missing>;

/// Content of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExercisePage<'a> {
    /// Numbers of the questions that the page answers, in ascending order.
    pub questions: &'a [usize],
    /// Training images.
    pub train: &'a Split,
    /// Test images.
    pub test: &'a Split,
    /// Size of the images and number of classes.
    pub layout: InputSpec,
    /// Name of each class.
    pub classes: &'a [String],
    /// Experiment of the softmax network.
    pub experiment: &'a Experiment,
    /// Time, machine and software of the page, in the form of a run of that experiment.
    pub info: &'a RunInfo,
    /// Run of the softmax network.
    pub softmax: &'a Work<ExerciseRun>,
    /// Runs of the same network with other seeds.
    pub seeds: &'a Work<Vec<RunRecords>>,
    /// Run of the softmax network with a hidden layer inserted and no other change.
    pub inserted: &'a Work<ExerciseRun>,
    /// Run of a network with a hidden layer and settings that suit it.
    pub hidden: &'a Work<ExerciseRun>,
    /// Runs with and without augmentation, for the last section.
    pub beyond: &'a Work<Beyond>,
    /// Weights of the softmax network, and its predictions for example images.
    pub inside: &'a Work<Inside>,
    /// Studies of questions 11 to 14.
    pub studies: &'a [Work<ExerciseStudy<'a>>],
    /// True if the short forms of the studies were run.
    pub quick: bool,
    /// Experiment files: the softmax network, the one with a layer inserted, the one with settings
    /// that suit it, and the best known network.
    pub files: [&'a Path; 4],
    /// Experiment file of the network that learns from augmented images.
    pub augmented_file: &'a Path,
    /// Files that a person has edited. They were used as they are.
    pub edited: &'a [String],
    /// Arguments after `smallnet` that resume the exercise.
    pub command: &'a str,
    /// Folder of the runs and studies.
    pub artifacts: &'a Path,
    /// Duration of the whole exercise in seconds.
    pub seconds: f64,
}

/// Finished training.
#[derive(Debug, Clone)]
pub(crate) struct ExerciseRun {
    /// Records of the run, which has been tested.
    pub records: RunRecords,
    /// Evaluation of the final weights on the training images.
    pub training: Evaluation,
    /// Duration in seconds, from reading the images to writing the run's page. None if an earlier
    /// start had trained it.
    pub seconds: Option<f64>,
}

/// Two trainings that differ in the augmentation alone.
#[derive(Debug, Clone)]
pub(crate) struct Beyond {
    /// Run without augmentation.
    pub plain: ExerciseRun,
    /// Run with augmentation.
    pub augmented: ExerciseRun,
    /// Images that the network of `augmented` learned from, as they are.
    pub train: Split,
    /// Path, from the folder of the page, of the page on which one draws, or the reason why it could
    /// not be written.
    pub draw_page: std::result::Result<String, String>,
}

/// Weights and example predictions of the softmax network.
#[derive(Debug, Clone)]
pub(crate) struct Inside {
    /// Weights of its only layer.
    pub neurons: LayerWeights,
    /// First test image.
    pub first: ExampleImage,
    /// First test image that is misclassified if `first` is classified correctly, or the reverse.
    /// None if there is no such image.
    pub other: Option<ExampleImage>,
}

/// Test image with the prediction of a network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExampleImage {
    /// Index in the test images.
    pub index: usize,
    /// Class.
    pub label: usize,
    /// Pixels, row by row.
    pub pixels: Vec<u8>,
    /// Prediction of the network.
    pub prediction: Prediction,
}

/// Study of the exercise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExerciseStudy<'a> {
    /// Content of the study's own page.
    pub page: StudyPage<'a>,
    /// Path of the study file.
    pub file: &'a Path,
    /// Differences from the full study: name, value there, value here.
    pub shortened: &'a [(String, String, String)],
    /// Number of trials that an earlier start had finished.
    pub num_reused: usize,
    /// Duration in seconds, without those trials.
    pub seconds: f64,
}

/// Answer to a question.
struct Answer {
    /// Answer in one sentence.
    sentence: String,
    /// Explanation, pictures and tables.
    content: Markup,
    /// Commands that give the same result, without the name of the program.
    commands: Vec<String>,
}

/// Answer to a question in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExerciseAnswer {
    /// Number of the question.
    pub number: usize,
    /// Answer, or the reason why there is none.
    pub answer: Work<String>,
}

/// Returns the page as HTML, one sentence per question, and the sentence of the last section.
pub(crate) fn page(page: &ExercisePage<'_>) -> (String, Vec<ExerciseAnswer>, Work<String>) {
    let answers: Vec<(usize, Work<Answer>)> =
        page.questions.iter().map(|&number| (number, answer(page, number))).collect();
    let mut sections = vec![contents(&answers)];
    sections.extend(answers.iter().map(|(number, answer)| section(page, *number, answer)));
    sections.push(beyond::section(page));
    sections.push(provenance::section(page));
    let origin = "from what it measured and from the images";
    let html = keep_signs_together(&layout::page_from(origin, TITLE, &provenance::header(page), &sections));
    let in_short = |(number, answer): (usize, Work<Answer>)| ExerciseAnswer {
        number,
        answer: answer.map(|answer| answer.sentence),
    };
    (html, answers.into_iter().map(in_short).collect(), beyond::sentence(page))
}

/// Answers one question.
fn answer(page: &ExercisePage<'_>, number: usize) -> Work<Answer> {
    match number {
        0 => example::answer(page),
        1 => data::images(page),
        2 => data::labels(page),
        3 => Ok(network::flatten(page)),
        4 => Ok(network::layers(page)),
        5 => Ok(network::weights(page)),
        6 => network::loss_and_optimizer(page),
        7 => Ok(network::steps(page)),
        8 => prediction::of_images(page),
        9 => neurons::answer(page),
        10 => hidden::answer(page),
        11 => studies::learning_rate(page, page.study(11)?),
        12 => studies::cross_validation(page, page.study(12)?),
        13 => architecture::architecture(page, page.study(13)?),
        _ => batch_size::batch_size(page, page.study(14)?),
    }
}

/// Replaces spaces beside signs such as `%` and `·` by non-breaking ones, so that a line break does
/// not separate a sign from its number.
fn keep_signs_together(html: &str) -> String {
    html.replace(" %", "\u{a0}%").replace(" · ", "\u{a0}·\u{a0}").replace("w − ", "w\u{a0}−\u{a0}")
}

/// Title of the page.
const TITLE: &str = "Training a small network";

/// Builds the list of all questions with their answers in one sentence.
fn contents(answers: &[(usize, Work<Answer>)]) -> Markup {
    html! {
        nav.contents {
            h2 { "The answers in short" }
            ol {
                @for (number, answer) in answers {
                    li value=(number) {
                        a href={ "#question-" (number) } { (QUESTIONS[*number]) }
                        @match answer {
                            Ok(answer) => span { (answer.sentence) },
                            Err(missing) => span { (in_short(missing)) },
                        }
                    }
                }
            }
        }
    }
}

/// Builds the section of one question.
fn section(page: &ExercisePage<'_>, number: usize, answer: &Work<Answer>) -> Markup {
    html! {
        section.question id={ "question-" (number) } {
            h2 { span.number { (number) } " " (QUESTIONS[number]) }
            @match answer {
                Ok(answer) => {
                    p.answer { (answer.sentence) }
                    (answer.content)
                    h3 { (if number == 0 { "The given code, in Keras and in PyTorch" } else { "The same in Keras and in PyTorch" }) }
                    (code::snippets(page, number))
                    @if !answer.commands.is_empty() {
                        h3 { "The same with smallnet" }
                        (command_block(page, &answer.commands))
                    }
                },
                Err(missing) => (missing_notice(page, missing)),
            }
        }
    }
}

/// Builds a block of commands, which are given without the name of the program.
fn command_block(page: &ExercisePage<'_>, commands: &[String]) -> Markup {
    html! {
        pre.commands { @for command in commands { (invocation(page)) " " (command) "\n" } }
    }
}

/// Returns the reason why a question has no answer, in a few words.
fn in_short(missing: &Missing) -> &'static str {
    match missing {
        Missing::NotAsked => "Not asked for.",
        Missing::Interrupted(_) => "Interrupted before it was answered.",
        Missing::Failed(_) => "Not answered: its work failed.",
    }
}

/// Builds the notice about a question without an answer, with the command that resumes the work.
fn missing_notice(page: &ExercisePage<'_>, missing: &Missing) -> Markup {
    let (what, detail) = match missing {
        Missing::NotAsked => ("This page was not asked for what this answer needs.", None),
        Missing::Interrupted(position) => {
            ("The work was interrupted before this question was answered.", Some(position))
        }
        Missing::Failed(message) => ("The work for this question failed.", Some(message)),
    };
    html! {
        div.warning {
            p { strong { (what) } " All other questions are answered as far as they do not need it." }
            @if let Some(detail) = detail { pre { (detail) } }
            p { "What is finished is kept. This command works on what is missing and writes the page again:" }
            pre { (invocation(page)) " " (page.command) }
        }
    }
}

/// Returns the name of the program with the options of backend and engine.
fn invocation(page: &ExercisePage<'_>) -> String {
    format!("smallnet{}", compute_options(page.info.backend, page.info.engine()))
}

impl ExercisePage<'_> {
    /// Returns the model summary of the softmax network.
    fn plan(&self) -> ModelSummary {
        ModelSummary::new(self.experiment, self.layout, self.info.data.num_train)
    }

    /// Returns whether the data set is MNIST.
    fn is_mnist(&self) -> bool {
        self.info.data.source == "mnist"
    }

    /// Returns the experiment file of the softmax network as an argument of a command, after a
    /// space.
    fn default_file(&self) -> String {
        format!(" {}", quote_path(self.files[0]))
    }
}

impl<'a> ExercisePage<'a> {
    /// Returns the run of the softmax network.
    fn softmax(&self) -> Work<&'a ExerciseRun> {
        self.softmax.as_ref().map_err(Clone::clone)
    }

    /// Returns the weights and predictions of the softmax network.
    fn inside(&self) -> Work<&'a Inside> {
        self.inside.as_ref().map_err(Clone::clone)
    }

    /// Returns the study that answers `question`, which is at least [`FIRST_STUDY`].
    fn study(&self, question: usize) -> Work<&'a ExerciseStudy<'a>> {
        let study = self.studies.get(question - FIRST_STUDY).unwrap_or(&Err(Missing::NotAsked));
        study.as_ref().map_err(Clone::clone)
    }

    /// Returns the finished studies with the numbers of their questions.
    fn finished_studies(&self) -> impl Iterator<Item = (usize, &'a ExerciseStudy<'a>)> + use<'a> {
        let all = (FIRST_STUDY..).zip(self.studies);
        all.filter_map(|(question, study)| Some((question, study.as_ref().ok()?)))
    }

    /// Returns a class with its spoken article, if its name is a number: `a 7`, `an 8`. Any other
    /// name stands in quotes.
    fn a_class(&self, class: usize) -> String {
        let name = &self.classes[class];
        name.parse().map_or_else(|_| format!("“{name}”"), with_article)
    }

    /// Returns the first finished study. Only its section explains how to read the tables of
    /// studies.
    fn first_study(&self) -> Option<(usize, &'a ExerciseStudy<'a>)> {
        self.finished_studies().next()
    }
}

impl ExerciseRun {
    /// Returns the folder of the run as an argument of a command.
    fn folder(&self) -> String {
        quote_path(self.records.folder.path())
    }

    /// Returns the evaluation on the test images.
    fn test(&self) -> Work<&Evaluation> {
        let test = self.records.test.as_ref().map(|test| &test.evaluation);
        test.ok_or_else(|| Missing::Failed("the network has not been tested".to_owned()))
    }
}

/// Returns the model summary of a run.
fn plan(run: &RunRecords) -> ModelSummary {
    ModelSummary::new(&run.experiment, run.info.data.layout, run.info.data.num_train)
}

/// Quotes a path for a shell.
fn quote_path(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// Formats the time of all training steps of a run.
fn training_seconds(run: &RunRecords) -> String {
    seconds(run.epochs.iter().map(|epoch| epoch.seconds).sum())
}
