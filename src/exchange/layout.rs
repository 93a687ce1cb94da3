//! Owns the two layouts that files have for the weights of a layer. Depends on nothing. Must not
//! know file formats.

use clap::ValueEnum;

/// Layout of weights in a file whose format has no fixed one, and the names that go with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// `[inputs, outputs]`, as in Burn, Keras and JAX
    #[default]
    Burn,
    /// `[outputs, inputs]`, as in PyTorch
    Pytorch,
}

impl Layout {
    /// Name in metadata and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::Burn => "burn",
            Self::Pytorch => "pytorch",
        }
    }

    /// Returns the layout called `key`.
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        [Self::Burn, Self::Pytorch].into_iter().find(|layout| layout.key() == key)
    }

    /// Returns the other layout.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Burn => Self::Pytorch,
            Self::Pytorch => Self::Burn,
        }
    }
}
