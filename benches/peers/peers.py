"""Trains the same networks on the same MNIST in other frameworks: `peers.py FRAMEWORK WORKLOAD` prints one line of JSON.

W1  784-10, SGD with learning rate 1, batches of 128, 10 epochs
W2  784-512-256-10, ReLU, Adam with learning rate 0.001, batches of 128, 5 epochs
W3  W1's network, 5 folds, 8 learning rates, 3 epochs: 40 trainings
W4  W1's network, batches of 16 to 4,096: time per epoch after a warm-up
W5  predictions of W2's network: images per second, one and 1,024 at a time
W6  one epoch of W1, for the time of the whole process
W7  784-128-10, ReLU, SGD with momentum 0.9, 5 folds, 8 learning rates, 3 epochs: 40 trainings
W8  784-2048-1024-10, GELU, dropout of 0.5 behind both hidden layers, AdamW with learning rate 0.001, batches of 128, 3 epochs
W9  W2's network, and each image of each epoch changed at random: shifts of 2 pixels, rotations of 10 degrees, scales of 12 %,
    shears of 10 degrees. 2 epochs
hidden  784-128-10, SGD with learning rate 0.1 and momentum 0.9, batches of 128 of 55,000 images, 10 epochs: JAX alone
scaling  784-n-10 by n, 784-10 by images, studies of 784-10 by networks: JAX alone

The code of each framework is that of users who want it fast, and `lightning` and `keras` follow their tutorials. The data is
one array in memory, without a loader that makes an object per image, and without metrics beyond those of fit().
"""
import json, os, resource, sys, time

import numpy as np

HOME = os.environ["PEERS_HOME"]
RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
BATCHES = [16, 32, 64, 128, 256, 512, 1024, 4096]
EPOCHS = {"W1": 10, "W2": 5, "W3": 3, "W6": 1, "W7": 3, "W8": 3, "W9": 2, "hidden": 10}
KINDS = {"W2": "mlp", "hidden": "hidden", "W7": "hidden", "W8": "wide", "W9": "augmented"}
SIZES = {"softmax": [784, 10], "hidden": [784, 128, 10], "mlp": [784, 512, 256, 10], "augmented": [784, 512, 256, 10],
         "wide": [784, 2048, 1024, 10]}
# The work of `scaling`: neurons of 784-n-10, training images of 784-10, networks of a study.
NEURONS, IMAGES, NETWORKS = [64, 128, 256, 512, 1024, 2048], [7500, 15000, 30000, 60000], [10, 20, 40, 80]
SIZES.update({f"hidden-{n}": [784, n, 10] for n in NEURONS})


def idx(name):
    with open(f"{HOME}/mnist/{name}", "rb") as file:
        sizes = [int.from_bytes(file.read(4), "big") for _ in range(file.read(4)[3])]
        return np.frombuffer(file.read(), np.uint8).reshape(sizes)


def load():
    pixels = lambda name: np.multiply(idx(name).reshape(-1, 784), np.float32(1 / 255), dtype=np.float32)
    return (pixels("train-images-idx3-ubyte"), idx("train-labels-idx1-ubyte").astype(np.int64),
            pixels("t10k-images-idx3-ubyte"), idx("t10k-labels-idx1-ubyte").astype(np.int64))


def folds():
    parts = np.array_split(np.random.default_rng(0).permutation(60000), 5)
    return [(np.concatenate(parts[:k] + parts[k + 1:]), parts[k]) for k in range(5)]


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speed(work, images, passes):
    """Returns the images per second of the best of several passes after a warm-up pass."""
    work()
    return images / min(seconds(work) for _ in range(passes))


