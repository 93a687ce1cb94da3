//! Owns what random numbers mean for dropout. Must not know how they are drawn.

/// Appends the factor of each input: 0 if its number is below `threshold`, otherwise `scale`. `levels` has a
/// number of two bytes for each input, the low one first.
pub fn append_dropout_factors(levels: &[u8], threshold: u32, scale: f32, factors: &mut Vec<f32>) {
    let levels = levels.as_chunks().0.iter().map(|&level| u32::from(u16::from_le_bytes(level)));
    factors.extend(levels.map(|level| if level < threshold { 0.0 } else { scale }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_below_the_threshold_leaves_the_input_out() {
        let mut factors = vec![7.0];
        // 0x00ff, 0x0100, 0xff00 and 0x0000, the low byte first.
        append_dropout_factors(&[0xff, 0x00, 0x00, 0x01, 0x00, 0xff, 0x00, 0x00], 0x0100, 1.25, &mut factors);
        assert_eq!(factors, [7.0, 0.0, 1.25, 1.25, 0.0]);
    }
}
