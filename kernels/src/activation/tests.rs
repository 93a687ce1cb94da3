use super::*;

/// A function with its values at −2 and 1, and its derivative with the slopes there.
struct Case {
    name: &'static str,
    forward: fn(&[f32], &mut [f32]),
    values: [f64; 2],
    backward: fn(&[f32], &mut [f32]),
    slopes: [f64; 2],
}

/// Values of Python's math.erf, math.exp and math.tanh.
const CASES: [Case; 6] = [
    Case { name: "relu", forward: relu, values: [0.0, 1.0], backward: relu_backward, slopes: [0.0, 1.0] },
    Case {
        name: "leaky_relu",
        forward: |input, output| leaky_relu(0.1, input, output),
        values: [-0.2, 1.0],
        backward: |z, gradients| leaky_relu_backward(0.1, z, gradients),
        slopes: [0.1, 1.0],
    },
    Case {
        name: "gelu",
        forward: gelu,
        values: [-0.045_500_263_9, 0.841_344_746_1],
        backward: gelu_backward,
        slopes: [-0.085_231_801_3, 1.083_315_470_6],
    },
    Case {
        name: "silu",
        forward: silu,
        values: [-0.238_405_844, 0.731_058_578_6],
        backward: silu_backward,
        slopes: [-0.090_784_248_8, 0.927_670_511_9],
    },
    Case {
        name: "sigmoid",
        forward: sigmoid,
        values: [0.119_202_922, 0.731_058_578_6],
        backward: sigmoid_backward,
        slopes: [0.104_993_585_4, 0.196_611_933_2],
    },
    Case {
        name: "tanh",
        forward: tanh,
        values: [-0.964_027_580_1, 0.761_594_156],
        backward: tanh_backward,
        slopes: [0.070_650_824_9, 0.419_974_341_6],
    },
];

#[test]
fn functions_and_derivatives_are_those_of_double_precision() {
    for Case { name, forward, values, backward, slopes } in CASES {
        let (mut got, mut gradients) = ([f32::NAN; 2], [2.0; 2]);
        forward(&[-2.0, 1.0], &mut got);
        backward(&[-2.0, 1.0], &mut gradients);
        for index in 0..2 {
            assert!((f64::from(got[index]) - values[index]).abs() < 1e-6, "{name}: {got:?}");
            let expected = 2.0 * slopes[index];
            assert!((f64::from(gradients[index]) - expected).abs() < 2e-6, "{name}: {gradients:?}");
        }
    }
}

#[test]
fn relu_stops_a_gradient_that_is_not_finite() {
    let mut gradients = [f32::INFINITY, f32::NAN, f32::INFINITY];
    relu_backward(&[-1.0, 0.0, 1.0], &mut gradients);
    assert_eq!(gradients, [0.0, 0.0, f32::INFINITY]);
}

#[test]
fn without_factors_the_values_stay() {
    let mut values = [1.0, -2.0, 3.0];
    multiply(&mut values, &[]);
    assert_eq!(values, [1.0, -2.0, 3.0]);
    multiply(&mut values, &[2.0, 0.0, 0.5]);
    assert_eq!(values, [2.0, 0.0, 1.5]);
}
