//! Readers of untrusted bytes. Each function processes its input as smallnet does, up to the point
//! where a network is trained, and must return for every input. The fuzz targets call these
//! functions, and so does `tests/untrusted_input.rs` with the inputs in `seeds/` and
//! `regressions/`.

use std::cell::RefCell;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use sha2::{Digest, Sha256};
use smallnet::backend::Backend;
use smallnet::data::{DataConfig, InputSpec, RawData, Source, read_digit, read_sheet};
use smallnet::evaluation::paired_tests;
use smallnet::exchange::{DenseNetwork, Format, Layout, keras, onnx, pytorch, safetensors};
use smallnet::experiment::summary::ModelSummary;
use smallnet::experiment::{Experiment, Override, differences};
use smallnet::model::{Mlp, MlpConfig, load_weights, weights_sha256};
use smallnet::optim::{OptimizerConfig, average_formula, schedule_formula, update_formula};
use smallnet::pipeline::Splits;
use smallnet::report;
use smallnet::run;
use smallnet::run::RunFolder;
use smallnet::study;
use smallnet::study::{Study, StudyFolder, StudySummary, TrialLog};
use smallnet::training::{Position, SizeLimits, Store};

/// Bound on smallnet's memory in bytes while it reads an input of up to 64 kilobytes.
pub const MEMORY: usize = 64 << 20;

/// Bound for data sets in bytes. The compression of gzip and zip makes up to 1032 bytes of one, and
/// an image takes some 30 bytes beside its pixels.
pub const MEMORY_FOR_DATA_SETS: usize = 512 << 20;

/// Bound for studies in bytes: up to a hundred thousand trials are in memory, with the settings of
/// each.
pub const MEMORY_FOR_STUDIES: usize = 288 << 20;

/// Bound for networks of other programs in bytes. A pickle may unpack to a megabyte, and each byte of it
/// may become 200 in memory.
pub const MEMORY_FOR_NETWORKS: usize = 512 << 20;

/// Bound for pictures in bytes. Pictures of up to 64 million pixels are accepted.
pub const MEMORY_FOR_PICTURES: usize = 1 << 30;

/// State that is kept from one input to the next: a folder in memory and a small network.
struct State {
    folder: tempfile::TempDir,
    model: Mlp,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Calls `work` with the folder and the network of this thread.
fn with_state(work: impl FnOnce(&Path, &Mlp)) {
    STATE.with_borrow_mut(|state| {
        let state = state.get_or_insert_with(|| {
            let memory = Path::new("/dev/shm");
            let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
            let device = Backend::Flex.open().expect("the CPU").device;
            let model = MlpConfig::default().init(4, 3, 1, &device).expect("a small network");
            State { folder: tempfile::tempdir_in(parent).expect("a folder"), model }
        });
        work(state.folder.path(), &state.model);
    });
}

/// Writes a file and creates its folder.
fn write(path: PathBuf, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
}

/// Divides an input into its first byte and the rest.
fn split(bytes: &[u8]) -> (usize, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (usize::from(*first), rest))
}

/// Divides a text at its `----` lines.
fn parts(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).split("\n----\n").map(str::to_owned).collect()
}

/// Parses the lines of `--set`. Invalid lines are left out.
fn overrides(lines: Option<&String>) -> Vec<Override> {
    lines.map_or("", |text| text).lines().filter_map(|line| line.parse().ok()).collect()
}

/// Reads a folder of IDX files. One of the four is the input, compressed if its first byte says so.
pub fn idx(bytes: &[u8]) {
    const NAMES: [&str; 4] = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ];
    let images: &[u8] = &[&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[7; 8]].concat();
    let labels: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
    let (choice, bytes) = split(bytes);
    with_data_folder(|folder| {
        for (index, name) in NAMES.iter().enumerate() {
            let is_input = index == choice % 4;
            let ending = if is_input && choice >= 128 { ".gz" } else { "" };
            let content = if is_input {
                bytes
            } else if index % 2 == 0 {
                images
            } else {
                labels
            };
            write(folder.join(format!("{name}{ending}")), content);
        }
    });
}

/// Reads a CSV file, alone or beside a test file, with or without a named column of labels.
pub fn csv(bytes: &[u8]) {
    let (choice, bytes) = split(bytes);
    with_data_folder(|folder| {
        write(folder.join(["train.csv", "train.csv.gz", "mnist_train.tsv"][choice % 3]), bytes);
        if choice >= 128 {
            write(folder.join("test.csv"), b"label,a,b,c,d\n1,0,0,255,0\n");
        }
    });
}

