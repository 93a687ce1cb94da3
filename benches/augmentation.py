"""Times the augmentation of MNIST's training images: smallnet beside torchvision's v2 transforms.

    cargo build --release --bench augmentation
    PYTHON -P benches/augmentation.py BINARY MNIST ROUNDS

BINARY is the bench that cargo built (target/release/deps/augmentation-…). MNIST is a folder with
train-images-idx3-ubyte.gz. PYTHON has torch and torchvision. Both make the
same kind of images: shifts of 2 pixels, rotations of 10 degrees, scales of 12 %, shears of 10 degrees, and for `elastic` an
elastic distortion on top (Simard's α 34, σ 4: torchvision's alpha is 68). torchvision draws its numbers per call, so each
image is a call of its own, in two processes of a DataLoader; its ElasticTransform gets the image that RandomAffine made.
smallnet uses two threads. Per round, each runs once, in turn. Prints the median microseconds per image and the ratio.
"""

import gzip
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torchvision.transforms import v2

BINARY, MNIST, ROUNDS = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
# torchvision is slow enough for a part of the images to give its rate.
NUM_IMAGES = 6000
torch.set_num_threads(1)


class Digits(torch.utils.data.Dataset):
    def __init__(self, transform):
        raw = gzip.open(MNIST / "train-images-idx3-ubyte.gz").read()
        self.images = torch.from_numpy(np.frombuffer(raw, np.uint8, offset=16).copy()).view(-1, 1, 28, 28)
        self.transform = transform

    def __len__(self):
        return NUM_IMAGES

    def __getitem__(self, index):
        return self.transform(self.images[index])


affine = v2.RandomAffine(
    10, translate=(2 / 28, 2 / 28), scale=(0.88, 1.12), shear=10, interpolation=v2.InterpolationMode.BILINEAR
)
TRANSFORMS = {"affine": affine, "elastic": v2.Compose([affine, v2.ElasticTransform(alpha=68.0, sigma=4.0)])}


def torchvision(name):
    loader = torch.utils.data.DataLoader(Digits(TRANSFORMS[name]), batch_size=128, num_workers=2, persistent_workers=True)
    list(loader)  # starts the processes
    start = time.perf_counter()
    count = sum(len(batch) for batch in loader)
    return (time.perf_counter() - start) / count


def smallnet(name):
    seconds, count = subprocess.run([BINARY, name, "2"], capture_output=True, text=True, check=True).stdout.split()
    return float(seconds) / int(count)


for name in TRANSFORMS:
    rounds = [(smallnet(name), torchvision(name)) for _ in range(ROUNDS)]
    ours, theirs = (1e6 * statistics.median(times) for times in zip(*rounds))
    print(f"{name:8} smallnet {ours:7.2f} µs   torchvision {theirs:8.1f} µs   ratio {theirs / ours:6.1f}")
