//! Owns what random numbers mean for dropout. Must not know how they are drawn.

/// Appends the factor of each input: 0 if its number is below `threshold`, otherwise `scale`. `levels` has a
/// number of two bytes for each input, the low one first.
pub fn append_dropout_factors(levels: &[u8], threshold: u32, scale: f32, factors: &mut Vec<f32>) {
    let levels = levels.as_chunks().0.iter().map(|&level| u32::from(u16::from_le_bytes(level)));
    factors.extend(levels.map(|level| if level < threshold { 0.0 } else { scale }));
}