/// Reads an npz file, or one of two `.npy` files.
pub fn npz(bytes: &[u8]) {
    let (choice, bytes) = split(bytes);
    with_data_folder(|folder| {
        if choice < 128 {
            write(folder.join("data.npz"), bytes);
        } else {
            write(folder.join("x_train.npy"), bytes);
            write(folder.join("y_train.npy"), bytes);
        }
    });
}

/// Reads a Parquet file, which may be one of two shards.
pub fn parquet(bytes: &[u8]) {
    let (choice, bytes) = split(bytes);
    with_data_folder(|folder| match choice < 128 {
        true => write(folder.join("train.parquet"), bytes),
        false => {
            (0..2).for_each(|shard| write(folder.join(format!("train-0000{shard}-of-00002.parquet")), bytes))
        }
    });
}

/// Reads a folder of two classes in which one picture is the input.
pub fn image_folder(bytes: &[u8]) {
    // A PNG of one black pixel.
    const PICTURE: &[u8] = include_bytes!("seeds/image_folder/one-pixel.png");
    let (choice, bytes) = split(bytes);
    with_data_folder(|folder| {
        let part = if choice < 128 { "" } else { "train/" };
        write(folder.join(format!("{part}cat/1.png")), PICTURE);
        write(folder.join(format!("{part}dog/1.png")), bytes);
    });
}

/// Calls `fill` with an empty folder, then loads the data set in it.
fn with_data_folder(fill: impl FnOnce(&Path)) {
    with_state(|dir, _| {
        let folder = dir.join("data");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        fill(&folder);
        black_box(load(&folder));
        let config = DataConfig { image_size: Some([2, 2]), skip_broken: true, ..DataConfig::default() };
        if let Ok(raw) = RawData::read(&Source::parse(&folder.display().to_string()), &config) {
            black_box(raw.sha256());
        }
    });
}

/// Loads the data set in `folder` as every command does, with one validation image. Returns the
/// number of training images per class.
pub fn load(folder: &Path) -> Option<Vec<usize>> {
    let mut experiment = Experiment::default();
    experiment.data.source = folder.display().to_string();
    experiment.data.validation = 1;
    let splits = Splits::load(&experiment).ok()?;
    Some(splits.train.class_counts(splits.layout.num_classes))
}

/// Reads an experiment file with the changes of `--set`, one per line, and builds the text of
/// `summary`.
pub fn experiment(bytes: &[u8]) {
    let parts = parts(bytes);
    let Ok(experiment) = Experiment::from_toml(&parts[0], "fuzz.toml", &overrides(parts.get(1))) else {
        return;
    };
    let text = experiment.to_toml().expect("what was read can be written");
    let again = Experiment::from_toml(&text, "fuzz.toml", &[]).expect("what was written can be read");
    assert_eq!(again, experiment);
    let plan = ModelSummary::new(&experiment, InputSpec { height: 28, width: 28, num_classes: 10 }, 60_000);
    black_box((plan.table(), plan.size(), plan.flops(), plan.shape()));
    black_box(schedule_formula(&experiment.optimizer, &experiment.schedule));
    black_box(update_formula(
        &experiment.optimizer,
        experiment.training.clip_norm,
        experiment.training.clip_value,
    ));
    black_box(experiment.training.average.map(average_formula));
    let _ = black_box(differences(&[&experiment, &Experiment::default()]));
}

/// Reads a study file, its base experiment and changes, and plans the trials.
pub fn study(bytes: &[u8]) {
    let parts = parts(bytes);
    let base = parts.get(1).map_or("", |text| text);
    black_box(plan(&parts[0], base, &overrides(parts.get(2))));
}

/// Plans the trials of a study over the experiment `base`, and builds the summary before any trial.
pub fn plan(text: &str, base: &str, changes: &[Override]) -> Option<study::TrialPlan> {
    let base = |_: &str| Ok((base.to_owned(), "base.toml".to_owned()));
    let study = Study::from_toml(text, "fuzz.toml", changes, base).ok()?;
    let plan = study::TrialPlan::new(&study, Backend::Flex, "digest", None).ok()?;
    let none = vec![None; plan.trials.len()];
    black_box(StudySummary::new(&plan, &none, false));
    Some(plan)
}

