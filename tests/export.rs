//! `smallnet export`: every format is written, read back, and refused where it cannot be right.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::TestDir;
use serde_json::Value;
use smallnet::exchange::{DenseNetwork, csv, keras, onnx, safetensors};

/// Reader of an export at a path.
type Reader = fn(&Path) -> DenseNetwork;

/// Every format on the command line: its name, its file or folder in `export`, and its reader.
const FORMATS: [(&str, &str, Reader); 5] = [
    ("onnx", "model.onnx", read_onnx),
    ("safetensors", "model.safetensors", read_safetensors),
    ("csv", "csv", read_csv),
    ("keras", "model.keras", read_keras),
    ("hf", "hf", read_hf),
];

fn read_onnx(path: &Path) -> DenseNetwork {
    onnx::read(&fs::read(path).unwrap()).unwrap()
}

fn read_safetensors(path: &Path) -> DenseNetwork {
    safetensors::read(&fs::read(path).unwrap(), None).unwrap()
}

fn read_keras(path: &Path) -> DenseNetwork {
    keras::read(&fs::read(path).unwrap()).unwrap()
}

/// The ONNX file in a folder for a model hub. The folder has the run's figures and no place of this
/// machine.
fn read_hf(path: &Path) -> DenseNetwork {
    let files =
        ["README.md", "config.json", "config.toml", "confusion.png", "model.onnx", "model.safetensors"];
    assert_eq!(names(path), files);
    let text = |name| fs::read_to_string(path.join(name)).unwrap();
    assert!(text("config.toml").contains("source = \"data\"\n"), "{}", text("config.toml"));
    assert!(text("README.md").contains("| Test images | 100 |"), "{}", text("README.md"));
    read_onnx(&path.join("model.onnx"))
}

fn read_csv(path: &Path) -> DenseNetwork {
    let files = fs::read_dir(path).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    });
    csv::read(&files.collect::<Vec<_>>()).unwrap()
}

