//! Untrusted input: the seeds of the fuzz targets and the inputs that fuzzing found. Nothing may
//! panic, hang or allocate more memory than its bound.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use smallnet::data::read_digit;

#[path = "untrusted_input/data_sets.rs"]
mod data_sets;
#[path = "untrusted_input/pictures.rs"]
mod pictures;
#[path = "../fuzz/targets.rs"]
mod targets;

#[global_allocator]
static BOUND: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, usize::MAX);

/// Fuzz target: its name, its function, and its bound on memory in bytes.
type Target = (&'static str, fn(&[u8]), usize);

/// Returns the files in `fuzz/<kind>/<target>`.
fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

/// The bound applies to the whole process, so only one test runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The files have 64 kilobytes together and the maximum number of images.
#[test]
fn the_largest_data_sets_stay_within_their_bound() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (train, test) in [(3_200_000, 1), (1_600_000, 1_600_000), (1, 3_200_000)] {
        let dir = tempfile::tempdir().unwrap();
        let size = data_sets::write_pixels(dir.path(), train, test);
        assert!(size < 1 << 16, "{size}");
        BOUND.set_limit(targets::MEMORY_FOR_DATA_SETS).unwrap();
        let loaded = targets::load(dir.path());
        BOUND.set_limit(usize::MAX).unwrap();
        assert_eq!(loaded.is_some(), train > 1, "images to learn from and to hold out");
    }
}

#[test]
fn the_largest_study_stays_within_its_bound() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = data_sets::study();
    assert!(text.len() < 1 << 16, "{}", text.len());
    BOUND.set_limit(targets::MEMORY_FOR_STUDIES).unwrap();
    let trials = targets::plan(&text, "", &[]).map(|plan| plan.trials.len());
    BOUND.set_limit(usize::MAX).unwrap();
    assert_eq!(trials, Some(100_000));
}

/// The pictures have the maximum number of pixels, scans and bytes, together and in small files.
#[test]
fn the_dearest_pictures_stay_within_their_bound() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("picture");
    // The files are on disk, so they are no memory of this process.
    let read = |(name, file): pictures::Picture| {
        fs::write(&path, file()).unwrap();
        println!("{name}: {} bytes", fs::metadata(&path).unwrap().len());
        BOUND.set_limit(targets::MEMORY_FOR_PICTURES).unwrap();
        let answer = read_digit(&path, 28, 28).map(drop).map_err(|error| error.to_string());
        BOUND.set_limit(usize::MAX).unwrap();
        answer
    };
    for picture in pictures::DEAR {
        // Only reading matters, not the content.
        let answer = read(picture).err().unwrap_or_default();
        assert!(answer.is_empty() || answer.starts_with("there is no digit in "), "{}: {answer}", picture.0);
    }
    for (picture, expected) in pictures::REFUSED {
        let answer = read(picture).unwrap_err();
        assert!(answer.contains(expected), "{}: {answer}", picture.0);
    }
}

#[test]
fn nothing_panics_hangs_or_takes_too_much_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let targets: [Target; 16] = [
        ("idx", targets::idx, targets::MEMORY_FOR_DATA_SETS),
        ("csv", targets::csv, targets::MEMORY_FOR_DATA_SETS),
        ("npz", targets::npz, targets::MEMORY_FOR_DATA_SETS),
        ("parquet", targets::parquet, targets::MEMORY_FOR_DATA_SETS),
        ("image_folder", targets::image_folder, targets::MEMORY_FOR_DATA_SETS),
        ("experiment", targets::experiment, targets::MEMORY),
        ("study", targets::study, targets::MEMORY_FOR_STUDIES),
        ("run_folder", targets::run_folder, targets::MEMORY),
        ("study_folder", targets::study_folder, targets::MEMORY),
        ("checkpoint", targets::checkpoint, targets::MEMORY),
        ("weights", targets::weights, targets::MEMORY),
        ("safetensors", targets::safetensors, targets::MEMORY_FOR_NETWORKS),
        ("pytorch", targets::pytorch, targets::MEMORY_FOR_NETWORKS),
        ("onnx", targets::onnx, targets::MEMORY_FOR_NETWORKS),
        ("keras", targets::keras, targets::MEMORY_FOR_NETWORKS),
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
            // The input is also cut off at many places, as on a full disk.
            for length in (0..bytes.len()).step_by(1 + bytes.len() / 64) {
                target(&bytes[..length]);
            }
        }
        BOUND.set_limit(usize::MAX).unwrap();
    }
}
