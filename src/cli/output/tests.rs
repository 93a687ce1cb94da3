use super::*;

#[test]
fn untrusted_names_cannot_control_the_terminal() {
    for (text, shown) in [
        ("two\nlines, – and\ttabs", "two\nlines, – and\ttabs"),
        ("\u{1b}[38;5;255m▀\u{1b}[0m", "\u{1b}[38;5;255m▀\u{1b}[0m"),
        ("\u{1b}[2Jgone \u{1b}]0;title\u{7}", "\u{fffd}[2Jgone \u{fffd}]0;title\u{fffd}"),
        ("a\rb\u{8}\u{9b}1A\u{1b}", "a\u{fffd}b\u{fffd}\u{fffd}1A\u{fffd}"),
    ] {
        assert_eq!(sanitize(text), shown);
    }
}
