//! Notes the git commit that smallnet is built from, where it is built in a checkout of its own: `-dirty` is
//! added where the checkout has changes.

use std::path::Path;
use std::process::Command;

fn main() {
    for path in
        ["build.rs", "Cargo.toml", "Cargo.lock", "configs", "data", "src", ".git/HEAD", ".git/logs/HEAD"]
    {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    // Without this check, sources inside some other repository would be taken for a commit of that one.
    if Path::new(".git").exists()
        && let Some(commit) = git(&["rev-parse", "HEAD"])
        && let Some(changes) = git(&["status", "--porcelain", "--untracked-files=no"])
    {
        let dirty = if changes.is_empty() { "" } else { "-dirty" };
        println!("cargo::rustc-env=SMALLNET_GIT_COMMIT={commit}{dirty}");
    }
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
