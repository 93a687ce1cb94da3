use super::*;

#[test]
fn edited_files_are_distinguished_from_written_ones() {
    for comment in [Comment::Toml, Comment::Html] {
        let text = add_mark("a = 1\nb = 2", comment);
        assert!(has_valid_mark(&text), "{text}");
        for edited in [
            text.replace("a = 1", "a = 2"),
            format!("{text}c = 3\n"),
            text.replace("above: ", "above: 0"),
            text.lines().take(2).collect::<Vec<_>>().join("\n"),
            String::new(),
        ] {
            assert!(!has_valid_mark(&edited), "{edited}");
        }
    }
}

#[test]
fn an_edited_file_stays_and_the_new_one_goes_beside_it() {
    let temp_dir = tempfile::tempdir().unwrap();
    let folder = temp_dir.path();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(!write(folder, "a.toml", "a = 1\n", Comment::Toml).unwrap().is_edited);
    assert!(!write(folder, "a.toml", "a = 2\n", Comment::Toml).unwrap().is_edited);
    assert!(read("a.toml").starts_with("a = 2\n"));
    // Other line endings are no edit, another value is.
    std::fs::write(folder.join("a.toml"), read("a.toml").replace('\n', "\r\n")).unwrap();
    assert!(!write(folder, "a.toml", "a = 3\n", Comment::Toml).unwrap().is_edited);
    let mine = read("a.toml").replace("a = 3", "a = 4");
    std::fs::write(folder.join("a.toml"), &mine).unwrap();
    assert!(write(folder, "a.toml", "a = 5\n", Comment::Toml).unwrap().is_edited);
    assert_eq!(read("a.toml"), mine);
    // As an earlier version wrote it, without the mark.
    std::fs::write(folder.join("a.toml"), "a = 5\n").unwrap();
    assert!(!write(folder, "a.toml", "a = 5\n", Comment::Toml).unwrap().is_edited);

    for name in ["report.html", "report-2.html"] {
        std::fs::write(folder.join(name), "mine").unwrap();
    }
    for text in ["one", "two"] {
        let written = write_beside(folder, "report", text).unwrap();
        assert!(written.is_edited && written.path.ends_with("report-3.html"));
        assert!(read("report-3.html").starts_with(text) && read("report.html") == "mine");
    }
}
