//! Pages in a browser: in light and dark colours, on desktop screens and phones. The tests do
//! nothing without Chromium.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "common/devtools.rs"]
mod devtools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{TestDir, config};
use devtools::chromium;
use serde_json::Value;

/// Loaded page: its text, the lines of the console and the requested addresses.
struct LoadedPage {
    dom: String,
    console: Vec<String>,
    requests: Vec<String>,
}

/// Hosts that Chromium contacts for any page.
const OWN_SERVICES: [&str; 8] = [
    "accounts.google.com",
    "clients2.google.com",
    "update.googleapis.com",
    "optimizationguide-pa.googleapis.com",
    "content-autofill.googleapis.com",
    "edgedl.me.gvt1.com",
    "redirector.gvt1.com",
    "www.google.com/async",
];

fn browse(browser: &str, dir: &TestDir, page: &Path) -> LoadedPage {
    let log = dir.path().join("net.json");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-default-apps", "--disable-extensions", "--no-default-browser-check"])
        .args(["--enable-logging=stderr", "--log-level=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", dir.path().join("browser").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let events = fs::read_to_string(log).unwrap();
    let requests = events
        .split("\"url\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|url| !url.starts_with("data:") && !url.starts_with("chrome"))
        .filter(|url| !OWN_SERVICES.iter().any(|host| url.contains(&format!("://{host}/"))))
        .map(str::to_owned)
        .collect();
    LoadedPage {
        dom: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: stderr.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect(),
        requests,
    }
}

/// Sizes of screens in pixels: two phones, a tablet and a desktop screen.
const WIDTHS: [u64; 4] = [360, 390, 768, 1280];

/// Returns the faults that `common/measure.js` finds in a page on each of these screens, in light
/// or dark colours.
fn measure(browser: &str, dir: &TestDir, page: &Path, is_dark: bool) -> Vec<Value> {
    let script = include_str!("common/measure.js")
        .replace("WIDTHS", &WIDTHS.map(|width| width.to_string()).join(", "))
        .replace("PAGE", &format!("file://{}", dir.path().join(page).display()));
    let frame = dir.write("measure.html", format!("<!doctype html><body><script>{script}</script></body>"));
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"])
        .args(["--allow-file-access-from-files", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!is_dark)))
        .arg(format!("--user-data-dir={}", dir.path().join("measuring").display()))
        .arg(format!("file://{}", frame.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let measured = dom.split("measured ").nth(1).and_then(|rest| rest.split(" end<").next());
    let measured = measured.unwrap_or_else(|| panic!("{dom}")).replace("&lt;", "<").replace("&gt;", ">");
    serde_json::from_str(&measured.replace("&amp;", "&")).unwrap()
}

/// Contrast as WCAG 2.2 requires it (1.4.3 and 1.4.11), no content beyond the screen, a sign on
/// elements that scroll, and headings of charts that are smaller than those of the page.
fn assert_readable(page: &Path, is_dark: bool, measured: &[Value]) {
    assert_eq!(measured.len(), WIDTHS.len());
    for (width, seen) in WIDTHS.iter().zip(measured) {
        let number = |key: &str| seen[key].as_f64().unwrap();
        let told = format!("{} at {width}, dark: {is_dark}: {seen:#}", page.display());
        assert_eq!(
            (&seen["isDark"], seen["width"].as_u64()),
            (&Value::from(is_dark), Some(*width)),
            "{told}"
        );
        assert_eq!(seen["paper"][0].as_u64().unwrap() < 0x40, is_dark, "{told}");
        assert!(number("numTexts") > 50.0 && number("numStrokes") > 0.0, "{told}");
        assert!(seen["lowestText"]["contrast"].as_f64().unwrap() >= 4.5, "{told}");
        let least = if is_dark { 4.5 } else { 3.0 };
        assert!(seen["lowestStroke"]["contrast"].as_f64().unwrap() >= least, "{told}");
        assert!(seen["scrollWidth"].as_u64().unwrap() <= *width, "{told}");
        assert_eq!(seen["beyond"], Value::Array(Vec::new()), "{told}");
        assert_eq!(seen["withoutSign"], 0, "{told}");
        assert!(number("largestTitle") < number("smallestHeading"), "{told}");
    }
}

/// Pages of every kind, made from a small data set.
#[test]
fn pages_can_be_read_on_every_screen_in_light_and_dark() {
    let Some(browser) = chromium() else { return };
    let dir = TestDir::new();
    let softmax = dir.small_run(&config("softmax"), &[]);
    let mut runs = vec![softmax.clone()];
    for (index, hidden) in ["[8]", "[16]", "[8,8]", "[24]", "[32]"].iter().enumerate() {
        let name = format!("a-name-of-a-run-that-is-rather-long-{index}");
        let hidden = format!("model.hidden={hidden}");
        runs.push(dir.small_run(&config("softmax"), &["--set", &hidden, "--name", &name]));
    }
    let names: Vec<&str> = [&["compare"][..], &runs.iter().map(String::as_str).collect::<Vec<_>>()].concat();
    let comparison = dir.json(&names)["page"].as_str().unwrap().to_owned();
    let set = ["--set", "data.validation=100"];
    let found = dir.json(&[&["lr-find", &config("softmax"), "--data", "data"], &set[..]].concat());
    let study = |name: &str, text: &str| {
        let file = format!("{name}.toml");
        let set = "[set]\ndata.validation = 100\ntraining.num_epochs = 2\n";
        dir.write(&file, format!("name = '{name}'\n{text}\n{set}"));
        dir.json(&["study", &file, "--data", "data"]);
        format!("artifacts/studies/{name}/report.html")
    };
    dir.json(&["lab", "--quick", "--data", "data"]);
    let pages = [
        format!("{softmax}/report.html"),
        format!("{}/report.html", runs[3]),
        comparison,
        found["page"].as_str().unwrap().to_owned(),
        study(
            "rates",
            "seeds = [1, 2]\nvary.optimizer.learning_rate = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 9.0]",
        ),
        study("sizes", "timing = true\nvary.training.batch_size = [10, 50, 100, 500]"),
        study(
            "shapes",
            "seeds = [1, 2]\nvary.model.hidden = [[], [8], [9], [10], [8, 8], [16], [16, 8], [32]]",
        ),
    ];
    for page in pages.iter().map(Path::new) {
        for is_dark in [false, true] {
            let measured = measure(browser, &dir, page, is_dark);
            assert_readable(page, is_dark, &measured);
            // A desktop screen shows the tables of six runs without scrolling.
            let is_comparison = page.starts_with("artifacts/comparisons");
            assert!(!is_comparison || measured[3]["scrolling"] == 0, "{:#}", measured[3]);
        }
    }
}

#[test]
fn a_browser_shows_the_pages_without_a_complaint_or_a_request() {
    let Some(browser) = chromium() else { return };
    let dir = TestDir::new();
    let one = dir.small_run(&config("softmax"), &[]);
    let other = dir.small_run(&config("hidden"), &[]);
    let compared = dir.json(&["compare", &one, &other]);
    let pages = [PathBuf::from(&one).join("report.html"), PathBuf::from(&other).join("report.html")];
    let comparison = PathBuf::from(compared["page"].as_str().unwrap());
    for page in pages.iter().chain([&comparison]) {
        let browsed = browse(browser, &dir, &dir.path().join(page));
        assert!(browsed.dom.contains("</footer>"), "{}", browsed.dom);
        assert_eq!(browsed.console, [""; 0], "{}", page.display());
        let own = format!("file://{}", dir.path().join(page).display());
        let others: Vec<_> = browsed.requests.iter().filter(|&url| *url != own).collect();
        assert!(others.is_empty(), "{others:?}");
    }
    // The same check finds the faults of a bad page.
    let bad =
        dir.write("bad.html", "<script>console.error('no')</script><img src='http://127.0.0.1:9/x.png'>");
    let browsed = browse(browser, &dir, &bad);
    assert!(!browsed.console.is_empty());
    assert!(browsed.requests.iter().any(|url| url == "http://127.0.0.1:9/x.png"), "{:?}", browsed.requests);
}
