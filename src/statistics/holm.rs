//! Owns the correction for several tests.

/// Returns the p-values after Holm's correction (1979), in the same order. If results below 0.05
/// are called significant, at most one family of tests in twenty contains a wrong one, however many
/// tests a family has.
pub(crate) fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    // No corrected p-value is below that of a smaller p-value.
    let mut lower_bound: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        lower_bound = lower_bound.max(p_values[index] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[index] = lower_bound;
    }
    adjusted
}

#[cfg(test)]
mod tests;
