"""Writes the small npz and Parquet files that the tests read, with the programs that people write them with.

    pip install numpy pillow pyarrow pandas scikit-learn
    python -P tests/reference/npz_parquet.py tests/fixtures/small

Every file has images of 2 × 3 pixels whose values are simple to work out: see `image`.
"""

import io
import json
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def image(index):
    """2 × 3 bytes: 10 · index in the first pixel, then one more each."""
    return np.arange(10 * index, 10 * index + 6, dtype="u1").reshape(2, 3)


def images(count, first=0):
    return np.stack([image(first + index) for index in range(count)])


def npz(folder):
    part = {"x_train": images(4), "y_train": np.array([0, 1, 1, 0]), "x_test": images(2, 4), "y_test": np.array([1, 0])}
    np.savez(folder / "stored.npz", **part)
    np.savez_compressed(folder / "keras.npz", **part)
    # MedMNIST: labels in a column, three parts.
    np.savez_compressed(
        folder / "medmnist.npz",
        train_images=images(3), train_labels=np.array([[0], [1], [2]], "u1"),
        val_images=images(1, 3), val_labels=np.array([[2]], "u1"),
        test_images=images(2, 4), test_labels=np.array([[1], [0]], "u1"),
    )
    # scikit-learn's `load_digits()`, with the objects that stand beside the numbers.
    digits = images(3).astype("f8")
    np.savez_compressed(
        folder / "digits.npz", data=digits.reshape(3, 6), target=np.array([2, 0, 1]), frame=None,
        feature_names=["a", "b"], target_names=np.array(["zero", "one", "two"]), images=digits, DESCR="text",
    )
    # Words as labels, float32 of big-endian order, and the order that pandas gives.
    np.savez(
        folder / "words.npz", X=np.asfortranarray(images(3).reshape(3, 6).astype(">f4")), y=np.array(["cat", "dög", "cat"])
    )
    np.savez(folder / "bytes.npz", X=images(2).astype("f2") / 4, y=np.array([b"a", b"bc"]))
    np.savez(folder / "pickled.npz", x_train=np.array([image(0), None], dtype=object), y_train=np.array([0, 1]))
    np.savez(folder / "unnamed.npz", images(4), np.array([0, 1, 1, 0]))
    kmnist = folder / "kmnist"
    kmnist.mkdir(exist_ok=True)
    for key, part, count in [("train", slice(0, 4), 4), ("test", slice(4, 6), 2)]:
        np.savez_compressed(kmnist / f"kmnist-{key}-imgs.npz", images(6)[part])
        np.savez_compressed(kmnist / f"kmnist-{key}-labels.npz", (np.arange(6, dtype="u1") % 3)[part])
    npy = folder / "npy"
    npy.mkdir(exist_ok=True)
    for key, array in [("x_train", images(4)), ("y_train", np.array([0, 1, 1, 0])), ("x_test", images(2, 4)),
                       ("y_test", np.array([1, 0]))]:
        np.save(npy / f"{key}.npy", array)


def png(array, form="PNG"):
    data = io.BytesIO()
    Image.fromarray(array).save(data, form)
    return data.getvalue()


def hugging_face(path, pictures, labels, names=("zero", "one", "two"), **options):
    """A file as the library `datasets` writes it."""
    features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
    schema = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    rows = [{"image": {"bytes": picture, "path": f"{index}.png"}, "label": label}
            for index, (picture, label) in enumerate(zip(pictures, labels))]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, **options)


def parquet(folder):
    grey = [png(image(index)) for index in range(6)]
    hub = folder / "hub"
    hub.mkdir(exist_ok=True)
    hugging_face(hub / "train-00000-of-00002.parquet", grey[:3], [0, 1, 2], row_group_size=2)
    hugging_face(hub / "train-00001-of-00002.parquet", grey[3:4], [2])
    hugging_face(hub / "test-00000-of-00001.parquet", grey[4:], [1, 0])
    # Colours, a JPEG, and another size.
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[10, 200, 30], [9, 9, 9], [0, 0, 0]]], "u1")
    hugging_face(folder / "colours.parquet", [png(colours), grey[1]], [0, 1], compression="none")
    hugging_face(folder / "sizes.parquet", [png(np.full((4, 6), 90, "u1")), grey[1]], [0, 1])
    hugging_face(folder / "missing.parquet", [grey[0], None], [0, 1])
    hugging_face(folder / "zstd.parquet", grey[:2], [0, 1], compression="zstd")
    # Plain columns, words as labels.
    plain = pa.table({"id": [7, 8], "img": pa.array(grey[:2], pa.binary()), "label": ["cat", "dog"]})
    pq.write_table(plain, folder / "plain.parquet")
    small = pa.table({"image": pa.array(grey[:2], pa.binary()), "fine_label": pa.array([3, 4], pa.int32())})
    pq.write_table(small, folder / "int32.parquet", data_page_version="2.0")
    pq.write_table(pa.table({"text": ["a"], "label": [0]}), folder / "text.parquet")
    pq.write_table(pa.table({"pixels": [[1, 2, 3]], "label": [0]}), folder / "lists.parquet")


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    npz(target)
    parquet(target)
