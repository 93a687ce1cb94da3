"""Writes finished runs into Trackio's local database: `pip install trackio`.

    python to_trackio.py my-project artifacts/*/2* && trackio show --project my-project
"""
import json, pathlib, sys, tomllib, trackio

for folder in (path.parent for text in sys.argv[2:] for path in pathlib.Path(text).glob("summary.json")):
    config = tomllib.loads((folder / "config.toml").read_text())
    trackio.init(project=sys.argv[1], group=config.pop("name"), name=folder.name, config=config)
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        epoch = json.loads(line)
        trackio.log({key: value for key, value in epoch.items() if value is not None}, step=epoch["epoch"])
    result = json.loads((folder / "summary.json").read_text())
    trackio.log({key: result[key] for key in ("test_accuracy", "test_loss")}, step=result["num_epochs"])
    trackio.finish()
