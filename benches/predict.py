"""Times the prediction of many PNG files: smallnet beside Pillow and PyTorch, which do the same.

    PYTHON -P benches/predict.py SMALLNET ROUNDS MNIST

SMALLNET is the program; MNIST is a folder with `t10k-images-idx3-ubyte.gz`; PYTHON has numpy, Pillow and torch. Trains the network of 784 inputs and 10 outputs and one
with a hidden layer of 128, writes the 10,000 test images of MNIST as PNG files of 28x28 pixels and of 280x280 pixels, and
predicts them. Both programs read the files, compute the probabilities of each with the same shapes, and write a CSV file with a
row for each. Each is a process of its own; the seconds of the imports of Python are subtracted, and smallnet's are not. In each
round both run once, in turn. Prints the fastest and the median seconds of each and the ratio of smallnet's to the peer's.
"""

import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = {"28": 1, "280": 10}
HIDDEN = {"softmax": [], "128": [128]}


def peer(folder, hidden, out):
    """Predicts the PNG files in `folder` and writes a CSV file. Returns the seconds without imports."""
    import numpy as np
    import torch
    from PIL import Image

    started = time.perf_counter()
    layers, inputs = [], 784
    for units in hidden:
        layers += [torch.nn.Linear(inputs, units), torch.nn.ReLU()]
        inputs = units
    model = torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 10), torch.nn.Softmax(dim=1))
    files = sorted(folder.iterdir(), key=lambda path: int(path.stem))
    with open(out, "w", newline="") as target, torch.inference_mode():
        rows = csv.writer(target)
        for start in range(0, len(files), 1000):
            chunk = files[start : start + 1000]
            images = []
            for path in chunk:
                image = Image.open(path).convert("L")
                if image.size != (28, 28):
                    image = image.resize((28, 28), Image.BILINEAR)
                images.append(np.asarray(image))
            batch = torch.from_numpy(np.stack(images)).reshape(len(chunk), 784).float() / 255
            for path, row in zip(chunk, model(batch).tolist()):
                rows.writerow([path, max(range(10), key=row.__getitem__), *row])
    return time.perf_counter() - started


def ours(program, work, run, folder, out):
    """Predicts with smallnet and returns the seconds of the whole process."""
    started = time.perf_counter()
    args = [program, "predict", run, folder, "--csv", out, "--pictures=0", "--quiet", "--prepare", "whole"]
    subprocess.run(args, cwd=work, check=True)
    return time.perf_counter() - started


def write_pictures(work, scale):
    """Writes MNIST's test images as PNG files, each pixel as a block of `scale` pixels."""
    import gzip

    import numpy as np
    from PIL import Image

    bytes_ = gzip.open(Path(sys.argv[3]) / "t10k-images-idx3-ubyte.gz").read()
    folder = work / str(28 * scale)
    folder.mkdir()
    for index, image in enumerate(np.frombuffer(bytes_, np.uint8, offset=16).reshape(-1, 28, 28)):
        Image.fromarray(image.repeat(scale, 0).repeat(scale, 1)).save(folder / f"{index}.png")
    return folder


def main():
    program, rounds = str(Path(sys.argv[1]).resolve()), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        folders = {name: write_pictures(work, scale) for name, scale in SIZES.items()}
        for name, hidden in HIDDEN.items():
            args = ["train", "softmax", "--epochs", "1", "--quiet", "--json", "--set", f"model.hidden={hidden}"]
            run = json.loads(subprocess.run([program, *args], cwd=work, check=True, capture_output=True).stdout)["run"]
            for size, pictures in folders.items():
                seconds = {"smallnet": [], "peer": []}
                for _ in range(rounds):
                    seconds["smallnet"].append(ours(program, work, run, pictures, work / "ours.csv"))
                    args = [sys.executable, "-P", __file__, "peer", pictures, json.dumps(hidden), work / "peer.csv"]
                    seconds["peer"].append(float(subprocess.run(args, check=True, capture_output=True).stdout))
                counts = [len((work / f"{name}.csv").read_text().splitlines()) for name in ("ours", "peer")]
                assert counts == [10_001, 10_000], counts
                fastest = {who: min(times) for who, times in seconds.items()}
                median = {who: statistics.median(times) for who, times in seconds.items()}
                print(
                    f"{name:8} {size:>4} pixels: smallnet {fastest['smallnet']:.2f} s ({median['smallnet']:.2f}), "
                    f"Pillow + PyTorch {fastest['peer']:.2f} s ({median['peer']:.2f}), ratio of the fastest "
                    f"{fastest['smallnet'] / fastest['peer']:.2f}, of the medians {median['smallnet'] / median['peer']:.2f}",
                    flush=True,
                )


if sys.argv[1] == "peer":
    print(peer(Path(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]))
else:
    main()
