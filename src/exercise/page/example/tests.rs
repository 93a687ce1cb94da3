use super::*;

#[test]
fn keras_is_compared_with_the_spread_over_seeds() {
    let near = keras(&[0.9242, 0.9223, 0.9197, 0.9201, 0.9176]);
    assert!(near.contains("inside that range"), "{near}");
    // With the same mean and a smaller spread over seeds, the same difference is significant.
    let narrow = keras(&[0.9208, 0.9209, 0.9207, 0.9208, 0.9208]);
    assert!(narrow.contains("outside that range"), "{narrow}");
}
