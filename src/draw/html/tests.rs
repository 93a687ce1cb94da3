use super::*;

#[test]
fn data_cannot_end_its_element() {
    let names = ["</script><script>alert(1)</script>", "<!--<script>"];
    let json = script_safe(&serde_json::to_string(&names).unwrap());
    assert!(!json.contains('<'), "{json}");
    assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), names);
}

/// The digests of `alert(1)` and of no text, made with `printf … | openssl dgst -sha256 -binary | base64`.
#[test]
fn the_policy_names_the_digests() {
    let policy = policy("alert(1)", "");
    assert!(policy.starts_with(
        "default-src 'none'; script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; "
    ));
    assert!(policy.contains("style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "), "{policy}");
}

/// HTML knows no escape in a script, and the page fetches nothing.
#[test]
fn the_script_is_whole_and_fetches_nothing() {
    let script = SCRIPT.concat();
    for forbidden in
        ["</script", "<!--", "eval(", "fetch(", "XMLHttpRequest", "innerHTML", "http:", "https:", "\r"]
    {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
    assert!(![BODY, STYLE].concat().contains("url("));
    assert!(!BODY.contains("style=") && !BODY.contains("onclick"));
}

/// The parts share one scope, where a second function of a name would replace the first one.
#[test]
fn no_name_is_declared_twice() {
    let script = SCRIPT.concat();
    let name = |line: &str| {
        let declaration = ["function ", "async function ", "const ", "let "];
        let rest = declaration.into_iter().find_map(|word| line.strip_prefix(word).map(str::to_owned))?;
        Some(rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?.to_owned())
    };
    let mut names: Vec<String> = script.lines().filter_map(name).filter(|name| !name.is_empty()).collect();
    assert!(names.len() > 50, "{names:?}");
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
