"""Sends finished runs to Weights & Biases: `pip install wandb`.

    WANDB_MODE=offline python to_wandb.py my-project artifacts/*/2*

Without WANDB_MODE=offline, the runs go to the server that `wandb login` names.
"""
import json, pathlib, sys, tomllib, wandb

for folder in (path.parent for text in sys.argv[2:] for path in pathlib.Path(text).glob("summary.json")):
    config = tomllib.loads((folder / "config.toml").read_text())
    run = wandb.init(project=sys.argv[1], group=config.pop("name"), name=folder.name, config=config)
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        epoch = json.loads(line)
        run.log({key: value for key, value in epoch.items() if value is not None}, step=epoch["epoch"])
    for picture in sorted((folder / "figures").glob("*.png")):
        run.log({picture.stem: wandb.Image(str(picture))}, step=epoch["epoch"])
    run.summary.update(json.loads((folder / "summary.json").read_text()))
    run.finish()