def run(workload, train, classify, data):
    """Measures a workload. `train(kind, rate, batch, x, y)` returns a function that trains one epoch and one that returns the accuracy."""
    x, y, xt, yt = data
    if workload in ("W1", "W2", "W6", "W8", "W9", "hidden"):
        if workload == "hidden":
            x, y = x[:55000], y[:55000]
        epoch, accuracy = train(KINDS.get(workload, "softmax"), 1.0, 128, x, y)
        times = [seconds(epoch) for _ in range(EPOCHS[workload])]
        return {"s": float(np.median(times[1:] or times)), "accuracy": accuracy(xt, yt)}
    if workload == "W3":
        means, start = {}, time.perf_counter()
        for rate in RATES:
            accuracies = []
            for learned, held_out in folds():
                epoch, accuracy = train("softmax", rate, 128, x[learned], y[learned])
                for _ in range(EPOCHS["W3"]):
                    epoch()
                accuracies.append(accuracy(x[held_out], y[held_out]))
            means[str(rate)] = float(np.mean(accuracies))
        return {"s": time.perf_counter() - start, "means": means}
    if workload == "W4":
        times = {}
        for batch in BATCHES:
            epoch, _ = train("softmax", 1.0, batch, x, y)
            epoch()
            times[str(batch)] = seconds(epoch)
        return {"s": times}
    one, many, num_one = classify(xt)
    return {"images_per_s": {"1": speed(one, num_one, 3), "1024": speed(many, 10000, 15)}}