/// Trains a network with a hidden layer on 300 digits, 50 of which are for validation. Returns the
/// record and the run's folder.
fn train(dir: &TestDir, more: &[&str]) -> (Value, PathBuf) {
    dir.digits(300, 100);
    let settings = [
        "train",
        "--data",
        "data",
        "--hidden",
        "8",
        "--epochs",
        "2",
        "--set",
        "data.validation=50",
        "model.activation=gelu",
    ];
    let record = dir.json(&[&settings[..], more].concat());
    let folder = dir.path().join(dir.run_folder(&record));
    (record, folder)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().file_name()));
    let mut names: Vec<_> = entries.into_iter().flatten().map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_format_has_the_network_and_what_is_known_about_it() {
    let dir = TestDir::new();
    let (record, folder) = train(&dir, &[]);
    let help = dir.run(&["export", "--help"]).stdout;
    for (format, file, read) in FORMATS {
        assert!(help.contains(&format!("- {format}:")), "{format} is not in {help}");
        let exported = dir.json(&["export", "latest", "--format", format]);
        assert_eq!(exported["format"], format);
        assert_eq!(exported["weights_sha256"], record["weights_sha256"]);
        let check = &exported["check"];
        assert_eq!((&check["split"], &check["num_images"]), (&"test".into(), &100.into()), "{format}");
        assert_eq!(check["max_difference"], 0.0, "the same weights give the same probabilities");
        let path = folder.join("export").join(file);
        assert_eq!(dir.path().join(exported["path"].as_str().unwrap()), path);
        let files = if path.is_dir() {
            names(&path).iter().map(|name| path.join(name)).collect()
        } else {
            vec![path.clone()]
        };
        let size: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
        assert_eq!(exported["size_bytes"], size);

        let network = read(&path);
        assert_eq!((network.num_inputs(), network.hidden(), network.num_classes()), (784, vec![8], 10));
        assert_eq!(network.activation.unwrap().key(), "gelu");
        let metadata = network.metadata;
        assert_eq!(metadata.version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(metadata.experiment.as_deref(), Some("softmax"));
        assert_eq!(metadata.run, Some(folder.file_name().unwrap().to_string_lossy().into_owned()));
        assert_eq!(metadata.class_names, (0..10).map(|class| class.to_string()).collect::<Vec<_>>());
        assert_eq!(metadata.image_size, Some((28, 28)));
        assert_eq!(metadata.value_range.map(|range| (range.black, range.white)), Some((0.0, 255.0)));
        assert!(metadata.preparation.is_some());
        assert_eq!(Value::from(metadata.weights_sha256), record["weights_sha256"]);
        // The folder's place on this machine is not in a file for others.
        assert_eq!(metadata.data_source.as_deref(), Some("data"));
        assert_eq!(metadata.data_sha256.map(|digest| digest.len()), Some(64));
        assert_eq!(Value::from(metadata.test_accuracy), record["test_accuracy"]);
    }
    let files = ["csv", "hf", "model.keras", "model.onnx", "model.safetensors"];
    assert_eq!(names(&folder.join("export")), files);
    let verified = dir.json(&["verify", "latest"]);
    for file in ["csv", "hf/model.onnx", "hf/model.safetensors", "model.keras"] {
        let is_it = |check: &&Value| check["name"] == format!("export/{file}");
        let check = verified["checks"].as_array().unwrap().iter().find(is_it);
        assert_eq!(check.map(|check| &check["status"]), Some(&"ok".into()), "{file}: {verified}");
    }
}

/// `load_state_dict` takes the names of an `nn.Sequential` that begins with a Flatten, and the
/// weights `[outputs, inputs]`.
#[test]
fn the_layout_of_pytorch_is_for_safetensors_alone() {
    let dir = TestDir::new();
    let (record, folder) = train(&dir, &[]);
    let exported = dir.json(&["export", "latest", "--format", "safetensors", "--layout", "pytorch"]);
    let bytes = fs::read(folder.join("export/model.safetensors")).unwrap();
    let header: Value = {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        serde_json::from_slice(&bytes[8..8 + length]).unwrap()
    };
    assert_eq!(header["1.weight"]["shape"], serde_json::json!([8, 784]));
    assert_eq!(header["3.bias"]["shape"], serde_json::json!([10]));
    assert_eq!(header["__metadata__"]["layout"], "pytorch");
    assert_eq!(header["__metadata__"]["weights_sha256"], record["weights_sha256"]);
    assert_eq!(exported["check"]["max_difference"], 0.0);
    for format in ["onnx", "csv", "keras", "hf"] {
        let output = dir.run(&["export", "latest", "--format", format, "--layout", "burn"]);
        assert_eq!(output.code, 2, "{format}");
        let message = format!("error: `--layout` does not fit `--format {format}`");
        assert!(output.stderr.starts_with(&message), "{}", output.stderr);
    }
}

/// The runs of the command line still open a folder with exports, and an export in the run's folder
/// is replaced.
#[test]
fn an_export_in_the_run_is_replaced_and_one_of_the_user_is_not() {
    let dir = TestDir::new();
    let (_, folder) = train(&dir, &[]);
    for (format, file, _) in FORMATS {
        let in_run = || dir.json(&["export", "latest", "--format", format])["size_bytes"].clone();
        assert_eq!(in_run(), in_run());
        let args = ["export", "latest", "--format", format, "--output", file];
        assert_eq!(dir.run(&args).code, 0);
        let exported = names(dir.path());
        let output = dir.run(&args);
        assert_eq!(output.code, 1);
        let message =
            format!("error: `{file}` exists already, and an export overwrites nothing\n\nhint: name ");
        assert!(output.stderr.starts_with(&message), "{}", output.stderr);
        assert_eq!(names(dir.path()), exported);
    }
    dir.run(&["export", "latest", "--format", "onnx", "--output", "data"]).assert_error(
        1,
        "`data` exists already, and an export overwrites nothing\n\nhint: name a new file or folder, such as \
         `data/model.onnx`",
    );
    dir.run(&["export", "latest", "--format", "csv", "-o", "no/such/place"]).assert_error(
        1,
        "cannot write `no/such/place`: there is no folder `no/such`\n\nhint: make the folder first",
    );
    assert_eq!(dir.run(&["evaluate", folder.to_str().unwrap()]).code, 0);
}

#[test]
fn the_screen_says_what_was_checked() {
    let dir = TestDir::new();
    let (record, _) = train(&dir, &[]);
    let digest = &record["weights_sha256"].as_str().unwrap()[..16];
    let exported = dir.run(&["export", "latest", "--format", "onnx", "--output", "net.onnx"]);
    let size = dir.path().join("net.onnx").metadata().unwrap().len().div_ceil(1000);
    let lines: Vec<_> = exported.stdout.lines().collect();
    assert_eq!(lines[0], format!("read back: the weights are those of the run ({digest})"));
    assert_eq!(lines[1], "compared on 100 test images: the same classes, the same probabilities");
    assert_eq!(lines[2], format!("onnx: net.onnx, {size} kB"));
    assert!(lines[3].starts_with("opened by ONNX Runtime"), "{}", exported.stdout);
    assert_eq!(dir.run(&["-q", "export", "latest", "--format", "csv"]).stdout, "");
}

/// A network for bytes has the same weights and another input.
#[test]
fn onnx_takes_bytes_if_asked() {
    let dir = TestDir::new();
    train(&dir, &[]);
    for (output, more) in [("floats.onnx", None), ("bytes.onnx", Some("--bytes"))] {
        let args = ["export", "latest", "--format", "onnx", "--output", output];
        let exported = dir.json(&[&args[..], more.as_slice()].concat());
        assert_eq!(exported["check"]["max_difference"], 0.0);
    }
    let [floats, bytes] = ["floats.onnx", "bytes.onnx"].map(|name| dir.path().join(name));
    assert_eq!(read_onnx(&floats), read_onnx(&bytes));
    assert!(fs::read(&bytes).unwrap().windows(4).any(|text| text == b"Cast"));
    assert!(!fs::read(&floats).unwrap().windows(4).any(|text| text == b"Cast"));
    dir.run(&["export", "latest", "--format", "csv", "--bytes"]).assert_error(
        2,
        "`--bytes` does not fit `--format csv`\n\nhint: only an ONNX file has the scaling of the pixels in it; \
         leave out `--bytes`",
    );
}

/// Without test images, the validation images are compared, or the training images. Without a data
/// set, the weights alone are.
#[test]
fn other_images_take_the_place_of_missing_test_images() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let part = |name: &str| fs::remove_file(dir.path().join("data").join(name)).unwrap();
    part("t10k-images-idx3-ubyte");
    part("t10k-labels-idx1-ubyte");
    let check = |validation: &str| {
        dir.json(&["train", "--data", "data", "--epochs", "1", "--set", validation]);
        dir.json(&["export", "latest", "--format", "onnx"])["check"].clone()
    };
    let validation = check("data.validation=50");
    assert_eq!((&validation["split"], &validation["num_images"]), (&"validation".into(), &50.into()));
    let train = check("data.validation=0");
    assert_eq!((&train["split"], &train["num_images"]), (&"train".into(), &300.into()));
    fs::rename(dir.path().join("data"), dir.path().join("elsewhere")).unwrap();
    let exported = dir.run(&["--json", "export", "latest", "--format", "onnx"]);
    let record: Value = serde_json::from_str(exported.stdout.trim()).unwrap();
    assert_eq!((exported.code, &record["check"]), (0, &Value::Null), "{}", exported.stderr);
    assert!(
        exported.stderr.contains("note: no predictions were compared, only the weights: "),
        "{}",
        exported.stderr
    );
}

