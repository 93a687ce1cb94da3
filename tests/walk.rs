//! Faults at the N-th system call of each thread, for every N: the call fails, or the process is
//! killed in it. strace injects the faults. A random part of them, drawn by a seed, runs with all
//! tests; `SMALLNET_WALK=all` runs all of them.
//!
//! After each fault, the program must end in time, with exit code 0 and the right result or with
//! one message, and leave nothing half-written. The same command (or `resume`) must then end with
//! the weights of an undisturbed run.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use common::{CommandOutput, Rng, TestDir};
use serde_json::Value;

/// Number of faults in a run of all tests.
const PART: usize = 300;
/// Timeout: nothing takes that long, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Calls that are left out: they end a thread, wait for another one or read the time.
const LEFT_OUT: &str = "futex,execve,exit,exit_group,rt_sigreturn,sched_yield,clock_gettime,clock_nanosleep,nanosleep,\
    restart_syscall,gettimeofday";

/// Command that faults are injected into.
struct Scenario {
    name: &'static str,
    command: &'static [&'static str],
    /// Prepares the state that the command starts from.
    prepare: fn(&TestDir),
    /// Name of the experiment whose only run has the result.
    experiment: &'static str,
}

const TRAIN: &[&str] = &["train", "--threads=2", "--data=data", "--name=n", "--set=training.num_epochs=1"];
const LONGER: &[&str] = &["train", "--threads=2", "--data=data", "--name=n", "--set=training.num_epochs=3"];
const STUDY: &str = "name = \"s\"\nseeds = [1, 2]\n[set]\ntraining.num_epochs = 1\n[vary]\n\
    \"model.hidden\" = [[], [4]]\n";

const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "train", command: TRAIN, prepare: |_| (), experiment: "n" },
    Scenario {
        name: "extension",
        command: &["resume", "--threads=1", "artifacts/n/run", "--epochs=2"],
        prepare: |dir| {
            assert_eq!(dir.run(TRAIN).code, 0);
            rename_run(dir);
        },
        experiment: "n",
    },
    Scenario {
        name: "resume",
        command: &["resume", "--threads=1", "artifacts/n/run"],
        prepare: |dir| {
            // The process is killed while it writes the line of the third epoch. The checkpoint of
            // the first epoch is complete by then.
            let fault = Fault { call: "fdatasync".to_owned(), when: 3, error: None };
            assert_eq!(run_with_fault(dir, LONGER, &fault).1.code, -9);
            rename_run(dir);
        },
        experiment: "n",
    },
    Scenario {
        name: "study",
        command: &["study", "--threads=2", "--data=data", "--set=data.validation=50", "s.toml"],
        prepare: |dir| drop(dir.write("s.toml", STUDY)),
        experiment: "s-best",
    },
];

/// Fault at the `when`-th `call` of each thread: this error, or a kill of the process.
#[derive(Debug, Clone)]
struct Fault {
    call: String,
    when: usize,
    error: Option<&'static str>,
}

/// Returns the errors that are injected into a call.
fn errors(call: &str) -> &'static [&'static str] {
    match call {
        "openat" | "open" => &["EMFILE", "ENOSPC", "EIO", "EINTR", "ENOMEM"],
        "write" | "writev" | "pwrite64" | "fsync" | "fdatasync" | "ftruncate" => &["ENOSPC", "EIO", "EINTR"],
        "read" | "pread64" | "readv" | "close" => &["EIO", "EINTR"],
        "mkdir" | "mkdirat" | "rename" | "renameat" | "renameat2" | "link" => &["ENOSPC", "EIO", "ENOMEM"],
        "mmap" | "mprotect" | "brk" | "mremap" | "madvise" | "munmap" => &["ENOMEM"],
        "clone" | "clone3" => &["EAGAIN", "ENOMEM"],
        "flock" => &["EINTR", "EIO", "ENOMEM"],
        "getrandom" => &["EINTR", "EAGAIN", "EIO"],
        "pipe2" | "socketpair" | "eventfd2" | "dup" | "fcntl" => &["EMFILE", "ENOMEM"],
        _ => &["EIO", "ENOMEM"],
    }
}

/// Renames the only run to a fixed name.
fn rename_run(dir: &TestDir) {
    let run = runs(dir, "n").pop().expect("a run");
    fs::rename(&run, run.with_file_name("run")).unwrap();
}

/// Returns the folders of an experiment's runs.
fn runs(dir: &TestDir, experiment: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir.path().join("artifacts").join(experiment)) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with(".tmp")).collect()
}