/// Lists and reads a run folder in which one of the files is the input, and builds its pages.
pub fn run_folder(bytes: &[u8]) {
    const NAMES: [&str; 5] = ["run.json", "summary.json", "evaluation.json", "metrics.jsonl", "config.toml"];
    let (choice, bytes) = split(bytes);
    with_state(|dir, _| {
        let folder = dir.join("artifacts/n/r");
        let _ = fs::remove_dir_all(&folder);
        for (name, content) in NAMES.iter().zip([
            include_str!("seeds/run_folder/files/run.json"),
            include_str!("seeds/run_folder/files/summary.json"),
            include_str!("seeds/run_folder/files/evaluation.json"),
            include_str!("seeds/run_folder/files/metrics.jsonl"),
            include_str!("seeds/run_folder/files/config.toml"),
        ]) {
            write(folder.join(name), content.as_bytes());
        }
        write(folder.join(NAMES[choice % NAMES.len()]), bytes);
        let _ = black_box(run::list(&dir.join("artifacts")));
        let Ok(run) = RunFolder::open(&folder) else { return };
        let _ = black_box(run.metrics());
        let Ok(records) = run.records() else { return };
        let _ = black_box(report::page(&records, None));
        let evaluation = records.test.as_ref().map(|test| &test.evaluation);
        let test = evaluation.and_then(|evaluation| paired_tests(evaluation, &[evaluation]).pop());
        let (runs, names) = ([records.clone(), records], ["one".to_owned(), "other".to_owned()]);
        let _ = black_box(report::comparison(&runs, &names, &[], &[None, test]));
    });
}

/// Reads a study's folder in which one of the files is the input, and builds the study's page. In
/// the input, `@0` stands for the id of the first trial, and so on, since ids are digests that a
/// fuzzer cannot guess.
pub fn study_folder(bytes: &[u8]) {
    const NAMES: [&str; 2] = ["trials.jsonl", "plan.json"];
    const STUDIES: [&str; 2] = [
        "folds = 2\n[vary]\noptimizer.learning_rate = [0.1, 1.0]\nmodel.hidden = [[], [2]]\n",
        "seeds = [1, 2]\ntiming = true\n[set]\ndata.validation = 3\n[vary]\ntraining.batch_size = [1, 2, 4]\n",
    ];
    let (choice, bytes) = split(bytes);
    with_state(|dir, _| {
        let base = |_: &str| Ok((String::new(), "base.toml".to_owned()));
        let study = Study::from_toml(STUDIES[choice / 2 % 2], "s.toml", &[], base).expect("a study");
        let plan = study::TrialPlan::new(&study, Backend::Flex, "digest", None).expect("a plan");
        let mut input = String::from_utf8_lossy(bytes).into_owned();
        for (index, trial) in plan.trials.iter().enumerate() {
            input = input.replace(&format!("@{index}"), &trial.id);
        }
        let folder = dir.join("artifacts/studies/s");
        let _ = fs::remove_dir_all(&folder);
        write(folder.join(NAMES[choice % NAMES.len()]), input.as_bytes());
        let Ok(folder) = StudyFolder::open(&dir.join("artifacts"), "s") else { return };
        let Ok(journal) = TrialLog::open(&folder, study.measure, None, true) else { return };
        let _ = black_box(folder.write_plan(&study, &plan));
        let records: Vec<_> = plan.trials.iter().map(|trial| journal.record(trial)).collect();
        let summary = StudySummary::new(&plan, &records, true);
        let records: Vec<_> = records.into_iter().flatten().collect();
        let _ = black_box(study::page::page(&study::page::StudyPage {
            study: &study,
            plan: &plan,
            summary: &summary,
            records: &records,
            best_model: None,
            adapter: "CPU (flex)",
            layout: InputSpec { height: 2, width: 2, num_classes: 3 },
            data_sha256: "digest",
            folder: folder.path(),
        }));
    });
}

