"""Sends finished runs to an MLflow server by its REST API, without any package.

    python to_mlflow.py http://127.0.0.1:5000 artifacts/*/2*
"""
import datetime, json, pathlib, sys, tomllib, urllib.request

def post(what, **body):
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{sys.argv[1]}/api/2.0/mlflow/{what}", json.dumps(body).encode(), head)
    return json.load(urllib.request.urlopen(request))

def flat(table, prefix=""):
    for key, value in table.items():
        yield from flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, str(value))]

for folder in (path.parent for text in sys.argv[2:] for path in pathlib.Path(text).glob("summary.json")):
    config = tomllib.loads((folder / "config.toml").read_text())
    info, result = (json.loads((folder / name).read_text()) for name in ("run.json", "summary.json"))
    start, end = (round(datetime.datetime.fromisoformat(info[key]).timestamp() * 1000) for key in ("started", "ended"))
    found = post("experiments/search", max_results=1, filter=f"name = '{config['name']}'").get("experiments")
    experiment = found[0] if found else post("experiments/create", name=config["name"])
    run = post("runs/create", experiment_id=experiment["experiment_id"], run_name=folder.name, start_time=start)["run"]["info"]["run_id"]
    epochs = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    rows = [(key, value, epoch["epoch"]) for epoch in epochs for key, value in epoch.items() if key != "epoch"]
    rows += [(key, result[key], len(epochs)) for key in ("test_accuracy", "test_loss")]
    metrics = [{"key": key, "value": value, "timestamp": end, "step": step} for key, value, step in rows if value is not None]
    for first in range(0, len(metrics), 1000):  # the most that the server takes at once
        post("runs/log-batch", run_id=run, metrics=metrics[first:first + 1000])
    post("runs/log-batch", run_id=run, params=[{"key": key, "value": value} for key, value in flat(config)])
    post("runs/update", run_id=run, status="FINISHED", end_time=end)
