use super::*;
use crate::optim::{AdamW, Cosine, RmsProp, Sgd};

fn rule(optimizer: OptimizerConfig) -> Vec<String> {
    update_formula(&optimizer, None, None)
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
    let sgd = OptimizerConfig::default();
    assert_eq!(update_formula(&sgd, None, Some(0.5)), ["g ← min(max(g, −0.5), 0.5)", "w ← w − η · g"]);
    assert_eq!(
        schedule_formula(&sgd, &cosine),
        "η from 1 to 0.01 along half a cosine wave, after rising from 0 in the first 0.5 epochs"
    );
}
