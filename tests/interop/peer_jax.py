"""JAX with Flax: safetensors and jax2onnx into smallnet; smallnet's safetensors, in Burn's layout, into JAX."""

import importlib.metadata
import logging

import flax.traverse_util
import jax
import jax2onnx
import numpy
import optax
from flax import linen
from safetensors.flax import load_file, save_file

import common

ACTIVATIONS = {"relu": jax.nn.relu, "leaky-relu": jax.nn.leaky_relu, "gelu": lambda x: jax.nn.gelu(x, approximate=False),
               "silu": jax.nn.silu, "sigmoid": jax.nn.sigmoid, "tanh": jax.numpy.tanh}


class Network(linen.Module):
    hidden: tuple
    activation: str = "relu"

    @linen.compact
    def __call__(self, x):
        x = x.reshape((x.shape[0], -1))
        for width in self.hidden:
            x = ACTIVATIONS[self.activation](linen.Dense(width)(x))
        return linen.Dense(10)(x)


def train(model):
    """Trains for one epoch on 20,000 images and returns the parameters."""
    pixels, labels = common.images("train", 20_000)
    pixels, optimizer = common.scaled(pixels), optax.adam(1e-3)
    parameters = model.init(jax.random.key(1), pixels[:1])
    state = optimizer.init(parameters)

    def loss(parameters, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply(parameters, x), y).mean()

    @jax.jit
    def step(parameters, state, x, y):
        updates, state = optimizer.update(jax.grad(loss)(parameters, x, y), state)
        return optax.apply_updates(parameters, updates), state

    for start in range(0, len(labels) - 63, 64):
        parameters, state = step(parameters, state, pixels[start:start + 64], labels[start:start + 64])
    return parameters


def answers(model, parameters):
    return common.softmax(numpy.asarray(model.apply(parameters, common.scaled(common.images("t10k")[0]))))


def jax_to_smallnet(table, smallnet):
    for name, hidden in common.NETWORKS.items():
        model = Network(tuple(hidden))
        parameters = train(model)
        expected = answers(model, parameters)
        flat = flax.traverse_util.flatten_dict(parameters["params"], sep=".")
        path = smallnet.folder / f"jax-{name}.safetensors"
        export_seconds = common.seconds(save_file, flat, path)[1]
        options = ["--activation", "relu"] if hidden else []
        table.check(common.comes_in, table, "safetensors.flax", name, smallnet, path, expected, export_seconds, options)
        path = smallnet.folder / f"jax-{name}.onnx"
        export_seconds = common.seconds(
            jax2onnx.to_onnx, lambda x: model.apply(parameters, x), [("batch", 28, 28)], return_mode="file", output_path=str(path))[1]
        way = f"jax2onnx {importlib.metadata.version('jax2onnx')}"
        table.check(common.comes_in, table, way, name, smallnet, path, expected, export_seconds)


def smallnet_to_jax(table, smallnet):
    for name, hidden, activation, record in smallnet.networks():

        def read(path):
            tensors = load_file(path)
            parameters = {f"Dense_{index}": {"kernel": tensors[f"layers.{index}.weight"], "bias": tensors[f"layers.{index}.bias"]}
                          for index in range(len(hidden) + 1)}
            return answers(Network(tuple(hidden), activation), {"params": parameters})

        table.check(common.goes_out, table, "safetensors", name, smallnet, record,
                    smallnet.folder / f"{activation}-{len(hidden)}.safetensors", {table.peer: read}, ["--format", "safetensors"])


def checks(table, smallnet):
    # jax2onnx logs that it has no converters for libraries that are not installed.
    logging.disable(logging.WARNING)
    jax_to_smallnet(table, smallnet)
    smallnet_to_jax(table, smallnet)


if __name__ == "__main__":
    common.main(f"JAX {jax.__version__}, Flax {flax.__version__}", checks)
