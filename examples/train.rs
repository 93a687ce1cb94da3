//! Trains the softmax network of the exercise and tests it.
//!
//!     cargo run --release --example train

use smallnet::{Experiment, evaluate, train};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let artifacts = tempfile::tempdir()?;

    // 784 pixels → 10 classes, SGD with learning rate 1, batches of 128: Keras reaches 0.9217.
    let mut experiment = Experiment { name: "softmax".to_owned(), ..Experiment::default() };
    experiment.training.num_epochs = 10;

    let run = train(experiment, &artifacts)?;
    for epoch in run.epochs()? {
        println!(
            "epoch {:>2}  loss {:.4}  accuracy {:.4}",
            epoch.epoch, epoch.train_loss, epoch.train_accuracy
        );
    }
    let evaluation = evaluate(&run)?;
    println!("test accuracy {:.4}, loss {:.4}", evaluation.accuracy, evaluation.loss);
    Ok(())
}
