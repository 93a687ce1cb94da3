//! `report` and `compare`: the HTML of the pages. `browser.rs` tests them in a browser.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::{TestDir, config};
use serde_json::{Value, json};
use std::fs;

#[test]
fn train_writes_the_page_and_report_writes_it_again() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("softmax"), &[]);
    let page = dir.path().join(&run).join("report.html");
    let written = fs::read_to_string(&page).unwrap();
    let worst = dir.json(&["evaluate", &run]);
    let test_images = fs::read(dir.path().join("data/t10k-images-idx3-ubyte")).unwrap();
    fs::remove_file(&page).unwrap();
    // The page is made from the run folder alone; the data set has been removed.
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    let output = dir.run(&["report", &run]);
    assert_eq!((output.code, output.stdout), (0, format!("report: {run}/report.html\n")));
    assert_eq!(fs::read_to_string(&page).unwrap(), written);

    let summary: Value = serde_json::from_str(&dir.read(format!("{run}/summary.json"))).unwrap();
    let info: Value = serde_json::from_str(&dir.read(format!("{run}/run.json"))).unwrap();
    let accuracy = format!("{:.2} %", 100.0 * summary["test_accuracy"].as_f64().unwrap());
    for text in [
        accuracy.as_str(),
        info["data"]["sha256"].as_str().unwrap(),
        info["weights_sha256"].as_str().unwrap(),
        "784 × 10 + 10 = 7,850",
        "500 images / 128 per batch: 3 full batches and one of 116, 4 steps per epoch; times 2 epochs: 8 steps",
        &format!("smallnet --backend flex train {run}/config.toml"),
        "learning_rate = 1.0",
        "Worst mistakes",
    ] {
        assert!(written.contains(text), "`{text}` is missing");
    }
    // The page may load nothing.
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
                  style-src 'unsafe-inline'\">";
    assert!(written.contains(policy));
    // The first of the misclassifications is the image that `evaluate` names.
    let place_of_worst = written.find("Worst mistakes").unwrap();
    let picture = written[place_of_worst..].split("base64,").nth(1).unwrap().split('"').next().unwrap();
    let picture = image::load_from_memory(&BASE64_STANDARD.decode(picture).unwrap()).unwrap().to_luma8();
    let worst = worst["worst"][0]["index"].as_u64().unwrap() as usize;
    assert_eq!(picture.into_raw(), test_images[16 + 784 * worst..][..784]);
    // There are two curves and the calibration, ten neurons with their scale, and twenty
    // misclassifications.
    assert_eq!(written.matches("<svg").count(), 3);
    assert_eq!(written.matches("<img").count(), 31);
}

#[test]
fn a_run_without_a_test_gets_a_page_of_what_there_is() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    dir.json(&["report", &run]);
    let page = dir.read(format!("{run}/report.html"));
    assert!(
        page.contains("Learning curves") && page.contains("Weights") && !page.contains("Confusion matrix")
    );
    dir.json(&["evaluate", &run]);
    // The page is written again and shows the current records.
    let page = dir.read(format!("{run}/report.html"));
    assert!(page.contains("Confusion matrix") && page.contains("9,239 of 10,000 images"));

    fs::remove_file(dir.path().join(&run).join("model.bpk")).unwrap();
    let info = dir.read(format!("{run}/run.json"));
    let failed = info
        .replace("\"finished\"", "\"failed\"")
        .replace("\"message\": null", "\"message\": \"<disk> full\"");
    dir.write(&format!("{run}/run.json"), failed);
    dir.json(&["report", &run]);
    let page = dir.read(format!("{run}/report.html"));
    assert!(
        page.contains("This run failed: &lt;disk&gt; full.") && !page.contains("What each output neuron")
    );
}