/// Returns the temporary files below `folder`.
fn temp_files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.file_name().unwrap().to_str().unwrap().starts_with(".tmp") {
            found.push(path);
        } else if path.is_dir() {
            found.extend(temp_files_in(&path));
        }
    }
    found
}

/// Returns the result of a command: the digest of the weights and the metrics without times of the
/// only run.
fn result(dir: &TestDir, experiment: &str) -> Result<String, String> {
    let runs = runs(dir, experiment);
    let [run] = &runs[..] else { return Err(format!("{} runs", runs.len())) };
    let read = |name: &str| {
        fs::read_to_string(run.join(name)).map_err(|error| format!("{name} of the run: {error}"))
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{text}: {error}"));
    let (info, summary) = (json(&read("run.json")?)?, json(&read("summary.json")?)?);
    if info["status"] != "finished" || info["weights_sha256"] != summary["weights_sha256"] {
        return Err(format!("run.json does not fit summary.json: {info}"));
    }
    let mut result = summary["weights_sha256"].to_string();
    for line in read("metrics.jsonl")?.lines() {
        let mut line = json(line)?;
        line.as_object_mut().unwrap().retain(|key, _| key != "seconds" && key != "images_per_second");
        result += &format!("\n{line}");
    }
    Ok(result)
}

/// Runs smallnet under strace with `options`. The log is in `log` beside the folder.
fn run_with_strace(dir: &TestDir, options: &[&str], args: &[&str]) -> CommandOutput {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "log"]).args(options);
    command.arg(env!("CARGO_BIN_EXE_smallnet")).args(args);
    command.current_dir(dir.path()).env_remove("CARGO").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
    let group = format!("-{}", child.id());
    let (ended, end) = channel::<()>();
    let watchdog = thread::spawn(move || {
        let late = end.recv_timeout(TIMEOUT) == Err(RecvTimeoutError::Timeout);
        if late {
            Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
        }
        late
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    let signal = output.status.signal();
    let mut output = CommandOutput::new(output);
    output.code = signal.map_or(output.code, |signal| -signal);
    if watchdog.join().unwrap() {
        output.code = -1000;
    }
    output
}

/// Runs a command with a fault, and returns whether the fault occurred.
fn run_with_fault(dir: &TestDir, args: &[&str], fault: &Fault) -> (bool, CommandOutput) {
    let Fault { call, when, error } = fault;
    let effect = match error {
        None => "signal=KILL".to_owned(),
        // This call reports failure not by an error but by an unchanged end of the heap.
        Some(_) if call == "brk" => "retval=0".to_owned(),
        Some(error) => format!("error={error}"),
    };
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{effect}:when={when}"));
    // For errors, strace stops the program in this call alone, which is faster. It does not report
    // signals then.
    let stops: &[&str] = if error.is_some() { &["--seccomp-bpf"] } else { &[] };
    let output = run_with_strace(dir, &[stops, &["-e", &trace, "-e", &inject]].concat(), args);
    let log = fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    fs::remove_file(dir.path().join("log")).unwrap();
    let made = match error {
        Some(_) => log.contains("(INJECTED)"),
        None => output.code == -9,
    };
    (made, output)
}

/// Returns, for each call, the highest count of a single thread, and the count of the main thread
/// before smallnet's own code begins.
fn count_calls(dir: &TestDir, args: &[&str]) -> BTreeMap<String, (usize, usize)> {
    let output = run_with_strace(dir, &["-e", &format!("trace=!{LEFT_OUT}")], args);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let log = dir.read("log");
    fs::remove_file(dir.path().join("log")).unwrap();
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let mut calls: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut has_begun = false;
    for line in log.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            continue;
        }
        // This is the first call of smallnet's own code.
        has_begun |= rest.contains("rt_sigaction(SIGXFSZ");
        let count = counts.entry((thread.to_owned(), call.to_owned())).or_default();
        *count += 1;
        let (most, before) = calls.entry(call.to_owned()).or_default();
        *most = (*most).max(*count);
        if !has_begun {
            *before += 1;
        }
    }
    assert!(has_begun, "smallnet's own beginning is not in the log");
    calls
}

/// Test case: a scenario with its initial state, the result of an undisturbed run, and the fault.
struct Case<'a> {
    start: &'a Start,
    fault: Fault,
    /// True if the fault may hit the loader or the language's runtime, before smallnet's own code
    /// begins.
    may_be_early: bool,
}

