# Writes golden.json beside this file: ten training steps of small dense networks, computed by PyTorch.
# Tests compare smallnet's training with them. There is one case per optimizer, activation, label
# smoothing or clipping setting. PyTorch has no Lion; the package lion-pytorch has one. Beside the
# network, its AveragedModel is trained: the moving average of the weights.
# Made with Python 3.11, torch 2.15.0 (CPU), numpy 2.4.6; golden.json records the torch version.
# Rerun:  python3 -m venv /tmp/venv-ref
#         /tmp/venv-ref/bin/pip install torch==2.15.0 numpy==2.4.6 lion-pytorch
#         /tmp/venv-ref/bin/python -P tests/reference/golden.py
#
# Everything is float32 on one thread, from fixed seeds. Each case is also run in float64 from the
# same start, and in float32 without the setting under test. A case is accepted only if
#   * the float32 and float64 runs agree closely (so the numbers do not depend on the order of rounding),
#   * every hidden ReLU is on for some example in most batches (none is dead), and none sits so
#     near its kink that rounding could flip it,
#   * the loss over all examples falls visibly, and
#   * the run without the setting gives visibly other numbers (so a test notices if it is missing), and
#     so does the average.
# The first seed that passes all four is taken.

import itertools
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lion_pytorch import Lion
from torch.optim.swa_utils import AveragedModel

HEIGHT, WIDTH, CLASSES = 2, 3, 3
STEPS, BATCH, LAST_BATCH = 10, 4, 3
AVERAGE = 0.4  # largest decay of the average; (1 + n) / (10 + n) reaches it with n = 5

MAX_ROUNDING = 1e-6  # largest |float32 - float64| allowed in any loss, final logit or parameter
MIN_KINK = 1e-4      # smallest |ReLU input| allowed
MIN_ALIVE = 7        # number of the ten batches in which each hidden ReLU must be on at least once
MIN_FALL = 0.15      # minimum fall of the mean loss over all 39 examples
MIN_EFFECT = 1e-3    # minimum of the largest difference without the setting

ACTIVATIONS = {
    "relu": F.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,  # the exact erf form
    "silu": F.silu,
    "leaky-relu": lambda x: F.leaky_relu(x, negative_slope=0.01),
}