#[test]
fn a_damaged_record_is_named() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    dir.write(&format!("{run}/metrics.jsonl"), "{\"epoch\": 1}\n");
    dir.run(&["report", &run]).assert_error(
        1,
        &format!("`{run}/metrics.jsonl`, line 1, is damaged: missing field `train_loss` at line 1 column 12"),
    );
    let run = dir.saved_run();
    dir.json(&["evaluate", &run]);
    let name = format!("{run}/evaluation.json");
    let whole: Value = serde_json::from_str(&dir.read(&name)).unwrap();
    for (key, value) in [
        ("confusion", json!([[1], [2]])),
        ("classes", json!([])),
        ("worst_pixels", json!([])),
        ("worst_pixels", json!(vec!["AAAA"; 20])),
    ] {
        let mut damaged = whole.clone();
        damaged[key] = value;
        dir.write(&name, damaged.to_string());
        dir.run(&["report", &run]).assert_error(
            1,
            &format!(
                "`{name}` is damaged: its lists do not fit each other or the run\n\nhint: `smallnet evaluate` makes it \
                 again"
            ),
        );
    }
    for damage in ["", "{", "null"] {
        dir.write(&name, damage);
        assert_eq!(dir.run(&["report", &run]).code, 1);
        dir.json(&["evaluate", &run]);
        assert_eq!(serde_json::from_str::<Value>(&dir.read(&name)).unwrap(), whole, "repaired");
    }
}

#[test]
fn a_run_is_not_told_by_another_experiment() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("softmax"), &["--set", "optimizer.learning_rate=0.25"]);
    let file = format!("{run}/config.toml");
    let whole = dir.read(&file);
    for changed in ["", &whole.replace("0.25", "0.5"), whole.split_inclusive('\n').next().unwrap()] {
        dir.write(&file, changed);
        for command in [&["report", &run][..], &["evaluate", &run], &["weights", &run]] {
            let output = dir.run(command);
            let start = format!("error: `{file}` is not what the run was made from: its digest is ");
            assert!(output.code == 1 && output.stderr.starts_with(&start), "{}", output.stderr);
        }
    }
    // The settings are the same in another form: other line endings, a comment, no default values.
    for same in [
        whole.replace('\n', "\r\n"),
        format!("# a comment\n{whole}"),
        whole.replace("activation = \"relu\"\n", ""),
        whole.clone(),
    ] {
        dir.write(&file, same);
        for command in [&["report", &run][..], &["evaluate", &run]] {
            let output = dir.run(command);
            assert_eq!(output.code, 0, "{command:?}: {}", output.stderr);
        }
    }
    dir.write(&file, whole.replace('\n', "\r\n"));
    assert_eq!(dir.run(&["resume", &run, "--epochs", "3"]).code, 0, "and it is trained on");
}

#[test]
fn a_page_of_lost_epochs_says_so() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("softmax"), &[]);
    fs::remove_file(dir.path().join(&run).join("metrics.jsonl")).unwrap();
    dir.json(&["report", &run]);
    assert!(
        dir.read(format!("{run}/report.html")).contains("Its <code>metrics.jsonl</code> has 0 of 2 epochs.")
    );
}

#[test]
fn runs_side_by_side() {
    let dir = TestDir::new();
    let one = dir.small_run(&config("softmax"), &[]);
    let other = dir.small_run(&config("softmax"), &["--set", "model.hidden=[8]", "--name", "wide"]);
    let record = dir.json(&["compare", &one, &other]);
    assert_eq!(
        record["differences"],
        json!([{"key": "model.hidden", "values": ["[]", "[8]"]}]),
        "the name decides nothing"
    );
    let page = dir.read(record["page"].as_str().unwrap());
    for text in ["<th class=\"right\">model.hidden</th>", "6,370", "validation"] {
        assert!(page.contains(text), "`{text}` is missing");
    }
    // The values are in the row of their run.
    let rows =
        |key: &str| page.split("<tr>").filter(|row| row.contains(key)).map(str::to_owned).collect::<Vec<_>>();
    let cells = |row: &str| -> Vec<String> {
        row.split("<td")
            .skip(1)
            .map(|cell| cell[cell.find('>').unwrap() + 1..].split('<').next().unwrap().to_owned())
            .collect()
    };
    let wide = rows(">wide</td>");
    assert_eq!(cells(&wide[2]), ["wide", "[8]"], "after the results and the tests");
    let summary: Value = serde_json::from_str(&dir.read(format!("{other}/summary.json"))).unwrap();
    let accuracy = format!("{:.4}", summary["test_accuracy"].as_f64().unwrap());
    assert_eq!(cells(&wide[0])[..2], ["wide".to_owned(), accuracy]);
    // The page is the same for every notation of the runs.
    let again = dir.json(&["compare", &format!("./{one}"), &format!("{other}/")]);
    assert_eq!(again["page"], record["page"]);
    let out = dir.run(&["compare", &one, &other]).stdout;
    // The interval is Wilson's (1927) for 200 images.
    let z: f64 = 1.959_963_985;
    let first: Value = serde_json::from_str(&dir.read(format!("{one}/summary.json"))).unwrap();
    let p = first["test_accuracy"].as_f64().unwrap();
    let half = z / (1.0 + z * z / 200.0) * (p * (1.0 - p) / 200.0 + z * z / (4.0 * 40_000.0)).sqrt();
    let centre = (p + z * z / 400.0) / (1.0 + z * z / 200.0);
    let note = format!(
        "with 200 test images, the 95 % interval of an accuracy of {p:.4} reaches from {:.4} to {:.4} (Wilson 1927): it is \
         about the images of one network, and says nothing of another seed",
        centre - half,
        centre + half
    );
    assert!(out.contains(&note) && page.contains(&note), "{out}");
    for text in ["what differs between their experiments:", "validation accuracy", "⠒ softmax   • wide"] {
        assert!(out.contains(text), "`{text}` is missing in:\n{out}");
    }
    dir.run(&["compare", &one, &one]).assert_error(
        2,
        &format!("`{one}` is named twice\n\nhint: compare different runs; `smallnet runs` lists them"),
    );
    assert_eq!(dir.run(&["compare", &one]).code, 2);
}

