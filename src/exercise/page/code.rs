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
mod tests {
    use super::*;
    use crate::exercise::page::QUESTIONS;

    #[test]
    fn every_question_has_lines_of_both_programs() {
        for program in [KERAS, TORCH] {
            let headings: Vec<_> = program.lines().filter(|line| line.starts_with("# question ")).collect();
            let expected: Vec<_> =
                (0..QUESTIONS.len()).map(|number| format!("# question {number}")).collect();
            assert_eq!(headings, expected);
            for number in 0..QUESTIONS.len() {
                let lines = lines_of(program, number);
                assert!(!lines.is_empty() && !lines.contains("# question"), "{number}");
                // Two programs stand beside one another on a page.
                assert!(lines.lines().all(|line| line.chars().count() <= 63), "{lines}");
            }
        }
        assert_eq!(
            lines_of(KERAS, 7),
            "print(len(x_train) / 128)  # 468.75\nprint(-(-len(x_train) // 128))  # rounded up: 469"
        );
        assert_eq!(without_comments("print(1)  # 1\n# 2\na"), "print(1)\na");
    }
}
