"""Checks a folder that `smallnet export RUN --format hf` wrote: its card with the hub's own library, its programs by running them.

    python3 -m venv /tmp/venv-card
    /tmp/venv-card/bin/pip install huggingface_hub onnxruntime pillow safetensors torch
    /tmp/venv-card/bin/python -P tests/reference/model_card.py FOLDER

No connection is opened. Last run with huggingface_hub 2.4.0, ONNX Runtime 1.32.0, safetensors 0.8.0 and PyTorch 2.15.0.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from huggingface_hub import ModelCard, metadata_load
from huggingface_hub.repocard_data import model_index_to_eval_results
from PIL import Image

folder = Path(sys.argv[1])
card = ModelCard.load(folder / "README.md")
head = metadata_load(folder / "README.md")
config = json.loads((folder / "config.json").read_text())
assert head["pipeline_tag"] == "image-classification" and head["library_name"] == "smallnet"
print("head:", {key: value for key, value in head.items() if key != "model-index"})
if "model-index" in head:
    name, results = model_index_to_eval_results(head["model-index"])
    print("results of", name)
    for result in results:
        print("  ", result.dataset_name, f"({result.dataset_type}, {result.dataset_split})", result.metric_type, result.metric_value)
for link in re.findall(r"!\[[^]]*\]\(([^)]*)\)", card.text):
    assert (folder / link).is_file(), link

with tempfile.TemporaryDirectory() as work:
    work = Path(work) / "model"
    shutil.copytree(folder, work)
    height, width = config.get("image_size", (1, config["layer_sizes"][0]))
    picture = Image.linear_gradient("L").rotate(30).resize((width, height))
    picture.save(work / "picture.png")
    programs = re.findall(r"```python\n(.*?)```", card.text, re.S)
    answers = [subprocess.run([sys.executable, "-c", program], cwd=work, check=True, capture_output=True, text=True).stdout for program in programs]
    (onnx_class, onnx_probability), (torch_class, torch_probability) = (answer.rsplit(maxsplit=1) for answer in answers)
    print("ONNX Runtime:", onnx_class, onnx_probability)
    print("PyTorch:", torch_class, torch_probability)
    assert config["id2label"][torch_class] == onnx_class
    assert abs(float(onnx_probability) - float(torch_probability)) < 1e-5
print("all as expected")
