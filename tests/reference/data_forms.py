"""Writes the same MNIST images in every form that smallnet reads, each with the library that people use for it.

    python3 -m venv /tmp/venv-data
    /tmp/venv-data/bin/pip install numpy pandas pyarrow pillow
    /tmp/venv-data/bin/python -P tests/reference/data_forms.py OUT TRAIN TEST [IDX_FOLDER]

OUT gets one folder per form with the first TRAIN training and the first TEST test images. IDX_FOLDER has MNIST's four
files as `.gz`; by default they are unpacked from data/mnist, which needs the module zstandard. The folder tests/fixtures/forms
was made with `OUT=tests/fixtures/forms TRAIN=60 TEST=20` by numpy 2.4.6, pandas 3.1.1, PyArrow 26.0.1 and Pillow 13.0.0.
"""

import gzip
import io
import json
import struct
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

OUT, TRAIN, TEST = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "data" / "mnist"))
NAMES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def original(name):
    if len(sys.argv) > 4:
        return gzip.open(Path(sys.argv[4]) / f"{name}.gz").read()
    import unpack

    return unpack.read(name)


def images(part, count):
    pixels, labels = (original(name) for name in NAMES[part])
    return np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28, 28)[:count], np.frombuffer(labels, np.uint8, offset=8)[:count]


PARTS = {"train": images("train", TRAIN), "test": images("test", TEST)}


def folder(name):
    path = OUT / name
    path.mkdir(parents=True, exist_ok=True)
    return path


TYPES = {"uint8": 0x08, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def idx(path, array):
    """The format of http://yann.lecun.com/exdb/mnist/: big-endian, as the package idx2numpy writes it."""
    head = struct.pack(">HBB", 0, TYPES[array.dtype.name], array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    # No time stamp: the same bytes with every run.
    path.write_bytes(gzip.compress(head + array.astype(array.dtype.newbyteorder(">")).tobytes(), mtime=0))


def write_idx(name, pixels, labels):
    for part, (x, y) in PARTS.items():
        for file, array in zip(NAMES[part], (pixels(x), labels(y))):
            idx(folder(name) / f"{file}.gz", np.ascontiguousarray(array))


def png(image):
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return data.getvalue()


# IDX, as MNIST has it and in other types and shapes.
write_idx("idx", lambda x: x, lambda y: y)
write_idx("idx-float32", lambda x: x.astype(np.float32) / np.float32(255), lambda y: y.astype(np.int32))
write_idx("idx-nhwc", lambda x: x[..., None], lambda y: y[:, None])
write_idx("idx-flat", lambda x: x.reshape(len(x), -1).astype(np.int16), lambda y: np.eye(10, dtype=np.uint8)[y])
write_idx("idx-white-1", lambda x: (x >= 128).astype(np.uint8), lambda y: y)
write_idx("idx-white-255", lambda x: (x >= 128).astype(np.uint8) * np.uint8(255), lambda y: y)

# CSV: Kaggle's digit-recognizer with a header and the label first; then without a header, with the label last.
for part, (x, y) in PARTS.items():
    table = pd.DataFrame(x.reshape(len(x), -1), columns=[f"pixel{i}" for i in range(784)])
    table.insert(0, "label", y)
    table.to_csv(folder("csv") / f"{part}.csv", index=False)
    last = table[[column for column in table if column != "label"] + ["label"]]
    last.to_csv(folder("csv-label-last") / f"mnist_{part}.csv.gz", index=False, header=False, compression={"method": "gzip", "mtime": 0})
(x, y), (x_test, y_test) = PARTS["train"], PARTS["test"]

# npz: Keras' names, MedMNIST's, and scikit-learn's for one part.
np.savez_compressed(folder("npz") / "mnist.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
np.savez_compressed(folder("npz-float") / "mnist.npz", x_train=x / 255.0, y_train=y.astype(np.int64), x_test=x_test / 255.0, y_test=y_test.astype(np.int64))
np.savez_compressed(folder("npz-medmnist") / "digitmnist.npz", train_images=x, train_labels=y[:, None], test_images=x_test, test_labels=y_test[:, None])

# One folder per class. The order of the images is that of the classes: see the test.
for part, (images_, labels) in PARTS.items():
    for index, (image, label) in enumerate(zip(images_, labels)):
        path = folder(f"images/{part}/{label}") / f"{index:05}.png"
        path.write_bytes(png(image))

# The images in that order, as IDX.
def by_class(x, y):
    order = np.argsort(y, kind="stable")
    return x[order], y[order]


PARTS = {part: by_class(*images_) for part, images_ in PARTS.items()}
write_idx("idx-by-class", lambda x: x, lambda y: y)

# Parquet as Hugging Face has it: `ylecun/mnist` has this schema and these metadata; the test file has two row groups.
PARTS = {"train": (x, y), "test": (x_test, y_test)}
features = {"image": {"_type": "Image"}, "label": {"names": [str(d) for d in range(10)], "_type": "ClassLabel"}}
for part, (images_, labels) in PARTS.items():
    for name, names in (("parquet", features["label"]["names"]), ("parquet-words", WORDS)):
        about = {"info": {"features": {**features, "label": {"names": names, "_type": "ClassLabel"}}}}
        schema = pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64())], metadata={"huggingface": json.dumps(about)})
        table = pa.table([[{"bytes": png(image), "path": None} for image in images_], [int(label) for label in labels]], schema=schema)
        pq.write_table(table, folder(name) / f"{part}-00000-of-00001.parquet", compression="snappy", row_group_size=max(1, len(images_) // 2))
