//! Inputs that other people could make: the seeds of the fuzz targets, and what was found with them. Nothing may panic,
//! hang or ask for more memory than its bound.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/targets.rs"]
mod targets;

#[global_allocator]
static BOUND: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, usize::MAX);

/// Its name, what it does with an input, and the memory it may have.
type Target = (&'static str, fn(&[u8]), usize);

/// The files in `fuzz/<kind>/<target>`.
fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

/// One test: the bound is the whole process's.
#[test]
fn nothing_panics_hangs_or_takes_too_much_memory() {
    let targets: [Target; 8] = [
        ("idx", targets::idx, targets::MEMORY),
        ("experiment", targets::experiment, targets::MEMORY),
        ("study", targets::study, targets::MEMORY_FOR_STUDIES),
        ("run_folder", targets::run_folder, targets::MEMORY),
        ("study_folder", targets::study_folder, targets::MEMORY),
        ("checkpoint", targets::checkpoint, targets::MEMORY),
        ("weights", targets::weights, targets::MEMORY),
        ("picture", targets::picture, targets::MEMORY_FOR_PICTURES),
    ];
    for (name, target, memory) in targets {
        let files = [inputs("seeds", name), inputs("regressions", name)].concat();
        assert!(!files.is_empty(), "{name}");
        BOUND.set_limit(memory).unwrap();
        for path in files {
            println!("{}", path.display());
            let bytes = fs::read(&path).unwrap();
            target(&bytes);
            // And cut off anywhere, as a full disk leaves it.
            for length in (0..bytes.len()).step_by(1 + bytes.len() / 64) {
                target(&bytes[..length]);
            }
        }
        BOUND.set_limit(usize::MAX).unwrap();
    }
}
