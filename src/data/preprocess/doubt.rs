//! Owns the reasons for which a prepared picture may not show what the network was trained on.
//! Depends on nothing. Must not know files or networks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A reason to mistrust the answer about a picture. The text of [`fmt::Display`] is one sentence
/// without a full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The picture has another part about as large as the one that was taken.
    SeveralParts,
    /// Ink from one side of the picture to the opposite one was taken for the digit.
    ThroughTheWidth,
    /// Ink from the top of the picture to its bottom was taken for the digit.
    ThroughTheHeight,
    /// Larger parts at the edge of the picture were left out.
    PartsAtTheEdge,
    /// Nothing but a rectangle was found.
    OnlyAFrame,
    /// The digit is wider than any digit: probably digits that touch.
    TouchingDigits,
    /// The image has less ink than the training images.
    LittleInk,
    /// The image has more ink than the training images.
    MuchInk,
    /// The image has larger filled areas than the training images.
    Filled,
    /// The image is rougher than the training images: noise, or many small parts.
    Rough,
    /// The image is smoother than the training images: blurred, or one large shape.
    Smooth,
}

impl Doubt {
    /// All reasons.
    pub const KINDS: [Self; 11] = [
        Self::SeveralParts,
        Self::ThroughTheWidth,
        Self::ThroughTheHeight,
        Self::PartsAtTheEdge,
        Self::OnlyAFrame,
        Self::TouchingDigits,
        Self::LittleInk,
        Self::MuchInk,
        Self::Filled,
        Self::Rough,
        Self::Smooth,
    ];
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeveralParts => "the picture has two parts of like size, and only the heavier one was used",
            Self::ThroughTheWidth => "the ink runs through the whole width of the picture",
            Self::ThroughTheHeight => "the ink runs through the whole height of the picture",
            Self::PartsAtTheEdge => "parts at the edge of the picture were left out",
            Self::OnlyAFrame => "the picture shows a frame with nothing in it",
            Self::TouchingDigits => "the ink is wide for one digit: two digits may touch",
            Self::LittleInk => "the image has less ink than the training images",
            Self::MuchInk => "the image has more ink than the training images",
            Self::Filled => "the image has larger filled areas than the training images",
            Self::Rough => "the image is rougher than the training images, as noise is",
            Self::Smooth => "the image is smoother than the training images",
        })
    }
}
