//! Owns the programs in Keras and PyTorch, divided into the lines that belong to each question.
//! `tests/reference/snippets.py` runs the unchanged programs.

use maud::{Markup, html};

use crate::exercise::page::ExercisePage;

/// Program in Keras.
const KERAS: &str = include_str!("code/keras_program.py");
/// Program in PyTorch.
const TORCH: &str = include_str!("code/pytorch_program.py");

/// Builds the lines of both programs for a question, one beside the other.
pub(super) fn snippets(page: &ExercisePage<'_>, number: usize) -> Markup {
    let both = [("Keras", KERAS), ("PyTorch", TORCH)];
    // The comments have values of MNIST.
    let text = |program| match page.is_mnist() {
        true => lines_of(program, number),
        false => without_comments(&lines_of(program, number)),
    };
    html! {
        div.programs {
            @for (name, program) in both {
                figure { figcaption { (name) } pre { (text(program)) } }
            }
        }
    }
}

/// Returns the lines of a question: those between the comment `# question N` and the next such
/// comment.
fn lines_of(program: &str, number: usize) -> String {
    let heading = format!("# question {number}");
    let lines = program.lines().skip_while(|line| *line != heading).skip(1);
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with("# question ")).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Removes the comments of a program.
fn without_comments(lines: &str) -> String {
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split("  # ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
