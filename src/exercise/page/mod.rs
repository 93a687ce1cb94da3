//! The page of the whole exercise: the sheet's questions in its order, each answered first in one sentence, then explained,
//! shown, and given the commands that repeat it. Every number is computed from what was measured or from the experiment.
//! A question whose work is missing costs its own section alone.

mod architecture;
mod batch_size;
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

use crate::backend::Backend;
use crate::data::{InputSpec, Split};
use crate::error::Error;
use crate::evaluation::{Evaluation, Prediction};
use crate::experiment::Experiment;
use crate::experiment::summary::ModelSummary;
use crate::model::LayerWeights;
use crate::report::components::shell_word;
use crate::report::layout;
use crate::run::{RunInfo, RunRecords};
use crate::study::page::StudyPage;
use crate::util::format::seconds;

pub use sheet::sheet;

/// The questions of the exercise's sheet, in its order.
pub const QUESTIONS: [&str; 15] = [
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

/// The first of the questions that a study answers; the others follow it.
pub(crate) const FIRST_STUDY: usize = 11;

/// Why work that a question needs is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// It was not asked for.
    NotAsked,
    /// It was stopped; says where.
    Interrupted(String),
    /// It failed; says why.
    Failed(String),
}

impl From<Error> for Missing {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Work that a question needs, or why there is none.
pub type Work<T> = std::result::Result<T, Missing>;

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct ExercisePage<'a> {
    /// The questions that the page answers, in order.
    pub questions: &'a [usize],
    /// The images learned from.
    pub train: &'a Split,
    /// The images tested on.
    pub test: &'a Split,
    /// What all images have in common.
    pub layout: InputSpec,
    /// The softmax network's experiment.
    pub experiment: &'a Experiment,
    /// When, where and with what the page was made, as of a run of that experiment.
    pub info: &'a RunInfo,
    /// The run of the softmax network.
    pub softmax: &'a Work<ExerciseRun>,
    /// The same network from other seeds.
    pub seeds: &'a Work<Vec<RunRecords>>,
    /// The softmax network with a hidden layer inserted, everything else kept.
    pub inserted: &'a Work<ExerciseRun>,
    /// A network with a hidden layer and settings that suit it.
    pub hidden: &'a Work<ExerciseRun>,
    /// What the softmax network has learned and says.
    pub inside: &'a Work<Inside>,
    /// The studies of questions 11 to 14.
    pub studies: &'a [Work<ExerciseStudy<'a>>],
    /// Whether the studies were run in short.
    pub quick: bool,
    /// The experiment files: the softmax network's, with a layer inserted, with settings that suit it, the best known.
    pub files: [&'a Path; 4],
    /// Files that somebody has edited, and that were used as they stand.
    pub edited: &'a [String],
    /// The words after `smallnet` that go on with what is missing.
    pub command: &'a str,
    /// The folder of the runs and studies.
    pub artifacts: &'a Path,
    /// How long all of it took.
    pub seconds: f64,
}

/// A finished training.
#[derive(Debug, Clone)]
pub struct ExerciseRun {
    /// Its run, tested.
    pub records: RunRecords,
    /// What the trained network makes of the images that it has learned from.
    pub training: Evaluation,
    /// How long it took from reading the images to its own page; none where an earlier start had left it.
    pub seconds: Option<f64>,
}

/// A look into the softmax network.
#[derive(Debug, Clone)]
pub struct Inside {
    /// Its only layer of weights.
    pub neurons: LayerWeights,
    /// The first test image.
    pub first: ExampleImage,
    /// The first test image of which the opposite is true: not recognised where that one is, and the other way round.
    pub other: Option<ExampleImage>,
}

/// A test image that a network was asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleImage {
    /// Its position among the test images.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// Its pixels, row by row.
    pub pixels: Vec<u8>,
    /// What the network says.
    pub prediction: Prediction,
}

/// A study of the exercise.
#[derive(Debug, Clone, Copy)]
pub struct ExerciseStudy<'a> {
    /// Everything that its own page says.
    pub page: StudyPage<'a>,
    /// Its file.
    pub file: &'a Path,
    /// What the file sets otherwise than the full study: name, there, here.
    pub shortened: &'a [(String, String, String)],
    /// Trials that had been run before.
    pub num_reused: usize,
    /// How long it took, without those.
    pub seconds: f64,
}

/// A question's answer.
struct Answer {
    /// In one sentence.
    sentence: String,
    /// Explained and shown.
    content: Markup,
    /// The commands that give the same, without the program's name.
    commands: Vec<String>,
}

/// What a page says of a question, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExerciseAnswer {
    /// The question's number.
    pub number: usize,
    /// The answer, or why there is none.
    pub answer: Work<String>,
}

