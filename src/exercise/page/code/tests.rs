use super::*;
use crate::exercise::page::QUESTIONS;

#[test]
fn every_question_has_lines_of_both_programs() {
    for program in [KERAS, TORCH] {
        let headings: Vec<_> = program.lines().filter(|line| line.starts_with("# question ")).collect();
        let expected: Vec<_> = (0..QUESTIONS.len()).map(|number| format!("# question {number}")).collect();
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
