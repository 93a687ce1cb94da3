"""Compresses the four files of MNIST for `data/mnist`, as small as zstd can.

    python -P tests/reference/compress_mnist.py FOLDER OUT

FOLDER has the four `.gz` files, OUT gets the four `.zst` files. Needs zstandard. The level is 22; the larger tables and
the shortest matches of 3 bytes save 1.7 % more. Each file is unpacked again and compared.
"""

import gzip
import sys
from pathlib import Path

import zstandard

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def compress(raw):
    """The smaller of two attempts: matches of at least 3 and of at least 4 bytes."""
    attempts = []
    for min_match in (3, 4):
        parameters = zstandard.ZstdCompressionParameters.from_level(
            22,
            window_log=26,
            chain_log=27,
            hash_log=26,
            search_log=25,
            min_match=min_match,
            target_length=999,
            strategy=zstandard.STRATEGY_BTULTRA2,
        )
        attempts.append(zstandard.ZstdCompressor(compression_params=parameters).compress(raw))
    return min(attempts, key=len)


for name in FILES:
    raw = gzip.decompress((Path(sys.argv[1]) / f"{name}.gz").read_bytes())
    packed = compress(raw)
    assert zstandard.ZstdDecompressor().decompress(packed) == raw
    (Path(sys.argv[2]) / f"{name}.zst").write_bytes(packed)
    print(name, len(raw), len(packed))
