use super::*;

#[test]
fn names_of_each_library_are_understood() {
    let (pytorch, burn) = (Role::Weights(Layout::Pytorch), Role::Weights(Layout::Burn));
    for (name, layer, role) in [
        ("fc1.weight", "fc1", pytorch),
        ("module.net.0.bias", "module.net.0", Role::Biases),
        ("weight", "", pytorch),
        ("params.Dense_0.kernel", "params.Dense_0", burn),
        ("params/Dense_0/bias", "params/Dense_0", Role::Biases),
        ("dense_1/kernel:0", "dense_1", burn),
        ("layers/dense/vars/0", "layers/dense", burn),
        ("layers/dense/vars/1", "layers/dense", Role::Biases),
        ("mlp/~/linear_0/w", "mlp/~/linear_0", burn),
        ("W1", "1", burn),
        ("b_2", "2", Role::Biases),
        ("hidden.w1", "hidden.1", burn),
        ("fc1_weight", "fc1", pytorch),
        ("a.fc1_bias", "a.fc1", Role::Biases),
    ] {
        assert_eq!(parse(name), Some((layer.to_owned(), role)), "{name}");
    }
    for name in ["bn1.running_mean", "lstm.weight_ih_l0", "bn.num_batches_tracked", "scale", "", "vars/2"] {
        assert_eq!(parse(name), None, "{name}");
    }
    assert!(is_embedding("token_embedding.weight") && !is_embedding("fc1.weight"));
}

#[test]
fn the_network_of_a_checkpoint_is_found() {
    let found = |names: &[&'static str]| {
        let tensors: Vec<_> = names.iter().map(|name| (*name, *name == "loss")).collect();
        network_entry(&tensors)
    };
    assert_eq!(found(&["state_dict.fc.weight", "optimizer_states.0.exp_avg"]), Some("state_dict"));
    assert_eq!(found(&["opt_state.0.mu.params.D.kernel", "params.D.kernel"]), Some("params"));
    assert_eq!(found(&["model.fc.weight", "optimizer.state.0.weight", "loss"]), Some("model"));
    // A module with the attributes `model` and `head`.
    assert_eq!(found(&["model.0.weight", "head.weight"]), None);
    // One with buffers that scale its inputs.
    assert_eq!(found(&["mean", "std", "net.1.weight"]), None);
    assert_eq!(found(&["fc1.weight", "fc1.bias"]), None);
}
