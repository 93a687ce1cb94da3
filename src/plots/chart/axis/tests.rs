use super::*;

/// Labels on an x axis of `width` pixels from one value to another.
fn labels(scale: Scale, values: [f64; 2], width: f64) -> Vec<String> {
    let places: Vec<f64> = values.iter().filter_map(|&value| scale.place(value)).collect();
    let axis = Axis::horizontal(scale, places.into_iter(), width, false).unwrap();
    let Range { start, end } = axis.range;
    assert!(axis.ticks.iter().all(|tick| (start..=end).contains(&tick.0)), "{:?}", axis.ticks);
    axis.ticks.into_iter().map(|tick| tick.1).filter(|label| !label.is_empty()).collect()
}

#[test]
fn ticks_have_the_decimals_they_need() {
    assert_eq!(
        [
            tick_label(0.25, 0.05),
            tick_label(3.0, 1.0),
            tick_label(-1e-17, 0.1),
            tick_label(2e7, 1e6),
            tick_label(-2500.0, 500.0)
        ],
        ["0.25", "3", "0.0", "2.0e7", "-2,500"]
    );
}

#[test]
fn decades_are_labelled_with_powers_of_ten() {
    assert_eq!(labels(Scale::Log, [1e-3, 10.0], 420.0), ["0.001", "0.01", "0.1", "1", "10"]);
    assert_eq!(labels(Scale::Log, [2e4, 3e7], 420.0), ["1e5", "1e6", "1e7"]);
    assert_eq!(labels(Scale::Log, [1e-6, 1e-4], 420.0), ["1e-6", "1e-5", "1e-4"]);
    assert_eq!(labels(Scale::Log, [7e3, 1e6], 420.0), ["10,000", "100,000", "1,000,000"]);
    // Of too many labels, only every nth is shown.
    let many = labels(Scale::Log, [1e-30, 1e30], 420.0);
    assert!((4..=10).contains(&many.len()), "{many:?}");
}

#[test]
fn less_than_two_decades_have_closer_ticks() {
    let expected = ["0.002", "0.005", "0.01", "0.02", "0.05"];
    assert_eq!(labels(Scale::Log, [0.002, 0.05], 420.0), expected);
    let narrow = labels(Scale::Log, [0.30, 0.34], 420.0);
    assert_eq!(narrow, ["0.300", "0.310", "0.320", "0.330", "0.340"]);
    for tiny in [[1.001e-20, 1.002e-20], [7.01e9, 7.02e9]] {
        let labels = labels(Scale::Log, tiny, 420.0);
        assert!(labels.iter().all(|label| label.contains('e') && label.len() < 15), "{labels:?}");
    }
}

#[test]
fn batch_sizes_are_powers_of_two() {
    assert_eq!(labels(Scale::Log2, [16.0, 4096.0], 380.0), ["16", "64", "256", "1,024", "4,096"]);
    assert_eq!(labels(Scale::Log2, [32.0, 32.0], 380.0), ["16", "32", "64"]);
    assert_eq!(labels(Scale::Log, [0.001; 2], 420.0), ["0.0001", "0.001", "0.01"]);
    assert_eq!(labels(Scale::Log2, [0.25, 1.0], 380.0), ["0.25", "0.5", "1"]);
    assert_eq!(labels(Scale::Log2, [1e30, 1e31], 380.0), ["2^100", "2^101", "2^102", "2^103"]);
}

/// This holds on a chart of the least width, too.
#[test]
fn labels_do_not_run_into_one_another() {
    for scale in [Scale::Log, Scale::Log2] {
        for high in [1.5e-4, 3e-4, 9e-4, 0.003, 0.02, 1.0, 1e5, 1e37] {
            let places = [1.1e-4, high].map(|value| scale.place(value).unwrap());
            for width in [160.0, 420.0] {
                let axis = Axis::horizontal(scale, places.into_iter(), width, false).unwrap();
                let per_unit = width / (axis.range.end - axis.range.start);
                let labelled: Vec<_> = axis.ticks.iter().filter(|tick| !tick.1.is_empty()).collect();
                assert!(!labelled.is_empty(), "{scale:?} to {high}");
                for pair in labelled.windows(2) {
                    let padding = (pair[1].0 - pair[0].0) * per_unit;
                    let needed = pair.iter().map(|tick| BODY.measure(&tick.1).unwrap() / 2.0).sum::<f64>();
                    assert!(padding > needed, "{pair:?} over {width}");
                }
            }
        }
    }
}

#[test]
fn error_bars_have_room_at_both_ends() {
    let axis = |has_error_bars| {
        Axis::horizontal(Scale::Whole, [1.0, 2.0].into_iter(), 420.0, has_error_bars).unwrap()
    };
    assert_eq!((axis(false).range, axis(true).range), (1.0..2.0, 0.96..2.04));
    assert_eq!(axis(true).ticks, [(1.0, "1".to_owned()), (2.0, "2".to_owned())]);
}

#[test]
fn values_that_are_not_positive_have_no_logarithm() {
    for scale in [Scale::Log, Scale::Log2] {
        for value in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, 1e308] {
            assert_eq!(scale.place(value), None, "{value}");
        }
    }
    assert_eq!((Scale::Log.place(0.01), Scale::Log2.place(64.0)), (Some(-2.0), Some(6.0)));
    assert_eq!((Scale::Whole.place(-3.0), Scale::Linear.place(f64::NAN)), (Some(-3.0), None));
}

#[test]
fn a_vertical_axis_ends_at_its_bounds_but_leaves_no_value_out() {
    let ends = |values: &[f64], bounds| Axis::vertical(values.iter().copied(), bounds, false).range();
    assert_eq!(ends(&[0.0, 1.0], (0.0, 1.0)), 0.0..1.0);
    assert_eq!(ends(&[0.5, 1.7], (0.0, 1.0)).end, 1.7);
    assert_eq!(ends(&[0.0, 1.0], (f64::MIN, f64::MAX)), -0.04..1.04);
    let range = ends(&[5.0], (7.0, 3.0));
    assert!(range.start < 5.0 && range.end > 5.0);
}
