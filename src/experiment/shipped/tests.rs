use super::*;
use crate::experiment::{Experiment, ParsedExperiment};

#[test]
fn every_file_inside_can_be_read() {
    for shipped in &EXPERIMENTS {
        let experiment =
            ParsedExperiment::new(shipped.text, &shipped.file()).unwrap().with_overrides(&[], "").unwrap();
        assert_eq!(experiment.name, shipped.name);
    }
    assert_eq!(
        Experiment::from_toml(EXPERIMENTS[0].text, "", &[]),
        Experiment::from_toml(crate::experiment::DEFAULT_EXPERIMENT, "", &[])
    );
}

#[test]
fn a_name_alone_means_what_is_inside_and_a_path_a_file() {
    let find = |path: &str| shipped(&EXPERIMENTS, Path::new(path), "experiment");
    assert_eq!(find("mlp").unwrap().map(|shipped| shipped.name), Some("mlp"));
    for path in ["mlp.toml", "./mlp", "configs/mlp", "configs/mlp.toml", "/mlp", "..", ""] {
        assert_eq!(find(path), Ok(None), "{path}");
    }
    // Tests run in the package's folder, which has a folder of this name.
    assert_eq!(find("configs"), Ok(None));
    let error = find("hiden").unwrap_err().to_string();
    let expected = "there is no experiment `hiden`, neither as a file nor inside smallnet\n\n\
                    hint: did you mean `hidden`? Valid names: `softmax`, `hidden`, `mlp`, `best`, `record`, `inserted`, `augmented`, `reference`";
    assert_eq!(error, expected);
    assert_eq!(hint(&EXPERIMENTS, Path::new("configs/mlp.toml.not"), "otherwise"), "otherwise");
    assert_eq!(
        hint(&EXPERIMENTS, Path::new("nowhere/mlp.toml"), "otherwise"),
        "smallnet has one of this name inside: `mlp`, without folder and ending"
    );
}
