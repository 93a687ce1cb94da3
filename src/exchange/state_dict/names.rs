//! Owns what the name of a tensor says: which layer it belongs to, and whether it holds weights or
//! biases. Depends on nothing. Must not know shapes.

use crate::exchange::Layout;

/// Content of a tensor, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Weights in this layout, if nothing else says another one.
    Weights(Layout),
    /// Biases.
    Biases,
}

/// Last parts of names.
const ROLES: [(&str, Role); 7] = [
    ("weight", Role::Weights(Layout::Pytorch)),
    ("weights", Role::Weights(Layout::Pytorch)),
    ("kernel", Role::Weights(Layout::Burn)),
    ("w", Role::Weights(Layout::Burn)),
    ("bias", Role::Biases),
    ("biases", Role::Biases),
    ("b", Role::Biases),
];

/// Entries of a checkpoint that hold the network and nothing else.
const NETWORK_ENTRIES: [&str; 4] = ["state_dict", "model_state_dict", "model_state", "params"];
/// Entries of a checkpoint that hold the network, or attributes of a module, which is one part of a
/// network then.
const MODULE_ENTRIES: [&str; 3] = ["model", "net", "network"];
/// Beginnings of the names of entries that belong to a training, not to a network.
const TRAINING_ENTRIES: [&str; 5] = ["optim", "opt_", "sched", "lr_sched", "ema"];

/// Characters between the parts of a name: PyTorch and Burn write points, Keras and JAX write
/// slashes.
const SEPARATORS: [char; 2] = ['.', '/'];

/// Returns the layer and the content of the tensor called `name`, or `None` if the name is not that
/// of a fully connected layer's tensor.
///
/// `fc1.weight`, `params/Dense_0/kernel`, `dense/kernel:0`, `fc1_weight` and `W1` are understood,
/// and `layers/dense/vars/0` of Keras.
pub(super) fn parse(name: &str) -> Option<(String, Role)> {
    let name = name.strip_suffix(":0").unwrap_or(name);
    let (parent, last) = name.rsplit_once(SEPARATORS).unwrap_or(("", name));
    if let Some(layer) = parent.strip_suffix("vars").and_then(|layer| layer.strip_suffix(SEPARATORS)) {
        return match last {
            "0" => Some((layer.to_owned(), Role::Weights(Layout::Burn))),
            "1" => Some((layer.to_owned(), Role::Biases)),
            _ => None,
        };
    }
    let join = |part: &str| if parent.is_empty() { part.to_owned() } else { format!("{parent}.{part}") };
    let word = last.trim_end_matches(|char: char| char.is_ascii_digit());
    let number = last.get(word.len()..).unwrap_or_default();
    if let Some(role) = role(word.trim_end_matches('_')) {
        // `W1` and `b1` are of the layer `1`, and `weight` is of the layer in front of it.
        return Some((if number.is_empty() { parent.to_owned() } else { join(number) }, role));
    }
    let (layer, last) = last.rsplit_once('_')?;
    Some((join(layer), role(last)?))
}

/// Returns the content that the last part of a name states.
fn role(word: &str) -> Option<Role> {
    ROLES.iter().find(|(key, _)| word.eq_ignore_ascii_case(key)).map(|&(_, role)| role)
}

/// Returns whether a part of the name says that the tensor is an embedding's, which has two
/// dimensions like a fully connected layer's.
pub(super) fn is_embedding(name: &str) -> bool {
    name.to_ascii_lowercase().contains("embed")
}

/// Returns the entry of a checkpoint that holds the network, or `None` if its tensors are not inside
/// such an entry. `tensors` are the names of all tensors, and whether each is a single number.
pub(super) fn network_entry<'a>(tensors: &[(&'a str, bool)]) -> Option<&'a str> {
    let entries =
        || tensors.iter().filter_map(|(name, _)| name.split_once(SEPARATORS).map(|(entry, _)| entry));
    if let Some(entry) = NETWORK_ENTRIES.iter().find_map(|key| entries().find(|entry| entry == key)) {
        return Some(entry);
    }
    // A module has other layers or buffers beside its attribute `model`. A checkpoint has single
    // numbers beside it, such as a loss.
    let is_alone = |entry: &str| {
        let mut others = tensors.iter().filter(|(name, _)| !is_inside(name, entry) && !is_of_training(name));
        others.all(|(_, is_number)| *is_number)
    };
    MODULE_ENTRIES.iter().find_map(|key| entries().find(|entry| entry == key)).filter(|entry| is_alone(entry))
}

/// Returns whether the tensor called `name` is inside the `entry` of a checkpoint.
pub(super) fn is_inside(name: &str, entry: &str) -> bool {
    name.strip_prefix(entry).is_some_and(|rest| rest.starts_with(SEPARATORS))
}

/// Returns whether the tensor called `name` is in an entry that belongs to a training.
fn is_of_training(name: &str) -> bool {
    name.split_once(SEPARATORS)
        .is_some_and(|(entry, _)| TRAINING_ENTRIES.iter().any(|prefix| entry.starts_with(prefix)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
