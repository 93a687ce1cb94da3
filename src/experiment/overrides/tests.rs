use super::*;

#[test]
fn values_take_their_toml_type() {
    for (text, value) in [
        ("a=1", Value::Integer(1)),
        ("a=0.5", Value::Float(0.5)),
        ("a=true", Value::Boolean(true)),
        ("a=True", Value::Boolean(true)),
        ("a=False", Value::Boolean(false)),
        ("a=[1, 2]", Value::Array(vec![Value::Integer(1), Value::Integer(2)])),
        ("a=tanh", Value::String("tanh".to_owned())),
        ("a=\"1\"", Value::String("1".to_owned())),
        ("a=x = y", Value::String("x = y".to_owned())),
        ("a=1\nb=2", Value::String("1\nb=2".to_owned())),
    ] {
        assert_eq!(text.parse::<Override>().unwrap(), Override::new("a", value), "{text}");
    }
}

#[test]
fn what_is_shown_means_the_same_when_typed() {
    for text in ["a.b=1", "a=0.5", "a=[1, 2]", "a=tanh", "a=\"1\"", "a=x = y", "a=", "a={ b = 1 }"] {
        let setting: Override = text.parse().unwrap();
        assert_eq!(setting.to_string(), text);
    }
    let seed = Override::new("name", "1");
    assert_eq!(seed.to_string().parse::<Override>().unwrap(), seed);
}

#[test]
fn malformed_overrides_are_usage_errors() {
    for text in ["seed", "=1", "a..b=1", ".=1"] {
        assert_eq!(text.parse::<Override>().unwrap_err().exit_code(), 2, "{text}");
    }
}
