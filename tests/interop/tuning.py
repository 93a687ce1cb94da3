"""Runs the examples of docs/tuning.md against the real tuners, and reads a study's journal with Optuna.

    python tests/interop/tuning.py PATH_TO_SMALLNET [PART ...]

Needs optuna, optuna-dashboard, submitit and PyYAML (which optuna brings). With wandb, W&B's own code
expands the sweep's command and takes the figures, offline; without it, the expansion is that of
wandb 0.31 (`create_sweep_command_args`), and the part that needs wandb is left out and said so.
"""
import importlib.util, json, os, pathlib, subprocess, sys, tempfile, time, urllib.request

import optuna
import yaml

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "tuning"
SMALLNET = str(pathlib.Path(sys.argv[1]).resolve())
BIN = str(pathlib.Path(sys.executable).parent)
ENV = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
# Later settings replace the examples' own: fewer images and epochs, so that a trial takes 0.1 s.
QUICK = ["--threads", "1", "--set", "data.validation=55000"]
optuna.logging.set_verbosity(optuna.logging.WARNING)


def run(words, code=0, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV, **more)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done


def records(name, file):
    return [json.loads(path.read_text()) for path in sorted(pathlib.Path("artifacts", name).glob(f"*/{file}"))]


def check_untested(name, expected):
    """All runs are without a test, except the one that was chosen and evaluated afterwards."""
    summaries = records(name, "summary.json")
    assert len(summaries) == expected, (name, len(summaries))
    assert all(0 < summary["validation_accuracy"] < 1 for summary in summaries), summaries
    assert all(info["no_test"] for info in records(name, "run.json"))
    return [summary for summary in summaries if summary["test_accuracy"] is not None]


def ask_and_tell():
    done = run([sys.executable, EXAMPLES / "optuna_ask_tell.py", SMALLNET, "4", "--epochs", "1", *QUICK])
    tested = check_untested("tuned", 4)
    best = max(records("tuned", "summary.json"), key=lambda summary: summary["validation_accuracy"])
    assert tested == [best] and f"test accuracy {best['test_accuracy']}" in done.stdout, done.stdout
    # A training that diverges is a failed trial, and the study goes on.
    run([sys.executable, EXAMPLES / "optuna_ask_tell.py", SMALLNET, "1", "--epochs", "1", "--lr", "1e38", *QUICK])
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("optuna.log"))
    states = [trial.state.name for trial in optuna.load_study(study_name="tuned", storage=storage).trials]
    assert states == ["COMPLETE"] * 4 + ["FAIL"], states


def pruning():
    done = run([sys.executable, EXAMPLES / "optuna_pruning.py", SMALLNET, "6", *QUICK])
    epochs = [summary["num_epochs"] for summary in records("pruned", "summary.json")]
    assert len(epochs) == 6 and set(epochs) <= {1, 3, 9} and 9 in epochs and 1 in epochs, epochs
    assert len(check_untested("pruned", 6)) == 1 and "test accuracy" in done.stdout
    # Honest: the run in three parts has the weights of one training of 9 epochs.
    resumed = next(path for path in pathlib.Path("artifacts/pruned").glob("*")
                   if json.loads((path / "summary.json").read_text())["num_epochs"] == 9)
    whole = run([SMALLNET, "train", resumed / "config.toml", "--name", "whole", "--epochs", "9", "--json", "--threads", "1"])
    summary = json.loads((resumed / "summary.json").read_text())
    assert json.loads(whole.stdout)["weights_sha256"] == summary["weights_sha256"]


def optuna_cli():
    done = run(["bash", EXAMPLES / "optuna_cli.sh", SMALLNET, "2", "--epochs", "1", *QUICK])
    best = max(summary["validation_accuracy"] for summary in records("cli", "summary.json"))
    assert check_untested("cli", 2) == []
    trial = json.loads(done.stdout)
    assert (trial["values"] if "values" in trial else [trial["value"]]) == [best], (trial, best)


def expand(command, args):
    """The command of a sweep's trial, as W&B's agent starts it."""
    if importlib.util.find_spec("wandb"):
        from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

        command = create_sweep_command(list(command))
        words = create_sweep_command_args({"args": {key: {"value": value} for key, value in args.items()}})
        words = words["args_no_hyphens"]
    else:
        words = [f"{key}={value}" for key, value in args.items()]
    place = command.index("${args_no_hyphens}")
    return command[:place] + words + command[place + 1:]


