//! The command line: help, and one clear message per kind of bad input.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::TestDir;

#[test]
fn help_reads_like_a_manual() {
    let dir = TestDir::new();
    let help = dir.run(&["--help"]).stdout;
    for words in ["train", "evaluate", "runs", "--backend", "--json", "--threads", "Examples:", "Exit codes:"]
    {
        assert!(help.contains(words), "no `{words}` in {help}");
    }
    let help = dir.run(&["train", "--help"]).stdout;
    for words in ["--set <KEY=VALUE>", "--seed", "--name", "--data <DATA>", "--dashboard"] {
        assert!(help.contains(words), "no `{words}` in {help}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let dir = TestDir::new();
    for args in [
        &["frobnicate"] as &[&str],
        &["train", "--set", "seed"],
        &["--backend", "abacus"],
        &["--threads", "0"],
        &["evaluate"],
        &["evaluate", "latest", "--split", "half"],
        &["train", "--dashboard"],
    ] {
        let output = dir.run(args);
        assert_eq!(output.code, 2, "{args:?}: {}", output.stderr);
        assert!(output.stderr.starts_with("error: "), "{args:?}: {}", output.stderr);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "wrong usage left something behind");
}

/// A mistake in a setting is one of usage, in every command that takes settings. The same mistake in
/// a file is not.
#[test]
fn a_setting_that_is_refused_exits_with_2() {
    let dir = TestDir::new();
    dir.write("wrong.toml", "lr = 0.1\n");
    dir.write("wrong-study.toml", "[set]\nlr = 0.1\n[vary]\nmodel.hidden = [[8], [16]]\n");
    let commands: [&[&str]; 6] =
        [&["train"], &["summary", "hidden"], &["lr-find"], &["data"], &["lab"], &["study", "learning-rate"]];
    for command in commands {
        for setting in [
            "frobnicate=1",
            "optimizer.lr=1",
            "training.num_epochs=x",
            "training.batch_size=0",
            "seed.x=1",
            "optimizer=adam",
            "optimizer.kind=adm",
            "data.validation",
            "=1",
        ] {
            let output = dir.run(&[command, &["--set", setting]].concat());
            assert_eq!(output.code, 2, "{command:?} {setting}: {}", output.stderr);
            assert!(output.stderr.starts_with("error: "), "{command:?} {setting}: {}", output.stderr);
        }
    }
    assert_eq!(dir.run(&["study", "learning-rate", "--set", "optimizer.learning_rate=1"]).code, 2);
    assert_eq!(dir.run(&["train", "--lr", "-1"]).code, 2);
    dir.run(&["train", "wrong.toml"])
        .assert_error(1, "unknown key `lr` in `wrong.toml`\n\nhint: did you mean `optimizer.learning_rate`?");
    for args in [&["train", "wrong.toml"] as &[&str], &["study", "wrong-study.toml"]] {
        assert_eq!(dir.run(args).code, 1, "{args:?}");
        assert_eq!(dir.run(&[args, &["--set", "seed=1"]].concat()).code, 1, "{args:?}: the file is wrong");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "something was left behind");
}

/// The words of other libraries are no keys, and each has a hint that can be copied.
#[test]
fn the_words_of_other_libraries_name_the_keys_that_are_meant() {
    let dir = TestDir::new();
    for (settings, meant) in [
        (&["lr=0.1"] as &[&str], "--set optimizer.learning_rate=0.1"),
        (&["lr=0.1", "seed=3", "epochs=5"], "--set optimizer.learning_rate=0.1 training.num_epochs=5"),
        (&["batch_size=64"], "--set training.batch_size=64"),
        (&["hidden=128"], "--set 'model.hidden=[128]'"),
        (&["hidden=128,64"], "--set 'model.hidden=[128,64]'"),
        (&["optimizer=Adam"], "--set optimizer.kind=adam"),
        (&["optimizer.beta1=0.5", "optimizer.kind=adam"], "--set optimizer.beta_1=0.5"),
        (&["training.patience=2"], "--set training.early_stopping.patience=2"),
    ] {
        let output = dir.run(&[&["summary", "--set"], settings].concat());
        let hint = format!("\n\nhint: did you mean `{}`?\n", meant.replace("[128,64]", "[128, 64]"));
        assert!(output.code == 2 && output.stderr.ends_with(&hint), "{settings:?}: {}", output.stderr);
    }
    // The optimizer in use does not have this key.
    let output = dir.run(&["summary", "--set", "optimizer.kind=adam", "momentum=0.9"]);
    assert!(!output.stderr.contains("--set optimizer.momentum"), "{}", output.stderr);
    for (option, meant) in [
        (&["--momentum", "0.9"] as &[&str], "--set optimizer.momentum=0.9"),
        (&["--optimizer=adam"], "--set optimizer.kind=adam"),
        (&["--learning-rate", "0.1"], "--set optimizer.learning_rate=0.1"),
        (&["--model.dropout", "0.1"], "--set model.dropout=0.1"),
    ] {
        let output = dir.run(&[&["train", "softmax"], option].concat());
        let hint = format!("hint: an experiment's settings are changed with `--set`: `{meant}`\n");
        assert!(output.code == 2 && output.stderr.ends_with(&hint), "{option:?}: {}", output.stderr);
    }
    assert!(!dir.run(&["evaluate", "latest", "--momentum", "0.9"]).stderr.contains("--set"));
}

#[test]
fn several_settings_follow_one_option() {
    let dir = TestDir::new();
    let toml = |args: &[&str]| dir.json(&[&["summary"], args].concat());
    let apart =
        toml(&["hidden", "--set", "seed=3", "--set", "model.hidden=[8]", "--set", "optimizer.kind=adam"]);
    for together in [
        &["--set", "seed=3", "model.hidden=[8]", "optimizer.kind=adam", "hidden"] as &[&str],
        &["hidden", "--set", "seed=3", "model.hidden=[8]", "--set", "optimizer.kind=adam"],
        &["--set=seed=3", "model.hidden=[8]", "optimizer.kind=adam", "--", "hidden"],
    ] {
        assert_eq!(toml(together), apart, "{together:?}");
    }
    assert_ne!(toml(&["hidden"]), apart);
}

#[test]
fn what_belongs_to_training_says_where() {
    let dir = TestDir::new();
    let hint = "hint: what belongs to training follows `train`: put `train` before it\n";
    for args in
        [&["--seed", "7"] as &[&str], &["configs/mlp.toml"], &["mlp"], &["--quiet", "--set", "seed=1"]]
    {
        let output = dir.run(args);
        assert_eq!(output.code, 2, "{args:?}");
        assert!(output.stderr.ends_with(hint), "{args:?}: {}", output.stderr);
    }
    assert!(!dir.run(&["--frobnicate"]).stderr.contains("hint:"));
}

/// The folder has none of their files.
#[test]
fn what_is_inside_is_found_by_its_name() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    for name in ["softmax", "hidden", "mlp", "best", "record", "inserted", "augmented", "reference"] {
        let summary = dir.json(&["summary", name, "--data", "data", "--set", "data.validation=50"]);
        assert_eq!(summary["experiment"], name);
    }
    for (name, trials) in
        [("learning-rate", 45), ("learning-rate-cv", 40), ("architecture", 55), ("batch-size", 45)]
    {
        let settings = ["--data", "data", "--set", "training.num_epochs=1"];
        let held_out: &[&str] =
            if name == "learning-rate-cv" { &[] } else { &["--set", "data.validation=50"] };
        let args = [&["study", name, "--dry-run"], &settings[..], held_out].concat();
        assert_eq!(dir.json(&args)["trials"].as_array().unwrap().len(), trials, "{name}");
    }
    // A user's study can have them as its base, too.
    dir.write("own.toml", "base = \"hidden\"\n[set]\ntraining.num_epochs = 1\ndata.validation = 50\n");
    let own = dir.run(&["study", "own.toml", "--data", "data"]);
    assert_eq!(own.code, 0, "{}", own.stderr);
    // A file of that name takes precedence.
    dir.write("mlp", "name = \"mine\"\n");
    assert_eq!(dir.json(&["summary", "mlp", "--data", "data"])["experiment"], "mine");
}

#[test]
fn a_file_that_is_not_there_names_what_is_inside() {
    let dir = TestDir::new();
    let inside = |name: &str| {
        format!("hint: smallnet has one of this name inside: `{name}`, without folder and ending\n")
    };
    dir.write("own.toml", "base = \"../hidden.toml\"\nfolds = 2\n");
    for (args, name) in [
        (["train", "configs/hidden.toml"], "hidden"),
        (["summary", "mlp.toml"], "mlp"),
        (["lr-find", "./best"], "best"),
        (["study", "configs/studies/batch-size.toml"], "batch-size"),
        (["study", "own.toml"], "hidden"),
    ] {
        let output = dir.run(&args);
        assert_eq!(output.code, 1, "{args:?}");
        assert!(output.stderr.starts_with("error: cannot read the "), "{}", output.stderr);
        assert!(output.stderr.ends_with(&inside(name)), "{}", output.stderr);
    }
    dir.run(&["train", "hiden"]).assert_error(
        1,
        "there is no experiment `hiden`, neither as a file nor inside smallnet\n\nhint: did you mean `hidden`? Valid \
         names: `softmax`, `hidden`, `mlp`, `best`, `record`, `inserted`, `augmented`, `reference`",
    );
    dir.run(&["study", "learning_rate"]).assert_error(
        1,
        "there is no study `learning_rate`, neither as a file nor inside smallnet\n\nhint: did you mean \
         `learning-rate`? Valid names: `learning-rate`, `learning-rate-cv`, `architecture`, `batch-size`, \
         `random-search`, `halving`",
    );
}

/// The examples of `--help` work in any folder.
#[test]
fn the_examples_of_help_name_nothing_that_is_not_there() {
    let dir = TestDir::new();
    let mut named = 0;
    for command in ["", "train", "study", "lr-find", "summary", "data", "lab"] {
        let help =
            dir.run(&[command, "--help"].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>());
        assert!(!help.stdout.contains("configs/"), "{}", help.stdout);
        for line in help.stdout.lines().filter_map(|line| line.trim().strip_prefix("smallnet ")) {
            // The description of a line follows several spaces.
            let command = line.split("  ").next().unwrap_or_default();
            let words: Vec<_> = command.split(' ').take(2).collect();
            if let ["train" | "summary" | "lr-find", name] = words[..]
                && !name.starts_with('-')
            {
                dir.json(&["summary", name]);
                named += 1;
            }
        }
    }
    assert!(named >= 3, "{named}");
}

#[test]
fn a_backend_that_was_not_built_says_how_to_build_it() {
    if cfg!(feature = "cuda") {
        return;
    }
    let dir = TestDir::new();
    dir.run(&["--backend", "cuda"]).assert_error(
        1,
        "the backend `cuda` is not in this build\n\nhint: build it in with `cargo run --release --features cuda -- \
         --backend cuda`",
    );
}

#[test]
fn bad_experiments_are_refused_before_a_folder_is_made() {
    let dir = TestDir::new();
    dir.write("typo.toml", "[optimizer]\nlearning_rte = 0.1\n");
    dir.run(&["train", "typo.toml"]).assert_error(
        1,
        "unknown key `optimizer.learning_rte` in `typo.toml`\n\nhint: did you mean `optimizer.learning_rate`? Valid \
         keys of kind `sgd`: `kind`, `learning_rate`, `momentum`, `nesterov`, `weight_decay`",
    );
    dir.run(&["train", "none.toml"]).assert_error(
        1,
        "cannot read the experiment file `none.toml`: No such file or directory (os error 2)\n\nhint: an experiment \
         is a TOML file; those inside smallnet are `softmax`, `hidden`, `mlp`, `best`, `record` and `reference`, which has every \
         key",
    );
    dir.run(&["train", "--set", "training.batch_size=0"])
        .assert_error(2, "`training.batch_size` is 0, expected a whole number from 1 to 1000000");
    dir.run(&["train", "--set", "data.validation=60000"])
        .assert_error(
            1,
            "`data.validation` is 60000, expected less than the 60000 training images\n\nhint: hold a tenth of them out: \
             `--set data.validation=6000`",
        );
    dir.run(&["train", "--set", "model.hidden=[60000,60000]"]).assert_error(
        1,
        "a network [784, 60000, 60000, 10] has 3647760010 parameters, expected at most 100000000\n\nhint: make the layers \
         of `model.hidden` narrower",
    );
    dir.run(&["train", "--set", "model.hidden=[60000]", "--set", "training.batch_size=60000"]).assert_error(
        1,
        "a batch of 60000 images becomes 3647640000 numbers in a network [784, 60000, 10], expected at most \
         500000000\n\nhint: make `training.batch_size` smaller or the layers of `model.hidden` narrower",
    );
    assert!(!dir.path().join("artifacts").exists());
}

#[test]
fn bad_data_is_refused_before_a_folder_is_made() {
    let dir = TestDir::new();
    let missing = dir.path().canonicalize().unwrap().join("nowhere");
    let output = dir.run(&["train", "--data", missing.to_str().unwrap()]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains(&format!("`{}`", missing.display())), "{}", output.stderr);

    dir.digits(300, 100);
    let data = dir.path().join("data");
    let (images, labels) = (data.join("train-images-idx3-ubyte"), data.join("train-labels-idx1-ubyte"));
    let (image_bytes, label_bytes) = (fs::read(&images).unwrap(), fs::read(&labels).unwrap());
    fs::write(&images, &label_bytes).unwrap();
    fs::write(&labels, &image_bytes).unwrap();
    let output = dir.run(&["train", "--data", "data"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("holds 300 unsigned bytes, expected images"), "{}", output.stderr);
    assert!(output.stderr.contains("are the images and the labels swapped?"), "{}", output.stderr);

    fs::write(&images, &image_bytes[..1000]).unwrap();
    fs::write(&labels, &label_bytes).unwrap();
    let output = dir.run(&["train", "--data", "data"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("promises 300 × 28 × 28 unsigned bytes in 235,200 bytes, got 984"),
        "{}",
        output.stderr
    );

    // The test images are used after the last step, but checked before the first.
    fs::write(&images, &image_bytes).unwrap();
    let test_labels = data.join("t10k-labels-idx1-ubyte");
    let test_bytes = fs::read(&test_labels).unwrap();
    fs::write(&test_labels, &test_bytes[..test_bytes.len() - 42]).unwrap();
    let output = dir.run(&["train", "--data", "data"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("t10k-labels-idx1-ubyte` promises 100 unsigned bytes in 100 bytes, got 58"),
        "{}",
        output.stderr
    );

    fs::write(&test_labels, test_bytes).unwrap();
    let mut one_class = label_bytes.clone();
    one_class[8..].fill(0);
    fs::write(&labels, one_class).unwrap();
    let test_only_zeros: Vec<u8> = [&fs::read(&test_labels).unwrap()[..8], &[0; 100]].concat();
    fs::write(&test_labels, test_only_zeros).unwrap();
    let output = dir.run(&["train", "--data", "data"]);
    assert!(output.stderr.contains("are of class 0, expected two classes"), "{}", output.stderr);
    assert!(!dir.path().join("artifacts").exists());
}
