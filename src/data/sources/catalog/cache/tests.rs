use super::*;

/// The folder on `os` with these environment variables.
fn folder(os: &str, variables: &[(&str, &str)]) -> Option<PathBuf> {
    find(os, |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
}

#[test]
fn each_system_has_its_place_and_the_variable_goes_first() {
    let home = ("HOME", "/home/u");
    for (os, variables, expected) in [
        ("linux", &[home][..], "/home/u/.cache/smallnet/data"),
        ("linux", &[home, ("XDG_CACHE_HOME", "/scratch")], "/scratch/smallnet/data"),
        ("linux", &[home, ("XDG_CACHE_HOME", "relative")], "/home/u/.cache/smallnet/data"),
        ("macos", &[home, ("XDG_CACHE_HOME", "/scratch")], "/home/u/Library/Caches/smallnet/data"),
        ("windows", &[home, ("LOCALAPPDATA", "/local")], "/local/smallnet/data"),
        ("windows", &[home, ("LOCALAPPDATA", "/local"), ("SMALLNET_DATA", "/sets")], "/sets"),
    ] {
        assert_eq!(folder(os, variables), Some(expected.into()), "{os} {variables:?}");
    }
    assert_eq!(folder("linux", &[]), None);
    assert_eq!(folder("windows", &[home]), None);
}
