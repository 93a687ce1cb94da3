//! The page of the whole exercise: its questions in order, each answered first in one sentence, then explained, shown,
//! and given the command that repeats it. Every number is computed from what was measured or from the experiment.

mod data;
mod facts;
mod hidden;
mod network;
mod prediction;
mod softmax;
mod studies;
mod words;

use std::path::Path;

use maud::{Markup, html};

use super::StudyPage;
use super::parts::shell_word;
use super::shell;
use crate::backend::Backend;
use crate::data::{Layout, Split};
use crate::error::Result;
use crate::evaluation::Prediction;
use crate::model::Neurons;
use crate::number::seconds;
use crate::plan::Plan;
use crate::run::Records;

/// The questions of the exercise, in order.
pub const QUESTIONS: [&str; 15] = [
    "Run the example. What is its test accuracy, and how long does it take?",
    "What do the images look like?",
    "What are the labels, and how often does each class occur?",
    "What does one-hot coding make of the labels?",
    "Which layers does the network have, and what does Flatten do?",
    "How many weights does the network have, and how does the number follow?",
    "What is minimised, by which update rule, and how many steps has an epoch?",
    "How good is the network on images that it has never seen?",
    "What does the network predict for one test image?",
    "What has each neuron learned?",
    "What changes with a hidden layer?",
    "How does the learning rate change the result?",
    "Which learning rate does cross-validation choose?",
    "Which architecture is best, and how many weights has it?",
    "How does the batch size change accuracy and time?",
];

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct LabPage<'a> {
    /// The images learned from.
    pub train: &'a Split,
    /// The images tested on.
    pub test: &'a Split,
    /// What all images have in common.
    pub layout: Layout,
    /// The run of the softmax network, tested.
    pub softmax: &'a Records,
    /// How long it took from reading the images to its own page.
    pub softmax_seconds: f64,
    /// The run of the network with a hidden layer, tested.
    pub hidden: &'a Records,
    /// The softmax network's only layer of weights.
    pub neurons: &'a Neurons,
    /// A test image that the softmax network recognises.
    pub right: Option<&'a Asked>,
    /// One that it does not.
    pub wrong: Option<&'a Asked>,
    /// The studies of questions 11 to 14.
    pub studies: &'a [LabStudy<'a>],
    /// Whether the studies were run in short.
    pub quick: bool,
    /// The experiment files of both networks.
    pub files: [&'a Path; 2],
    /// The folder of the runs and studies.
    pub artifacts: &'a Path,
    /// How long all of it took.
    pub seconds: f64,
}

/// A test image that a network was asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
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
pub struct LabStudy<'a> {
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

/// The page, and the answers in a sentence each.
///
/// # Errors
/// Records that cannot be drawn.
pub fn lab(page: &LabPage<'_>) -> Result<(String, Vec<String>)> {
    let mut answers = vec![softmax::example(page)];
    answers.extend([data::images(page)?, data::labels(page), data::one_hot(page)?]);
    answers.extend([network::layers(page), network::weights(page), network::minimised(page)]);
    answers.extend([softmax::unseen(page)?, prediction::of_images(page)?, softmax::neurons(page)?]);
    answers.push(hidden::layer(page)?);
    for (question, study) in [
        (studies::learning_rate as fn(&LabPage<'_>, &LabStudy<'_>) -> Result<Answer>),
        studies::cross_validation,
        studies::architecture,
        studies::batch_size,
    ]
    .into_iter()
    .zip(page.studies)
    {
        answers.push(question(page, study)?);
    }
    let mut sections = vec![contents(&answers)];
    sections.extend(answers.iter().enumerate().map(|(number, answer)| section(page, number, answer)));
    sections.push(facts::section(page));
    let origin = "from what it measured and from the images";
    let html = shell::page_from(origin, TITLE, &facts::header(page), &sections);
    let html = typeset(&html);
    Ok((html, answers.into_iter().map(|answer| answer.sentence).collect()))
}

/// Keeps signs with their numbers where lines break.
fn typeset(html: &str) -> String {
    html.replace(" %", "\u{a0}%").replace(" · ", "\u{a0}·\u{a0}").replace("w − ", "w\u{a0}−\u{a0}")
}

const TITLE: &str = "Training a small network";

/// Every question with its answer, to check one's own against.
fn contents(answers: &[Answer]) -> Markup {
    html! {
        nav.contents {
            h2 { "The answers in short" }
            ol start="0" {
                @for (number, answer) in answers.iter().enumerate() {
                    li { a href={ "#question-" (number) } { (QUESTIONS[number]) } span { (answer.sentence) } }
                }
            }
        }
    }
}

fn section(page: &LabPage<'_>, number: usize, answer: &Answer) -> Markup {
    html! {
        section.question id={ "question-" (number) } {
            h2 { span.number { (number) } " " (QUESTIONS[number]) }
            p.answer { (answer.sentence) }
            (answer.content)
            @if !answer.commands.is_empty() {
                pre.commands {
                    @for command in &answer.commands { (program(page)) " " (command) "\n" }
                }
            }
        }
    }
}

/// The program with what this run was told about the backend.
fn program(page: &LabPage<'_>) -> String {
    match page.softmax.info.backend {
        Backend::Flex => "smallnet".to_owned(),
        backend => format!("smallnet --backend {backend}"),
    }
}

impl LabPage<'_> {
    /// What the softmax network's experiment amounts to.
    fn plan(&self) -> Plan {
        plan(self.softmax)
    }

    fn is_mnist(&self) -> bool {
        self.softmax.info.data.source == "mnist"
    }

    /// The softmax network's experiment file as an argument; nothing where it is the one that smallnet takes anyway.
    fn default_file(&self) -> String {
        if self.is_mnist() { String::new() } else { format!(" {}", word(self.files[0])) }
    }

    /// The folder of the softmax network's run, as an argument.
    fn run(&self) -> String {
        word(self.softmax.folder.path())
    }
}

fn plan(run: &Records) -> Plan {
    Plan::new(&run.experiment, run.info.data.layout, run.info.data.num_train)
}

fn word(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// All training steps of a run together.
fn training_seconds(run: &Records) -> String {
    seconds(run.epochs.iter().map(|epoch| epoch.seconds).sum())
}
