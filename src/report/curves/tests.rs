use super::*;

/// Heights of the marks in the plot of each chart: discs of the first line, squares of the
/// second.
fn heights(page: &str) -> Vec<Vec<i32>> {
    let disc =
        |shape: &str| shape.strip_prefix("circle ")?.split("cy=\"").nth(1)?.split('"').next()?.parse().ok();
    let square = |shape: &str| -> Option<i32> {
        let corners = shape.strip_prefix("polygon ")?.split("points=\"").nth(1)?.split('"').next()?;
        let ys = corners.split_whitespace().filter_map(|corner| corner.split(',').nth(1)?.parse().ok());
        let ys: Vec<i32> = ys.collect();
        Some(i32::midpoint(*ys.iter().min()?, *ys.iter().max()?))
    };
    let marks = |drawing: &str| -> Vec<i32> {
        // Two in the legend.
        drawing.split('<').filter_map(|shape| disc(shape).or_else(|| square(shape))).skip(2).collect()
    };
    page.split("</svg>").filter(|drawing| drawing.contains("<svg")).map(marks).collect()
}

#[test]
fn each_measure_is_in_its_own_drawing() {
    let epoch = |epoch, loss: [f64; 2], accuracy: [f64; 2]| EpochRecord {
        epoch,
        train_loss: loss[0],
        train_accuracy: accuracy[0],
        validation_loss: Some(loss[1]),
        validation_accuracy: Some(accuracy[1]),
        learning_rate: 1.0,
        seconds: 1.0,
        images_per_second: Some(1.0),
    };
    // The losses cross. The validation accuracy stays above.
    let epochs = [epoch(1, [3.0, 1.0], [0.1, 0.8]), epoch(2, [1.0, 3.0], [0.2, 0.9])];
    let heights = heights(&draw_run(&epochs).unwrap().into_string());
    // Training marks come first. A higher value is nearer to the top.
    let [loss, accuracy] = &heights[..] else { return assert_eq!(heights.len(), 2) };
    assert_eq!((loss[0], loss[1]), (loss[3], loss[2]));
    assert!(loss[0] < loss[1], "{loss:?}");
    assert!(accuracy[3] < accuracy[2] && accuracy[2] < accuracy[1] && accuracy[1] < accuracy[0]);
}
