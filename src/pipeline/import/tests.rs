use super::*;

#[test]
fn the_name_of_a_file_becomes_a_name_of_an_experiment() {
    let name = |path: &str| name_of(Path::new(path));
    assert_eq!(name("a/mnist-mlp.pt"), "mnist-mlp");
    assert_eq!(name("my model (2).state_dict.pt"), "my-model--2-.state_dict");
    assert_eq!(name(".hidden"), "hidden");
    assert_eq!(name("é.onnx"), "imported");
    assert_eq!(name(&"a".repeat(200)).len(), MAX_NAME_LENGTH);
}
