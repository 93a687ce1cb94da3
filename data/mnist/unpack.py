"""Unpacks the four files of MNIST from the `.zst` files beside this script: see README.md.

    python data/mnist/unpack.py FOLDER

Needs numpy and zstandard. Other scripts append this folder to `sys.path` and call `read`.
"""

import struct
import sys
from pathlib import Path

import numpy
import zstandard

HERE = Path(__file__).resolve().parent
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def unpacked(name):
    packed = (HERE / f"{name}.zst").read_bytes()
    return numpy.frombuffer(zstandard.ZstdDecompressor().decompressobj().decompress(packed), numpy.uint8)


def read(name):
    """The whole IDX file with this name, as bytes."""
    if "labels" in name:
        return unpacked(name).tobytes()
    part = name.split("-")[0]
    mask = unpacked(f"{part}-images.mask").reshape(-1, 25)
    is_kept = numpy.unpackbits(mask, axis=1, count=196, bitorder="little").astype(bool)
    images = numpy.zeros((len(mask), 196, 4), numpy.uint8)
    images[is_kept] = unpacked(f"{part}-images.blocks").reshape(-1, 4)
    return struct.pack(">4I", 2051, len(images), 28, 28) + images.tobytes()


def write(folder):
    """Writes all four files to `folder`, but those that are there."""
    for name in NAMES:
        if not (path := Path(folder) / name).exists():
            path.write_bytes(read(name))


if __name__ == "__main__":
    write(sys.argv[1])
