//! A fault at the N-th system call of each thread, for every N: the call fails, or the process is killed in it. strace makes
//! the faults. A part of them, drawn by a seed, runs with all tests; `SMALLNET_WALK=all` makes every one.
//!
//! After each fault the program must have ended in time, with exit code 0 and the right result or with one message, and
//! with nothing half-written; the same command (or `resume`) then ends with the weights of an undisturbed run.
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

/// Faults in a run of all tests.
const PART: usize = 300;
/// Nothing takes so long, even on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// Calls that end a thread or wait for another one, and what only asks for the time.
const LEFT_OUT: &str = "futex,execve,exit,exit_group,rt_sigreturn,sched_yield,clock_gettime,clock_nanosleep,nanosleep,\
    restart_syscall,gettimeofday";

/// A command that is disturbed.
struct Scenario {
    name: &'static str,
    command: &'static [&'static str],
    /// Makes what the command starts from.
    prepare: fn(&TestDir),
    /// The experiment whose only run has the result.
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
        prepare: |place| {
            assert_eq!(place.run(TRAIN).code, 0);
            rename_run(place);
        },
        experiment: "n",
    },
    Scenario {
        name: "resume",
        command: &["resume", "--threads=1", "artifacts/n/run"],
        prepare: |place| {
            // Killed while the third epoch's line is written: the first epoch's checkpoint is whole by then.
            let fault = Fault { call: "fdatasync".to_owned(), when: 3, error: None };
            assert_eq!(disturbed(place, LONGER, &fault).1.code, -9);
            rename_run(place);
        },
        experiment: "n",
    },
    Scenario {
        name: "study",
        command: &["study", "--threads=2", "--data=data", "--set=data.validation=50", "s.toml"],
        prepare: |place| drop(place.write("s.toml", STUDY)),
        experiment: "s-best",
    },
];

/// What happens at the `when`-th `call` of each thread: this error, or the end of the process.
#[derive(Debug, Clone)]
struct Fault {
    call: String,
    when: usize,
    error: Option<&'static str>,
}

/// The errors that a call is tried with.
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

/// Gives the only run a name that is known beforehand.
fn rename_run(place: &TestDir) {
    let run = runs(place, "n").pop().expect("a run");
    fs::rename(&run, run.with_file_name("run")).unwrap();
}

/// The folders of an experiment's runs.
fn runs(place: &TestDir, experiment: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(place.path().join("artifacts").join(experiment)) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with(".tmp")).collect()
}

/// What is not finished under `folder`.
fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.file_name().unwrap().to_str().unwrap().starts_with(".tmp") {
            found.push(path);
        } else if path.is_dir() {
            found.extend(leftovers(&path));
        }
    }
    found
}

