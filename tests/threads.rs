//! Machines with many cores and systems that allow few threads: the trained weights are the same.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{CommandOutput, TestDir};
use serde_json::Value;

/// Library that is loaded before all others. It reports `CORES` cores, hides the limits of
/// containers, and allows at most `THREADS` threads if that variable is set.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int cores(void) { return atoi(getenv("CORES")); }

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set) {
    memset(set, 0, size);
    for (int core = 0; core < cores(); core++) CPU_SET_S(core, size, set);
    return 0;
}

long sysconf(int name) {
    long (*real)(int) = dlsym(RTLD_NEXT, "sysconf");
    return name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF ? cores() : real(name);
}

/* A container's limit is in files; they are not there. */
static int is_limit(const char *path) {
    return strncmp(path, "/sys/fs/cgroup", 14) == 0 || strncmp(path, "/proc/self/cgroup", 17) == 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name); \
        va_list rest; \
        va_start(rest, flags); \
        int mode = flags & O_CREAT ? va_arg(rest, int) : 0; \
        va_end(rest); \
        if (is_limit(path)) { errno = ENOENT; return -1; } \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

/* The system gives so many threads at a time, the first one among them, and no more. */
static int alive = 1;
struct start { void *(*run)(void *); void *with; };

static void *counted(void *with) {
    struct start start = *(struct start *)with;
    free(with);
    void *result = start.run(start.with);
    __atomic_fetch_sub(&alive, 1, __ATOMIC_SEQ_CST);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with) {
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
        dlsym(RTLD_NEXT, "pthread_create");
    const char *most = getenv("THREADS");
    if (!most) return real(thread, how, run, with);
    if (__atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST) > atoi(most)) {
        __atomic_fetch_sub(&alive, 1, __ATOMIC_SEQ_CST);
        return EAGAIN;
    }
    struct start *start = malloc(sizeof *start);
    *start = (struct start){run, with};
    return real(thread, how, counted, start);
}
"#;

/// Builds the library with the C compiler, which Rust needs anyway.
fn shim(dir: &TestDir) -> PathBuf {
    let (source, library) = (dir.write("shim.c", SHIM), dir.path().join("shim.so"));
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

fn with_shim(dir: &TestDir, shim: &Path, cores: u64, args: &[&str]) -> Command {
    let mut command = dir.command(args);
    command.env("LD_PRELOAD", shim).env("CORES", cores.to_string()).env_remove("RAYON_NUM_THREADS");
    command
}

/// Returns the arguments of a training on 200 digits, 70 of them held out, whose last batch of an
/// epoch is not full.
fn train<'a>(batch_size: &'a str, hidden: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "--json",
        "train",
        "--set",
        "data.source=data",
        "--set",
        "data.validation=70",
        "--set",
        "optimizer.learning_rate=0.1",
        "--set",
        "training.num_epochs=2",
    ];
    let given = ["--set", batch_size, "--set", hidden];
    [fixed.as_slice(), &given, rest].concat()
}

const BATCH_SIZES: [&str; 3] = ["training.batch_size=8", "training.batch_size=64", "training.batch_size=128"];
const NETWORKS: [&str; 2] = ["model.hidden=[]", "model.hidden=[128, 20]"];

fn record(output: &CommandOutput) -> Value {
    assert_eq!((output.code, output.stderr.contains("panicked")), (0, false), "{}", output.stderr);
    serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap()
}

/// Returns the results that must not depend on the number of threads.
fn result(dir: &TestDir, record: &Value) -> (Value, Value, Vec<Value>) {
    (record["weights_sha256"].clone(), record["test_loss"].clone(), dir.metrics(record))
}

/// Returns the number of threads that a run has recorded.
fn threads(dir: &TestDir, record: &Value) -> u64 {
    let info: Value = serde_json::from_str(&dir.read(dir.run_folder(record).join("run.json"))).unwrap();
    info["threads"].as_u64().unwrap()
}

