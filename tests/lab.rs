//! `smallnet lab`: the whole exercise, on few real digits.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{Place, number};
use serde_json::{Value, json};

const TRAIN: usize = 1500;
const TEST: usize = 200;

/// What a page says as text, without its tags, its spaces made plain.
fn text(html: &str) -> String {
    let body = html.split("<main>").nth(1).unwrap();
    let text: String =
        body.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text)).collect();
    text.replace('\u{a0}', " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
}

fn read_json(place: &Place, path: &str) -> Value {
    serde_json::from_str(&place.read(path)).unwrap()
}

/// Every question with its answer, once in the contents and once at its place.
fn assert_answered(html: &str, record: &Value) {
    let answers = record["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 15);
    let text = text(html);
    for (index, answer) in answers.iter().enumerate() {
        assert!(
            html.contains(&format!("id=\"question-{index}\""))
                && html.contains(&format!("#question-{index}\""))
        );
        for key in ["question", "answer"] {
            let said = answer[key].as_str().unwrap();
            assert!(!said.is_empty() && !said.contains('–'), "{said}");
            assert_eq!(text.matches(said).count(), 2, "`{said}`");
        }
    }
}

fn answer(record: &Value, index: usize) -> &str {
    record["answers"][index]["answer"].as_str().unwrap()
}

#[test]
fn every_question_is_answered_with_what_was_measured_and_the_studies_are_run_once() {
    let place = Place::new();
    place.digits(TRAIN, TEST);
    let arguments = ["lab", "--quick", "--data", "data"];
    let record = place.json(&arguments);
    assert_eq!((&record["page"], &record["reused_trials"]), (&json!("lab/report.html"), &json!(0)));
    let html = place.read("lab/report.html");
    assert_answered(&html, &record);
    for part in ["<script", "src=\"http", "href=\"http", "<link"] {
        assert!(!html.contains(part), "the page stands alone: {part}");
    }
    let page = text(&html);
    assert!(page.contains("This is the quick version."));
    let shortened = "training.num_epochs: 5 instead of 10";
    assert_eq!(page.matches(shortened).count(), 1, "{shortened}");
    assert!(!page.contains("Keras"), "Keras' accuracy is MNIST's");

    questions_about_the_data(&place, &record, &page);
    questions_about_the_network(&place, &record, &page);
    questions_about_studies(&place, &record);

    // Started again, nothing of the studies is run twice, and they say the same.
    let again = place.json(&arguments);
    let trials = 5 + 4 * 5 + 6 * 2 + 5;
    assert_eq!(again["reused_trials"], json!(trials));
    assert!(text(&place.read("lab/report.html")).contains(&format!("{trials} trials of studies")));
    for question in [11, 12, 13, 14] {
        assert_eq!(answer(&again, question), answer(&record, question));
    }
}

fn questions_about_the_data(place: &Place, record: &Value, page: &str) {
    let labels = std::fs::read(place.path().join("data/train-labels-idx1-ubyte")).unwrap();
    let mut counts = [0; 10];
    labels[8..].iter().for_each(|&label| counts[usize::from(label)] += 1);
    let (most, fewest) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
    assert_eq!(
        answer(record, 1),
        "1,500 images to learn from and 200 to test with, each of 28 × 28 pixels; a pixel is a whole number from 0 to 255."
    );
    let said = answer(record, 2);
    assert!(said.contains(&format!(" has the fewest ({fewest}) and ")), "{said}");
    assert!(said.contains(&format!(" the most ({most})")), "{said}");
    assert!(page.contains("all1,500100.0 %200100.0 %"), "the row below the counts");
    assert!(answer(record, 3).ends_with("the first label, 5, becomes 0 0 0 0 0 1 0 0 0 0."));
}

fn questions_about_the_network(place: &Place, record: &Value, page: &str) {
    let folder = record["softmax"].as_str().unwrap();
    let summary = read_json(place, &format!("{folder}/summary.json"));
    let accuracy = number(&summary, "test_accuracy");
    let right = (accuracy * TEST as f64).round();
    assert!(answer(record, 0).starts_with(&format!("Test accuracy {accuracy:.4}: {right} of 200 images")));
    assert!(answer(record, 5).contains("784 · 10 + 10 = 7,850"));
    // 1,500 = 11 · 128 + 92.
    assert!(answer(record, 6).ends_with("w ← w − 1 · g; an epoch has 12 steps."));
    assert!(page.contains("11 full batches and one of 92, 12 steps an epoch; times 10 epochs: 120 steps"));
    assert!(answer(record, 7).starts_with(&format!("It recognises {right} of the 200 test images")));
    assert!(answer(record, 7).ends_with(&format!("{} are wrong.", 200.0 - right)));

    // The two images are what `predict` says of them.
    let said = answer(record, 8);
    let numbers: Vec<&str> =
        said.split("est image ").skip(1).map(|part| part.split(',').next().unwrap()).collect();
    let [first, second] = numbers[..] else { panic!("{said}") };
    let images = place.json(&["predict", folder, "--index", first, second]);
    let [good, bad] = &images.as_array().unwrap()[..] else { panic!("{images}") };
    assert_eq!(good["label"], good["predicted"]);
    assert_ne!(bad["label"], bad["predicted"]);
    assert!(
        said.contains(&format!("a {}, is taken for a {} with", bad["label"], bad["predicted"])),
        "{said}"
    );

    let hidden = read_json(place, &format!("{}/summary.json", record["hidden"].as_str().unwrap()));
    let said = answer(record, 10);
    assert!(said.contains("101,770 weights in place of 7,850"), "{said}");
    assert!(said.contains(&format!("{:.4}", number(&hidden, "test_accuracy"))), "{said}");
    assert!(
        page.contains("784 · 128 + 128 = 100,480, 128 · 10 + 10 = 1,290; together 100,480 + 1,290 = 101,770")
    );
}

fn questions_about_studies(place: &Place, record: &Value) {
    let key = ["optimizer.learning_rate", "optimizer.learning_rate", "model.hidden", "training.batch_size"];
    for (index, key) in key.into_iter().enumerate() {
        let folder = record["studies"][index].as_str().unwrap();
        let results = read_json(place, &format!("{folder}/results.json"));
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
        // No other setting is better, by the trials' own records.
        let means = results["settings"].as_array().unwrap().iter().map(|setting| number(setting, "mean"));
        assert_eq!(means.fold(0.0, f64::max), number(best, "mean"));
    }
}

/// The commands on the page work as they stand, from the folder that the exercise was started in.
#[test]
fn an_interrupted_exercise_says_how_it_goes_on() {
    let place = Place::new();
    place.digits(1000, 100);
    let mut child = place
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
    assert_eq!(
        rest,
        [
            "interrupted; what is finished is kept in an exercise: the same command goes on, and runs no trial of a study twice"
        ]
    );
    assert!(!place.path().join("an exercise/report.html").exists());
    let study = "an exercise/configs/studies/learning-rate.toml";
    let ran = place.run(&["--artifacts", "an exercise/artifacts", "study", study]);
    assert!(ran.stdout.contains("all 45 trials have been run already"), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Trained once with all 1,000 training images"), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let place = Place::new();
    let ran = place.run(&["--artifacts", "runs", "lab"]);
    ran.assert_error(
        2,
        "`--artifacts` has no meaning for `lab`: its runs go into the folder of its page\n\nhint: name that folder: \
         `--out runs`",
    );
    let ran = place.run(&["lab", "--data", "nowhere"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("nowhere"), "{}", ran.stderr);
    assert!(!place.path().join("lab").exists() && !place.path().join("artifacts").exists());
    place.write("taken", "a file");
    place.digits(100, 20);
    let ran = place.run(&["--quiet", "lab", "--data", "data", "--out", "taken"]);
    ran.assert_error(1, "cannot make the folder `taken/configs/studies`: Not a directory (os error 20)");
}