/// What a command left: the digest of the weights and the metrics, without times, of the only run.
fn result(place: &TestDir, experiment: &str) -> Result<String, String> {
    let runs = runs(place, experiment);
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

/// smallnet under strace with `options`; its log is in `log` beside the folder.
fn traced(place: &TestDir, options: &[&str], args: &[&str]) -> CommandOutput {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "log"]).args(options);
    command.arg(env!("CARGO_BIN_EXE_smallnet")).args(args);
    command.current_dir(place.path()).env_remove("CARGO").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
    let group = format!("-{}", child.id());
    let (ended, end) = channel::<()>();
    let watchdog = thread::spawn(move || {
        let late = end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        if late {
            Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
        }
        late
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    let signal = output.status.signal();
    let mut ran = CommandOutput::new(output);
    ran.code = signal.map_or(ran.code, |signal| -signal);
    if watchdog.join().unwrap() {
        ran.code = -1000;
    }
    ran
}

/// Runs a command with a fault, and says whether that came about.
fn disturbed(place: &TestDir, args: &[&str], fault: &Fault) -> (bool, CommandOutput) {
    let Fault { call, when, error } = fault;
    let effect = match error {
        None => "signal=KILL".to_owned(),
        // To refuse, this one gives no error, but an end of the heap that is not the one asked for.
        Some(_) if call == "brk" => "retval=0".to_owned(),
        Some(error) => format!("error={error}"),
    };
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{effect}:when={when}"));
    // Errors stop the program in this call alone, which is faster. Signals do not come then.
    let stops: &[&str] = if error.is_some() { &["--seccomp-bpf"] } else { &[] };
    let ran = traced(place, &[stops, &["-e", &trace, "-e", &inject]].concat(), args);
    let log = fs::read_to_string(place.path().join("log")).unwrap_or_default();
    fs::remove_file(place.path().join("log")).unwrap();
    let made = match error {
        Some(_) => log.contains("(INJECTED)"),
        None => ran.code == -9,
    };
    (made, ran)
}

/// How often each call is made by the thread that makes it most often; and how often by the main thread before smallnet's
/// own code begins.
fn calls(place: &TestDir, args: &[&str]) -> BTreeMap<String, (usize, usize)> {
    let ran = traced(place, &["-e", &format!("trace=!{LEFT_OUT}")], args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let log = place.read("log");
    fs::remove_file(place.path().join("log")).unwrap();
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let mut calls: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut has_begun = false;
    for line in log.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            continue;
        }
        // The first thing that smallnet asks of the system.
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

/// A case: a scenario with what it starts from, how an undisturbed run ends, and the fault.
struct Case<'a> {
    start: &'a Start,
    fault: Fault,
    /// Whether it may hit the loader and the language's runtime, before smallnet's own code begins.
    may_be_early: bool,
}

struct Start {
    scenario: &'static Scenario,
    place: TestDir,
    expected: String,
    calls: BTreeMap<String, (usize, usize)>,
}

impl Start {
    fn new(scenario: &'static Scenario) -> Self {
        let place = TestDir::new();
        place.digits(120, 40);
        (scenario.prepare)(&place);
        let undisturbed = copy(&place);
        let calls = calls(&undisturbed, scenario.command);
        let expected = result(&undisturbed, scenario.experiment).unwrap();
        Self { scenario, place, expected, calls }
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

fn copy(place: &TestDir) -> TestDir {
    let copy = TestDir::new();
    let from = place.path().join(".");
    assert!(Command::new("cp").arg("-a").arg(from).arg(copy.path()).status().unwrap().success());
    copy
}

/// How a disturbed command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    /// The fault's moment did not come.
    Undisturbed,
    WithTheResult,
    WithAMessage,
    Killed,
    /// Before smallnet's own code began, and with nothing touched.
    Early,
}

impl Case<'_> {
    /// Makes the fault, and says how that ended or what is wrong with it.
    fn run(&self) -> Result<Ended, String> {
        let Scenario { command, experiment, .. } = self.start.scenario;
        let place = copy(&self.start.place);
        let before = listing(place.path());
        let (made, ran) = disturbed(&place, command, &self.fault);
        let ended = match self.judge(&place, &ran) {
            Ok(ended) => ended,
            // Nobody else can say anything there.
            Err(_) if self.may_be_early && ran.code != 0 && listing(place.path()) == before => Ended::Early,
            Err(problem) => {
                return Err(format!(
                    "{problem}\n  exit {}\n  {}",
                    ran.code,
                    ran.stderr.replace('\n', "\n  ")
                ));
            }
        };
        if ended != Ended::WithTheResult {
            self.go_on(&place)?;
        }
        match result(&place, experiment)? == self.start.expected {
            true if made => Ok(ended),
            true => Ok(Ended::Undisturbed),
            false => Err("another result".to_owned()),
        }
    }

    fn judge(&self, place: &TestDir, ran: &CommandOutput) -> Result<Ended, String> {
        let mut unfinished = leftovers(&place.path().join("artifacts"));
        // What a kill had left there before is cleared away by who gets so far.
        let names = |path: &PathBuf| path.file_name().unwrap().to_owned();
        let earlier: Vec<_> =
            leftovers(&self.start.place.path().join("artifacts")).iter().map(names).collect();
        unfinished.retain(|path| !earlier.contains(&names(path)));
        let tells = ran.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        let failed_trials = ran.stderr.contains(" failed; the same command tries again:");
        match ran.code {
            -9 if self.fault.error.is_none() => Ok(Ended::Killed),
            0 | 1 if ran.stderr.contains("panicked") => Err("a panic's text".to_owned()),
            // What cannot be removed stays until the next time.
            0 | 1 if !unfinished.is_empty() && !self.is_of_removing(ran) => {
                Err(format!("left behind: {unfinished:?}"))
            }
            0 if tells > 0 => Err("an error, and exit code 0".to_owned()),
            0 => match result(place, self.start.scenario.experiment)? == self.start.expected {
                true => Ok(Ended::WithTheResult),
                false => Err("exit code 0, and another result".to_owned()),
            },
            // The message itself may be what could not be written.
            1 if tells == 1 || failed_trials || self.fault.call == "write" => Ok(Ended::WithAMessage),
            1 => Err(format!("{tells} messages")),
            _ => Err("neither a result nor a message".to_owned()),
        }
    }

    /// Whether it hit the removal of files, which is then told or, of a temporary one, left to the next command.
    fn is_of_removing(&self, ran: &CommandOutput) -> bool {
        let calls = ["unlinkat", "rmdir", "unlink"];
        calls.contains(&&*self.fault.call) || ran.stderr.contains("error: cannot remove ")
    }

    /// The same again without a fault, or `resume`.
    fn go_on(&self, place: &TestDir) -> Result<(), String> {
        let Scenario { name, command, experiment, .. } = *self.start.scenario;
        let runs = runs(place, experiment);
        let run = runs.first().map(|run| run.to_str().unwrap().to_owned());
        let ran = match (name, &run) {
            ("train", Some(run)) => place.run(&["resume", run]),
            _ => place.run(command),
        };
        let had_ended = name != "study" && ran.stderr.contains(" is finished: ");
        if ran.code != 0 && !had_ended {
            return Err(format!("does not go on: exit {}: {}", ran.code, ran.stderr));
        }
        match &leftovers(&place.path().join("artifacts"))[..] {
            [] => Ok(()),
            left => Err(format!("left behind by the next command: {left:?}")),
        }
    }
}

/// All files below `folder` with their sizes.
fn listing(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        match metadata.is_dir() {
            true => found.extend(listing(&entry.path())),
            false => found.push((entry.path(), metadata.len())),
        }
    }
    found.sort();
    found
}

