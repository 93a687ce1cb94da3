//! Pictures of digits as people make them: answers of the real binary for drawn pictures of many
//! kinds. `docs/pictures.md` has the table that the ignored test prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "common/digits.rs"]
mod digits;
#[path = "common/plain.rs"]
mod plain;

use std::path::Path;

use common::TestDir;
use digits::{Picture, Scene, SheetKind, Shot, draw_sheet};
use plain::crop_and_resize;

fn save(picture: &Picture, path: &Path) {
    let (width, height) = (picture.width as u32, picture.height as u32);
    image::save_buffer(path, &picture.pixels, width, height, image::ColorType::L8).unwrap();
}

/// Share of the pictures of each scene with the right answer of `run`.
fn shares_right(dir: &TestDir, run: &str, shots: &[Shot]) -> Vec<(Scene, f64)> {
    let mut names = Vec::new();
    for scene in Scene::ALL {
        for (index, shot) in shots.iter().enumerate() {
            names.push(format!("{scene:?}-{index}.png"));
            save(&shot.draw(scene), &dir.path().join(names.last().unwrap()));
        }
    }
    let mut records = Vec::new();
    for names in names.chunks(500) {
        let arguments: Vec<&str> =
            ["predict", run].into_iter().chain(names.iter().map(String::as_str)).collect();
        records.extend(dir.json(&arguments).as_array().unwrap().clone());
    }
    let share = |records: &[serde_json::Value]| {
        let is_right = |(record, shot): &(&serde_json::Value, &Shot)| record["predicted"] == shot.digit;
        records.iter().zip(shots).filter(is_right).count() as f64 / shots.len() as f64
    };
    Scene::ALL.into_iter().zip(records.chunks(shots.len()).map(share)).collect()
}

/// Share of the pictures of a scene with the right answer, if they are prepared plainly.
fn plain_share_right(dir: &TestDir, run: &str, scene: Scene, shots: &[Shot]) -> f64 {
    let count = u32::try_from(shots.len()).unwrap().to_be_bytes();
    let mut images = [&[0, 0, 8, 3], &count[..], &[0, 0, 0, 28, 0, 0, 0, 28]].concat();
    let mut labels = [&[0, 0, 8, 1], &count[..]].concat();
    for shot in shots {
        images.extend(crop_and_resize(&shot.draw(scene)));
        labels.push(shot.digit as u8);
    }
    let folder = format!("plain-{scene:?}");
    for (name, bytes) in [("images-idx3", &images), ("labels-idx1", &labels)] {
        dir.write(&format!("{folder}/t10k-{name}-ubyte"), bytes);
        dir.write(&format!("{folder}/train-{name}-ubyte"), bytes);
    }
    dir.json(&["evaluate", run, "--data", &folder])["accuracy"].as_f64().unwrap()
}

/// Smallest share of right answers. Two digits have no right answer.
fn least_share(scene: Scene) -> f64 {
    match scene {
        Scene::Two => 0.0,
        Scene::Shadow | Scene::Toolbar | Scene::Marker => 0.75,
        _ => 0.85,
    }
}

#[test]
fn digits_are_read_in_every_scene() {
    let dir = TestDir::new();
    let run = train(&dir);
    let shots: Vec<Shot> = Shot::all(&[60, 120], &[-8.0, 0.0, 8.0], 4).into_iter().step_by(3).collect();
    for (scene, share) in shares_right(&dir, &run, &shots) {
        assert!(share >= least_share(scene), "{}: {share}", scene.name());
    }
}

