"""Networks of PyTorch and safetensors as their users save them, for `tests/import.rs` and the fuzz targets.

Trains small networks on MNIST, saves them in `tests/fixtures/networks/`, and writes `expected.json` beside them: the number of
right test images and the mean cross-entropy that PyTorch itself gives, of all 10,000 and of the first 200.
`fuzz/seeds/safetensors/` and `fuzz/seeds/pytorch/` get files of four pixels and three classes.

Made with Python 3.11, torch 2.15.0 (CPU), numpy 2.4 and safetensors 0.8. From the repository's root:

    python3 -m venv /tmp/venv-networks
    /tmp/venv-networks/bin/pip install torch==2.15.0 numpy safetensors zstandard
    /tmp/venv-networks/bin/python -P tests/reference/networks.py
"""

import copy
import json
import sys
from pathlib import Path

import numpy
import safetensors.numpy
import torch
from torch import nn

sys.path.append("data/mnist")
import unpack  # noqa: E402

FIXTURES = Path("tests/fixtures/networks")
SEEDS = Path("fuzz/seeds")


def read(name: str, header: int) -> numpy.ndarray:
    return numpy.frombuffer(unpack.read(name), numpy.uint8)[header:].copy()


train_images, test_images = (
    torch.tensor(read(f"{part}-images-idx3-ubyte", 16)).reshape(-1, 28, 28) for part in ("train", "t10k")
)
train_labels, test_labels = (torch.tensor(read(f"{part}-labels-idx1-ubyte", 8)).long() for part in ("train", "t10k"))


def unit(images):
    return images.float() / 255


def normalized(images):
    return (images.float() / 255 - 0.1307) / 0.3081


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 8)
        self.fc2 = nn.Linear(8, 10)

    def forward(self, images):
        return self.fc2(torch.relu(self.fc1(images.flatten(1))))


def train(model, prepare, optimizer):
    for batch in torch.randperm(60000).split(64):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(prepare(train_images[batch])), train_labels[batch]).backward()
        optimizer.step()
    return model.eval()


expected = {}


def expect(name, model, prepare):
    with torch.no_grad():
        logits = model.float()(prepare(test_images))
    right = logits.argmax(1) == test_labels
    losses = nn.functional.cross_entropy(logits.double(), test_labels, reduction="none")
    expected[name] = {
        "right": int(right.sum()),
        "right_of_200": int(right[:200].sum()),
        "loss_of_200": float(losses[:200].mean()),
    }


def flax(model):
    """Names and layout of Flax's `params`."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    arrays = {}
    for index, layer in enumerate(layers):
        arrays[f"params.Dense_{index}.kernel"] = numpy.ascontiguousarray(layer.weight.detach().numpy().T)
        arrays[f"params.Dense_{index}.bias"] = layer.bias.detach().numpy()
    return arrays


def main():
    torch.manual_seed(1)
    FIXTURES.mkdir(exist_ok=True)

    softmax = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    train(softmax, unit, torch.optim.SGD(softmax.parameters(), 0.5))
    torch.save(softmax.state_dict(), FIXTURES / "softmax.pt")
    expect("softmax.pt", softmax, unit)
    torch.save(softmax, FIXTURES / "whole.pt")
    expect("whole.pt", softmax, unit)

    # The same network for bytes that were not divided by 255.
    of_bytes = copy.deepcopy(softmax)
    with torch.no_grad():
        of_bytes[1].weight /= 255
    torch.save({"model": of_bytes.state_dict(), "epoch": 1}, FIXTURES / "bytes.pt")
    expect("bytes.pt", of_bytes, lambda images: images.float())

    hidden = Net()
    optimizer = torch.optim.Adam(hidden.parameters())
    train(hidden, normalized, optimizer)
    checkpoint = {
        "epoch": 1,
        "model_state_dict": hidden.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": torch.tensor(0.3),
    }
    torch.save(checkpoint, FIXTURES / "checkpoint.pt")
    expect("checkpoint.pt", hidden, normalized)
    wrapped = {f"module.{name}": tensor for name, tensor in hidden.state_dict().items()}
    torch.save(wrapped, FIXTURES / "legacy.pth", _use_new_zipfile_serialization=False)
    expect("legacy.pth", hidden, normalized)
    rounded = copy.deepcopy(hidden).bfloat16()
    torch.save(rounded.state_dict(), FIXTURES / "bfloat16.pt")
    expect("bfloat16.pt", rounded, normalized)
    rounded = copy.deepcopy(hidden).half()
    arrays = {name: array.astype(numpy.float16) for name, array in flax(hidden).items()}
    safetensors.numpy.save_file(arrays, FIXTURES / "flax-float16.safetensors")
    expect("flax-float16.safetensors", rounded, normalized)

    # No dense networks.
    torch.save(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(4, 2)).state_dict(), FIXTURES / "conv.pt")
    torch.save(nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2), nn.Linear(2, 2)).state_dict(), FIXTURES / "batch-norm.pt")
    scripted = torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)))
    torch.jit.save(scripted, str(FIXTURES / "torchscript.pt"))

    (FIXTURES / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")

    small = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    torch.save(small.state_dict(), SEEDS / "pytorch/state_dict.pt")
    torch.save(small, SEEDS / "pytorch/whole.pt")
    torch.save(small.state_dict(), SEEDS / "pytorch/legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"state_dict": small.double().state_dict(), "epoch": 1}, SEEDS / "pytorch/checkpoint.pt")
    small.float()
    safetensors.numpy.save_file(flax(small), SEEDS / "safetensors/flax.safetensors")
    state = {name: tensor.numpy() for name, tensor in small.state_dict().items()}
    metadata = {"layout": "pytorch", "activation": '"tanh"', "class_names": '["a","b","c"]'}
    safetensors.numpy.save_file(state, SEEDS / "safetensors/state_dict.safetensors", metadata=metadata)
    halves = {name: array.astype(numpy.float16) for name, array in state.items()}
    safetensors.numpy.save_file(halves, SEEDS / "safetensors/float16.safetensors")


main()
