use burn::tensor::Device;

use super::*;
use crate::backend::{Backend, Engine};
use crate::experiment::{Experiment, Override};
use crate::pipeline::{Splits, prepare, resume};
use crate::run;
use crate::run::{RunFolder, RunInfo};
use crate::training::{Observers, Sweep};
use crate::util::{files, memory};

#[test]
fn the_system_says_why_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let wrapped = tempfile::NamedTempFile::new_in(&gone).unwrap_err();
    assert!(wrapped.to_string().contains(" at path "), "{wrapped}");
    let error = Error::io("write", std::path::Path::new("a/b"), wrapped);
    assert_eq!(error.message(), "cannot write `a/b`: No such file or directory (os error 2)");
    // Of kinds that have no words of their own in Rust, too.
    let error = std::io::Error::from_raw_os_error(5);
    let error = Error::io("write", std::path::Path::new("a/b"), error);
    assert_eq!(error.message(), "cannot write `a/b`: Input/output error (os error 5)");
}
#[test]
fn a_thread_that_cannot_be_had_is_said_in_plain_words() {
    let message = |panic: &'static str| {
        let error = catch_panic(BACKEND_PANIC, || -> Result<()> { std::panic::panic_any(panic) });
        error.unwrap_err().message().to_owned()
    };
    let os = "Os { code: 11, kind: WouldBlock, message: \"Resource temporarily unavailable\" }";
    let told = "cannot start a thread: Resource temporarily unavailable (os error 11)";
    assert_eq!(message("failed to spawn thread: Os { code: 11, kind: WouldBlock, message: \"…\" }"), told);
    let of_rayon = format!(
        "The global thread pool has not been initialized.: ThreadPoolBuildError {{ kind: IOError({os}) }}"
    );
    assert_eq!(message(of_rayon.leak()), told);
    let of_burn = format!("called `Result::unwrap()` on an `Err` value: {os}");
    assert_eq!(message(of_burn.leak()), told);
    let other =
        "called `Result::unwrap()` on an `Err` value: Os { code: 5, kind: Uncategorized, message: \"…\" }";
    assert_eq!(message(other), "the backend gave up: Input/output error (os error 5)");
    assert_eq!(message("out of luck"), "the backend gave up: out of luck");
}

/// The error of an operation that must fail, its kind and its exit code checked.
fn fails<T>(result: Result<T>, kind: ErrorKind) -> Error {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.exit_code(), if kind == ErrorKind::Usage { 2 } else { 1 }, "{error}");
    error
}

/// The source of an error, as the type that it must have.
fn source<E: StdError + 'static>(error: &Error) -> &E {
    StdError::source(error).unwrap().downcast_ref::<E>().unwrap()
}

fn experiment(text: &str) -> Result<Experiment> {
    Experiment::from_toml(text, "test.toml", &[])
}

/// Writes a data set of `num_images` images of 2 x 2 pixels in two classes and returns an
/// experiment that learns from it.
fn small_experiment(folder: &Path, num_images: u8, settings: &str) -> Experiment {
    for part in ["train", "t10k"] {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, num_images, 0, 0, 0, 2, 0, 0, 0, 2];
        images.extend((0..4 * num_images).map(|index| index.wrapping_mul(37)));
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, num_images];
        labels.extend((0..num_images).map(|index| index % 2));
        std::fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        std::fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
    experiment(&format!("[data]\nsource = \"{}\"\n{settings}", folder.display())).unwrap()
}

fn train(experiment: Experiment, artifacts: &Path) -> Result<RunFolder> {
    let prepared = prepare(experiment, Backend::Flex.into(), artifacts)?;
    let folder = prepared.folder.clone();
    prepared.train(Observers::silent()).map(|_| folder)
}

#[test]
fn kinds_of_files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing.json");
    let missing = fails(files::read(&path), ErrorKind::Io);
    assert_eq!(source::<io::Error>(&missing).kind(), io::ErrorKind::NotFound);
    std::fs::write(&path, [0xFF, 0xFE]).unwrap();
    fails(files::read(&path), ErrorKind::Corrupt);
    std::fs::write(&path, "{").unwrap();
    let cut_off = fails(files::read_json::<RunInfo>(&path), ErrorKind::Corrupt);
    assert!(source::<serde_json::Error>(&cut_off).is_eof());
    let keys = std::collections::HashMap::from([((1, 2), 3)]);
    let unwritable = fails(files::to_json(&keys), ErrorKind::Other);
    assert!(!source::<serde_json::Error>(&unwritable).is_io());
}