/// Trains a network on some thousand real digits and returns its run.
fn train(dir: &TestDir) -> String {
    dir.digits(6000, 500);
    let args = ["train", "softmax", "--data", "data", "--set", "training.num_epochs=3"];
    dir.json(&args)["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_doubtful_answer_says_why() {
    let dir = TestDir::new();
    let run = train(&dir);
    let shot = Shot::all(&[120], &[0.0], 4)[3];
    for (scene, name) in [(Scene::Two, "two.png"), (Scene::Clean, "clean.png")] {
        save(&shot.draw(scene), &dir.path().join(name));
    }
    let output = dir.run(&["--json", "predict", &run, "two.png", "clean.png", "--csv", "out.csv"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let reason = "the picture has two parts of like size, and only the heavier one was used";
    let records: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let warning = serde_json::json!([{ "kind": "several-parts", "message": reason }]);
    assert_eq!((&records[0]["warnings"], records[1].get("warnings")), (&warning, None));
    assert!(
        output.stderr.contains(&format!("warning: two.png is doubtful: {reason}\n")),
        "{}",
        output.stderr
    );
    let rows: Vec<String> = dir.read("out.csv").lines().map(str::to_owned).collect();
    assert!(rows[1].contains("several") || rows[1].contains("two parts"), "{}", rows[1]);
    assert!(rows[2].ends_with(",,"), "{}", rows[2]);
    let table = dir.run(&["predict", &run, "two.png", "clean.png"]).stdout;
    let rows: Vec<bool> = table.lines().skip(1).take(2).map(|row| row.contains("  doubtful  ")).collect();
    assert_eq!(rows, [true, false], "{table}");
    let one = dir.run(&["predict", &run, "two.png"]).stdout;
    assert!(one.lines().next().unwrap().ends_with(", which is doubtful"), "{one}");
}

#[test]
fn a_sheet_is_answered_in_reading_order() {
    let dir = TestDir::new();
    let run = train(&dir);
    let (mut right, mut all) = (0, 0);
    for kind in SheetKind::ALL {
        let (picture, labels) = draw_sheet(kind, 3, 400, 1.0, 5);
        let name = format!("{kind:?}.png");
        save(&picture, &dir.path().join(&name));
        let records = dir.json(&["predict", &run, "--sheet", &name]);
        let records = records.as_array().unwrap();
        assert_eq!(records.len(), labels.len(), "{kind:?}");
        for (index, (record, label)) in records.iter().zip(&labels).enumerate() {
            assert_eq!((&record["image"], &record["digit"]), (&name[..].into(), &(index + 1).into()));
            right += usize::from(record["predicted"] == *label);
        }
        let place = |key: &str| records[0]["box"][key].as_u64().unwrap() as usize;
        assert!(
            place("top") + place("height") <= picture.height
                && place("left") + place("width") <= picture.width
        );
        all += labels.len();
        dir.picture(format!("{run}/predictions/sheet-{kind:?}.png"));
    }
    assert!(right * 10 >= all * 8, "{right} of {all}");
    // The rows stand on the screen as on the paper; a picture that is no sheet is named.
    dir.write("broken.png", "no picture");
    let output = dir.run(&["predict", &run, "--sheet", "Table.png", "broken.png"]);
    assert_eq!(output.code, 1);
    let (_, labels) = draw_sheet(SheetKind::Table, 3, 400, 1.0, 5);
    let shown = output.stdout.lines().skip(2).take_while(|line| !line.is_empty());
    let digits: Vec<&str> = shown.flat_map(str::split_whitespace).collect();
    assert_eq!(digits.len(), labels.len(), "{}", output.stdout);
    assert!(output.stderr.contains("error: `broken.png` is not a PNG or JPEG image"), "{}", output.stderr);
    assert_eq!(dir.run(&["predict", &run, "--sheet", "--index", "0"]).code, 2);
}

/// Prints the table of `docs/pictures.md`: trains `softmax` and `hidden` on MNIST, and predicts 100
/// pictures of each scene.
#[test]
#[ignore = "a table, which takes minutes"]
fn table() {
    let dir = TestDir::new();
    let runs =
        ["softmax", "hidden"].map(|config| dir.json(&["train", config])["run"].as_str().unwrap().to_owned());
    let shots = Shot::all(&[48, 100, 200, 320], &[-10.0, 0.0, 8.0], 7);
    let shares = runs.each_ref().map(|run| shares_right(&dir, run, &shots));
    println!("| pictures | softmax | hidden | softmax, plain | hidden, plain |\n|---|---|---|---|---|");
    for (index, scene) in Scene::ALL.into_iter().enumerate() {
        let plain = runs.each_ref().map(|run| plain_share_right(&dir, run, scene, &shots));
        let shares = [shares[0][index].1, shares[1][index].1, plain[0], plain[1]];
        let cells = shares.map(|share| format!("{:.1} %", 100.0 * share));
        println!("| {} | {} |", scene.name(), cells.join(" | "));
    }
}
