//! Owns the formulas of updates and schedules as text, with an experiment's constants. In them, w
//! is a weight, g its gradient, averaged over the batch, and η the learning rate, whose value
//! [`schedule_formula`] gives. `training/golden.rs` compares the optimizers themselves with
//! PyTorch's values.
//! Depends on the sections of `optim`. Must not know tensors.

use crate::optim::{OptimizerConfig, ScheduleConfig};

/// Returns the update of each weight in one step, as one formula per line, in order.
pub fn update_formula(
    optimizer: &OptimizerConfig,
    clip_norm: Option<f64>,
    clip_value: Option<f64>,
) -> Vec<String> {
    let mut lines = clipping(clip_norm, clip_value);
    lines.extend(optimizer.rule().formula());
    lines
}

/// Returns the update of the moving average a of each weight in one step, after the update of the
/// weight. `decay` is the largest decay.
pub fn average_formula(decay: f64) -> String {
    format!(
        "a ← a + (1 − d) · (w − a), d = min({}, (1 + n) / (10 + n)) after n steps; the result is a",
        constant(decay)
    )
}

/// Returns the learning rate η over a training, in words.
pub fn schedule_formula(optimizer: &OptimizerConfig, schedule: &ScheduleConfig) -> String {
    let base = constant(optimizer.learning_rate());
    let course = match schedule {
        ScheduleConfig::Constant(_) => format!("η = {base}"),
        ScheduleConfig::Step(step) => {
            format!("η = {base}, times {} every {}", constant(step.factor), epochs(step.every_epochs))
        }
        ScheduleConfig::Exponential(decay) => {
            format!("η = {base}, times {} in the course of every epoch", constant(decay.factor))
        }
        ScheduleConfig::Cosine(cosine) => {
            format!("η from {base} to {} along half a cosine wave", constant(cosine.final_learning_rate))
        }
    };
    match schedule.warmup_epochs() {
        0.0 => course,
        warmup => format!("{course}, after rising from 0 in the first {}", epochs(warmup)),
    }
}

/// Returns a number of epochs in words. The number 1 is left out.
fn epochs(number: f64) -> String {
    if number == 1.0 { "epoch".to_owned() } else { format!("{} epochs", constant(number)) }
}

/// Returns the formula of gradient clipping. Returns no line without it.
fn clipping(clip_norm: Option<f64>, clip_value: Option<f64>) -> Vec<String> {
    let norm = clip_norm.map(|norm| {
        format!("g ← g · min(1, {} / ‖g‖), for each weight matrix and bias vector", constant(norm))
    });
    let value = clip_value.map(constant).map(|value| format!("g ← min(max(g, −{value}), {value})"));
    norm.into_iter().chain(value).collect()
}

/// Returns the formula of an L2 penalty. Returns no line for a weight decay of 0.
pub(super) fn penalty_formula(weight_decay: f64) -> Vec<String> {
    if weight_decay == 0.0 { Vec::new() } else { vec![format!("g ← g + {} · w", constant(weight_decay))] }
}

/// Returns the formula of a decoupled weight decay.
pub(super) fn decay_formula(weight_decay: f64) -> String {
    format!("w ← w − η · {} · w", constant(weight_decay))
}

/// Returns the formula of a running mean, called `mean`, of the quantity `of`.
pub(super) fn running_mean(decay: f64, mean: &str, of: &str) -> String {
    format!("{} · {mean} + {} · {of}", constant(decay), constant(1.0 - decay))
}

/// Returns the shortest text of a constant: `1`, `0.001`, `1e-7`. It is rounded to twelve digits,
/// which hides the rounding error of 1 − 0.9.
pub(super) fn constant(value: f64) -> String {
    let rounded: f64 = format!("{value:.11e}").parse().unwrap_or(value);
    format!("{rounded:?}").trim_end_matches(".0").to_owned()
}

#[cfg(test)]
mod tests;
