use toml::Table;

use super::*;
use crate::study::search_space::read;

const SPACE: &str = "optimizer.learning_rate = { low = 0.001, high = 1.0, scale = \"log\" }\n\
                     optimizer.momentum = { low = 0.0, high = 0.99 }\ntraining.batch_size = [32, 64, 128]";

fn parameters(text: &str) -> Vec<Parameter> {
    read(&text.parse::<Table>().unwrap(), "", "s.toml", &|key| key == "whole").unwrap()
}

fn sample(num: usize, seed: u64, method: Method) -> Sample {
    Sample { num, seed, method: Some(method) }
}

fn drawn(text: &str, num: usize, seed: u64, method: Method) -> Vec<Vec<f64>> {
    let number = |value: &Value| value.to_string().parse::<f64>().unwrap();
    let all = draw(&parameters(text), sample(num, seed, method)).unwrap();
    all.iter().map(|values| values.iter().map(number).collect()).collect()
}

/// These values must never change: a study that is started again finds its trials by them.
#[test]
fn a_seed_gives_these_configurations_for_ever() {
    assert_eq!(drawn(SPACE, 3, 0, Method::Random), RANDOM);
    assert_eq!(drawn(SPACE, 3, 0, Method::Sobol), SOBOL);
}

const RANDOM: [[f64; 3]; 3] = [[0.8304, 0.8717, 32.0], [0.07735, 0.4937, 128.0], [0.03745, 0.8749, 32.0]];
const SOBOL: [[f64; 3]; 3] = [[0.1404, 0.7555, 128.0], [0.003358, 0.2609, 64.0], [0.006869, 0.6028, 128.0]];

#[test]
fn a_larger_number_keeps_the_earlier_configurations() {
    for method in Method::ALL {
        let many = drawn(SPACE, 50, 7, method);
        assert_eq!(drawn(SPACE, 20, 7, method), many[..20]);
        assert_ne!(drawn(SPACE, 20, 8, method), many[..20]);
        assert!(many.iter().all(|values| (0.001..=1.0).contains(&values[0])));
        assert!(many.iter().all(|values| (0.0..=0.99).contains(&values[1])));
        for size in [32.0, 64.0, 128.0] {
            let count = many.iter().filter(|values| values[2] == size).count();
            assert!((8..=26).contains(&count), "{method:?}: {count} of 50 have batches of {size}");
        }
    }
}

/// Of 64 Sobol' points, each of 64 equal parts of the range of logarithms has one.
#[test]
fn sobol_points_are_even_on_the_logarithmic_scale() {
    let part = |values: &Vec<f64>| ((values[0] / 0.001).ln() / 1000f64.ln() * 64.0) as usize;
    let mut parts: Vec<usize> = drawn(SPACE, 64, 3, Method::Sobol).iter().map(part).collect();
    parts.sort_unstable();
    parts.dedup();
    assert!(parts.len() >= 62, "two values may be rounded to a neighbouring part: {parts:?}");
    let mut random: Vec<usize> = drawn(SPACE, 64, 3, Method::Random).iter().map(part).collect();
    random.sort_unstable();
    random.dedup();
    assert!(random.len() < 50, "{random:?}");
}

#[test]
fn no_configuration_is_drawn_twice() {
    let text = "whole = { low = 1, high = 3 }\nb = [true, false]";
    for method in Method::ALL {
        let all = draw(&parameters(text), sample(6, 1, method)).unwrap();
        let texts: HashSet<String> = all.iter().map(|values| format!("{values:?}")).collect();
        assert_eq!(texts.len(), 6);
        assert_eq!(
            draw(&parameters(text), sample(7, 1, method)).unwrap_err().message(),
            "`sample.num` is 7, and only 6 different configurations can be drawn from `[vary]`"
        );
    }
}
