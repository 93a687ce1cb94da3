"""Writes small networks in all forms of Keras' files that smallnet reads, and what Keras computes with them.

    python3 -m venv /tmp/venv-keras
    /tmp/venv-keras/bin/pip install keras jax h5py
    KERAS_BACKEND=jax /tmp/venv-keras/bin/python -P tests/reference/keras_files.py OUT

OUT gets the files and `expected.json`: for each file the images and the probabilities that `model.predict` gives.
The folder tests/fixtures/keras was made by Keras 3.15.1, JAX 0.10.2 and h5py 3.16.0. The weights are random.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

OUT = Path(sys.argv[1])
expected = {}
random = np.random.default_rng(7)


def save(names, model, images):
    """Saves a model under each of the names, and what it computes. Biases are no longer zero, so that a lost one is noticed."""
    for layer in model.layers:
        if isinstance(layer, layers.Dense):
            layer.set_weights([random.normal(0, 0.6, weights.shape) for weights in layer.get_weights()])
    logits = model.predict(images, verbose=0).astype("float64")
    has_softmax = np.allclose(logits.sum(1), 1, atol=1e-2)
    exps = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = logits if has_softmax else exps / exps.sum(1, keepdims=True)
    # The images are in [0, 1], as smallnet has them.
    white = images.max() if images.max() > 1 else 1.0
    for name in names.split():
        model.save(OUT / name)
        expected[name] = {"images": (images / white).reshape(len(images), -1).tolist(), "probabilities": probabilities.tolist()}


unit = random.random((5, 2, 2), dtype="float32")
by_bytes = random.integers(0, 256, (5, 2, 2)).astype("float32")
by_bytes[0, 0, 0] = 255

# Sequential, every activation. The name of the function leaky_relu means the slope 0.2.
for activation in ["relu", "leaky_relu", "gelu", "silu", "sigmoid", "tanh"]:
    model = keras.Sequential(
        [layers.Input((2, 2)), layers.Flatten(), layers.Dense(3, activation), layers.Dense(3, activation), layers.Dense(2, "softmax")]
    )
    save(f"{activation}.keras", model, unit)

# Functional: a chain with layers for the functions, no bias, layers that only act during training.
inputs = keras.Input((2, 2, 1))
x = layers.RandomTranslation(0.1, 0.1)(inputs)
x = layers.Rescaling(1 / 127.5, offset=-1)(x)
x = layers.Reshape((-1,))(x)
x = layers.GaussianNoise(0.1)(x)
x = layers.Dense(3, use_bias=False, kernel_regularizer="l2", name="first")(x)
x = layers.LeakyReLU(negative_slope=0.1)(x)
x = layers.Dropout(0.5)(x)
x = layers.Dense(3, activation=layers.LeakyReLU(negative_slope=0.1), name="second")(x)
x = layers.Dense(2, name="third")(x)
functional = keras.Model(inputs, layers.Softmax()(x))
save("functional.keras functional.h5", functional, by_bytes.reshape(5, 2, 2, 1))

# Normalization whose numbers are weights: adapted to bytes, one mean per column.
normalization = layers.Normalization()
normalization.adapt(by_bytes)
model = keras.Sequential([layers.Input((2, 2)), normalization, layers.Flatten(), layers.Dense(2)])
save("normalization.keras", model, by_bytes)

# Normalization whose numbers are settings, after a Rescaling. Trained, so there is an optimizer's state, too.
model = keras.Sequential(
    [
        layers.Input((4,)),
        layers.Rescaling(1 / 255),
        layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 0.5, 0.25, 0.04]),
        layers.Dense(3),
        layers.Activation("relu"),
        layers.Dense(2, "softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(by_bytes.reshape(5, 4), np.array([0, 1, 0, 1, 1]), verbose=0)
save("trained.keras trained.h5", model, by_bytes.reshape(5, 4))

# Numbers of other types.
for policy in ["float16", "bfloat16"]:
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([layers.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2, "softmax")])
    save(f"{policy}.keras", model, unit.reshape(5, 4))
keras.config.set_dtype_policy("float32")

# What is no dense network.
model = keras.Sequential([layers.Input((2, 2, 1)), layers.Conv2D(1, 1, name="edges"), layers.Flatten(), layers.Dense(2, "softmax")])
model.save(OUT / "refused_conv.keras")
model = keras.Sequential([layers.Input((4,)), layers.Dense(3, "relu"), layers.BatchNormalization(name="norm"), layers.Dense(2)])
model.save(OUT / "refused_batch_normalization.keras")
model = keras.Sequential([layers.Input((4,)), layers.Dense(3, "relu"), layers.Dense(3, "tanh", name="other"), layers.Dense(2)])
model.save(OUT / "refused_mixed.keras")
inputs = keras.Input((4,))
a = layers.Dense(2)(inputs)
model = keras.Model(inputs, layers.Add(name="sum")([a, layers.Dense(2)(inputs)]))
model.save(OUT / "refused_branches.keras")
model.save_weights(OUT / "refused_weights_alone.weights.h5")

(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
