use super::*;

#[test]
fn the_mistake_names_the_rank_of_the_true_class() {
    let logits = [0.5f32.ln(), 0.125f32.ln(), 0.375f32.ln()];
    let prediction = crate::evaluation::Prediction::from_logits(&logits);
    let asked = ExampleImage { index: 3, label: 1, pixels: Vec::new(), prediction };
    assert_eq!(
        about_mistake(&asked, &["0", "1", "2"].map(str::to_owned)),
        "A probability is not a promise: the mistake was made with 50.0 %. The true class 1 had 12.5 % and was choice number 3; \
         the loss of this image is −ln p = 2.0794."
    );
}
