//! Machines with many cores, and systems that give few threads: what is learned is the same.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Place, Ran};
use serde_json::Value;

/// A library that, loaded before all others, tells a process that it may use `CORES` cores, hides what limits it to fewer, and
/// gives it `THREADS` threads, if that is set.
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

/* The system gives so many threads and then no more. */
int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with) {
    static int given;
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
        dlsym(RTLD_NEXT, "pthread_create");
    const char *most = getenv("THREADS");
    if (most && __atomic_fetch_add(&given, 1, __ATOMIC_SEQ_CST) >= atoi(most)) return EAGAIN;
    return real(thread, how, run, with);
}
"#;

/// Builds the library with the C compiler, which Rust needs in any case.
fn shim(place: &Place) -> PathBuf {
    let (source, library) = (place.write("shim.c", SHIM), place.path().join("shim.so"));
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

fn with_shim(place: &Place, shim: &Path, cores: u64, args: &[&str]) -> Command {
    let mut command = place.command(args);
    command.env("LD_PRELOAD", shim).env("CORES", cores.to_string()).env_remove("RAYON_NUM_THREADS");
    command
}

/// 200 digits to learn from, of which some are held out, in batches that are not full at the end of an epoch.
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

fn record(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.stderr.contains("panicked")), (0, false), "{}", ran.stderr);
    serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap()
}

/// What must not depend on the number of threads.
fn result(place: &Place, record: &Value) -> (Value, Value, Vec<Value>) {
    (record["weights_sha256"].clone(), record["test_loss"].clone(), place.metrics(record))
}

/// The threads that the newest of the runs says it had.
fn threads(place: &Place, record: &Value) -> u64 {
    let info: Value = serde_json::from_str(&place.read(place.run_folder(record).join("run.json"))).unwrap();
    info["threads"].as_u64().unwrap()
}

/// The default, without `--threads`, on machines of 17, 32 and 64 cores.
#[test]
fn a_machine_of_many_cores_trains_what_one_core_trains() {
    let place = Place::new();
    place.digits(200, 100);
    let shim = shim(&place);
    let all = BATCH_SIZES.iter().flat_map(|size| NETWORKS.map(|hidden| (size, hidden, 17)));
    // Of the largest machines fewer: here, their cores take turns.
    for (batch_size, hidden, cores) in all.chain([32, 64].map(|cores| (&BATCH_SIZES[1], NETWORKS[1], cores)))
    {
        let alone = record(&place.run(&train(batch_size, hidden, &["--threads", "1"])));
        let mut command = with_shim(&place, &shim, cores, &train(batch_size, hidden, &[]));
        let many = record(&Ran::new(command.output().unwrap()));
        assert_eq!(threads(&place, &many), cores, "the default path was not taken");
        let (many, alone) = (result(&place, &many), result(&place, &alone));
        assert_eq!(many, alone, "{batch_size}, {hidden}, {cores} cores");
    }
}

/// The same with threads that are asked for, more than there is work for.
#[test]
fn any_number_of_threads_trains_what_one_thread_trains() {
    let place = Place::new();
    place.digits(200, 100);
    for (batch_size, hidden) in BATCH_SIZES.iter().flat_map(|size| NETWORKS.map(|hidden| (size, hidden))) {
        let mut known = None;
        for number in ["1", "2", "9", "70"] {
            let trained = record(&place.run(&train(batch_size, hidden, &["--threads", number])));
            let trained = result(&place, &trained);
            assert_eq!(
                *known.get_or_insert_with(|| trained.clone()),
                trained,
                "{batch_size}, {hidden}, {number}"
            );
        }
    }
}