/// The default without `--threads` is tested on machines with 17, 32 and 64 cores.
#[test]
fn a_machine_of_many_cores_trains_what_one_core_trains() {
    let dir = TestDir::new();
    dir.digits(200, 100);
    let shim = shim(&dir);
    let all = BATCH_SIZES.iter().flat_map(|size| NETWORKS.map(|hidden| (size, hidden, 17)));
    // There are fewer cases with many cores, since the threads share the few cores of this machine.
    for (batch_size, hidden, cores) in all.chain([32, 64].map(|cores| (&BATCH_SIZES[1], NETWORKS[1], cores)))
    {
        let alone = record(&dir.run(&train(batch_size, hidden, &["--threads", "1"])));
        let mut command = with_shim(&dir, &shim, cores, &train(batch_size, hidden, &[]));
        let many = record(&CommandOutput::new(command.output().unwrap()));
        assert_eq!(threads(&dir, &many), cores, "the default path was not taken");
        let (many, alone) = (result(&dir, &many), result(&dir, &alone));
        assert_eq!(many, alone, "{batch_size}, {hidden}, {cores} cores");
    }
}

/// `--threads` may request more threads than there is work for.
#[test]
fn any_number_of_threads_trains_what_one_thread_trains() {
    let dir = TestDir::new();
    dir.digits(200, 100);
    for (batch_size, hidden) in BATCH_SIZES.iter().flat_map(|size| NETWORKS.map(|hidden| (size, hidden))) {
        let mut known = None;
        for number in ["1", "2", "9", "70"] {
            let trained = record(&dir.run(&train(batch_size, hidden, &["--threads", number])));
            let trained = result(&dir, &trained);
            assert_eq!(
                *known.get_or_insert_with(|| trained.clone()),
                trained,
                "{batch_size}, {hidden}, {number}"
            );
        }
    }
}

/// If the system allows few threads, fewer threads compute. If there are too few, there is one
/// message.
#[test]
fn threads_that_cannot_be_had_are_done_without() {
    let dir = TestDir::new();
    dir.digits(200, 100);
    let shim = shim(&dir);
    let args = train(BATCH_SIZES[1], NETWORKS[1], &[]);
    let alone = record(&dir.run(&train(BATCH_SIZES[1], NETWORKS[1], &["--threads", "1"])));
    let mut finished = Vec::new();
    for given in (1..64).step_by(3).chain([100, 1000]) {
        let mut command = with_shim(&dir, &shim, 16, &args);
        let output = CommandOutput::new(
            command.env("THREADS", given.to_string()).env_remove("RUST_BACKTRACE").output().unwrap(),
        );
        if output.code == 0 {
            let many = record(&output);
            assert_eq!(result(&dir, &many), result(&dir, &alone), "{given} threads");
            finished.push((given, threads(&dir, &many)));
        } else {
            let is_one_message =
                output.stderr.matches("error: ").count() == 1 && !output.stderr.contains("panicked");
            assert!(output.code == 1 && is_one_message, "{given} threads: {} {}", output.code, output.stderr);
            // The compute threads leave enough threads for the rest of the program.
            assert!(given < 20, "{given} threads: {}", output.stderr);
        }
    }
    let has_some = |wanted: &dyn Fn(u64) -> bool| finished.iter().any(|&(_, threads)| wanted(threads));
    assert!(has_some(&|threads| threads == 16) && has_some(&|threads| threads < 16), "{finished:?}");
}

/// If no thread can be started, there is a message before any work. If fewer threads than requested
/// can be started, there is a warning, and the training uses those.
#[test]
fn what_cannot_be_had_is_said() {
    let dir = TestDir::new();
    dir.digits(200, 100);
    let shim = shim(&dir);
    let mut command = with_shim(&dir, &shim, 16, &train(BATCH_SIZES[1], NETWORKS[0], &[]));
    let none = CommandOutput::new(command.env("THREADS", "1").output().unwrap());
    none.assert_error(
        1,
        "cannot start a thread: Resource temporarily unavailable (os error 11)\n\nhint: the system, or a limit such as \
         `ulimit -u` or `ulimit -v`, leaves too few threads or too little memory",
    );
    assert!(!dir.path().join("artifacts").exists());
    let mut command = with_shim(&dir, &shim, 16, &train(BATCH_SIZES[1], NETWORKS[0], &["--threads", "60"]));
    let few = CommandOutput::new(command.env("THREADS", "41").output().unwrap());
    // These are half of the forty threads beside the first.
    assert_eq!(threads(&dir, &record(&few)), 20);
    assert_eq!(few.stderr.lines().next(), Some("warning: 60 threads cannot be had: there are 20"));
}
