//! Owns the renderer for trainings whose progress is not shown.
//! Depends on Burn alone. Must not know screens.

use burn::train::logger::TrainingProgressLogger;
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};

/// Renderer for Burn's Learner that shows nothing.
#[derive(Debug, Default)]
pub struct NullRenderer;

impl MetricsRendererTraining for NullRenderer {
    fn update_train(&mut self, _: MetricState) {}
    fn update_valid(&mut self, _: MetricState) {}
}

impl TrainingProgressLogger for NullRenderer {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}
    fn start_split(&mut self, _: &str, _: usize) {}
    fn update_split(&mut self, _: usize) {}
    fn update_epoch(&mut self, _: usize) {}
    fn end_split(&mut self) {}
    fn end(&mut self) {}
    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRenderer for NullRenderer {
    fn manual_close(&mut self) {}
    fn register_metric(&mut self, _: MetricDefinition) {}
}

/// Implements the evaluation part of a renderer, which does nothing. Burn requires it of every
/// renderer, and a training never starts an evaluation.
macro_rules! without_evaluation {
    ($renderer:ty) => {
        impl burn::train::renderer::MetricsRendererEvaluation for $renderer {
            fn update_test(
                &mut self,
                _: burn::train::renderer::EvaluationName,
                _: burn::train::renderer::MetricState,
            ) {
            }
        }

        impl burn::train::logger::EvaluationProgressLogger for $renderer {
            fn start_global_progress(&mut self, _: usize) {}
            fn start_test(&mut self, _: &str, _: usize) {}
            fn update_test_progress(&mut self, _: usize) {}
            fn end_test(&mut self) {}
            fn end_global_progress(&mut self) {}
            fn log_event_evaluation(&mut self, _: String) {}
        }
    };
}
pub(crate) use without_evaluation;

without_evaluation!(NullRenderer);