struct Start {
    scenario: &'static Scenario,
    dir: TestDir,
    expected: String,
    calls: BTreeMap<String, (usize, usize)>,
}

impl Start {
    fn new(scenario: &'static Scenario) -> Self {
        let dir = TestDir::new();
        dir.digits(120, 40);
        (scenario.prepare)(&dir);
        let undisturbed = copy(&dir);
        let calls = count_calls(&undisturbed, scenario.command);
        let expected = result(&undisturbed, scenario.experiment).unwrap();
        Self { scenario, dir, expected, calls }
    }

    fn cases(&self) -> Vec<Case<'_>> {
        let mut cases = Vec::new();
        for (call, &(most, before)) in &self.calls {
            let effects = errors(call).iter().map(|&error| Some(error)).chain([None]);
            for error in effects {
                cases.extend((1..=most).map(|when| Case {
                    start: self,
                    fault: Fault { call: call.clone(), when, error },
                    may_be_early: when <= before,
                }));
            }
        }
        cases
    }
}

fn copy(dir: &TestDir) -> TestDir {
    let copy = TestDir::new();
    let from = dir.path().join(".");
    assert!(Command::new("cp").arg("-a").arg(from).arg(copy.path()).status().unwrap().success());
    copy
}

/// End of a disturbed command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    /// The fault did not occur.
    Undisturbed,
    WithResult,
    WithMessage,
    Killed,
    /// The command ended before smallnet's own code began, and changed nothing.
    Early,
}

impl Case<'_> {
    /// Injects the fault. Returns the end of the command, or a description of what is wrong with
    /// it.
    fn run(&self) -> Result<Ending, String> {
        let Scenario { command, experiment, .. } = self.start.scenario;
        let dir = copy(&self.start.dir);
        let before = list_files(dir.path());
        let (made, output) = run_with_fault(&dir, command, &self.fault);
        let ended = match self.classify(&dir, &output) {
            Ok(ended) => ended,
            // Only the loader and the runtime can print a message there.
            Err(_) if self.may_be_early && output.code != 0 && list_files(dir.path()) == before => {
                Ending::Early
            }
            Err(problem) => {
                return Err(format!(
                    "{problem}\n  exit {}\n  {}",
                    output.code,
                    output.stderr.replace('\n', "\n  ")
                ));
            }
        };
        if ended != Ending::WithResult {
            self.go_on(&dir)?;
        }
        match result(&dir, experiment)? == self.start.expected {
            true if made => Ok(ended),
            true => Ok(Ending::Undisturbed),
            false => Err("another result".to_owned()),
        }
    }

    fn classify(&self, dir: &TestDir, output: &CommandOutput) -> Result<Ending, String> {
        let mut unfinished = temp_files_in(&dir.path().join("artifacts"));
        // A command that gets far enough removes the files that an earlier kill left.
        let names = |path: &PathBuf| path.file_name().unwrap().to_owned();
        let earlier: Vec<_> =
            temp_files_in(&self.start.dir.path().join("artifacts")).iter().map(names).collect();
        unfinished.retain(|path| !earlier.contains(&names(path)));
        let tells = output.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        let failed_trials = output.stderr.contains(" failed; the same command tries again:");
        match output.code {
            -9 if self.fault.error.is_none() => Ok(Ending::Killed),
            0 | 1 if output.stderr.contains("panicked") => Err("a panic's text".to_owned()),
            // Files that cannot be removed stay until the next command.
            0 | 1 if !unfinished.is_empty() && !self.is_of_removing(output) => {
                Err(format!("left behind: {unfinished:?}"))
            }
            0 if tells > 0 => Err("an error, and exit code 0".to_owned()),
            0 => match result(dir, self.start.scenario.experiment)? == self.start.expected {
                true => Ok(Ending::WithResult),
                false => Err("exit code 0, and another result".to_owned()),
            },
            // The fault may have hit the output of the message.
            1 if tells == 1 || failed_trials || self.fault.call == "write" => Ok(Ending::WithMessage),
            1 => Err(format!("{tells} messages")),
            _ => Err("neither a result nor a message".to_owned()),
        }
    }

    /// Returns whether the fault hit the removal of files. That gives a message, or the next
    /// command removes a temporary file.
    fn is_of_removing(&self, output: &CommandOutput) -> bool {
        let calls = ["unlinkat", "rmdir", "unlink"];
        calls.contains(&&*self.fault.call) || output.stderr.contains("error: cannot remove ")
    }

    /// Runs the same command again without a fault, or `resume`.
    fn go_on(&self, dir: &TestDir) -> Result<(), String> {
        let Scenario { name, command, experiment, .. } = *self.start.scenario;
        let runs = runs(dir, experiment);
        let run = runs.first().map(|run| run.to_str().unwrap().to_owned());
        let output = match (name, &run) {
            ("train", Some(run)) => dir.run(&["resume", run]),
            _ => dir.run(command),
        };
        let had_ended = name != "study" && output.stderr.contains(" is finished: ");
        if output.code != 0 && !had_ended {
            return Err(format!("does not go on: exit {}: {}", output.code, output.stderr));
        }
        match &temp_files_in(&dir.path().join("artifacts"))[..] {
            [] => Ok(()),
            left => Err(format!("left behind by the next command: {left:?}")),
        }
    }
}