/// The page, and the answers in a sentence each.
pub fn page(page: &ExercisePage<'_>) -> (String, Vec<ExerciseAnswer>) {
    let answers: Vec<(usize, Work<Answer>)> =
        page.questions.iter().map(|&number| (number, answer(page, number))).collect();
    let mut sections = vec![contents(&answers)];
    sections.extend(answers.iter().map(|(number, answer)| section(page, *number, answer)));
    sections.push(provenance::section(page));
    let origin = "from what it measured and from the images";
    let html = typeset(&layout::page_from(origin, TITLE, &provenance::header(page), &sections));
    let in_short = |(number, answer): (usize, Work<Answer>)| ExerciseAnswer {
        number,
        answer: answer.map(|answer| answer.sentence),
    };
    (html, answers.into_iter().map(in_short).collect())
}

fn answer(page: &ExercisePage<'_>, number: usize) -> Work<Answer> {
    match number {
        0 => example::answer(page),
        1 => data::images(page),
        2 => data::labels(page),
        3 => Ok(network::flatten(page)),
        4 => Ok(network::layers(page)),
        5 => Ok(network::weights(page)),
        6 => network::minimised(page),
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

/// Keeps signs with their numbers where lines break.
fn typeset(html: &str) -> String {
    html.replace(" %", "\u{a0}%").replace(" · ", "\u{a0}·\u{a0}").replace("w − ", "w\u{a0}−\u{a0}")
}

const TITLE: &str = "Training a small network";

/// Every question with its answer, to check one's own against.
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
                        pre.commands {
                            @for command in &answer.commands { (program(page)) " " (command) "\n" }
                        }
                    }
                },
                Err(missing) => (explained(page, missing)),
            }
        }
    }
}

/// Why a question has no answer, in a few words.
fn in_short(missing: &Missing) -> &'static str {
    match missing {
        Missing::NotAsked => "Not asked for.",
        Missing::Interrupted(_) => "Interrupted before it was answered.",
        Missing::Failed(_) => "Not answered: its work failed.",
    }
}

/// What happened to a question, and the command that goes on.
fn explained(page: &ExercisePage<'_>, missing: &Missing) -> Markup {
    let (what, why) = match missing {
        Missing::NotAsked => ("This page was not asked for what this answer needs.", None),
        Missing::Interrupted(place) => {
            ("The work was interrupted before this question was answered.", Some(place))
        }
        Missing::Failed(why) => ("The work for this question failed.", Some(why)),
    };
    html! {
        div.warning {
            p { strong { (what) } " All other questions are answered as far as they do not need it." }
            @if let Some(why) = why { pre { (why) } }
            p { "What is finished is kept. This command works on what is missing and writes the page again:" }
            pre { (program(page)) " " (page.command) }
        }
    }
}

/// The program with what this run was told about the backend.
fn program(page: &ExercisePage<'_>) -> String {
    match page.info.backend {
        Backend::Flex => "smallnet".to_owned(),
        backend => format!("smallnet --backend {backend}"),
    }
}

impl ExercisePage<'_> {
    /// What the softmax network's experiment amounts to.
    fn plan(&self) -> ModelSummary {
        ModelSummary::new(self.experiment, self.layout, self.info.data.num_train)
    }

    fn is_mnist(&self) -> bool {
        self.info.data.source == "mnist"
    }

    /// The softmax network's experiment file as an argument.
    fn default_file(&self) -> String {
        format!(" {}", word(self.files[0]))
    }
}

impl<'a> ExercisePage<'a> {
    fn softmax(&self) -> Work<&'a ExerciseRun> {
        self.softmax.as_ref().map_err(Clone::clone)
    }

    fn inside(&self) -> Work<&'a Inside> {
        self.inside.as_ref().map_err(Clone::clone)
    }

    /// The study that answers a question.
    fn study(&self, question: usize) -> Work<&'a ExerciseStudy<'a>> {
        let study = self.studies.get(question - FIRST_STUDY).unwrap_or(&Err(Missing::NotAsked));
        study.as_ref().map_err(Clone::clone)
    }

    /// The studies that were run to their end, with their questions.
    fn finished_studies(&self) -> impl Iterator<Item = (usize, &'a ExerciseStudy<'a>)> + use<'a> {
        let all = (FIRST_STUDY..).zip(self.studies);
        all.filter_map(|(question, study)| Some((question, study.as_ref().ok()?)))
    }

    /// The first of them: how to read their tables stands there, once.
    fn first_study(&self) -> Option<(usize, &'a ExerciseStudy<'a>)> {
        self.finished_studies().next()
    }
}

impl ExerciseRun {
    /// The run's folder, as an argument.
    fn folder(&self) -> String {
        word(self.records.folder.path())
    }

    /// What it gave on the test images.
    fn test(&self) -> Work<&Evaluation> {
        let test = self.records.test.as_ref().map(|test| &test.evaluation);
        test.ok_or_else(|| Missing::Failed("the network has not been tested".to_owned()))
    }
}

fn plan(run: &RunRecords) -> ModelSummary {
    ModelSummary::new(&run.experiment, run.info.data.layout, run.info.data.num_train)
}

fn word(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// All training steps of a run together.
fn training_seconds(run: &RunRecords) -> String {
    seconds(run.epochs.iter().map(|epoch| epoch.seconds).sum())
}
