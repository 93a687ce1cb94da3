# question 0
import keras
from keras import layers
from keras.datasets import mnist

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255, x_test / 255
t_train = keras.utils.to_categorical(y_train)
t_test = keras.utils.to_categorical(y_test)

model = keras.Sequential([
    layers.Flatten(),
    layers.Dense(10, activation="softmax"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=1.0),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, t_train, batch_size=128, epochs=10)
loss, accuracy = model.evaluate(x_test, t_test)
print(f"test accuracy {accuracy:.4f}")

# question 1
print(x_train.shape, x_train[0].shape)
# (60000, 28, 28) (28, 28)

# question 2
print(y_train[:2])  # [5 0]
print(keras.utils.to_categorical(y_train[:2], num_classes=10))
# [[0. 0. 0. 0. 0. 1. 0. 0. 0. 0.]
#  [1. 0. 0. 0. 0. 0. 0. 0. 0. 0.]]

# question 3
print(x_train[:1].shape)  # (1, 28, 28)
print(layers.Flatten()(x_train[:1]).shape)  # (1, 784)

# question 4
model.summary()  # two rows: Flatten and Dense
print([layer.name for layer in model.layers if layer.weights])
# ['dense']

# question 5
print([w.shape for w in model.get_weights()])
# [(784, 10), (10,)]
print(model.count_params())  # 7850

# question 6
print(model.loss)  # categorical_crossentropy
print(model.optimizer.get_config())
# 'name': 'sgd', 'learning_rate': 1.0, 'momentum': 0.0, …

# question 7
print(len(x_train) / 128)  # 468.75
print(-(-len(x_train) // 128))  # rounded up: 469

# question 8
import matplotlib.pyplot as plt
print(model.predict(x_test[:1]).argmax(), y_test[0])
# the label, the second number: 7
plt.imshow(x_test[0], cmap="gray")

# question 9
weights, biases = model.layers[-1].get_weights()
plt.imshow(weights[:, 3].reshape(28, 28), cmap="bwr")
# the neuron of class 3

# question 10
model = keras.Sequential([
    layers.Flatten(),
    layers.Dense(128, activation="relu"),  # inserted
    layers.Dense(10, activation="softmax"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=1.0),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, t_train, batch_size=128, epochs=10)
model.evaluate(x_test, t_test)

# question 11
def softmax_network(rate):
    model = keras.Sequential([
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=rate),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model

for rate in [0.01, 0.1, 1.0, 10.0]:
    model = softmax_network(rate)
    model.fit(x_train, t_train, batch_size=128, epochs=10,
              validation_split=1 / 6)

# question 12
from sklearn.model_selection import StratifiedKFold
folds = StratifiedKFold(5, shuffle=True)
for learn, judge in folds.split(x_train, y_train):
    model = softmax_network(0.3)
    model.fit(x_train[learn], t_train[learn],
              batch_size=128, epochs=10)
    model.evaluate(x_train[judge], t_train[judge])

# question 13
model = keras.Sequential([
    keras.Input((28, 28)), layers.Flatten(),
    layers.Dense(512, activation="relu"),
    layers.Dense(256, activation="relu"),
    layers.Dense(10, activation="softmax")])
print(model.count_params())  # 535818

# question 14
import time
for batch_size in [16, 128, 1024]:
    start = time.perf_counter()
    model = softmax_network(1.0)
    model.fit(x_train, t_train,
              batch_size=batch_size, epochs=10)
    print(batch_size, time.perf_counter() - start)