def jax_peer():
    import jax, jax.numpy as jnp, optax
    from functools import partial

    def fresh(kind):
        sizes = SIZES[kind]
        keys = jax.random.split(jax.random.key(0), len(sizes))
        draw = lambda key, i, o: jax.random.uniform(key, (i, o), minval=-1, maxval=1) * (6 / (i + o)) ** 0.5
        return [(draw(key, i, o), jnp.zeros(o)) for key, i, o in zip(keys, sizes, sizes[1:])]

    def forward(layers, x, key=None):
        is_wide = len(layers) == 3 and layers[0][0].shape[1] == 2048
        for w, b in layers[:-1]:
            x = x @ w + b
            x = jax.nn.gelu(x, approximate=False) if is_wide else jax.nn.relu(x)
            if key is not None:
                key, own = jax.random.split(key)
                x = jnp.where(jax.random.bernoulli(own, 0.5, x.shape), x * 2, 0)
        return x @ layers[-1][0] + layers[-1][1]

    def loss(layers, x, y, key=None):
        return optax.softmax_cross_entropy_with_integer_labels(forward(layers, x, key), y).mean()

    def optimizer(kind, rate):
        if kind == "wide":
            return optax.adamw(1e-3, weight_decay=0.01)
        if kind.startswith("hidden"):
            return optax.sgd(0.1, momentum=0.9)
        return optax.sgd(rate) if kind == "softmax" else optax.adam(1e-3)

    # A whole epoch is one compiled loop, which is the fastest form in JAX.
    @partial(jax.jit, static_argnames=("kind", "batch"), donate_argnames=("carry",))
    def scan(kind, batch, carry, x, y, order, rate):
        def step(carry, i):
            layers, state = carry
            # The first indices of a batch differ from step to step: they seed its dropout.
            key = jax.random.wrap_key_data(i[:4].astype(jnp.uint32), impl="rbg") if kind == "wide" else None
            updates, state = optimizer(kind, rate).update(jax.grad(loss)(layers, x[i], y[i], key), state, layers)
            return (optax.apply_updates(layers, updates), state), None
        whole = len(order) // batch * batch
        carry, _ = jax.lax.scan(step, carry, order[:whole].reshape(-1, batch))
        return step(carry, order[whole:])[0] if whole < len(order) else carry

    accuracy_of = jax.jit(lambda layers, x, y: (forward(layers, x).argmax(1) == y).mean())
    rng = np.random.default_rng(0)

    def train(kind, rate, batch, x, y):
        x, y = jax.device_put(x), jnp.asarray(y.astype(np.int32))
        layers = fresh(kind)
        carry = [(layers, optimizer(kind, 1.0).init(layers))]

        def epoch():
            order = rng.permutation(len(y)).astype(np.int32)
            carry[0] = jax.block_until_ready(scan(kind, batch, carry[0], x, y, order, rate))
        return epoch, lambda xt, yt: float(accuracy_of(carry[0][0], xt, yt))

    def classify(xt):
        layers, on_device = fresh("mlp"), jax.device_put(xt)
        answer = jax.jit(lambda layers, x: forward(layers, x).argmax(1))

        def one():
            for i in range(10000):
                np.asarray(answer(layers, xt[i:i + 1]))

        def many():
            jax.block_until_ready([answer(layers, on_device[i:i + 1024]) for i in range(0, 10000, 1024)])
        return one, many, 10000

    # The networks side by side. Each fold has its images, and each rate of a fold its weights.
    @partial(jax.jit, static_argnames=("momentum",), donate_argnames=("carry",))
    def scan_stacked(momentum, carry, x, y, orders, rates):
        gradients = jax.vmap(jax.vmap(jax.grad(loss), (0, None, None)))
        def step(carry, i):
            layers, velocity = carry
            g = gradients(layers, x[i], y[i])
            velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, g) if momentum else g
            scaled = lambda p, v: p - rates.reshape(-1, *[1] * (p.ndim - 2)) * v
            return (jax.tree.map(scaled, layers, velocity), velocity), None
        whole = orders.shape[1] // 128 * 128
        carry, _ = jax.lax.scan(step, carry, orders[:, :whole].reshape(5, -1, 128).swapaxes(0, 1))
        return step(carry, orders[:, whole:])[0]

    def stacked(x, y, kind, momentum, rates, epochs):
        x, y, start = jax.device_put(x), jnp.asarray(y.astype(np.int32)), time.perf_counter()
        layers = jax.tree.map(lambda p: jnp.tile(p, (5, len(rates), *[1] * p.ndim)), fresh(kind))
        carry, parts = (layers, jax.tree.map(jnp.zeros_like, layers)), folds()
        for _ in range(epochs):
            orders = np.stack([rng.permutation(learned) for learned, _ in parts]).astype(np.int32)
            carry = scan_stacked(momentum, carry, x, y, orders, jnp.asarray(rates))
        right = jax.vmap(jax.vmap(accuracy_of, (0, None, None)))
        held_out = np.stack([validation for _, validation in parts])
        means = right(carry[0], x[held_out], y[held_out]).mean(0).tolist()
        return {"s": time.perf_counter() - start, "means": dict(zip(map(str, rates), means))}

    def scaling(x, y):
        def epoch_s(kind, count):
            epoch, _ = train(kind, 1.0, 128, x[:count], y[:count])
            return float(np.median([seconds(epoch) for _ in range(4)][1:]))
        return {"neurons": [epoch_s(f"hidden-{n}", len(y)) for n in NEURONS], "images": [epoch_s("softmax", n) for n in IMAGES],
                "networks": [stacked(x, y, "softmax", 0, [0.02 * 1.3 ** i for i in range(n // 5)], 6)["s"] for n in NETWORKS]}
    train.whole = {"W7": lambda x, y: stacked(x, y, "hidden", 0.9, RATES, EPOCHS["W7"]), "scaling": scaling}
    return train, classify, jax.__version__


def torch_network(kind):
    from torch import nn
    after = (lambda: [nn.GELU(), nn.Dropout(0.5)]) if kind == "wide" else lambda: [nn.ReLU()]
    layers = [part for i, o in zip(SIZES[kind], SIZES[kind][1:]) for part in (nn.Linear(i, o), *after())]
    return nn.Sequential(*layers[:-len(after())])


def torch_peer():
    import torch
    from torch import nn

    def changed(x):
        """The images of a batch, each moved by a map of its own, all in one call."""
        n, degree = len(x), torch.pi / 180
        uniform = lambda most: torch.empty(n).uniform_(-most, most)
        angle, shear, scale = uniform(10 * degree), uniform(10 * degree), 1 + uniform(0.12)
        cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
        maps = torch.stack([torch.stack([cos, torch.tan(shear) * cos - sin, uniform(2 / 14)], 1),
                            torch.stack([sin, torch.tan(shear) * sin + cos, uniform(2 / 14)], 1)], 1)
        x = x.view(n, 1, 28, 28)
        return nn.functional.grid_sample(x, nn.functional.affine_grid(maps, x.shape, False), align_corners=False).view(n, 784)

    def train(kind, rate, batch, x, y):
        x, y, model = torch.from_numpy(x), torch.from_numpy(y), torch_network(kind)
        optimizer = {"softmax": lambda p: torch.optim.SGD(p, lr=rate, fused=True),
                     "wide": lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=0.01, fused=True),
                     }.get(kind, lambda p: torch.optim.Adam(p, lr=1e-3, fused=True))(model.parameters())
        change = changed if kind == "augmented" else lambda x: x

        def epoch():
            for i in torch.randperm(len(x)).split(batch):
                optimizer.zero_grad(set_to_none=True)
                nn.functional.cross_entropy(model(change(x.index_select(0, i))), y.index_select(0, i)).backward()
                optimizer.step()

        @torch.inference_mode()
        def accuracy(xt, yt):
            model.eval()
            return (model(torch.from_numpy(xt)).argmax(1) == torch.from_numpy(yt)).float().mean().item()
        return epoch, accuracy

    def classify(xt):
        model, xt = torch_network("mlp").eval(), torch.from_numpy(xt)

        @torch.inference_mode()
        def one():
            for i in range(10000):
                model(xt[i:i + 1]).argmax(1).item()

        @torch.inference_mode()
        def many():
            for part in xt.split(1024):
                model(part).argmax(1)
        return one, many, 10000
    return train, classify, torch.__version__


def torchvision_peer():
    """W9 as torchvision's documentation has it: each image is a call of its own, in the processes of a DataLoader."""
    import torch
    import torchvision
    from torchvision.transforms import v2
    affine = v2.RandomAffine(10, translate=(2 / 28, 2 / 28), scale=(0.88, 1.12), shear=10, interpolation=v2.InterpolationMode.BILINEAR)

    class Digits(torch.utils.data.Dataset):
        def __init__(self, x, y):
            self.x, self.y = torch.from_numpy(x).view(-1, 1, 28, 28), y

        def __len__(self):
            return len(self.y)

        def __getitem__(self, index):
            return affine(self.x[index]).flatten(), self.y[index]

    def train(kind, rate, batch, x, y):
        model = torch_network(kind)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
        loader = torch.utils.data.DataLoader(Digits(x, y), batch_size=batch, shuffle=True, num_workers=2, persistent_workers=True)

        def epoch():
            for xb, yb in loader:
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(model(xb), yb).backward()
                optimizer.step()

        @torch.inference_mode()
        def accuracy(xt, yt):
            return (model(torch.from_numpy(xt)).argmax(1) == torch.from_numpy(yt)).float().mean().item()
        return epoch, accuracy
    return train, None, torchvision.__version__


def torch_by_hand_peer():
    """Softmax's gradient written out; the 40 networks of W3 and W7 stacked in one product."""
    import torch

    def train(kind, rate, batch, x, y):
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        w, b, eye = torch.empty(784, 10).uniform_(-1 / 28, 1 / 28), torch.zeros(10), torch.eye(10)

        @torch.inference_mode()
        def epoch():
            for i in torch.randperm(len(x)).split(batch):
                xb = x.index_select(0, i)
                delta = (torch.softmax(torch.addmm(b, xb, w), 1) - eye.index_select(0, y.index_select(0, i))) * (-rate / len(i))
                w.addmm_(xb.t(), delta)
                b.add_(delta.sum(0))

        @torch.inference_mode()
        def accuracy(xt, yt):
            return (torch.addmm(b, torch.from_numpy(xt), w).argmax(1) == torch.from_numpy(yt)).float().mean().item()
        return epoch, accuracy

    @torch.inference_mode()
    def stacked(x, y):
        x, y, start = torch.from_numpy(x), torch.from_numpy(y), time.perf_counter()
        rates = torch.tensor(RATES).repeat_interleave(10)
        w = torch.empty(1, 784, 10).uniform_(-1 / 28, 1 / 28).repeat(5, 1, 8)
        b, eye = torch.zeros(5, 1, 80), torch.eye(10)
        parts = [(torch.from_numpy(learned), torch.from_numpy(held_out)) for learned, held_out in folds()]
        for _ in range(EPOCHS["W3"]):
            orders = torch.stack([learned[torch.randperm(len(learned))] for learned, _ in parts])
            for i in orders.split(128, 1):
                n = i.shape[1]
                xb = x.index_select(0, i.reshape(-1)).view(5, n, 784)
                p = torch.softmax(torch.baddbmm(b, xb, w).view(5, n, 8, 10), 3).view(5, n, 80)
                delta = (p - eye[y[i]].repeat(1, 1, 8)) * (-rates / n)
                w.baddbmm_(xb.transpose(1, 2), delta)
                b += delta.sum(1, keepdim=True)
        right = [(torch.addmm(b[k], x[v], w[k]).view(-1, 8, 10).argmax(2) == y[v][:, None]).float().mean(0)
                 for k, (_, v) in enumerate(parts)]
        means = torch.stack(right).mean(0).tolist()
        return {"s": time.perf_counter() - start, "means": dict(zip(map(str, RATES), means))}

    @torch.inference_mode()
    def stacked_hidden(x, y):
        x, y, start = torch.from_numpy(x), torch.from_numpy(y), time.perf_counter()
        # The first layers of a fold's networks stand next to each other; network 8 f + r has fold f and rate r.
        draw = lambda i, o: torch.empty(i, o).uniform_(-1, 1) * (6 / (i + o)) ** 0.5
        w1, w2 = draw(784, 128).repeat(5, 1, 8), draw(128, 10).repeat(40, 1, 1)
        b1, b2, eye = torch.zeros(5, 1, 8 * 128), torch.zeros(40, 1, 10), torch.eye(10)
        rates = torch.tensor(RATES)
        rates = [rates.repeat_interleave(128).view(1, 1, -1)] * 2 + [rates.repeat(5).view(-1, 1, 1)] * 2
        weights = [w1, b1, w2, b2]
        velocities = [torch.zeros_like(w) for w in weights]
        parts = [(torch.from_numpy(learned), torch.from_numpy(held_out)) for learned, held_out in folds()]
        by_network = lambda z: z.view(5, -1, 8, 128).transpose(1, 2).reshape(40, -1, 128)
        for _ in range(EPOCHS["W7"]):
            orders = torch.stack([learned[torch.randperm(len(learned))] for learned, _ in parts])
            for i in orders.split(128, 1):
                n = i.shape[1]
                xb = x.index_select(0, i.reshape(-1)).view(5, n, 784)
                h = by_network(torch.baddbmm(b1, xb, w1).relu_())
                delta = torch.softmax(torch.baddbmm(b2, h, w2), 2).view(5, 8, n, 10)
                delta = (delta - eye[y[i]].unsqueeze(1)).div_(n).view(40, n, 10)
                back = torch.bmm(delta, w2.transpose(1, 2)).mul_(h > 0)
                back = back.view(5, 8, n, 128).transpose(1, 2).reshape(5, n, 8 * 128)
                gradients = [torch.bmm(xb.transpose(1, 2), back), back.sum(1, keepdim=True),
                             torch.bmm(h.transpose(1, 2), delta), delta.sum(1, keepdim=True)]
                for w, v, g, rate in zip(weights, velocities, gradients, rates):
                    v.mul_(0.9).add_(g)
                    w.addcmul_(v, rate, value=-1)
        right = []
        for k, (_, v) in enumerate(parts):
            h = torch.addmm(b1[k], x[v], w1[k]).relu_().view(-1, 8, 128).transpose(0, 1)
            z = torch.baddbmm(b2[8 * k:8 * k + 8], h, w2[8 * k:8 * k + 8])
            right.append((z.argmax(2) == y[v]).float().mean(1))
        means = torch.stack(right).mean(0).tolist()
        return {"s": time.perf_counter() - start, "means": dict(zip(map(str, RATES), means))}
    train.whole = {"W3": stacked, "W7": stacked_hidden}
    return train, None, torch.__version__


def keras_peer(backend):
    os.environ["KERAS_BACKEND"] = backend
    import keras

    def network(kind, rate=1.0):
        optimizer = {"softmax": lambda: keras.optimizers.SGD(rate), "wide": lambda: keras.optimizers.AdamW(1e-3, weight_decay=0.01),
                     }.get(kind, lambda: keras.optimizers.Adam(1e-3))()
        layers = keras.layers
        hidden = lambda size: [layers.Dense(size, activation="gelu"), layers.Dropout(0.5)] if kind == "wide" else [layers.Dense(size, activation="relu")]
        dense = [part for size in SIZES[kind][1:-1] for part in hidden(size)] + [layers.Dense(10, activation="softmax")]
        model = keras.Sequential([keras.Input((784,)), *dense])
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
        return model

    def train(kind, rate, batch, x, y):
        model = network(kind, rate)
        epoch = lambda: model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
        return epoch, lambda xt, yt: float((model.predict(xt, batch_size=1024, verbose=0).argmax(1) == yt).mean())

    def classify(xt):
        model = network("mlp")

        def one():
            for i in range(1000):
                model.predict_on_batch(xt[i:i + 1])

        def many():
            for i in range(0, 10000, 1024):
                model.predict_on_batch(xt[i:i + 1024])
        return one, many, 1000
    import importlib
    name = {"jax": "jax", "tensorflow": "tensorflow"}[backend]
    return train, classify, f"{keras.__version__} on {name} {importlib.import_module(name).__version__}"


def sklearn_peer():
    import warnings
    import sklearn
    from sklearn.neural_network import MLPClassifier
    warnings.filterwarnings("ignore")

    def network(kind, rate, batch, epochs):
        common = dict(batch_size=batch, max_iter=epochs, alpha=0.0, tol=0.0, n_iter_no_change=10 ** 6, random_state=0)
        if kind == "softmax":
            return MLPClassifier((), solver="sgd", learning_rate_init=rate, momentum=0.0, nesterovs_momentum=False, **common)
        return MLPClassifier((512, 256), solver="adam", learning_rate_init=1e-3, **common)

    def train(kind, rate, batch, x, y):
        # fit() starts from new weights; with warm_start it continues for another epoch.
        model = network(kind, rate, batch, 1).set_params(warm_start=True)
        return lambda: model.fit(x, y), lambda xt, yt: float((model.predict(xt) == yt).mean())

    def classify(xt):
        model = network("mlp", 1.0, 128, 1).fit(xt[:2000], idx("t10k-labels-idx1-ubyte")[:2000])

        def one():
            for i in range(2000):
                model.predict(xt[i:i + 1])

        def many():
            for i in range(0, 10000, 1024):
                model.predict(xt[i:i + 1024])
        return one, many, 2000
    return train, classify, sklearn.__version__


def lightning_peer():
    import logging, tempfile, warnings
    import lightning, torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Network(lightning.LightningModule):
        def __init__(self, kind, rate):
            super().__init__()
            self.network, self.kind, self.rate = torch_network(kind), kind, rate

        def training_step(self, batch, _):
            loss = nn.functional.cross_entropy(self.network(batch[0]), batch[1])
            self.log("loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self):
            return (torch.optim.SGD(self.parameters(), lr=self.rate) if self.kind == "softmax"
                    else torch.optim.Adam(self.parameters(), lr=1e-3))

    def train(kind, rate, batch, x, y):
        loader = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=batch, shuffle=True)
        model, state = Network(kind, rate), {"epochs": 0, "trainer": None}

        def epoch():
            state["epochs"] += 1
            if state["trainer"] is None:
                state["trainer"] = lightning.Trainer(accelerator="cpu", max_epochs=1, default_root_dir=tempfile.mkdtemp())
            state["trainer"].fit_loop.max_epochs = state["epochs"]
            state["trainer"].fit(model, loader)

        @torch.inference_mode()
        def accuracy(xt, yt):
            return (model.network(torch.from_numpy(xt)).argmax(1) == torch.from_numpy(yt)).float().mean().item()
        return epoch, accuracy
    return train, None, lightning.__version__


def main():
    framework, workload = sys.argv[1:3]
    peers = {"jax": jax_peer, "torch": torch_peer, "torch-by-hand": torch_by_hand_peer, "sklearn": sklearn_peer,
             "torchvision": torchvision_peer, "keras-jax": lambda: keras_peer("jax"),
             "keras-tensorflow": lambda: keras_peer("tensorflow"), "lightning": lightning_peer}
    if workload == "rate":
        # The machine's speed of matrix products: the best of 20 products of 1,024 by 1,024 numbers.
        import jax, jax.numpy as jnp
        a = jnp.asarray(np.random.default_rng(0).random((1024, 1024), np.float32))
        product = jax.jit(lambda a: a @ a)
        work = lambda: jax.block_until_ready(product(a))
        work()
        print("RESULT " + json.dumps({"gflops": 2 * 1024 ** 3 / min(seconds(work) for _ in range(40)) / 1e9}))
        return
    train, classify, version = peers[framework]()
    data = load()
    if whole := getattr(train, "whole", {}).get(workload):
        result = whole(data[0], data[1])
    else:
        result = run(workload, train, classify, data)
    result["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("RESULT " + json.dumps({"version": version, **result}))


main()
