"""Tiny ONNX files of the exporters that people use, for src/exchange/onnx/tests/exporters.rs.

Each network has images of 2 x 2 pixels, 3 hidden neurons and 2 or 3 classes. `expected.json` has, for three
images, what ONNX Runtime computes from the file (`outputs`) and what the file's input takes (`input`).

    python3 -m venv venv-torch;  venv-torch/bin/pip install torch onnx onnxscript onnxruntime
    python3 -m venv venv-others; venv-others/bin/pip install keras jax flax jax2onnx scikit-learn skl2onnx onnx onnxruntime
    venv-torch/bin/python -P tests/reference/onnx_exporters.py torch
    venv-others/bin/python -P tests/reference/onnx_exporters.py keras sklearn jax

`-P` keeps this folder, which has a `statistics.py`, out of the way of the modules that Python searches for.
Last run with PyTorch 2.15.0, Keras 3.15.1 (backend jax 0.10.2), scikit-learn 1.9.1 with skl2onnx 1.20.0, jax2onnx 0.16.1,
ONNX Runtime 1.32.0.
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
warnings.filterwarnings("ignore")

import numpy as np
import onnx
import onnxruntime

FOLDER = Path("tests/fixtures/onnx")
rng = np.random.default_rng(5)
# Bytes of three images, so that each network can take bytes, or the bytes divided by 255.
IMAGES = rng.integers(0, 256, (3, 2, 2)).astype("uint8")
WEIGHTS = [rng.normal(size=shape).astype("float32") for shape in [(4, 3), (3,), (3, 3), (3,)]]


def record(name, pixels):
    """Runs the file on the images, which it takes as `pixels`: `fractions` or `bytes`."""
    path = FOLDER / f"{name}.onnx"
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path))
    taken = session.get_inputs()[0]
    images = IMAGES if pixels == "bytes" else IMAGES / 255
    shape = [3] + [size for size in taken.shape[1:] if isinstance(size, int)]
    kind = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}[taken.type]
    outputs = session.run(None, {taken.name: images.reshape(shape).astype(kind)})
    last = outputs[-1]
    if isinstance(last, list):  # a ZipMap: one dictionary per image
        last = np.array([[row[key] for key in sorted(row)] for row in last])
    known = FOLDER / "expected.json"
    expected = json.loads(known.read_text()) if known.exists() else {"images": IMAGES.reshape(3, 4).tolist(), "files": {}}
    expected["files"][name] = {"pixels": pixels, "outputs": np.asarray(last, float).round(7).tolist()}
    expected["files"] = dict(sorted(expected["files"].items()))
    known.write_text(json.dumps(expected, indent=1) + "\n")
    print(name, path.stat().st_size, [node.op_type for node in onnx.load(path).graph.node])


def torch():
    import torch
    from torch import nn

    class View(nn.Module):
        """A class as people write it: a scaling of bytes and a `view` inside."""

        def __init__(self):
            super().__init__()
            self.first, self.second, self.drop = nn.Linear(4, 3), nn.Linear(3, 3), nn.Dropout(0.5)

        def forward(self, x):
            x = (x.float() / 255 - 0.1307) / 0.3081
            return self.second(self.drop(torch.relu(self.first(x.view(x.size(0), -1)))))

    def layers(activation, *end, bias=True):
        return nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=bias), activation, nn.Linear(3, 3, bias=bias), *end)

    cases = {
        "relu": (layers(nn.ReLU()), "fractions"),
        "gelu-softmax": (layers(nn.GELU(), nn.Softmax(1)), "fractions"),
        "silu-nobias": (layers(nn.SiLU(), bias=False), "fractions"),
        "leaky": (layers(nn.LeakyReLU(0.2), nn.LogSoftmax(1)), "fractions"),
        "view-bytes": (View(), "bytes"),
    }
    for name, (model, pixels) in cases.items():
        parts = [part for part in model.modules() if isinstance(part, nn.Linear)]
        for part, weight, bias in zip(parts, WEIGHTS[::2], WEIGHTS[1::2]):
            part.weight.data = torch.tensor(weight.T.copy())
            if part.bias is not None:
                part.bias.data = torch.tensor(bias)
        model.eval()
        example = torch.tensor(IMAGES[:2]) if pixels == "bytes" else torch.tensor(IMAGES[:2] / 255).float()
        names = {"input_names": ["images"], "output_names": ["logits"], "verbose": False}
        batch = ({0: torch.export.Dim("batch")},)
        path = str(FOLDER / f"torch-{name}.onnx")
        torch.onnx.export(model, (example,), path, dynamo=True, dynamic_shapes=batch, external_data=False, **names)
        # Its nodes have the source lines of the machine that wrote it.
        file = onnx.load(path)
        for node in file.graph.node:
            del node.metadata_props[:]
        del file.graph.value_info[:]
        onnx.save(file, path)
        record(f"torch-{name}", pixels)
        path = str(FOLDER / f"torchscript-{name}.onnx")
        axes = {"images": {0: "batch"}, "logits": {0: "batch"}}
        # Version 14 has no operator for GELU: the exporter composes it.
        torch.onnx.export(model, (example,), path, dynamo=False, dynamic_axes=axes, opset_version=14, **names)
        record(f"torchscript-{name}", pixels)


def keras():
    import keras
    from keras import layers

    def export(name, pixels, *parts):
        model = keras.Sequential([keras.Input((2, 2)), *parts])
        model.set_weights(WEIGHTS)
        model(IMAGES.astype("float32"))  # It refuses to export a model that was never called.
        model.export(str(FOLDER / f"keras-{name}.onnx"), format="onnx", verbose=False)
        record(f"keras-{name}", pixels)

    dense = lambda activation, end: [layers.Flatten(), layers.Dense(3, activation=activation), layers.Dense(3, activation=end)]
    export("relu", "fractions", *dense("relu", "softmax"))
    export("gelu", "fractions", *dense("gelu", None))
    export("rescaling", "bytes", layers.Rescaling(1 / 127.5, offset=-1), *dense("tanh", "softmax"))


def sklearn():
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from skl2onnx import to_onnx

    x = np.concatenate([IMAGES.reshape(3, 4), rng.integers(0, 256, (57, 4))]).astype("float32")
    y = np.array(["cat", "dog", "emu"])[rng.integers(0, 3, 60)]
    network = lambda activation: MLPClassifier((3,), activation=activation, max_iter=20, random_state=1)
    cases = {
        "mlp": (network("relu"), x / 255, "fractions"),
        "mlp-tanh": (network("tanh"), x / 255, "fractions"),
        "logistic": (LogisticRegression(), x / 255, "fractions"),
        "standard": (make_pipeline(StandardScaler(), network("logistic")), x, "bytes"),
    }
    for name, (model, data, pixels) in cases.items():
        model.fit(data, y)
        file = to_onnx(model, data[:1])
        (FOLDER / f"sklearn-{name}.onnx").write_bytes(file.SerializeToString())
        record(f"sklearn-{name}", pixels)


def jax():
    import flax.linen as nn
    import jax.numpy as jnp
    import jax2onnx

    first, first_bias, second, second_bias = map(jnp.asarray, WEIGHTS)

    def model(activation):
        return lambda x: activation(x.reshape((x.shape[0], -1)) @ first + first_bias) @ second + second_bias

    exact = lambda x: nn.gelu(x, approximate=False)
    for name, activation in {"relu": nn.relu, "gelu": exact, "silu": nn.silu}.items():
        path = str(FOLDER / f"jax-{name}.onnx")
        jax2onnx.to_onnx(model(activation), [("B", 2, 2)], return_mode="file", output_path=path)
        record(f"jax-{name}", "fractions")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for program in sys.argv[1:]:
        {"torch": torch, "keras": keras, "sklearn": sklearn, "jax": jax}[program]()
