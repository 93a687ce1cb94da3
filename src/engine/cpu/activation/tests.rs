use super::*;

/// Central differences in single precision have an error below 1e-3 here. No point lies on a
/// kink.
#[test]
fn every_derivative_is_the_slope_of_its_function() {
    let steep = Activation::LeakyRelu { slope: 0.2 };
    for activation in Activation::KINDS.into_iter().chain([steep]) {
        for z in [-6.0f32, -1.3, -0.4, 0.2, 0.9, 3.0] {
            let at = |x: f32| {
                let mut value = [f32::NAN];
                forward(activation, &[x], &mut value);
                value[0]
            };
            let slope = (at(z + 0.01) - at(z - 0.01)) / 0.02;
            let mut gradient = [1.0];
            backward(activation, &[z], &mut gradient);
            assert!((gradient[0] - slope).abs() < 1e-3, "{activation:?} at {z}: {gradient:?}, {slope}");
        }
    }
}
