use super::*;

#[test]
fn values_keep_their_types() {
    for (text, kind) in [
        ("0.001", Kind::Number(0.001)),
        ("128", Kind::Number(128.0)),
        ("true", Kind::Flag(true)),
        ("\"adam\"", Kind::Text("adam".to_owned())),
        ("\"0.5\"", Kind::Text("0.5".to_owned())),
        ("[128, 64]", Kind::Text("[128, 64]".to_owned())),
    ] {
        assert_eq!(Hyperparameter::from_toml(text).kind, Some(kind));
    }
}
