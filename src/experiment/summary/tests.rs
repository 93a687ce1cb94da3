use super::*;

const MNIST: InputSpec = InputSpec { height: 28, width: 28, num_classes: 10 };

#[test]
fn the_softmax_baseline_by_hand() {
    let summary = ModelSummary::new(&Experiment::default(), MNIST, 60_000);
    assert_eq!((summary.num_parameters, summary.num_bytes, summary.flops_per_image), (7850, 31_400, 15_680));
    assert_eq!((summary.steps_per_epoch, summary.num_steps), (469, 4690));
    assert_eq!(
        summary.steps,
        "60,000 images / 128 per batch: 468 full batches and one of 96, 469 steps per epoch; times 10 epochs: \
         4,690 steps"
    );
    assert_eq!(summary.shape(), "784 → 10");
    assert_eq!(summary.layers[2].note, "784 × 10 + 10 = 7,850");
    assert_eq!(summary.layers[0].output(), "[batch, 28, 28]");
}

#[test]
fn batches_that_fill_or_do_not() {
    assert_eq!(describe_batches(256, 128), "256 images / 128 per batch: 2 full batches, 2 steps per epoch");
    assert_eq!(describe_batches(100, 128), "100 images / 128 per batch: one batch of 100, 1 step per epoch");
}
