use super::*;

fn page(path: &str, figure: &str) -> String {
    let id = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let separator = if path.contains('\\') { '\\' } else { '/' };
    let command = format!("{path}{separator}config.toml");
    let command = if path.contains([' ', '\\']) { format!("'{command}'") } else { command };
    format!(
        "<title>softmax {id}</title><b>{figure}, a run</b><dt>run</dt><dd>{path}</dd><pre>train {command}</pre>"
    )
}

#[test]
fn only_the_place_of_the_folder_may_differ() {
    for own in ["runs/a", "run", "a & b/run"] {
        let found = page(&escape(own), "92 %");
        let is_same = |claimed: &str| is_same(claimed, &found, &Place::new("softmax", Path::new(own)));
        assert!(is_same(&found));
        let of_windows = r"C:\Users\u\artifacts\softmax\20261126-081624";
        for other in ["runs/a", "/elsewhere/20261126-081624", "with space/b", "run", of_windows] {
            assert!(is_same(&page(other, "92 %")), "{own} {other}");
            assert!(!is_same(&page(other, "99 %")), "{own} {other}");
            assert!(!is_same(&page(other, "92 %").replace("train", "cheat")), "{own} {other}");
        }
        assert!(!is_same("") && !is_same("<b>92 %</b><dt>run</dt><dd></dd>"));
    }
}
