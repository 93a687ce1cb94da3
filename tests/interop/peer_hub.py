"""The folder for a model hub: the programs in its card, run as a user would run them, with all test images."""

import os
import re

import onnxruntime
import torch
from PIL import Image

import common


def programs(folder):
    """The Python programs in the card, which answer the picture `picture.png`."""
    return re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)


def answers(folder, number):
    """Runs a program and gives all test images to the network that it has opened."""
    Image.fromarray(common.images("t10k")[0][0]).save(folder / "picture.png")
    names, before, images = {}, os.getcwd(), common.scaled(common.images("t10k")[0])
    os.chdir(folder)
    try:
        exec(programs(folder)[number], names)
    finally:
        os.chdir(before)
        (folder / "picture.png").unlink()
    if "session" in names:
        return names["session"].run(["probabilities"], {"images": images})[0]
    with torch.no_grad():
        return common.softmax(names["model"](torch.from_numpy(images)).numpy())


def checks(table, smallnet):
    torch.set_num_threads(1)
    readers = {
        f"ONNX Runtime {onnxruntime.__version__}": lambda folder: answers(folder, 0),
        f"PyTorch {torch.__version__}": lambda folder: answers(folder, 1),
    }
    for index, (name, _, _, record) in enumerate(smallnet.networks()):
        table.check(common.goes_out, table, "hub folder, programs in its card", name, smallnet, record,
                    smallnet.folder / f"{index}-hub", readers, ["--format", "hf"], back=False)


if __name__ == "__main__":
    common.main("model hub", checks)
