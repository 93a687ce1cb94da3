use super::*;

/// Of every 4,099th single-precision number at most 88, eˣ is the closest number to the exact result or nearly so:
/// its error is below 0.51 units in the last place. `f64::exp` is exact here.
#[test]
fn exp_and_ln_are_as_close_as_they_say() {
    let all = || (0..=u32::MAX).step_by(4_099).map(f32::from_bits);
    let arguments: Vec<f32> = all().filter(|&x| x <= 88.0).collect();
    let mut results = arguments.clone();
    exp(&mut results);
    for (&x, &result) in arguments.iter().zip(&results) {
        check_rounding(x, result, f64::from(x).exp(), 0.51);
    }
    let arguments: Vec<f32> = all().filter(|x| (f32::MIN_POSITIVE..=f32::MAX).contains(x)).collect();
    let mut results = arguments.clone();
    ln(&mut results);
    for (&x, &result) in arguments.iter().zip(&results) {
        check_rounding(x, result, f64::from(x).ln(), 0.82);
    }
    let mut values = [f32::NAN, 0.0, f32::NEG_INFINITY];
    exp(&mut values);
    assert!(values[0].is_nan() && values[1..] == [1.0, 0.0]);
    let mut values = [f32::NAN, 1.0];
    ln(&mut values);
    assert!(values[0].is_nan() && values[1] == 0.0);
}

/// The C library of Linux has the same routines, so the losses and weights are those of calls of it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn exp_and_ln_are_those_of_the_c_library() {
    for x in (0..=u32::MAX).step_by(997).map(f32::from_bits) {
        let mut values = [x];
        if x <= 88.0 {
            exp(&mut values);
            assert_eq!(values[0].to_bits(), x.exp().to_bits(), "exp {x:e}");
        }
        if x.is_normal() && x > 0.0 {
            values = [x];
            ln(&mut values);
            assert_eq!(values[0].to_bits(), x.ln().to_bits(), "ln {x:e}");
        }
    }
}

/// Checks that `result` is at most `units` of its last place from `exact`.
fn check_rounding(x: f32, result: f32, exact: f64, units: f64) {
    let place = f64::from(result.abs().next_up()) - f64::from(result.abs());
    assert!((f64::from(result) - exact).abs() <= units * place, "{x:e}: {result:e}, expected {exact:e}");
}