def wandb_sweep():
    sweep = yaml.safe_load((EXAMPLES / "wandb_sweep.yaml").read_text())
    assert sweep["metric"]["name"] == "validation_accuracy"
    # Values as the server draws them: a number, a whole number, a text; and a truth value of Python.
    args = {"optimizer.learning_rate": 0.37, "training.batch_size": 64, "model.hidden": "[64]",
            "data.validation": 10000, "training.num_epochs": 1, "optimizer.nesterov": False}
    command = expand(sweep["command"], args)
    plain = [SMALLNET if word == "smallnet" else word for word in command[command.index("smallnet"):]]
    record = json.loads(run(plain).stdout)
    config = (pathlib.Path(record["run"]) / "config.toml").read_text()
    for line in ["learning_rate = 0.37", "batch_size = 64", "hidden = [64]", "validation = 10000", "nesterov = false"]:
        assert line in config, (line, config)
    assert record["validation_accuracy"] > 0.5 and record["test_accuracy"] is None and record["no_test"], record
    if not importlib.util.find_spec("wandb"):
        return "wandb_trial.py not run: wandb is not installed"
    words = [sys.executable, EXAMPLES / "wandb_trial.py", *plain]
    offline = {**ENV, "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    subprocess.run(words, env=offline, check=True, stdout=subprocess.DEVNULL)
    assert list(pathlib.Path("wandb").glob("offline-run-*/*.wandb")), "W&B has no run"
    # A training that fails is a failed trial.
    failed = subprocess.run([*words, "optimizer.learning_rate=1e38"], env=offline,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert failed.returncode == 1


def submitit_jobs():
    # The example sets the threads itself.
    settings = QUICK[QUICK.index("--set"):]
    done = run([sys.executable, EXAMPLES / "submitit_rates.py", SMALLNET, "--epochs", "1", *settings])
    assert check_untested("rates", 6) == []
    assert done.stdout.count("validation accuracy 0.") == 3, done.stdout


STUDY = """
name = "journal"
base = "softmax"
seeds = [1, 2]
[set]
data.validation = 55000
training.num_epochs = 2
[vary]
model.hidden = [[], [16]]
optimizer.learning_rate = { from = 0.1, to = 1.0, num = 2, scale = "log" }
training.batch_size = { from = 64, to = 128, num = 2 }
"""


def journal():
    pathlib.Path("journal.toml").write_text(STUDY)
    command = [SMALLNET, "study", "journal.toml", "--json", "--no-test", "--journal", "study.log"]
    record = json.loads(run(command).stdout)
    assert record["journal"] == "study.log" and record["result"]["test_accuracy"] is None, record
    summary = record["summary"]
    best = summary["settings"][summary["best"]]
    load = lambda: optuna.load_study(study_name="journal", storage=optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend("study.log")))
    study = load()
    assert len(study.trials) == 8 and all(trial.state.name == "COMPLETE" for trial in study.trials)
    assert study.best_value == best["mean"], (study.best_value, best["mean"])
    texts = {key: str(value) for key, value in study.best_params.items()}
    assert texts == dict(best["setting"]["values"]), (texts, best["setting"])
    trial = study.best_trial
    seeds = [(one["seed"], one["fold"]) for one in trial.user_attrs["trials"]]
    assert seeds == [(1, None), (2, None)] and sorted(trial.intermediate_values) == [1, 2]
    mean = sum(one["value"] for one in trial.user_attrs["trials"]) / 2
    assert abs(mean - trial.value) < 1e-12 and abs(trial.intermediate_values[2] - mean) < 1e-6
    assert trial.duration.total_seconds() > 0 and "accuracy" in study.user_attrs["measure"]
    check_dashboard()
    # The same command again writes the same trials. After Optuna has gone on, it refuses.
    run(command)
    study = load()
    asked = study.ask({name: dist for name, dist in trial.distributions.items()})
    words = [f"{key}={value}" for key, value in asked.params.items()]
    told = json.loads(run([SMALLNET, "train", "--json", "--no-test", "--set", "data.validation=55000",
                           "training.num_epochs=2", *words]).stdout)
    study.tell(asked, told["validation_accuracy"])
    assert len(load().trials) == 9
    refused = run(command, code=2)
    assert "study.log` has lines that smallnet did not write" in refused.stderr, refused.stderr
    assert len(load().trials) == 9


def check_dashboard():
    port = 8000 + os.getpid() % 1000
    server = subprocess.Popen([pathlib.Path(BIN) / "optuna-dashboard", "--port", str(port), "study.log"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/studies/0?after=0") as answer:
                    shown = json.load(answer)
                break
            except OSError:
                time.sleep(0.1)
        assert shown["name"] == "journal" and len(shown["trials"]) == 8, shown
        assert shown["best_trials"], shown.keys()
    finally:
        server.terminate()
        server.wait()


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        parts = [ask_and_tell, pruning, optuna_cli, wandb_sweep, submitit_jobs, journal]
        for part in [part for part in parts if part.__name__ in (sys.argv[2:] or [part.__name__])]:
            start = time.monotonic()
            note = part()
            print(f"{part.__name__}: ok, {time.monotonic() - start:.1f} s" + (f" ({note})" if note else ""), flush=True)
        os.chdir("/")


main()
