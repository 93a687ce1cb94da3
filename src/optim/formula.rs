//! The update rule in formulas, with this experiment's constants: w is a weight, g its gradient, averaged over the
//! batch, η the learning rate, whose value [`schedule_formula`] gives. `golden.rs` holds the optimizers themselves to PyTorch's values.

use crate::optim::{Adam, OptimizerConfig, RmsProp, ScheduleConfig, Sgd};
use crate::training::TrainingConfig;

/// What a step does to each weight, a line a formula, in order.
pub fn update_formula(optimizer: &OptimizerConfig, training: &TrainingConfig) -> Vec<String> {
    let mut lines = clipping(training);
    lines.extend(match optimizer {
        OptimizerConfig::Sgd(sgd) => sgd_rule(sgd),
        OptimizerConfig::Adam(adam) => adam_rule(adam),
        OptimizerConfig::AdamW(adamw) => {
            let decay = constant(adamw.weight_decay);
            let shrink = format!("w ← w − η · {decay} · w");
            let adam = Adam {
                learning_rate: adamw.learning_rate,
                beta_1: adamw.beta_1,
                beta_2: adamw.beta_2,
                epsilon: adamw.epsilon,
                weight_decay: 0.0,
            };
            [vec![shrink], adam_rule(&adam)].concat()
        }
        OptimizerConfig::RmsProp(rmsprop) => rmsprop_rule(rmsprop),
    });
    lines
}

/// The learning rate η over an experiment, in words.
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

fn epochs(number: f64) -> String {
    if number == 1.0 { "epoch".to_owned() } else { format!("{} epochs", constant(number)) }
}

fn clipping(training: &TrainingConfig) -> Vec<String> {
    let norm = training.clip_norm.map(|norm| {
        format!("g ← g · min(1, {} / ‖g‖), for each weight matrix and bias vector", constant(norm))
    });
    let value = training.clip_value.map(constant).map(|value| format!("g ← min(max(g, −{value}), {value})"));
    norm.into_iter().chain(value).collect()
}

fn penalty(weight_decay: f64) -> Vec<String> {
    if weight_decay == 0.0 { Vec::new() } else { vec![format!("g ← g + {} · w", constant(weight_decay))] }
}

fn sgd_rule(sgd: &Sgd) -> Vec<String> {
    let mut lines = penalty(sgd.weight_decay);
    if sgd.momentum == 0.0 {
        lines.push("w ← w − η · g".to_owned());
        return lines;
    }
    let momentum = constant(sgd.momentum);
    lines.push(format!("v ← {momentum} · v + g"));
    lines.push(match sgd.nesterov {
        true => format!("w ← w − η · (g + {momentum} · v)"),
        false => "w ← w − η · v".to_owned(),
    });
    lines
}

fn adam_rule(adam: &Adam) -> Vec<String> {
    let (beta_1, beta_2) = (constant(adam.beta_1), constant(adam.beta_2));
    let mut lines = penalty(adam.weight_decay);
    lines.push(format!("m ← {}", running_mean(adam.beta_1, "m", "g")));
    lines.push(format!("v ← {}", running_mean(adam.beta_2, "v", "g²")));
    lines.push(format!(
        "w ← w − η · m̂ / (√v̂ + {}), with m̂ = m / (1 − {beta_1}ᵗ) and v̂ = v / (1 − {beta_2}ᵗ) in step t",
        constant(adam.epsilon)
    ));
    lines
}

fn rmsprop_rule(rmsprop: &RmsProp) -> Vec<String> {
    let mut lines = penalty(rmsprop.weight_decay);
    lines.push(format!("v ← {}", running_mean(rmsprop.rho, "v", "g²")));
    let mut spread = "√v".to_owned();
    if rmsprop.centered {
        lines.push(format!("a ← {}", running_mean(rmsprop.rho, "a", "g")));
        spread = "√(v − a²)".to_owned();
    }
    let scaled = format!("g / ({spread} + {})", constant(rmsprop.epsilon));
    if rmsprop.momentum == 0.0 {
        lines.push(format!("w ← w − η · {scaled}"));
    } else {
        lines.push(format!("u ← {} · u + {scaled}", constant(rmsprop.momentum)));
        lines.push("w ← w − η · u".to_owned());
    }
    lines
}

fn running_mean(decay: f64, mean: &str, of: &str) -> String {
    format!("{} · {mean} + {} · {of}", constant(decay), constant(1.0 - decay))
}

/// As short as it can be: `1`, `0.001`, `1e-7`. Twelve digits hide what 1 − 0.9 leaves behind.
fn constant(value: f64) -> String {
    let rounded: f64 = format!("{value:.11e}").parse().unwrap_or(value);
    format!("{rounded:?}").trim_end_matches(".0").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{AdamW, Cosine};

    fn rule(optimizer: OptimizerConfig) -> Vec<String> {
        update_formula(&optimizer, &TrainingConfig::default())
    }

    #[test]
    fn rules_state_their_constants() {
        assert_eq!(rule(OptimizerConfig::default()), ["w ← w − η · g"]);
        let sgd = Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.0001 };
        assert_eq!(
            rule(OptimizerConfig::Sgd(sgd)),
            ["g ← g + 0.0001 · w", "v ← 0.9 · v + g", "w ← w − η · (g + 0.9 · v)"]
        );
        assert_eq!(
            rule(OptimizerConfig::AdamW(AdamW::default())),
            [
                "w ← w − η · 0.004 · w",
                "m ← 0.9 · m + 0.1 · g",
                "v ← 0.999 · v + 0.001 · g²",
                "w ← w − η · m̂ / (√v̂ + 1e-7), with m̂ = m / (1 − 0.9ᵗ) and v̂ = v / (1 − 0.999ᵗ) in step t"
            ]
        );
        let rmsprop = RmsProp { momentum: 0.5, centered: true, ..RmsProp::default() };
        assert_eq!(
            rule(OptimizerConfig::RmsProp(rmsprop)),
            [
                "v ← 0.9 · v + 0.1 · g²",
                "a ← 0.9 · a + 0.1 · g",
                "u ← 0.5 · u + g / (√(v − a²) + 1e-7)",
                "w ← w − η · u"
            ]
        );
    }

    #[test]
    fn the_rate_is_a_letter_whose_value_stands_below() {
        let cosine = ScheduleConfig::Cosine(Cosine { warmup_epochs: 0.5, final_learning_rate: 0.01 });
        let clipped = TrainingConfig { clip_value: Some(0.5), ..TrainingConfig::default() };
        let sgd = OptimizerConfig::default();
        assert_eq!(update_formula(&sgd, &clipped), ["g ← min(max(g, −0.5), 0.5)", "w ← w − η · g"]);
        assert_eq!(
            schedule_formula(&sgd, &cosine),
            "η from 1 to 0.01 along half a cosine wave, after rising from 0 in the first 0.5 epochs"
        );
    }
}
