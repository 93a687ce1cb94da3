"""Keras: `.keras` files and its ONNX export into smallnet; smallnet's `.keras` files into Keras."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras  # noqa: E402 (reads the variable)
import numpy  # noqa: E402

import common  # noqa: E402

layers = keras.layers


def network(hidden, activation="relu", front=()):
    """A Sequential that ends with a softmax; `front` comes before it."""
    dense = [layers.Dense(width, activation=activation) for width in hidden]
    return keras.Sequential(
        [keras.Input((28, 28)), *front, layers.Flatten(), *dense, layers.Dense(10, activation="softmax")])


def train(model, pixels, labels):
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(pixels, labels, epochs=1, batch_size=64, verbose=0)
    return model


def answers(model, pixels):
    return numpy.asarray(model.predict(pixels, batch_size=1000, verbose=0))


def with_layers():
    """The same kind of network from layers of their own, without a softmax."""
    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(64), layers.LeakyReLU(negative_slope=0.1),
                             layers.Dropout(0.2), layers.Dense(10), layers.Softmax()])


def keras_to_smallnet(table, smallnet):
    pixels, labels = common.images("train", 20_000)
    test = common.images("t10k")[0]
    unit = (common.scaled(pixels), common.scaled(test))
    whole = (pixels.astype("float32"), test.astype("float32"))
    models = {
        "softmax": (network([]), unit),
        "hidden": (network([128]), unit),
        "hidden, Rescaling(1/255)": (network([128], front=[layers.Rescaling(1 / 255)]), whole),
        "hidden, LeakyReLU and Dropout layers": (with_layers(), unit),
    }
    for name, (model, (train_pixels, test_pixels)) in models.items():
        train(model, train_pixels, labels)
        ways = {"model.save": (".keras", model.save)}
        if name in common.NETWORKS:
            ways["model.export(format=onnx)"] = (".onnx", lambda path: model.export(path, format="onnx", verbose=False))
        for way, (suffix, save) in ways.items():
            path = smallnet.folder / f"keras-{name.split('(')[0].replace(', ', '-').replace(' ', '-')}{suffix}"
            export_seconds = table.check(common.seconds, save, str(path))
            if export_seconds:
                table.check(common.comes_in, table, way, name, smallnet, path, answers(model, test_pixels), export_seconds[1])


def smallnet_to_keras(table, smallnet):
    test = common.scaled(common.images("t10k")[0])
    for name, hidden, activation, record in smallnet.networks():
        table.check(common.goes_out, table, ".keras → load_model", name, smallnet, record,
                    smallnet.folder / f"{activation}-{len(hidden)}.keras",
                    {table.peer: lambda path: answers(keras.saving.load_model(path), test)}, ["--format", "keras"])


def checks(table, smallnet):
    keras.utils.set_random_seed(1)
    keras_to_smallnet(table, smallnet)
    smallnet_to_keras(table, smallnet)


if __name__ == "__main__":
    common.main(f"Keras {keras.__version__}", checks)