/// Returns the indices of the images that a run's test misclassified.
fn misclassified(dir: &TestDir, run: &str) -> Vec<u64> {
    let test: Value = serde_json::from_str(&dir.read(format!("{run}/evaluation.json"))).unwrap();
    test["misclassified"].as_array().unwrap().iter().map(|image| image.as_u64().unwrap()).collect()
}

/// Returns the probability that a fair coin falls at least as unevenly, as a sum of binomial
/// coefficients.
fn coin_test(heads: usize, tails: usize) -> f64 {
    let n = heads + tails;
    let mut coefficient = 1.0;
    let mut sum = 0.0;
    for k in 0..=heads.min(tails) {
        sum += coefficient;
        coefficient *= (n - k) as f64 / (k + 1) as f64;
    }
    (2.0 * sum / 2f64.powi(n as i32)).min(1.0)
}

#[test]
fn networks_are_compared_image_by_image() {
    let dir = TestDir::new();
    let first = dir.small_run(&config("softmax"), &[]);
    let poor =
        dir.small_run(&config("softmax"), &["--set", "optimizer.learning_rate=0.001", "--name", "poor"]);
    let alike = dir.small_run(&config("softmax"), &["--seed", "7", "--name", "alike"]);
    let record = dir.json(&["compare", &first, &poor, &alike]);
    let wrong = misclassified(&dir, &first);
    let tests = record["tests"].as_array().unwrap();
    let mut p_values = Vec::new();
    for (test, run) in tests.iter().zip([&poor, &alike]) {
        let other = misclassified(&dir, run);
        let only = |one: &[u64], other: &[u64]| one.iter().filter(|image| !other.contains(image)).count();
        let (this, first_alone) = (only(&wrong, &other), only(&other, &wrong));
        assert_eq!((&test["run"], &test["against"]), (&run.as_str().into(), &first.as_str().into()));
        assert_eq!(test["method"], "mcnemar-exact");
        assert_eq!(
            (&test["only_this_right"], &test["only_first_right"]),
            (&this.into(), &first_alone.into())
        );
        let difference = (this as f64 - first_alone as f64) / 200.0;
        assert!((test["difference"].as_f64().unwrap() - difference).abs() < 1e-12);
        let p = coin_test(this, first_alone);
        assert!((test["p_value"].as_f64().unwrap() - p).abs() < 1e-9, "{test} {p}");
        p_values.push(p);
    }
    // By Holm's method, the smaller of two probabilities is doubled.
    assert!(p_values[0] < p_values[1] && p_values[0] < 0.01);
    assert!((tests[0]["p_holm"].as_f64().unwrap() - 2.0 * p_values[0]).abs() < 1e-9);
    assert!((tests[1]["p_holm"].as_f64().unwrap() - p_values[1].max(2.0 * p_values[0])).abs() < 1e-9);
    let out = dir.run(&["compare", &first, &poor, &alike]).stdout;
    let page = dir.read(record["page"].as_str().unwrap());
    let points = format!("{:.2} percentage points", -100.0 * tests[0]["difference"].as_f64().unwrap());
    for text in [
        &format!(
            "poor is right about fewer of the same 200 test images than softmax, by {points}: more than the choice of images"
        ),
        "Holm’s correction for 2 tests",
        "All of this is about these networks, not about their experiments",
    ] {
        assert!(out.contains(text) && page.contains(text), "`{text}` is missing in:\n{out}");
    }
    assert_eq!(dir.json(&["evaluate", &first])["misclassified"], json!(wrong));
}

