//! Trains a network for one epoch, saves it, loads it again and shows its predictions for single
//! images.
//!
//!     cargo run --release --example predict

use smallnet::{Experiment, Run, predict, train};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let artifacts = tempfile::tempdir()?;
    let mut experiment = Experiment::default();
    experiment.training.num_epochs = 1;
    train(experiment, &artifacts)?;

    // In another program, the network is loaded from its run folder.
    let run = Run::load("latest", &artifacts)?;
    for image in predict(&run, &[0, 1, 2, 3, 4])? {
        let (class, confidence) = (image.prediction.class, image.prediction.confidence());
        let truth = image.image.label().map_or(String::new(), |label| format!(", labelled {label}"));
        println!("{}: predicted {class} with confidence {confidence:.3}{truth}", image.image.name());
    }
    Ok(())
}
