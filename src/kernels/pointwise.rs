//! What happens to each row of numbers by itself: softmax with its loss and gradient, and sums over rows.

/// What a network's logits were worth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scored {
    /// Each row's loss, in nats.
    pub losses: Vec<f64>,
    /// Whether each row's largest logit (of equal ones, the first) is the true class's.
    pub hits: Vec<bool>,
}

impl Scored {
    /// Rows whose largest logit is the true class's.
    pub fn num_correct(&self) -> usize {
        self.hits.iter().filter(|&&is_hit| is_hit).count()
    }
}

/// Takes the `[rows, classes]` logits to the loss's gradient by them, times `scale`, and says what they were worth.
///
/// The loss of a row z with the class c is Σⱼ tⱼ (ln Σ exp z − zⱼ), where t is 1 − ε at c and ε / classes everywhere in
/// addition; its gradient by zⱼ is softmax(z)ⱼ − tⱼ. ε is `smoothing`.
///
/// # Panics
/// When there is not a label below `classes` for each row.
pub fn cross_entropy(
    logits: &mut [f32],
    classes: usize,
    labels: &[u8],
    smoothing: f64,
    scale: f32,
) -> Scored {
    assert_eq!(logits.len(), labels.len() * classes, "a label for each row");
    let even = smoothing / classes as f64;
    let mut scored = Scored::default();
    for (row, &label) in logits.chunks_exact_mut(classes).zip(labels) {
        let label = usize::from(label);
        let (mut largest, mut class) = (row[0], 0);
        for (index, &logit) in row.iter().enumerate() {
            if logit > largest {
                (largest, class) = (logit, index);
            }
        }
        scored.hits.push(class == label);
        let truth = row[label];
        let mean_distance = if smoothing == 0.0 { 0.0 } else { distance_from(largest, row) / classes as f64 };
        let mut sum = 0.0;
        for logit in row.iter_mut() {
            *logit = (*logit - largest).exp();
            sum += *logit;
        }
        let log_sum = f64::from(sum.ln());
        let loss = log_sum - (1.0 - smoothing) * f64::from(truth - largest) + smoothing * mean_distance;
        scored.losses.push(loss);
        let factor = scale / sum;
        for value in row.iter_mut() {
            *value = *value * factor - even as f32 * scale;
        }
        row[label] -= (1.0 - smoothing) as f32 * scale;
    }
    scored
}

/// Σ (largest − zⱼ).
fn distance_from(largest: f32, row: &[f32]) -> f64 {
    row.iter().map(|&logit| f64::from(largest - logit)).sum()
}

/// Adds the rows of a `[rows, sums.len()]` matrix to `sums`.
pub fn column_sums(matrix: &[f32], sums: &mut [f32]) {
    for row in matrix.chunks_exact(sums.len()) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}