/// A checkpoint has a file of its own, and it has not the accuracy of the final weights.
#[test]
fn a_checkpoint_is_exported_beside_the_final_weights() {
    let dir = TestDir::new();
    let (_, folder) = train(&dir, &[]);
    let checkpoint = folder.join("checkpoint/epoch-1");
    dir.json(&["export", checkpoint.to_str().unwrap(), "--format", "onnx"]);
    dir.json(&["export", "latest", "--format", "onnx"]);
    assert_eq!(names(&folder.join("export")), ["epoch-1-model.onnx", "model.onnx"]);
    let [first, last] =
        ["epoch-1-model.onnx", "model.onnx"].map(|name| read_onnx(&folder.join("export").join(name)));
    assert_ne!(first.layers, last.layers);
    assert_eq!(first.metadata.test_accuracy, None);
    // Each is compared with the network that it is of.
    assert_eq!(dir.run(&["verify", "latest"]).code, 0);
    let [file, other] = ["epoch-1-model.onnx", "model.onnx"].map(|name| folder.join("export").join(name));
    fs::copy(other, file).unwrap();
    let verified = dir.run(&["verify", "latest"]);
    assert_eq!(verified.code, 1);
    assert!(verified.stdout.contains("failed       export/epoch-1-model.onnx"), "{}", verified.stdout);
}

#[test]
fn what_cannot_be_exported_leaves_nothing_behind() {
    let dir = TestDir::new();
    dir.run(&["export", "latest", "--format", "onnx"])
        .assert_error(1, "there is no run in `artifacts` yet\n\nhint: `smallnet train` makes one");
    let (_, folder) = train(&dir, &[]);
    let wrong = dir.run(&["export", "latest", "--format", "tensorflow"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("[possible values: onnx, safetensors, csv"), "{}", wrong.stderr);
    assert_eq!(dir.run(&["export", "latest"]).code, 2, "the format is not a matter of taste");
    // A link instead of the folder would lead out of the run.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(dir.path(), folder.join("export")).unwrap();
        let output = dir.run(&["export", folder.to_str().unwrap(), "--format", "onnx"]);
        assert_eq!(output.code, 1);
        assert!(output.stderr.contains("export` is a symbolic link"), "{}", output.stderr);
        fs::remove_file(folder.join("export")).unwrap();
    }
    // A folder that cannot be made: there is a file in its place.
    dir.write(folder.join("export").to_str().unwrap(), "mine");
    let before = (names(&folder), names(dir.path()));
    for (format, ..) in FORMATS {
        assert_eq!(dir.run(&["export", "latest", "--format", format]).code, 1);
    }
    assert_eq!((names(&folder), names(dir.path())), before);
    assert_eq!(fs::read_to_string(folder.join("export")).unwrap(), "mine");
}