/// Reads a checkpoint in which one of the files is the input. Half of the checkpoints have an average
/// of the weights. `SHA256SUMS` has the digest of the
/// input, so that the digest does not hide the input from the readers behind it.
pub fn checkpoint(bytes: &[u8]) {
    const NAMES: [&str; 5] = ["model.bpk", "optimizer.bpk", "scheduler.bpk", "state.json", "SHA256SUMS"];
    const MODEL: &[u8] = include_bytes!("seeds/checkpoint/files/model.bpk");
    let (choice, bytes) = split(bytes);
    let has_average = choice / NAMES.len() % 2 == 1;
    with_state(|dir, model| {
        let position = Position { epochs: 1, steps: 0 };
        let store = Store::at(dir.join("checkpoint"));
        let folder = store.folder(position);
        let mut files: Vec<Vec<u8>> = vec![
            MODEL.to_vec(),
            include_bytes!("seeds/checkpoint/files/optimizer.bpk").to_vec(),
            include_bytes!("seeds/checkpoint/files/scheduler.bpk").to_vec(),
            include_bytes!("seeds/checkpoint/files/state.json").to_vec(),
        ];
        if let Some(file) = files.get_mut(choice % NAMES.len()) {
            *file = bytes.to_vec();
        }
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
        let line = |(name, bytes): (&&str, &Vec<u8>)| format!("{}  {name}\n", hex(&Sha256::digest(bytes)));
        let mut sums: String = NAMES.iter().zip(&files).map(line).collect();
        if has_average {
            let trained = std::mem::replace(&mut files[0], MODEL.to_vec());
            sums = NAMES.iter().zip(&files).map(line).collect();
            sums.push_str(&line((&"trained.bpk", &trained)));
            write(folder.join("trained.bpk"), &trained);
        }
        files.push(if choice % NAMES.len() == 4 { bytes.to_vec() } else { sums.into_bytes() });
        for (name, bytes) in NAMES.iter().zip(&files) {
            write(folder.join(name), bytes);
        }
        let _ = black_box(store.positions());
        let limits = SizeLimits::new(model, &OptimizerConfig::default());
        let checkpoint = store.read(position, &limits);
        let _ = black_box(checkpoint.and_then(|checkpoint| checkpoint.check(model, has_average, "fuzz")));
    });
}

/// Loads the weights of a network of four pixels and three classes, and predicts an image.
pub fn weights(bytes: &[u8]) {
    with_state(|_, model| {
        let Ok(model) = load_weights(model.clone(), bytes.to_vec(), "fuzz") else { return };
        let _ = black_box(weights_sha256(&model));
        let _ = black_box(model.first_layer());
        let image = Tensor::<3>::ones([1, 2, 2], &Device::flex());
        let _ = black_box(model.forward(image).try_into_data());
    });
}

/// Reads a safetensors file.
pub fn safetensors(bytes: &[u8]) {
    network(bytes, safetensors::read);
}

/// Reads a PyTorch file.
pub fn pytorch(bytes: &[u8]) {
    network(bytes, pytorch::read);
}

/// Reads an ONNX file. Its layout is in the graph.
pub fn onnx(bytes: &[u8]) {
    network(bytes, |bytes, _| onnx::read(bytes));
}

/// Reads a Keras file, whose layout is fixed.
pub fn keras(bytes: &[u8]) {
    network(bytes, |bytes, _| keras::read(bytes));
}

/// Reads a network with a `reader`, in each layout. One that can be used is written and read again.
fn network(bytes: &[u8], reader: fn(&[u8], Option<Layout>) -> smallnet::Result<DenseNetwork>) {
    let _ = black_box(Format::of(bytes));
    for layout in [None, Some(Layout::Burn), Some(Layout::Pytorch)] {
        let Ok(network) = reader(bytes, layout) else { continue };
        if network.check().is_err() {
            continue;
        }
        let file = safetensors::write(&network, Layout::Pytorch).expect("what was read can be written");
        let again = safetensors::read(&file, None).expect("what was written can be read");
        let numbers = |network: &DenseNetwork| -> Vec<(Vec<f32>, Vec<f32>)> {
            network.layers.iter().map(|layer| (layer.weights.clone(), layer.biases.clone())).collect()
        };
        assert_eq!(numbers(&again), numbers(&network));
        assert_eq!(again.activation, network.activation);
    }
}

/// Maximum number of pixels of a fuzzed picture. smallnet accepts 64 million, which take a second
/// with any content.
const MAX_PIXELS: u64 = 1 << 18;

/// Reads a digit and a sheet of digits from a picture as `predict` does.
pub fn picture(bytes: &[u8]) {
    let reader = image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    if size.is_some_and(|(width, height)| u64::from(width) * u64::from(height) > MAX_PIXELS) {
        return;
    }
    with_state(|dir, _| {
        let path = dir.join("picture");
        write(path.clone(), bytes);
        let _ = black_box(read_digit(&path, 28, 28));
        let _ = black_box(read_sheet(&path, 28, 28));
        let _ = black_box(read_sheet(&path, 28, 28));
    });
}
