"""Checks the files for trackers with the trackers themselves.

    python tests/interop/tracking.py target/release/smallnet [tensorboard mlflow wandb trackio]

Each tracker that is named, or all four, must be installed beside this Python. smallnet trains on its own
MNIST in a temporary folder; no connection leaves this machine.

tensorboard: what TensorBoard's own reader and its server find in the event files of a run, of a run that is
             killed and resumed while TensorBoard is open, and of a study.
mlflow:      examples/tracking/to_mlflow.py against a real local server.
wandb:       examples/tracking/to_wandb.py offline; the file is read with W&B's own messages.
trackio:     examples/tracking/to_trackio.py; the database is read with Trackio.
"""

import contextlib
import csv
import json
import math
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "tracking"
SMALLNET = str(pathlib.Path(sys.argv[1]).resolve())
TAGS = {
    "loss/train": "train_loss",
    "accuracy/train": "train_accuracy",
    "loss/validation": "validation_loss",
    "accuracy/validation": "validation_accuracy",
    "learning_rate": "learning_rate",
    "time/epoch_seconds": "seconds",
    "time/images_per_second": "images_per_second",
}
TRAIN = [SMALLNET, "train", "--quiet", "--track", "tensorboard,csv", "--set", "data.validation=10000"]


def train(*more):
    """Trains a run and returns its folder."""
    output = subprocess.run([*TRAIN, "--json", *more], check=True, capture_output=True, text=True).stdout
    return pathlib.Path(json.loads(output.splitlines()[-1])["run"])


def epochs_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def is_close(value, expected):
    """Whether `value`, a number of 32 bits, is `expected`."""
    return math.isclose(value, expected, rel_tol=1e-6)


def wait_for(condition, what):
    end = time.time() + 120
    while time.time() < end:
        with contextlib.suppress(OSError):
            if found := condition():
                return found
        time.sleep(0.1)
    raise SystemExit(f"waited two minutes for {what}")


