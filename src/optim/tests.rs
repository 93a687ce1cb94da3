use super::*;

#[test]
fn every_kind_is_written_read_checked_and_has_its_rates_replaced() {
    for config in OptimizerConfig::kinds() {
        config.check().unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<OptimizerConfig>(&text).unwrap(), config, "{text}");
        let other = config.with_rates(0.25, 0.125);
        assert_eq!((other.learning_rate(), other.weight_decay()), (0.25, 0.125));
        assert!(other != config && !other.rule().formula().is_empty());
        assert!(config.with_rates(0.0, 0.0).check().is_err());
        assert!(config.with_rates(0.1, -1.0).check().is_err());
    }
}
