use super::*;

fn draw(pixels: &[u8], height: usize, probabilities: &[f64], true_class: Option<usize>) -> Result<Picture> {
    let classes: Vec<String> = (0..probabilities.len()).map(|class| class.to_string()).collect();
    let width = pixels.len() / height;
    let (title, subtitle) = ("4 with 75.0 %", "");
    Prediction { title, subtitle, pixels, height, width, classes: &classes, probabilities, true_class }.draw()
}

fn count(picture: &Picture, colour: crate::plots::colour::Rgb) -> usize {
    picture.image.pixels().filter(|pixel| pixel.0 == colour).count()
}

#[test]
fn bars_are_as_long_as_the_probabilities() {
    let picture = draw(&[77; 784], 28, &[0.25, 0.75], None).unwrap();
    assert_eq!(count(&picture, RIGHT), (BAR_WIDTH * 0.75 * BAR_HEIGHT) as usize);
    assert_eq!(count(&picture, MUTED_BAR), (BAR_WIDTH * 0.25 * BAR_HEIGHT) as usize);
    // Antialiased text may happen to have the same grey.
    assert!((280 * 280..280 * 280 + 50).contains(&count(&picture, [77; 3])));
    assert!((800..1400).contains(&picture.image.width()));
}

#[test]
fn the_true_class_is_marked_and_always_shown() {
    let probabilities: Vec<f64> = (0..256).map(|class| f64::from(class) / 32640.0).collect();
    let unmarked = draw(&[1; 4], 2, &probabilities, None).unwrap();
    let first = draw(&[1; 4], 2, &probabilities, Some(255)).unwrap();
    assert_ne!(unmarked, first);
    assert_eq!(unmarked.image.height(), first.image.height());
    let classes: Vec<String> = (0..256).map(|class| class.to_string()).collect();
    let shown = |true_class| {
        let (probabilities, classes) = (&probabilities[..], &classes[..]);
        let (title, subtitle, pixels) = ("", "", &[1][..]);
        Prediction { title, subtitle, pixels, height: 1, width: 1, classes, probabilities, true_class }
            .shown_classes()
    };
    assert_eq!(shown(Some(250)), (236..256).rev().collect::<Vec<_>>());
    assert_eq!(shown(Some(3))[18..], [237, 3]);
    assert_eq!(shown(Some(999))[18..], [237, 236]);
}

#[test]
fn odd_predictions_do_not_panic() {
    for probabilities in [&[][..], &[f64::NAN, f64::INFINITY, -1.0, 1e30], &[1.0]] {
        assert!(draw(&[5], 1, probabilities, Some(99)).is_ok(), "{probabilities:?}");
    }
    assert!(draw(&[5; 10], 3, &[1.0], None).is_err(), "10 pixels are not 3 × 3");
    let classes = ["a".to_owned()];
    let lying = Prediction {
        title: "",
        subtitle: "",
        pixels: &[1],
        height: 1,
        width: 1,
        classes: &classes,
        probabilities: &[0.5, 0.5],
        true_class: None,
    };
    assert!(lying.draw().is_err());
}
