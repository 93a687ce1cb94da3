//! `smallnet lab`: the exercise on a few real digits.
#![cfg(feature = "exercise")]
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{TestDir, number};
use serde_json::{Value, json};

const TRAIN: usize = 1500;
const TEST: usize = 200;

/// Returns the text of a page without tags and with plain spaces.
fn plain_text(html: &str) -> String {
    let body = html.split("<main>").nth(1).unwrap();
    let text: String =
        body.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text)).collect();
    text.replace('\u{a0}', " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
}

fn read_json(dir: &TestDir, path: &str) -> Value {
    serde_json::from_str(&dir.read(path)).unwrap()
}

/// Asserts that the page has every question with its answer, once in the contents and once in its
/// section.
fn assert_answered(html: &str, record: &Value) {
    let answers = record["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 15);
    let text = plain_text(html);
    for (index, answer) in answers.iter().enumerate() {
        assert!(
            html.contains(&format!("id=\"question-{index}\""))
                && html.contains(&format!("#question-{index}\""))
        );
        assert_eq!(answer["number"], json!(index));
        for key in ["question", "answer"] {
            let said = answer[key].as_str().unwrap();
            assert!(!said.is_empty() && !said.contains('–'), "{said}");
            assert_eq!(text.matches(said).count(), 2, "`{said}`");
        }
    }
}

fn answer(record: &Value, index: usize) -> &str {
    let answers = record["answers"].as_array().unwrap();
    let answer = answers.iter().find(|answer| answer["number"] == json!(index)).unwrap();
    answer["answer"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// Returns the text of a question's section.
fn section(html: &str, index: usize) -> String {
    let part = html.split(&format!("id=\"question-{index}\"")).nth(1).unwrap();
    let part = part.split("</section>").next().unwrap();
    plain_text(&format!("<main><{part}"))
}

/// The questions have the numbers of the sheet: a student who looks for number 7 finds the meaning
/// of 469/469.
#[test]
fn the_questions_are_the_sheets() {
    let dir = TestDir::new();
    dir.digits(100, 20);
    let record = dir.json(&["lab", "--data", "data", "--questions", "1-7"]);
    let asked = [
        "size of each image",
        "before and after to_categorical",
        "aim of Flatten",
        "How many layers",
        "How many weights are learned",
        "loss function and which optimization algorithm",
        "469/469",
    ];
    let answers = record["answers"].as_array().unwrap();
    assert_eq!(answers.len(), asked.len());
    for ((number, answer), asked) in (1..).zip(answers).zip(asked) {
        assert_eq!(answer["number"], json!(number));
        assert!(answer["question"].as_str().unwrap().contains(asked), "{answer}");
    }
    assert!(answer(&record, 4).starts_with("One: the Dense layer (nn.Linear in PyTorch) with 10 neurons"));
    assert_eq!(
        answer(&record, 7),
        "Steps done / steps of an epoch: 100 images / 128 in a batch = 0.78, so an epoch has 1 step, a single batch of 100."
    );
    // No network was trained for these questions.
    assert!(record["softmax"].is_null() && record["studies"] == json!([]));
    assert!(!dir.path().join("lab/artifacts").exists());
    let html = dir.read("lab/report.html");
    assert!(plain_text(&html).contains("Questions 1, 2, 3, 4, 5, 6 and 7 of an exercise"));
    assert!(!html.contains("question-0") && !html.contains("question-8"));
}

#[test]
fn every_question_is_answered_with_what_was_measured_and_the_studies_are_run_once() {
    let dir = TestDir::new();
    dir.digits(TRAIN, TEST);
    let arguments = ["lab", "--quick", "--data", "data"];
    let record = dir.json(&arguments);
    assert_eq!((&record["page"], &record["reused_trials"]), (&json!("lab/report.html"), &json!(0)));
    assert_eq!((&record["interrupted"], &record["failed"]), (&json!(false), &json!(0)));
    let html = dir.read("lab/report.html");
    assert_answered(&html, &record);
    for part in ["<script", "src=\"http", "href=\"http", "<link"] {
        assert!(!html.contains(part), "the page stands alone: {part}");
    }
    let page = plain_text(&html);
    assert!(page.contains("This is the quick version."));
    let shortened = "training.num_epochs: 5 instead of 10";
    assert_eq!(page.matches(shortened).count(), 1, "{shortened}");
    assert!(!page.contains("0.9217"), "Keras' accuracy is MNIST's");

    questions_about_the_data(&dir, &record, &html);
    questions_about_the_network(&dir, &record, &html);
    question_of_the_layer(&dir, &record, &html);
    questions_about_studies(&dir, &record);

    // A second start runs no trial again, and the studies have the same results.
    let again = dir.json(&arguments);
    let trials = 5 + 4 * 5 + 6 * 2 + 5;
    assert_eq!(again["reused_trials"], json!(trials));
    assert!(plain_text(&dir.read("lab/report.html")).contains(&format!("{trials} trials of studies")));
    for question in [11, 12, 13, 14] {
        assert_eq!(answer(&again, question), answer(&record, question));
    }
    // The softmax network is trained again, since question 0 asks for its time. The others are not.
    assert_ne!(again["softmax"], record["softmax"]);
    assert_eq!(again["hidden"], record["hidden"]);
    let seeds = std::fs::read_dir(dir.path().join("lab/artifacts/softmax-seeds")).unwrap();
    assert_eq!(seeds.count(), 4);
}

fn questions_about_the_data(dir: &TestDir, record: &Value, html: &str) {
    let labels = std::fs::read(dir.path().join("data/train-labels-idx1-ubyte")).unwrap();
    let mut counts = [0; 10];
    labels[8..].iter().for_each(|&label| counts[usize::from(label)] += 1);
    let (most, fewest) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
    assert_eq!(
        answer(record, 1),
        "28 × 28 = 784 pixels, each a whole number from 0 to 255; there are 1,500 images to learn from and 200 to test with."
    );
    let said = answer(record, 2);
    assert!(said.contains("the first are 5, 0, 4, 1 and 9"), "{said}");
    assert!(said.ends_with("5 becomes 0 0 0 0 0 1 0 0 0 0."), "{said}");
    let labels = section(html, 2);
    assert!(labels.contains(&format!(" has the fewest ({fewest}) and ")), "{labels}");
    assert!(labels.contains(&format!(" the most ({most})")), "{labels}");
    assert!(labels.contains("all1,500100.0 %200100.0 %"), "the row below the counts");
}

fn questions_about_the_network(dir: &TestDir, record: &Value, html: &str) {
    let folder = record["softmax"].as_str().unwrap();
    let summary = read_json(dir, &format!("{folder}/summary.json"));
    let accuracy = number(&summary, "test_accuracy");
    let right = (accuracy * TEST as f64).round();
    assert!(answer(record, 0).starts_with(&format!("Test accuracy {accuracy:.4}: {right} of 200 images")));
    assert!(section(html, 0).contains(&format!("{right} of 200 test images")));
    assert!(section(html, 0).contains(&format!("{} are wrong.", 200.0 - right)));
    training_accuracy_after_training(dir, folder, html);
    spread_over_seeds(dir, accuracy, html);

    assert!(
        answer(record, 3)
            .starts_with("Flatten makes one list of 784 numbers of an image's 28 rows of 28 pixels")
    );
    assert!(answer(record, 5).contains("784 · 10 + 10 = 7,850"));
    assert!(answer(record, 6).ends_with("stochastic gradient descent (SGD) with η = 1, w ← w − η · g."));
    let parameters = section(html, 6);
    for part in ["optimizer.learning_rate1.0", "optimizer.momentum0.0", "w ← w − η · g\nη = 1"] {
        assert!(parameters.contains(part), "{part} in {parameters}");
    }
    // 1,500 = 11 · 128 + 92, and 1,500 / 128 = 11.71875.
    assert_eq!(
        answer(record, 7),
        "Steps done / steps of an epoch: 1,500 images / 128 in a batch = 11.72, so an epoch has 12 steps, 11 full batches and a \
         last one of 92 images."
    );
    assert!(
        section(html, 7)
            .contains("11 full batches and one of 92, 12 steps per epoch; times 10 epochs: 120 steps")
    );
    prediction_of_the_first_image(dir, record, html);
    for (question, words) in [
        (2, ["to_categorical", "F.one_hot"]),
        (4, ["model.summary()", "print(model)"]),
        (5, ["count_params", "numel"]),
        (7, ["-(-len(x_train) // 128)", "len(loader)"]),
        (12, ["StratifiedKFold", "DataLoader"]),
    ] {
        let section = section(html, question);
        assert!(words.iter().all(|word| section.contains(word)), "{words:?} in {section}");
        // The values in the programs' comments are those of MNIST.
        assert!(!section.contains("# 7850") && !section.contains("# 469"), "{section}");
    }
}

/// The training accuracy is that of the final weights, as in `evaluate`, and not the mean over the
/// last epoch.
fn training_accuracy_after_training(dir: &TestDir, folder: &str, html: &str) {
    let training = dir.json(&["evaluate", folder, "--split", "train"]);
    let training = number(&training, "accuracy");
    let metrics = dir.read(format!("{folder}/metrics.jsonl"));
    let last: Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    assert!((training - number(&last, "train_accuracy")).abs() > 0.001, "both would look the same");
    let said = format!(
        "After the training, the network is right for {:.1} % of its 1,500 training images",
        100.0 * training
    );
    assert!(section(html, 0).contains(&said), "{said}");
}

/// Question 0 names the accuracy of every seed, the mean and the standard deviation.
fn spread_over_seeds(dir: &TestDir, first: f64, html: &str) {
    let section = section(html, 0);
    let mut accuracies = vec![first];
    let runs = std::fs::read_dir(dir.path().join("lab/artifacts/softmax-seeds")).unwrap();
    for run in runs {
        let folder = run.unwrap().path().display().to_string();
        let seed = read_json(dir, &format!("{folder}/run.json"))["seed"].clone();
        let accuracy = number(&read_json(dir, &format!("{folder}/summary.json")), "test_accuracy");
        assert!(section.contains(&format!("{seed}{accuracy:.4}")), "{seed}: {accuracy}");
        accuracies.push(accuracy);
    }
    assert_eq!(accuracies.len(), 5);
    let mean = accuracies.iter().sum::<f64>() / 5.0;
    let deviation = (accuracies.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    assert!(
        section.contains(&format!("The mean is {mean:.4}, the standard deviation {deviation:.4}")),
        "{section}"
    );
}

/// Question 8 shows test image 0 and the first image whose prediction is wrong (or right, if that
/// of image 0 is wrong). Both have the values of `predict`.
fn prediction_of_the_first_image(dir: &TestDir, record: &Value, html: &str) {
    let folder = record["softmax"].as_str().unwrap();
    let all: Vec<String> = (0..TEST).map(|index| index.to_string()).collect();
    let mut arguments = vec!["predict", folder, "--index"];
    arguments.extend(all.iter().map(String::as_str));
    let images = dir.json(&arguments);
    let images = images.as_array().unwrap();
    let is_right = |image: &Value| image["label"] == image["predicted"];
    let verdict = if is_right(&images[0]) { "right" } else { "wrong" };
    let said = answer(record, 8);
    assert!(
        said.starts_with(&format!("Test image 0 is predicted to be a {}", images[0]["predicted"])),
        "{said}"
    );
    assert!(said.ends_with(&format!("its label is {}: {verdict}.", images[0]["label"])), "{said}");
    let other = images.iter().position(|image| is_right(image) != is_right(&images[0])).unwrap();
    assert!(section(html, 8).contains(&format!("Test image {other}: label {}", images[other]["label"])));
}

/// Question 10 separates the effect of the layer from that of the other settings.
fn question_of_the_layer(dir: &TestDir, record: &Value, html: &str) {
    let accuracy = |folder: &str| number(&read_json(dir, &format!("{folder}/summary.json")), "test_accuracy");
    let runs = std::fs::read_dir(dir.path().join("lab/artifacts/inserted")).unwrap();
    let inserted: Vec<String> = runs.map(|run| run.unwrap().path().display().to_string()).collect();
    let [inserted] = &inserted[..] else { panic!("{inserted:?}") };
    let [softmax, inserted, hidden] =
        [record["softmax"].as_str().unwrap(), inserted, record["hidden"].as_str().unwrap()].map(accuracy);
    let said = answer(record, 10);
    assert!(said.contains("101,770 weights in place of 7,850"), "{said}");
    let section = section(html, 10);
    for (before, after) in [(softmax, inserted), (inserted, hidden), (softmax, hidden)] {
        let sign = if after < before { '−' } else { '+' };
        let change = format!("{sign}{:.2}", 100.0 * (after - before).abs());
        assert!(section.contains(&change), "{change} in {section}");
    }
    for (before, after) in [(softmax, inserted), (inserted, hidden)] {
        let change = match before == after {
            true => format!("stays at {after:.4}"),
            false => format!("from {before:.4} to {after:.4}"),
        };
        assert!(said.contains(&change), "{change} in {said}");
    }
    assert!(
        section
            .contains("784 · 128 + 128 = 100,480, 128 · 10 + 10 = 1,290; together 100,480 + 1,290 = 101,770")
    );
}

fn questions_about_studies(dir: &TestDir, record: &Value) {
    let key = ["optimizer.learning_rate", "optimizer.learning_rate", "model.hidden", "training.batch_size"];
    for (index, key) in key.into_iter().enumerate() {
        let folder = record["studies"][index].as_str().unwrap();
        let results = read_json(dir, &format!("{folder}/results.json"));
        let best = &results["best"];
        let said = answer(record, 11 + index);
        let value = best["setting"]["values"][0][1].as_str().unwrap();
        assert_eq!(best["setting"]["values"][0][0], key);
        let expected = match value.parse::<f64>() {
            Ok(number) => number.to_string(),
            Err(_) if value == "[]" => "no hidden layer".to_owned(),
            Err(_) => format!("of {} neurons", value.trim_matches(['[', ']']).replace(", ", " and ")),
        };
        assert!(said.contains(&expected), "`{expected}` in {said}");
        assert!(said.contains(&format!("{:.4}", number(best, "mean"))), "{said}");
        let tested = format!("tested once, it reaches {:.4}", number(&results["winner"], "test_accuracy"));
        assert_eq!(said.contains(&tested), index == 1 || index == 2, "{said}");
        // By the records of the trials, no other configuration is better.
        let means = results["settings"].as_array().unwrap().iter().map(|setting| number(setting, "mean"));
        assert_eq!(means.fold(0.0, f64::max), number(best, "mean"));
    }
}

/// Interrupted work leaves only its own section without an answer. The page exists, and its
/// commands can be copied.
#[test]
fn an_interrupted_exercise_has_its_page_and_says_how_it_goes_on() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    let mut child = dir
        .command(&["lab", "--data", "data", "--out", "an exercise"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.by_ref().find(|line| line.starts_with("question 13 of 14: ")).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let data = dir.path().join("data").canonicalize().unwrap();
    let command = format!("smallnet lab --out 'an exercise' --data {}", data.display());
    assert!(rest.contains(&format!("resume: {command}")), "{rest:?}");
    assert!(rest.iter().any(|line| line.starts_with("12. Learning rate ")), "{rest:?}");
    assert!(rest.iter().any(|line| line.starts_with("13. not answered: interrupted, ")), "{rest:?}");
    assert!(
        rest.contains(&"14. not answered: interrupted, 0 of 45 trials of the study have been run".to_owned())
    );
    let html = dir.read("an exercise/report.html");
    for question in [13, 14] {
        let section = section(&html, question);
        assert!(
            section.contains("interrupted before this question was answered") && section.contains(&command),
            "{section}"
        );
    }
    assert!(section(&html, 12).contains("has the highest mean accuracy over 5 folds"));
    let study = "an exercise/configs/studies/learning-rate.toml";
    let output = dir.run(&["--artifacts", "an exercise/artifacts", "study", study]);
    assert!(
        output.stdout.contains("all 45 trials have been run already"),
        "{}{}",
        output.stdout,
        output.stderr
    );
    assert!(output.stdout.contains("Trained once with all 1,000 training images"), "{}", output.stdout);
}

/// A failed training leaves only the questions without an answer that need it.
#[test]
fn a_failed_training_costs_its_own_questions() {
    let dir = TestDir::new();
    dir.digits(300, 50);
    let arguments = ["--json", "lab", "--data", "data", "--questions", "0,5,8,11", "--quick"];
    let output = dir.run(&[&arguments[..], &["--set", "optimizer.learning_rate=1e38"]].concat());
    assert_eq!(output.code, 1, "{}", output.stderr);
    let record: Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&record["failed"], &record["interrupted"]), (&json!(2), &json!(false)));
    let answers = record["answers"].as_array().unwrap();
    for index in [0, 2] {
        assert!(answers[index]["answer"].is_null());
        assert!(answers[index]["missing"].as_str().unwrap().starts_with("failed, "), "{answers:?}");
    }
    assert!(answer(&record, 5).contains("7,850") && answer(&record, 11).contains("rates from 0.001 to 10"));
    let section = section(&dir.read("lab/report.html"), 0);
    assert!(
        section.contains("The work for this question failed.") && section.contains("diverge"),
        "{section}"
    );
    assert!(section.contains("--quick") && section.contains("--set optimizer.learning_rate="), "{section}");
    assert!(output.stderr.contains("resume: smallnet lab --quick"), "{}", output.stderr);
}

/// The full study, timed or not, has no note about shortened settings.
#[test]
fn a_full_study_is_not_said_to_be_shortened() {
    let dir = TestDir::new();
    dir.digits(300, 50);
    let arguments = ["lab", "--data", "data", "--questions", "14", "--set", "training.num_epochs=2"];
    let record = dir.json(&arguments);
    assert!(answer(&record, 14).starts_with("After 2 epochs, "));
    let html = dir.read("lab/report.html");
    assert!(!html.contains("The study in short") && !html.contains("This is the quick version"));
    dir.json(&[&arguments[..], &["--quick"]].concat());
    let section = section(&dir.read("lab/report.html"), 14);
    assert_eq!(section.matches("The study in short").count(), 1);
    assert!(!section.contains("timed on"), "{section}");
}

#[test]
fn the_sheet_to_hand_out_has_all_questions_and_no_answer() {
    let dir = TestDir::new();
    dir.digits(200, 30);
    let record = dir.json(&["lab", "--no-answers", "--data", "data"]);
    assert_eq!(record, json!({"page": "lab/sheet.html", "answers": []}));
    let html = dir.read("lab/sheet.html");
    for index in 0..15 {
        assert!(html.contains(&format!("id=\"question-{index}\"")), "{index}");
    }
    for answer in ["7,850", "468.75", "class=\"answer\"", "784 numbers", "entropy −ln p", "28 × 28"] {
        assert!(!html.contains(answer), "{answer}");
    }
    // These are the given code, the images of each class, ten images to label, and the test image
    // of question 8.
    assert!(plain_text(&html).contains("model.fit(x_train, t_train, batch_size=128, epochs=10)"));
    assert_eq!(section(&html, 8).matches("Test image 0.").count(), 1);
    let pictures = html.split("id=\"question-2\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(pictures.matches("<img").count(), 10);
    let made: Vec<_> = std::fs::read_dir(dir.path().join("lab")).unwrap().collect();
    assert_eq!(made.len(), 1, "nothing but the sheet");
    dir.json(&["lab", "--no-answers", "--data", "data", "--questions", "3,8"]);
    let html = dir.read("lab/sheet.html");
    assert!(html.contains("question-3") && html.contains("question-8") && !html.contains("question-4"));
}

/// A file that a person has edited is used, named and never overwritten.
#[test]
fn edited_files_are_used_and_kept() {
    let dir = TestDir::new();
    dir.digits(200, 30);
    let arguments = ["lab", "--data", "data", "--questions", "0,6"];
    let record = dir.json(&arguments);
    assert_eq!(record["edited"], json!([]));
    assert!(answer(&record, 6).contains("η = 1,"));
    let softmax = dir.read("lab/configs/softmax.toml");
    let edited = softmax.replace("learning_rate = 1.0", "learning_rate = 0.25");
    assert_ne!(edited, softmax);
    dir.write("lab/configs/softmax.toml", &edited);
    let page = dir.read("lab/report.html").replace("<h1>", "<h1>For class 3b: ");
    dir.write("lab/report.html", &page);

    let output = dir.run(&["--json", "lab", "--data", "data", "--questions", "0,6", "--seed", "7"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let record: Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(record["edited"], json!(["lab/configs/softmax.toml"]));
    assert!(
        output.stderr.contains("`lab/configs/softmax.toml` has been edited: it was used as it stands"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("it stays, and the new one is `lab/report-2.html`"), "{}", output.stderr);
    assert!(answer(&record, 6).contains("η = 0.25,"), "{}", answer(&record, 6));
    assert_eq!(dir.read("lab/configs/softmax.toml"), edited);
    assert_eq!(dir.read("lab/report.html"), page);
    assert_eq!(record["page"], "lab/report-2.html");
    assert!(
        plain_text(&dir.read("lab/report-2.html")).contains("With edited files: lab/configs/softmax.toml")
    );
    // smallnet wrote the other files, so they have the new seed.
    assert!(dir.read("lab/configs/hidden.toml").contains("seed = 7\n"));
    // A deleted file is written again.
    std::fs::remove_file(dir.path().join("lab/configs/softmax.toml")).unwrap();
    let record = dir.json(&arguments);
    assert_eq!((&record["edited"], answer(&record, 6).contains("η = 1,")), (&json!([]), true));
}

/// A seed and settings reach every training, and the commands on the page repeat them.
#[test]
fn a_seed_and_settings_are_those_of_all_trainings() {
    let dir = TestDir::new();
    dir.digits(300, 50);
    let record = dir.json(&[
        "lab",
        "--data",
        "data",
        "--quick",
        "--questions",
        "0,11,13",
        "--seed",
        "70",
        "--set",
        "training.num_epochs=3",
    ]);
    let run = |folder: &str| read_json(&dir, &format!("{folder}/run.json"));
    assert_eq!(run(record["softmax"].as_str().unwrap())["seed"], json!(70));
    assert_eq!(run(record["hidden"].as_str().unwrap())["seed"], json!(70));
    let html = dir.read("lab/report.html");
    for seed in 70..75 {
        assert!(section(&html, 0).contains(&format!("{seed}0.")), "{seed}");
    }
    assert!(answer(&record, 0).contains("of 3 epochs took"));
    let study = dir.read("lab/configs/studies/architecture-quick.toml");
    assert!(study.contains("seeds = [70, 71]") && study.contains("num_epochs = 3"), "{study}");
    let again = dir.json(&["train", "lab/configs/softmax.toml"]);
    let summary = read_json(&dir, &format!("{}/summary.json", record["softmax"].as_str().unwrap()));
    assert_eq!(number(&again, "test_accuracy"), number(&summary, "test_accuracy"));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let dir = TestDir::new();
    let output = dir.run(&["--artifacts", "runs", "lab"]);
    output.assert_error(
        2,
        "`--artifacts` has no meaning for `lab`: its runs go into the folder of its page\n\nhint: name that folder: \
         `--out runs`",
    );
    let output = dir.run(&["lab", "--data", "nowhere"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.starts_with("error: ") && output.stderr.contains("nowhere"), "{}", output.stderr);
    assert!(!dir.path().join("lab").exists() && !dir.path().join("artifacts").exists());
    dir.run(&["lab", "--set", "model.hidden=[5]"]).assert_error(
        2,
        "`--set model.hidden` has no meaning for `lab`\n\nhint: questions 10 and 13 ask for it; edit their files in the \
         exercise's folder `configs`",
    );
    let output = dir.run(&["lab", "--questions", "3,15"]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("`15` is not a question: expected numbers from 0 to 14"),
        "{}",
        output.stderr
    );
    assert!(!dir.path().join("lab").exists());
    dir.write("taken", "a file");
    dir.digits(100, 20);
    let output = dir.run(&["--quiet", "lab", "--data", "data", "--out", "taken"]);
    output.assert_error(1, "cannot make the folder `taken/configs/studies`: Not a directory (os error 20)");
}