@contextlib.contextmanager
def server(command, path):
    """Starts a server with its port at the end of `command`, and waits until it answers `path`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open("server.log", "w") as log:
        process = subprocess.Popen([*command, str(port)], stdout=log, stderr=log, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: urllib.request.urlopen(address + path), command[2])
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def request(address, body=None):
    head = {"Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return json.load(urllib.request.urlopen(urllib.request.Request(address, data, head)))


def check_scalars(accumulator, run):
    """The reader has each epoch of the run once, in order, with its values."""
    epochs = epochs_of(run)
    for tag, key in TAGS.items():
        found = accumulator.Scalars(tag)
        assert [scalar.step for scalar in found] == [epoch["epoch"] for epoch in epochs], (tag, found)
        assert all(is_close(scalar.value, epoch[key]) for scalar, epoch in zip(found, epochs)), tag
        times = [scalar.wall_time for scalar in found]
        assert times == sorted(times), times


def check_tensorboard():
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    run = train("hidden", "--epochs", "3")
    accumulator = EventAccumulator(str(run / "tensorboard"))
    accumulator.Reload()
    check_scalars(accumulator, run)
    result = json.loads((run / "summary.json").read_text())
    for tag, key in (("accuracy/test", "test_accuracy"), ("loss/test", "test_loss")):
        (scalar,) = accumulator.Scalars(tag)
        assert scalar.step == 3 and is_close(scalar.value, result[key])
    assert sorted(accumulator.Tags()["images"]) == ["confusion", "weights"]
    (text,) = accumulator.Tensors("experiment")
    assert text.tensor_proto.string_val[0].decode() == f"```toml\n{(run / 'config.toml').read_text()}```"
    content = accumulator.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    assert start.hparams["optimizer.learning_rate"].number_value == 0.1, start.hparams
    assert start.hparams["model.activation"].string_value == "relu"
    with open(run / "metrics.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == [epoch["validation_loss"] for epoch in epochs_of(run)]

    # A run that is killed and resumed while TensorBoard is open.
    process = subprocess.Popen([*TRAIN, "hidden", "--name", "killed", "--epochs", "1000"])
    num_epochs = lambda: sum(len(epochs_of(run)) for run in pathlib.Path("artifacts").glob("killed/2*"))
    wait_for(lambda: num_epochs() >= 2, "two epochs")
    (run,) = pathlib.Path("artifacts").glob("killed/2*")
    accumulator = EventAccumulator(str(run / "tensorboard"))
    accumulator.Reload()
    assert len(accumulator.Scalars("loss/train")) >= 2, "readable while training runs"
    process.kill()
    process.wait()
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", "artifacts", "--reload_interval", "1", "--port"]
    with server(command, "/data/runs") as address:
        scalars = address + "/data/plugin/scalars/scalars?tag=loss%2Ftrain&run="
        steps = lambda run: [row[1] for row in request(scalars + str(run.relative_to("artifacts") / "tensorboard"))]
        before = wait_for(lambda: steps(run), "the killed run")
        resume = [SMALLNET, "resume", "--quiet", str(run), "--epochs", str(num_epochs() + 2)]
        subprocess.run(resume, check=True)
        epochs = epochs_of(run)
        expected = list(range(1, len(epochs) + 1))
        assert len(expected) > len(before)
        wait_for(lambda: len(steps(run)) >= len(expected), "the resumed run")
        assert steps(run) == expected, (steps(run), expected)
        accumulator.Reload()
        assert [scalar.step for scalar in accumulator.Scalars("loss/train")] == expected, "in an open reader"
        fresh = EventAccumulator(str(run / "tensorboard"))
        fresh.Reload()
        check_scalars(fresh, run)

    # A study: a group for each configuration, whose metric is the mean of its folds and seeds.
    pathlib.Path("s.toml").write_text(
        "folds = 3\nseeds = [1, 2]\n[set]\ntraining.num_epochs = 2\n[vary]\noptimizer.learning_rate = [0.01, 0.1, 1.0]\n"
    )
    subprocess.run([SMALLNET, "study", "--quiet", "s.toml", "--track", "tensorboard"], check=True)
    trials = [json.loads(line) for line in pathlib.Path("artifacts/studies/s/trials.jsonl").read_text().splitlines()]
    command[4] = "artifacts/studies/s/tensorboard"
    with server(command, "/data/runs") as address:
        metric = {"group": "", "tag": "accuracy/result"}
        body = {
            "experimentName": "", "allowedStatuses": ["STATUS_SUCCESS"], "startIndex": 0, "sliceSize": 100,
            "colParams": [{"metric": metric}], "aggregationType": "AGGREGATION_AVG",
        }
        address += "/data/plugin/hparams/"
        find = lambda: request(address + "session_groups", body).get("sessionGroups", [])
        wait_for(lambda: sum(len(group["sessions"]) for group in find()) == 18, "18 sessions")
        groups = find()
        assert len(groups) == 3, groups
        for group in groups:
            rate = group["hparams"]["optimizer.learning_rate"]
            of_rate = [t["accuracy"] for t in trials if float(dict(t["setting"]["values"])["optimizer.learning_rate"]) == rate]
            assert len(group["sessions"]) == len(of_rate) == 6
            mean = next(v["value"] for v in group["metricValues"] if v["name"]["tag"] == metric["tag"])
            assert is_close(mean, sum(of_rate) / 6), (mean, of_rate)


def check_mlflow():
    runs = [train("--epochs", "2", "--seed", seed) for seed in ("1", "2")]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "files", "--port"]
    with server(command, "/health") as address:
        subprocess.run([sys.executable, EXAMPLES / "to_mlflow.py", address, *runs], check=True)
        api = address + "/api/2.0/mlflow/"
        (experiment,) = request(api + "experiments/search", {"max_results": 9, "filter": "name = 'softmax'"})["experiments"]
        found = request(api + "runs/search", {"experiment_ids": [experiment["experiment_id"]]})["runs"]
        by_name = {run["info"]["run_name"]: run for run in found}
        assert sorted(by_name) == sorted(run.name for run in runs)
        for run in runs:
            info, data = by_name[run.name]["info"], by_name[run.name]["data"]
            assert info["status"] == "FINISHED" and info["end_time"] > info["start_time"]
            metrics = {metric["key"]: metric["value"] for metric in data["metrics"]}
            assert metrics["test_accuracy"] == json.loads((run / "summary.json").read_text())["test_accuracy"]
            assert {"key": "optimizer.learning_rate", "value": "1.0"} in data["params"]
            query = f"metrics/get-history?run_id={info['run_id']}&metric_key=validation_loss"
            history = [(row["step"], row["value"]) for row in request(api + query)["metrics"]]
            assert history == [(epoch["epoch"], epoch["validation_loss"]) for epoch in epochs_of(run)]


def log_records(data):
    """Records of a `.wandb` file: 7 bytes, then LevelDB's log format in blocks of 32 KiB."""
    position, record = 7, b""
    while position + 7 <= len(data):
        if 32768 - position % 32768 < 7:  # the rest of a block is too short for a head
            position += 32768 - position % 32768
            continue
        length, kind = struct.unpack_from("<HB", data, position + 4)
        record += data[position + 7:position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield record
            record = b""


def check_wandb():
    from wandb.proto.wandb_internal_pb2 import Record

    run = train("--epochs", "2")
    subprocess.run([SMALLNET, "weights", "--quiet", str(run)], check=True)
    environment = {**os.environ, "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    subprocess.run([sys.executable, EXAMPLES / "to_wandb.py", "smallnet", run], check=True, env=environment)
    (file,) = pathlib.Path("wandb").glob("offline-run-*/run-*.wandb")
    history, summary, config = [], {}, {}
    for record in map(Record.FromString, log_records(file.read_bytes())):
        key = lambda item: item.key or "/".join(item.nested_key)
        if row := {key(item): json.loads(item.value_json) for item in record.history.item}:
            history.append(row)
        summary.update({key(item): json.loads(item.value_json) for item in record.summary.update})
        config.update({item.key: json.loads(item.value_json) for item in record.run.config.update})
    losses = [(row["epoch"], row["validation_loss"]) for row in history if "validation_loss" in row]
    assert losses == [(epoch["epoch"], epoch["validation_loss"]) for epoch in epochs_of(run)], history
    assert any("weights" in row or "weights/_type" in row for row in history), history
    assert summary["test_accuracy"] == json.loads((run / "summary.json").read_text())["test_accuracy"]
    assert config["optimizer"]["learning_rate"] == 1.0


def check_trackio():
    os.environ["TRACKIO_DIR"] = str(pathlib.Path("trackio").resolve())
    run = train("--epochs", "2")
    subprocess.run([sys.executable, EXAMPLES / "to_trackio.py", "smallnet", run], check=True)
    get = [sys.executable, "-m", "trackio.cli", "get"]
    of_run = ["--project", "smallnet", "--run", run.name, "--json"]
    metric = lambda name: json.loads(subprocess.check_output([*get, "metric", *of_run, "--metric", name]))["values"]
    losses = [(row["step"], row["value"]) for row in metric("validation_loss")]
    assert losses == [(epoch["epoch"], epoch["validation_loss"]) for epoch in epochs_of(run)], losses
    test = json.loads((run / "summary.json").read_text())["test_accuracy"]
    assert [row["value"] for row in metric("test_accuracy")] == [test]
    config = json.loads(subprocess.check_output([*get, "run", *of_run]))["config"]
    assert config["optimizer"]["learning_rate"] == 1.0, config


CHECKS = {"tensorboard": check_tensorboard, "mlflow": check_mlflow, "wandb": check_wandb, "trackio": check_trackio}

for name in sys.argv[2:] or CHECKS:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        begun = time.time()
        CHECKS[name]()
        print(f"{name}: as expected ({time.time() - begun:.1f} s)", flush=True)