/// Changes a run to one that an earlier version of smallnet tested.
#[test]
fn a_run_without_a_record_of_single_images_says_how_to_get_one() {
    let dir = TestDir::new();
    let first = dir.small_run(&config("softmax"), &[]);
    let other = dir.small_run(&config("softmax"), &["--seed", "7", "--name", "old"]);
    let file = format!("{other}/evaluation.json");
    let whole: Value = serde_json::from_str(&dir.read(&file)).unwrap();
    let mut old = whole.clone();
    old.as_object_mut().unwrap().remove("misclassified");
    dir.write(&file, old.to_string());
    let record = dir.json(&["compare", &first, &other]);
    assert_eq!(
        (&record["tests"][0]["method"], &record["tests"][0]["p_value"]),
        (&"newcombe-unpaired".into(), &Value::Null)
    );
    let out = dir.run(&["compare", &first, &other]).stdout;
    assert!(
        out.contains("there is Newcombe’s interval (1998)")
            && out.contains(&format!("`smallnet evaluate {other}` adds the record")),
        "{out}"
    );
    dir.json(&["evaluate", &other]);
    assert_eq!(serde_json::from_str::<Value>(&dir.read(&file)).unwrap(), whole);
    assert_eq!(dir.json(&["compare", &first, &other])["tests"][0]["method"], "mcnemar-exact");
    // Edited values are not shown.
    let mut wrong = misclassified(&dir, &other);
    let last = wrong.pop().unwrap();
    let edited = [wrong.clone(), [&wrong[..], &[wrong[0]]].concat(), [&wrong[..], &[last + 200]].concat()];
    for images in edited {
        let mut damaged = whole.clone();
        damaged["misclassified"] = json!(images);
        dir.write(&file, damaged.to_string());
        let output = dir.run(&["compare", &first, &other]);
        assert!(
            output.code == 1 && output.stderr.contains("its lists do not fit each other"),
            "{}",
            output.stderr
        );
    }
    // One run has other test images, another one has no test.
    dir.write(&file, whole.to_string());
    dir.digits(500, 150);
    let elsewhere = dir.json(&[
        "train",
        &config("softmax"),
        "--data",
        "data",
        "--set",
        "training.num_epochs=1",
        "--name",
        "elsewhere",
    ]);
    let elsewhere = elsewhere["run"].as_str().unwrap();
    let out = dir.run(&["compare", &first, elsewhere]).stdout;
    assert!(
        out.contains("elsewhere was tested on other images than softmax, so there is no test of both."),
        "{out}"
    );
    fs::remove_file(dir.path().join(&file)).unwrap();
    let out = dir.run(&["compare", &first, &other]).stdout;
    assert!(out.contains("old has not been tested in detail, so it is not compared"), "{out}");
}

#[test]
fn what_a_user_named_is_text_in_the_page() {
    let dir = TestDir::new();
    dir.digits(200, 100);
    let hostile = "<img src=x onerror=alert(1)>&";
    fs::rename(dir.path().join("data"), dir.path().join(hostile)).unwrap();
    let record = dir.json(&["train", "--data", hostile, "--set", "training.num_epochs=1"]);
    let page = dir.read(record["report"].as_str().unwrap());
    assert!(!page.contains("<img src=x") && page.contains("&lt;img src=x onerror=alert(1)&gt;&amp;"));

    // The names of run folders also appear in drawings and in a command to copy.
    let run = record["run"].as_str().unwrap();
    let hostile = "artifacts/softmax/<i>$(id)'&";
    fs::rename(dir.path().join(run), dir.path().join(hostile)).unwrap();
    let compared = dir.json(&["compare", hostile, &dir.saved_run()]);
    let page = dir.read(compared["page"].as_str().unwrap());
    assert!(!page.contains("<i>") && page.contains("&lt;i&gt;"), "{page}");
    dir.json(&["report", hostile]);
    let page = dir.read(format!("{hostile}/report.html"));
    assert!(!page.contains("<i>"));
    assert!(page.contains("train 'artifacts/softmax/&lt;i&gt;$(id)'\\''&amp;/config.toml'"), "{page}");
}