#[test]
fn kinds_of_settings_that_are_refused() {
    let unknown = fails(experiment("sed = 1"), ErrorKind::Config);
    assert!(source::<toml::de::Error>(&unknown).message().starts_with("unknown field `sed`"));
    let invalid = fails(experiment("seed"), ErrorKind::Config);
    assert!(source::<toml::de::Error>(&invalid).span().is_some());
    fails(experiment("[optimizer]\nlearning_rate = 0.0"), ErrorKind::Config);
    fails("seed".parse::<Override>(), ErrorKind::Usage);
    fails(Sweep::new(-1.0, 1.0, None), ErrorKind::Usage);
    // With a context, the command line is no longer what is wrong.
    let inner = fails("seed".parse::<Override>(), ErrorKind::Usage);
    fails(Err::<(), _>(inner.in_context("the setting cannot be used")), ErrorKind::Config);
}

#[test]
fn kinds_of_data_sets_and_pictures_that_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = small_experiment(folder.path(), 8, "");
    let images = folder.path().join("train-images-idx3-ubyte");
    let whole = std::fs::read(&images).unwrap();
    std::fs::write(&images, &whole[..whole.len() - 1]).unwrap();
    fails(Splits::load(&experiment), ErrorKind::Data);
    std::fs::remove_file(&images).unwrap();
    fails(Splits::load(&experiment), ErrorKind::Data);
    let gzip = folder.path().join("train-images-idx3-ubyte.gz");
    std::fs::write(gzip, b"\x1f\x8b\x08 no gzip at all").unwrap();
    let unpacked = fails(Splits::load(&experiment), ErrorKind::Data);
    assert!(StdError::source(&unpacked).is_some_and(|source| source.is::<io::Error>()));
    let picture = folder.path().join("digit.png");
    std::fs::write(&picture, b"\x89PNG\r\n\x1a\n cut off").unwrap();
    let damaged = fails(crate::data::read_digit(&picture, 28, 28), ErrorKind::Data);
    assert!(StdError::source(&damaged).is_some());
}

#[test]
fn kinds_of_runs_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    fails(run::find("nowhere", folder.path()), ErrorKind::NotFound);
    let settings = "[training]\nnum_epochs = 1";
    let run = train(small_experiment(folder.path(), 8, settings), folder.path()).unwrap();
    let held = run.lock().unwrap();
    fails(run.lock(), ErrorKind::Locked);
    drop(held);
    fails(resume(run.clone(), None, None, None, None), ErrorKind::State);
    fails(resume(run.clone(), None, None, Some(Engine::Autodiff), None), ErrorKind::Usage);
    let store = run.checkpoints();
    let checkpoint = store.folder(store.positions().unwrap().pop().unwrap());
    std::fs::write(checkpoint.join("optimizer.bpk"), "damaged").unwrap();
    let weights = checkpoint.join("model.bpk");
    std::fs::write(&weights, "damaged").unwrap();
    let model = run.experiment(&run.info().unwrap()).unwrap().model;
    let model = model.init(4, 2, 1, &Device::flex()).unwrap();
    fails(run.load_weights(model, &weights), ErrorKind::Corrupt);
    std::fs::write(run.path().join("run.json"), "{\"format\": 99}").unwrap();
    fails(run.info(), ErrorKind::Unsupported);
}

#[test]
fn kinds_of_trainings_that_fail() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[model]\nhidden = [4]\n[optimizer]\nlearning_rate = 1e38\n[training]\nbatch_size = 2";
    let experiment = small_experiment(folder.path(), 32, settings);
    fails(train(experiment, folder.path()), ErrorKind::Diverged);
    fails(memory::reserve(usize::MAX / 2, "everything"), ErrorKind::Resources);
    let panicked = |prefix| catch_panic(prefix, || -> Result<()> { std::panic::panic_any("out of luck") });
    fails(panicked(BACKEND_PANIC), ErrorKind::Backend);
    fails(panicked("smallnet has a bug"), ErrorKind::Other);
    let thread = io::Error::from_raw_os_error(11);
    let error = fails(Err::<(), _>(Error::thread(&thread)), ErrorKind::Resources);
    assert_eq!(source::<io::Error>(&error).kind(), io::ErrorKind::WouldBlock);
    assert!(error == error.clone() && error != Error::new(error.message()));
}
