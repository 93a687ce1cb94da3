"""Times the reading of data sets: smallnet beside the library that people read the same files with.

    cargo build --release --bench reading
    PYTHON -P benches/reading.py BINARY FORMS ROUNDS

BINARY is the bench that cargo built (target/release/deps/reading-…). FORMS is a folder that
`tests/reference/data_forms.py FORMS 60000 10000` wrote; `FORMS/float.csv` is made here. PYTHON has numpy, pandas,
PyArrow, Pillow, torch and torchvision. In each round every reader runs once, in turn, in a warm process and from the
system's file cache; imports and process starts are left out. Both readers must give the same number of images and the same
sum of pixels. Prints the fastest and the median seconds of each and the ratio of smallnet's to the peer's.
"""

import gzip
import io
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

BINARY, FORMS, ROUNDS = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
FILES = ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"), ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte")


def idx(folder):
    read = lambda name, start: np.frombuffer(gzip.open(folder / f"{name}.gz").read(), np.uint8, offset=start)
    images = [read(name, 16) for name in FILES[0]]
    [read(name, 8) for name in FILES[1]]
    return sum(map(len, images)) // 784, sum(int(x.sum(dtype=np.int64)) for x in images)


def npz(folder):
    with np.load(folder / "mnist.npz") as data:
        x, _, t, _ = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    scale = 255 if x.dtype != np.uint8 else 1
    return len(x) + len(t), sum(int(np.rint(part * scale).sum(dtype=np.float64)) for part in (x, t))


def csv(folder):
    tables = [pd.read_csv(path, header="infer" if folder.name == "csv" else None).to_numpy() for path in sorted(folder.iterdir())]
    scale = 255 if folder.name == "csv-float" else 1
    pixels = [table[:, 1:] if folder.name == "csv" else table[:, :-1] for table in tables]
    return sum(map(len, tables)), sum(int(np.rint(x * scale).sum(dtype=np.float64)) for x in pixels)


def parquet(folder):
    count = total = 0
    for path in sorted(folder.iterdir()):
        for image in pq.read_table(path)["image"].to_pylist():
            total += int(np.asarray(Image.open(io.BytesIO(image["bytes"]))).sum(dtype=np.int64))
            count += 1
    return count, total


def pillow(folder):
    files = sorted(folder.glob("*/*/*.png"))
    images = np.stack([np.asarray(Image.open(path).convert("L")) for path in files])
    return len(images), int(images.sum(dtype=np.int64))


def torchvision(folder):
    import torch
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    to_bytes = transforms.Compose([transforms.Grayscale(), transforms.PILToTensor()])
    images = [x for part in ("train", "test") for x, _ in DataLoader(ImageFolder(folder / part, to_bytes), batch_size=1000, num_workers=2)]
    images = torch.cat(images)
    return len(images), int(images.sum(dtype=torch.int64))


PEERS = [
    ("idx", "numpy + gzip", idx),
    ("npz", "numpy", npz),
    ("npz-float", "numpy", npz),
    ("csv", "pandas", csv),
    ("csv-label-last", "pandas", csv),
    ("csv-float", "pandas", csv),
    ("parquet", "PyArrow + Pillow", parquet),
    ("images", "Pillow", pillow),
    ("images", "torchvision, 2 workers", torchvision),
]


def ours(folder):
    seconds, images, total = subprocess.run([BINARY, str(folder)], capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), (int(images), int(total))


def timed(reader, folder):
    start = time.perf_counter()
    result = reader(folder)
    return time.perf_counter() - start, result


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def float_csv():
    """The same pixels as shares of 255 with six digits, for 10,000 images."""
    folder = FORMS / "csv-float"
    if folder.exists():
        return
    folder.mkdir()
    table = pd.read_csv(FORMS / "csv/train.csv", nrows=10_000)
    pixels = (table.drop(columns="label") / 255).round(6)
    pixels.assign(label=table["label"]).to_csv(folder / "train.csv", index=False, header=False)


float_csv()
chosen = sys.argv[4:]
print(f"{'form':<16}{'MB':>7}  {'peer':<24}{'smallnet s':>11}{'MB/s':>7}{'peer s':>9}{'MB/s':>7}{'ratio':>8}{'median':>8}")
for form, peer, reader in PEERS:
    folder = FORMS / form
    if not folder.exists() or (chosen and form not in chosen):
        continue
    mine, theirs = [], []
    for _ in range(ROUNDS):
        seconds, result = ours(folder)
        mine.append(seconds)
        seconds, expected = timed(reader, folder)
        theirs.append(seconds)
        # pandas' floats are rounded one by one, so their sum differs in the last digits.
        assert result[0] == expected[0] and abs(result[1] - expected[1]) <= 1e-5 * expected[1], (form, result, expected)
    megabytes, best, best_peer = size(folder), min(mine), min(theirs)
    median = statistics.median(mine) / statistics.median(theirs)
    print(
        f"{form:<16}{megabytes:>7.1f}  {peer:<24}{best:>11.3f}{megabytes / best:>7.0f}{best_peer:>9.3f}"
        f"{megabytes / best_peer:>7.0f}{best / best_peer:>8.3f}{median:>8.3f}",
        flush=True,
    )