def sgd(learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
    return {"kind": "sgd", "learning_rate": learning_rate, "momentum": momentum,
            "nesterov": nesterov, "weight_decay": weight_decay}


def adam(kind, learning_rate, weight_decay=0.0):
    return {"kind": kind, "learning_rate": learning_rate, "beta_1": 0.9, "beta_2": 0.999,
            "epsilon": 1e-7, "weight_decay": weight_decay}


def lion(learning_rate, weight_decay=0.0):
    return {"kind": "lion", "learning_rate": learning_rate, "beta_1": 0.9, "beta_2": 0.99,
            "weight_decay": weight_decay}


def rmsprop(learning_rate, momentum=0.0, centered=False, weight_decay=0.0):
    return {"kind": "rmsprop", "learning_rate": learning_rate, "rho": 0.9, "momentum": momentum,
            "epsilon": 1e-7, "centered": centered, "weight_decay": weight_decay}


def case(name, optimizer, hidden=(5, 4), activation="relu", label_smoothing=0.0,
         clip_norm=None, clip_value=None, without=()):
    """A case, and `without`: variants of its settings, each of which has to change the numbers.

    A variant's keys are the case's own, or "optimizer" with the optimiser keys to replace.
    """
    settings = {"name": name, "hidden": list(hidden), "activation": activation,
                "label_smoothing": label_smoothing, "clip_norm": clip_norm,
                "clip_value": clip_value, "optimizer": optimizer}
    return settings, list(without)


def opt(**keys):
    return {"optimizer": keys}


CASES = [
    case("sgd_softmax", sgd(0.5), hidden=()),
    case("sgd", sgd(0.5)),
    case("sgd_momentum", sgd(0.1, momentum=0.9), without=[opt(momentum=0.0), opt(nesterov=True)]),
    case("sgd_nesterov_decay", sgd(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
         without=[opt(nesterov=False), opt(weight_decay=0.0)]),
    case("adam", adam("adam", 0.05)),
    case("adam_decay", adam("adam", 0.05, weight_decay=0.01),
         without=[opt(weight_decay=0.0), opt(kind="adamw")]),
    case("adamw", adam("adamw", 0.05, weight_decay=0.1),
         without=[opt(weight_decay=0.0), opt(kind="adam")]),
    case("rmsprop", rmsprop(0.02), activation="tanh", without=[opt(centered=True)]),
    case("rmsprop_momentum_centered", rmsprop(0.01, momentum=0.5, centered=True),
         activation="tanh", without=[opt(momentum=0.0), opt(centered=False)]),
    case("label_smoothing_tanh", sgd(0.5), activation="tanh", label_smoothing=0.1,
         without=[{"label_smoothing": 0.0}]),
    case("clip_norm", sgd(1.0), clip_norm=0.1, without=[{"clip_norm": None}]),
    case("clip_value", sgd(1.0), clip_value=0.05, without=[{"clip_value": None}]),
    case("sigmoid", sgd(1.0), activation="sigmoid", without=[{"activation": "tanh"}]),
    # "gelu_tanh" is not a separate case: it shows that the two forms of gelu differ.
    case("gelu", sgd(0.5), activation="gelu", without=[{"activation": "gelu_tanh"}]),
    case("silu", sgd(0.5), activation="silu", without=[{"activation": "gelu"}]),
    case("leaky_relu", sgd(0.5), activation="leaky-relu", without=[{"activation": "relu"}]),
    case("lion_decay", lion(0.02, weight_decay=0.5), activation="tanh",
         without=[opt(weight_decay=0.0), opt(beta_1=0.5)]),
]
ACTIVATIONS["gelu_tanh"] = lambda x: F.gelu(x, approximate="tanh")


def make_start(settings, seed):
    """Initial float32 weights ([out, in]) and biases, and ten batches of u8 pixels and labels."""
    rng = np.random.default_rng(seed)
    sizes = [HEIGHT * WIDTH, *settings["hidden"], CLASSES]
    # Uniform weights, somewhat wider than Glorot's for the saturating sigmoid, and small biases
    # that are not zero, so that what happens to biases (decay, clipping) shows too.
    gain = 2.5 if settings["activation"] == "sigmoid" else 1.2
    weights, biases = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        limit = gain * np.sqrt(6.0 / (n_in + n_out))
        weights.append(rng.uniform(-limit, limit, (n_out, n_in)).astype(np.float32))
        biases.append(rng.uniform(-0.2, 0.2, n_out).astype(np.float32))
    # Class k brightens pixels 2k and 2k+1, with noise; the range reaches both 0 and 255.
    batches = []
    for step in range(STEPS):
        size = LAST_BATCH if step == STEPS - 1 else BATCH
        labels = rng.integers(0, CLASSES, size)
        pixels = rng.normal(70, 50, (size, HEIGHT * WIDTH))
        for row, label in zip(pixels, labels):
            row[2 * label:2 * label + 2] += 120
        batches.append((np.clip(np.rint(pixels), 0, 255).astype(np.uint8), labels))
    return weights, biases, batches


def make_optimizer(o, params):
    # foreach=False: one plain loop over the parameters.
    # Weight decay applies to every parameter, also to biases, as is torch's default.
    if o["kind"] == "sgd":
        return torch.optim.SGD(params, lr=o["learning_rate"], momentum=o["momentum"],
                               nesterov=o["nesterov"], weight_decay=o["weight_decay"],
                               foreach=False)
    if o["kind"] in ("adam", "adamw"):
        cls = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[o["kind"]]
        return cls(params, lr=o["learning_rate"], betas=(o["beta_1"], o["beta_2"]),
                   eps=o["epsilon"], weight_decay=o["weight_decay"], foreach=False)
    if o["kind"] == "rmsprop":
        return torch.optim.RMSprop(params, lr=o["learning_rate"], alpha=o["rho"],
                                   momentum=o["momentum"], eps=o["epsilon"],
                                   centered=o["centered"], weight_decay=o["weight_decay"],
                                   foreach=False)
    if o["kind"] == "lion":
        return Lion(params, lr=o["learning_rate"], betas=(o["beta_1"], o["beta_2"]),
                    weight_decay=o["weight_decay"])
    raise ValueError(o["kind"])


def train(settings, start, dtype):
    """Runs the ten steps; returns the losses, the final logits and parameters, and the checks."""
    weights, biases, batches = start
    ws = [torch.nn.Parameter(torch.tensor(w, dtype=dtype)) for w in weights]
    bs = [torch.nn.Parameter(torch.tensor(b, dtype=dtype)) for b in biases]
    params = [p for pair in zip(ws, bs) for p in pair]
    # The first update copies the parameters. The decay rises as in TensorFlow's moving averages.
    averaged = AveragedModel(torch.nn.ParameterList(params), avg_fn=lambda average, new, n: (
        (d := min(AVERAGE, (1 + int(n)) / (10 + int(n)))) * average + (1 - d) * new))
    optimizer = make_optimizer(settings["optimizer"], params)
    act = ACTIVATIONS[settings["activation"]]
    # pixel / 255 is taken in float32, also for the float64 run: the inputs are the same numbers.
    inputs = [torch.tensor(p.astype(np.float32) / np.float32(255)).to(dtype) for p, _ in batches]
    labels = [torch.tensor(l, dtype=torch.int64) for _, l in batches]

    hidden_inputs = []  # the activations' inputs of the last forward pass

    def forward(x):
        hidden_inputs.clear()
        for w, b in zip(ws[:-1], bs[:-1]):
            x = F.linear(x, w, b)
            hidden_inputs.append(x.detach())
            x = act(x)
        return F.linear(x, ws[-1], bs[-1])

    def loss_over_all():
        with torch.no_grad():
            return F.cross_entropy(forward(torch.cat(inputs)), torch.cat(labels)).item()

    before = loss_over_all()
    losses, kink = [], np.inf
    alive = [torch.zeros(n, dtype=torch.int64) for n in settings["hidden"]]
    for x, y in zip(inputs, labels):
        optimizer.zero_grad()
        loss = F.cross_entropy(forward(x), y, label_smoothing=settings["label_smoothing"])
        for count, h in zip(alive, hidden_inputs):
            count += (h > 0).any(dim=0)
            kink = min(kink, h.abs().min().item())
        loss.backward()
        # Both clips act on each parameter tensor separately, never on all of them together.
        for p in params:
            if settings["clip_norm"] is not None:
                # g * min(1, clip / (|g| + 1e-6)): the 1e-6 is torch's
                torch.nn.utils.clip_grad_norm_([p], settings["clip_norm"])
            if settings["clip_value"] is not None:
                torch.nn.utils.clip_grad_value_([p], settings["clip_value"])
        optimizer.step()
        averaged.update_parameters(torch.nn.ParameterList(params))
        losses.append(loss.item())
    after = loss_over_all()
    with torch.no_grad():
        logits = forward(inputs[0])
        means = list(averaged.module)
        ws, bs = means[::2], means[1::2]  # `forward` reads them
        averaged_logits = forward(inputs[0])
    return {"losses": np.array(losses), "logits": logits.numpy(),
            "averaged_logits": averaged_logits.numpy(),
            "params": np.concatenate([p.detach().numpy().ravel() for p in params]),
            "alive": min((int(n.min()) for n in alive), default=STEPS),
            "kink": kink, "fall": before - after}


def distance(a, b, keys=("losses", "logits")):
    return max(np.abs(a[k].astype(np.float64) - b[k].astype(np.float64)).max() for k in keys)


def changed(settings, change):
    new = {**settings, **change}
    new["optimizer"] = {**settings["optimizer"], **change.get("optimizer", {})}
    return new


def make_case(settings, without):
    for seed in range(1, 1000):
        start = make_start(settings, seed)
        run = train(settings, start, torch.float32)
        if run["fall"] < MIN_FALL:
            continue
        if settings["activation"] == "relu" and (
                run["alive"] < MIN_ALIVE or run["kink"] < MIN_KINK):
            continue
        exact = train(settings, start, torch.float64)
        rounding = distance(run, exact, ("losses", "logits", "params"))
        if not rounding < MAX_ROUNDING:
            continue
        if not distance(run, exact, ("averaged_logits",)) < 2 * MAX_ROUNDING:
            continue
        effects = [distance(run, train(changed(settings, c), start, torch.float32))
                   for c in without]
        effects.append(np.abs(run["logits"] - run["averaged_logits"]).max())
        if any(not e > MIN_EFFECT for e in effects):
            continue
        break
    else:
        sys.exit(f"{settings['name']}: no seed passes")
    print(f"{settings['name']}: seed {seed}, float32-float64 {rounding:.1e}, loss falls "
          f"{run['fall']:.2f}, " + (", ".join(f"without: {e:.1e}" for e in effects) or "-"))

    weights, biases, batches = start
    return {
        **settings, "height": HEIGHT, "width": WIDTH, "num_classes": CLASSES,
        "weights": [floats(w.T) for w in weights],  # [in, out]
        "biases": [floats(b) for b in biases],
        "batches": [{"pixels": p.tolist(), "labels": l.tolist()} for p, l in batches],
        "losses": floats(run["losses"]),
        "final_logits_first_batch": floats(run["logits"]),
        "averaged_logits_first_batch": floats(run["averaged_logits"]),
    }


def floats(array):
    """Float32 values as numbers of nine significant digits, which read back as the same float32."""
    if array.ndim:
        return [floats(x) for x in array]
    value = float(f"{float(array):.9g}")
    assert np.float32(value) == np.float32(array)
    return value


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    golden = {"torch": torch.__version__.split("+")[0],
              "average": AVERAGE, "cases": [make_case(*c) for c in CASES]}
    text = json.dumps(golden, indent=1, allow_nan=False)
    # Each innermost list is written on one line.
    text = re.sub(r"\[[^\[\]{}\"]*\]", lambda m: re.sub(r"\s+", " ", m[0])
                  .replace("[ ", "[").replace(" ]", "]"), text)
    assert json.loads(text) == golden
    Path(__file__).with_name("golden.json").write_text(text + "\n")


main()
