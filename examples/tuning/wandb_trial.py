"""Runs one trial of a W&B sweep: the command after it, whose JSON record goes to W&B.

    python wandb_trial.py smallnet train --json --no-test --set optimizer.learning_rate=0.1
"""
import json, pathlib, subprocess, sys
import wandb

done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
if done.returncode != 0:
    sys.exit(done.returncode)
record = json.loads(done.stdout)
run = wandb.init(config={"run": record["run"], "weights_sha256": record["weights_sha256"]})
for line in (pathlib.Path(record["run"]) / "metrics.jsonl").read_text().splitlines():
    epoch = json.loads(line)
    run.log({key: value for key, value in epoch.items() if value is not None}, step=epoch["epoch"])
# The value that the sweep optimises: that of the epoch whose weights are kept.
run.summary.update({key: record[key] for key in ("validation_accuracy", "validation_loss")})
run.finish()
