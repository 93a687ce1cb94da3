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
use digits::{Picture, Scene, Shot};
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
    dir.digits(6000, 500);
    let train = ["train", "softmax", "--data", "data", "--set", "training.num_epochs=3"];
    let run = dir.json(&train)["run"].as_str().unwrap().to_owned();
    let shots: Vec<Shot> = Shot::all(&[60, 120], &[-8.0, 0.0, 8.0], 4).into_iter().step_by(3).collect();
    for (scene, share) in shares_right(&dir, &run, &shots) {
        assert!(share >= least_share(scene), "{}: {share}", scene.name());
    }
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
