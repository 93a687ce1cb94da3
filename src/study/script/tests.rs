use std::fs;

use super::*;

const STUDY: &str = "base = \"bases/small.toml\"\nfolds = 2\n[vary]\noptimizer.learning_rate = [0.1, 0.2]\n";

/// A study whose base experiment is in another folder.
fn script_of(kind: ScriptKind, options: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("bases")).unwrap();
    fs::write(folder.path().join("bases/small.toml"), "[training]\nnum_epochs = 1\n").unwrap();
    let file = folder.path().join("rates.toml");
    fs::write(&file, STUDY).unwrap();
    let study = Study::read(&file, &[]).unwrap();
    let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
    let request = ScriptRequest {
        study: &study,
        file: &file,
        options: &options,
        artifacts: Path::new("artifacts"),
        num_shards: 3,
        threads: None,
        program: Path::new("/opt/my programs/smallnet"),
    };
    let text = script(kind, &request).unwrap();
    text.replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn nothing_is_left_to_fill_in() {
    for kind in [ScriptKind::Slurm, ScriptKind::Parallel, ScriptKind::Kubernetes, ScriptKind::Pbs] {
        let text = script_of(kind, &[]);
        for name in
            ["{name}", "{shards}", "{program}", "{command}", "{threads}", "{dns}", "{folder}", "{logs}"]
        {
            assert!(!text.contains(name), "{kind:?}: {name}\n{text}");
        }
    }
}

#[test]
fn options_are_quoted() {
    let text = script_of(ScriptKind::Slurm, &["--set", "model.hidden=[32, 16]"]);
    assert!(text.contains("exec \"$SMALLNET\" study FOLDER/rates.toml --artifacts artifacts --set 'model.hidden=[32, 16]' --shard \"$SLURM_ARRAY_TASK_ID/3\" --threads \"$SLURM_CPUS_PER_TASK\"\n"), "{text}");
    // Within double quotes, the shell would take the single quotes for a part of the name.
    assert!(text.contains("\nprogram='/opt/my programs/smallnet'\n"), "{text}");
    assert!(text.contains("--set 'model.hidden=[32, 16]' --status\nCOMMAND\n"), "{text}");
}

/// On another machine, the study and its base experiment are in one folder.
#[test]
fn the_base_experiment_goes_with_the_study() {
    let text = script_of(ScriptKind::Parallel, &[]);
    assert!(
        text.contains(
            "cat > smallnet-rates/rates.toml <<'SMALLNET'\nbase = \"base-small.toml\"\nfolds = 2\n"
        ),
        "{text}"
    );
    assert!(
        text.contains(
            "cat > smallnet-rates/base-small.toml <<'SMALLNET'\n[training]\nnum_epochs = 1\nSMALLNET\n"
        ),
        "{text}"
    );
    let text = script_of(ScriptKind::Kubernetes, &[]);
    assert!(text.contains("  rates.toml: |2\n    base = \"base-small.toml\"\n    folds = 2\n"), "{text}");
    assert!(text.contains("exec smallnet study /study/rates.toml --artifacts /artifacts --shard"), "{text}");
}

#[test]
fn names_of_kubernetes_have_small_letters_and_digits() {
    assert_eq!(dns_name("My_Study.2"), "study-my-study-2");
    assert_eq!(dns_name(&"x".repeat(100)).len(), 56);
}