/// As many of `cases` as are wanted: in turn one of each scenario, call and effect, drawn by `seed`.
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
    let ran = Command::new("strace").args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "true"]).output();
    ran.is_ok_and(|output| output.status.success())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[test]
fn no_fault_changes_a_result_or_ends_without_a_message() {
    if !strace_works() {
        assert!(variable("SMALLNET_REQUIRE_STRACE").is_none(), "strace is missing or may not trace here");
        eprintln!("passed over: strace is missing, or this machine lets nobody trace");
        return;
    }
    let only = variable("SMALLNET_WALK_ONLY");
    let starts: Vec<Start> = SCENARIOS.iter().map(Start::new).collect();
    let all = starts.iter().flat_map(Start::cases);
    // `SMALLNET_WALK_ONLY='train mmap'` looks closer at some of them.
    let all: Vec<_> =
        all.filter(|case| only.as_ref().is_none_or(|only| case.name().contains(only))).collect();
    let num_all = all.len();
    let wanted = match variable("SMALLNET_WALK").as_deref() {
        Some("all") => num_all,
        Some(number) => number.parse().expect("SMALLNET_WALK is `all` or a number"),
        None => PART,
    };
    let seed = variable("SMALLNET_WALK_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let cases = draw(all, wanted, seed);
    eprintln!("{} of {num_all} faults, drawn with seed {seed}", cases.len());

    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let ends: Mutex<BTreeMap<(&str, bool, Ended), usize>> = Mutex::default();
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
