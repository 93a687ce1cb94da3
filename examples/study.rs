//! Compares three learning rates with three seeds each. The nine networks are trained in one model
//! batch.
//!
//!     cargo run --release --example study

use smallnet::{Study, run_study};

const EXPERIMENT: &str = "
[data]
validation = 10000
[training]
num_epochs = 2
";

const STUDY: &str = "
base = \"softmax.toml\"
seeds = [1, 2, 3]
[vary]
optimizer.learning_rate = [0.01, 0.1, 1.0]
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("softmax.toml"), EXPERIMENT)?;
    let file = folder.path().join("rates.toml");
    std::fs::write(&file, STUDY)?;

    let study = Study::read(&file, &[])?;
    let summary = run_study(study, folder.path().join("artifacts"))?;
    for result in &summary.configurations {
        let mean = result.mean.map_or("failed".to_owned(), |mean| format!("{mean:.4}"));
        println!("{}: validation accuracy {mean}", result.configuration.name());
    }
    Ok(())
}
