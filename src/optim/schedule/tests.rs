use super::*;

fn rates(config: ScheduleConfig, num_epochs: usize, steps_per_epoch: usize) -> Vec<f64> {
    let mut schedule = Schedule::new(config, 0.8, num_epochs, steps_per_epoch);
    (0..num_epochs * steps_per_epoch).map(|_| schedule.step()).collect()
}

fn assert_close(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (step, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() < 1e-12, "step {step}: {got}, expected {expected}");
    }
}

#[test]
fn constant_with_warmup_rises_evenly_over_one_epoch() {
    let config = ScheduleConfig::Constant(Constant { warmup_epochs: 1.0 });
    assert_close(&rates(config, 2, 4), &[0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8, 0.8]);
}

#[test]
fn a_fractional_warmup_neither_stands_still_nor_repeats() {
    let rates_of =
        |warmup_epochs, steps| rates(ScheduleConfig::Constant(Constant { warmup_epochs }), 1, steps);
    assert_close(&rates_of(0.5, 1), &[0.8]);
    assert_close(&rates_of(0.5, 5), &[0.32, 0.64, 0.8, 0.8, 0.8]);
    assert_close(&rates_of(0.29, 100)[27..30], &[0.8 * 28.0 / 29.0, 0.8, 0.8]);
}

#[test]
fn step_drops_at_epochs() {
    let config = ScheduleConfig::Step(StepDecay { warmup_epochs: 0.0, every_epochs: 2.0, factor: 0.5 });
    assert_close(&rates(config, 5, 2), &[0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2]);
}

#[test]
fn exponential_decays_by_the_factor_in_each_epoch() {
    let config = ScheduleConfig::Exponential(Exponential { warmup_epochs: 0.0, factor: 0.25 });
    assert_close(&rates(config, 2, 2), &[0.8, 0.4, 0.2, 0.1]);
}

#[test]
fn cosine_goes_from_base_to_final_rate() {
    let config = ScheduleConfig::Cosine(Cosine { warmup_epochs: 0.0, final_learning_rate: 0.2 });
    let at = |done: f64| 0.2 + 0.6 * (1.0 + (PI * done).cos()) / 2.0;
    assert_close(&rates(config.clone(), 2, 2), &[0.8, at(0.25), 0.5, at(0.75)]);
    assert_close(&[config.learning_rate(0.8, 2.0, 2)], &[0.2]);
}

#[test]
fn the_step_count_survives_its_record() {
    let config = ScheduleConfig::Exponential(Exponential { warmup_epochs: 0.0, factor: 0.5 });
    let mut schedule = Schedule::new(config, 1.0, 4, 1);
    let mut restored = schedule.clone();
    schedule.step();
    schedule.step();
    restored.load_record(schedule.to_record());
    assert_close(&[restored.step()], &[0.25]);
}

#[test]
fn every_kind_is_in_the_list_of_kinds() {
    let message = toml::from_str::<ScheduleConfig>("kind = \"none\"")
        .map_or_else(|error| error.to_string(), |_| String::new());
    let named = message.split('`').skip(3).step_by(2).collect::<Vec<_>>();
    assert_eq!(named, ScheduleConfig::KINDS, "{message}");
}