/// Returns all files below `folder` with their sizes.
fn list_files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        match metadata.is_dir() {
            true => found.extend(list_files(&entry.path())),
            false => found.push((entry.path(), metadata.len())),
        }
    }
    found.sort();
    found
}

/// Draws the requested number of `cases` by `seed`, in turn one of each scenario, call and effect.
fn draw(cases: Vec<Case<'_>>, wanted: usize, seed: u64) -> Vec<Case<'_>> {
    let mut rng = Rng::new(seed);
    let mut drawn: HashMap<String, usize> = HashMap::new();
    let mut shuffled: Vec<(f64, Case<'_>)> = cases.into_iter().map(|case| (rng.next_f64(), case)).collect();
    shuffled.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut in_turns: Vec<(usize, Case<'_>)> = Vec::new();
    for (_, case) in shuffled {
        let Fault { call, error, .. } = &case.fault;
        let turn = drawn.entry(format!("{} {call} {error:?}", case.start.scenario.name)).or_default();
        in_turns.push((*turn, case));
        *turn += 1;
    }
    in_turns.sort_by_key(|(turn, _)| *turn);
    in_turns.into_iter().map(|(_, case)| case).take(wanted).collect()
}

fn strace_works() -> bool {
    let output =
        Command::new("strace").args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "true"]).output();
    output.is_ok_and(|output| output.status.success())
}

fn env_var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[test]
fn no_fault_changes_a_result_or_ends_without_a_message() {
    if !strace_works() {
        assert!(env_var("SMALLNET_REQUIRE_STRACE").is_none(), "strace is missing or may not trace here");
        eprintln!("passed over: strace is missing, or this machine lets nobody trace");
        return;
    }
    let only = env_var("SMALLNET_WALK_ONLY");
    let starts: Vec<Start> = SCENARIOS.iter().map(Start::new).collect();
    let all = starts.iter().flat_map(Start::cases);
    // `SMALLNET_WALK_ONLY='train mmap'` selects some of the cases.
    let all: Vec<_> =
        all.filter(|case| only.as_ref().is_none_or(|only| case.name().contains(only))).collect();
    let num_all = all.len();
    let wanted = match env_var("SMALLNET_WALK").as_deref() {
        Some("all") => num_all,
        Some(number) => number.parse().expect("SMALLNET_WALK is `all` or a number"),
        None => PART,
    };
    let seed = env_var("SMALLNET_WALK_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let cases = draw(all, wanted, seed);
    eprintln!("{} of {num_all} faults, drawn with seed {seed}", cases.len());

    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let ends: Mutex<BTreeMap<(&str, bool, Ending), usize>> = Mutex::default();
    let problems: Mutex<Vec<String>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match case.run() {
                        Ok(ended) => {
                            let key = (case.start.scenario.name, case.fault.error.is_none(), ended);
                            *ends.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
                        }
                        Err(problem) => {
                            let problem = format!("{}: {problem}", case.name());
                            eprintln!("{problem}");
                            problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
                        }
                    }
                }
            });
        }
    });
    for ((scenario, is_kill, ended), count) in ends.into_inner().unwrap() {
        eprintln!("{scenario}, {}: {count} {ended:?}", if is_kill { "kills" } else { "errors" });
    }
    let problems = problems.into_inner().unwrap();
    eprintln!("{} problems in {} s", problems.len(), start.elapsed().as_secs());
    assert!(
        problems.is_empty(),
        "{} of {} faults ended badly:\n{}",
        problems.len(),
        cases.len(),
        problems.join("\n")
    );
}

impl Case<'_> {
    fn name(&self) -> String {
        let Fault { call, when, error } = &self.fault;
        format!("{} {call} {when} {}", self.start.scenario.name, error.unwrap_or("KILL"))
    }
}
