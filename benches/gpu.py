"""Times an epoch on a GPU: smallnet's backend wgpu beside PyTorch and JAX on the same card.

    python3 benches/gpu.py SMALLNET MNIST [ROUNDS]

SMALLNET is the binary (target/release/smallnet). MNIST is a folder with train-images-idx3-ubyte.gz and
train-labels-idx1-ubyte.gz. python3 has torch and jax with CUDA. Per round, each program runs once, in turn, in a process of
its own. All compute in 32-bit floating-point numbers (no TF32: that is PyTorch's default, and JAX is asked for it). PyTorch and
JAX hold the training images on the card. JAX compiles a whole epoch to one loop, its fastest form; PyTorch's steps are those
of its tutorials. The first epoch, which compiles, is left out. Prints a table of the median seconds per epoch, with smallnet's
CPU engine on all threads of the machine beside. A dash is a program that took longer than the limit.

W1  784-10, SGD with learning rate 1, batches of 128
W2  784-512-256-10, ReLU, Adam, batches of 128
W8  784-2048-1024-10, GELU, dropout 0.5, AdamW, batches of 128
big 784-2500-2000-1500-1000-500-10, ReLU, Adam, batches of 512
"""

import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

EPOCHS = 4
# Longest time of one program, in seconds.
LIMIT = 60
NETWORKS = {
    "W1": {"sizes": [], "activation": "relu", "dropout": 0.0, "optimizer": "sgd", "rate": 1.0, "batch": 128},
    "W2": {"sizes": [512, 256], "activation": "relu", "dropout": 0.0, "optimizer": "adam", "rate": 1e-3, "batch": 128},
    "W8": {"sizes": [2048, 1024], "activation": "gelu", "dropout": 0.5, "optimizer": "adamw", "rate": 1e-3, "batch": 128},
    "big": {"sizes": [2500, 2000, 1500, 1000, 500], "activation": "relu", "dropout": 0.0, "optimizer": "adam", "rate": 1e-3, "batch": 512},
}


def training_images(folder):
    read = lambda name, start: np.frombuffer(gzip.open(Path(folder) / name).read(), np.uint8, offset=start)
    pixels = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784).astype(np.float32) / np.float32(255)
    return pixels, read("train-labels-idx1-ubyte.gz", 8).astype(np.int64)


def seconds_per_epoch(epoch):
    times = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def torch_peer(network, images, labels):
    import torch
    from torch import nn

    x, y = torch.from_numpy(images).cuda(), torch.from_numpy(labels).cuda()
    widths, layers = [784, *network["sizes"]], []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.GELU() if network["activation"] == "gelu" else nn.ReLU()]
        layers += [nn.Dropout(network["dropout"])] if network["dropout"] else []
    model = nn.Sequential(*layers, nn.Linear(widths[-1], 10)).cuda()
    if network["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), lr=network["rate"], fused=True)
    else:
        kind = torch.optim.AdamW if network["optimizer"] == "adamw" else torch.optim.Adam
        optimizer = kind(model.parameters(), lr=network["rate"], fused=True)

    def epoch():
        for chosen in torch.randperm(len(x), device="cuda").split(network["batch"]):
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
        torch.cuda.synchronize()

    return seconds_per_epoch(epoch)


def jax_peer(network, images, labels):
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_default_matmul_precision", "float32")
    x, y = jax.device_put(images), jax.device_put(labels.astype(np.int32))
    widths = [784, *network["sizes"], 10]
    keys = jax.random.split(jax.random.key(0), len(widths))
    weights = [
        (jax.random.uniform(key, (i, o), minval=-1, maxval=1) * (6 / (i + o)) ** 0.5, jnp.zeros(o))
        for key, i, o in zip(keys, widths, widths[1:])
    ]
    activation = (lambda z: jax.nn.gelu(z, approximate=False)) if network["activation"] == "gelu" else jax.nn.relu
    kinds = {"sgd": optax.sgd, "adam": optax.adam, "adamw": optax.adamw}
    optimizer, keep = kinds[network["optimizer"]](network["rate"]), 1 - network["dropout"]

    def loss(weights, x, y, key):
        for w, b in weights[:-1]:
            x = activation(x @ w + b)
            if keep < 1:
                key, own = jax.random.split(key)
                x = jnp.where(jax.random.bernoulli(own, keep, x.shape), x / keep, 0)
        logits = x @ weights[-1][0] + weights[-1][1]
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    @jax.jit
    def epoch_of(weights, state, key):
        whole = len(y) // network["batch"] * network["batch"]
        order = jax.random.permutation(key, len(y))

        def step(carry, chosen):
            weights, state, key = carry
            key, own = jax.random.split(key)
            updates, state = optimizer.update(jax.grad(loss)(weights, x[chosen], y[chosen], own), state, weights)
            return (optax.apply_updates(weights, updates), state, key), None

        carry, _ = jax.lax.scan(step, (weights, state, key), order[:whole].reshape(-1, network["batch"]))
        return step(carry, order[whole:])[0] if whole < len(y) else carry

    carry = [(weights, optimizer.init(weights), jax.random.key(1))]

    def epoch():
        carry[0] = jax.block_until_ready(epoch_of(*carry[0]))

    return seconds_per_epoch(epoch)


def smallnet(binary, network, backend):
    settings = {
        "model.hidden": json.dumps(network["sizes"]), "model.activation": network["activation"],
        "model.dropout": network["dropout"], "optimizer.kind": network["optimizer"],
        "optimizer.learning_rate": network["rate"], "schedule.kind": "constant",
        "training.batch_size": network["batch"], "training.num_epochs": EPOCHS,
    }
    with tempfile.TemporaryDirectory() as artifacts:
        command = [binary, "train", "softmax", "--backend", backend, "--artifacts", artifacts, "--no-test"]
        done = subprocess.run(command + [f"--set={key}={value}" for key, value in settings.items()], capture_output=True, text=True, timeout=LIMIT)
        if done.returncode:
            sys.exit(done.stderr)
        lines = next(Path(artifacts).glob("*/*/metrics.jsonl")).read_text().splitlines()
    return statistics.median([json.loads(line)["seconds"] for line in lines][1:])


def own_process(peer, name):
    command = [sys.executable, __file__, *sys.argv[1:3], "--peer", peer, name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout.split()[-1])


def measured(program):
    try:
        return program()
    except subprocess.TimeoutExpired:
        return None


def cell(times):
    return "–" if None in times else f"{statistics.median(times):.3g} s"


def main():
    if "--peer" in sys.argv:
        peer, name = sys.argv[-2:]
        print({"torch": torch_peer, "jax": jax_peer}[peer](NETWORKS[name], *training_images(sys.argv[2])))
        return
    binary, rounds = sys.argv[1], int(sys.argv[3]) if len(sys.argv) > 3 else 1
    print("| workload | smallnet, wgpu | PyTorch | JAX, jitted scan | smallnet, CPU |\n|---|---:|---:|---:|---:|")
    for name, network in NETWORKS.items():
        programs = [
            lambda: smallnet(binary, network, "wgpu"),
            lambda: own_process("torch", name),
            lambda: own_process("jax", name),
            lambda: smallnet(binary, network, "flex"),
        ]
        times = [[measured(program) for program in programs] for _ in range(rounds)]
        print(f"| {name} | " + " | ".join(cell(column) for column in zip(*times)) + " |", flush=True)


main()
