# question 0
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import MNIST

train = MNIST("data", train=True, download=True)
test = MNIST("data", train=False)
x_train, y_train = train.data / 255, train.targets
x_test, y_test = test.data / 255, test.targets

model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 10),
)
loss_function = nn.CrossEntropyLoss()  # softmax is in it
optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
pairs = TensorDataset(x_train, y_train)
loader = DataLoader(pairs, batch_size=128, shuffle=True)

def fit(model, optimizer, loader, epochs=10):
    for epoch in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss_function(model(x), y).backward()
            optimizer.step()

def accuracy(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()

fit(model, optimizer, loader)
print(f"test accuracy {accuracy(model, x_test, y_test):.4f}")

# question 1
print(x_train.shape, x_train[0].shape)
# torch.Size([60000, 28, 28]) torch.Size([28, 28])

# question 2
import torch.nn.functional as F
print(y_train[:2])  # tensor([5, 0])
print(F.one_hot(y_train[:2], num_classes=10))
# tensor([[0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
#         [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]])

# question 3
print(x_train[:1].shape)  # [1, 28, 28]
print(nn.Flatten()(x_train[:1]).shape)  # [1, 784]

# question 4
print(model)  # (0): Flatten, (1): Linear
print([layer for layer in model if list(layer.parameters())])
# [Linear(in_features=784, out_features=10, bias=True)]

# question 5
print([p.shape for p in model.parameters()])
# [torch.Size([10, 784]), torch.Size([10])]
print(sum(p.numel() for p in model.parameters()))  # 7850

# question 6
print(loss_function)  # CrossEntropyLoss()
print(optimizer)  # SGD: lr 1.0, momentum 0, …

# question 7
print(len(x_train) / 128)  # 468.75
print(len(loader))  # 469

# question 8
import matplotlib.pyplot as plt
print(model(x_test[:1]).argmax().item(), y_test[0].item())
# the label, the second number: 7
plt.imshow(x_test[0], cmap="gray")

# question 9
weights = model[1].weight.detach()
plt.imshow(weights[3].reshape(28, 28), cmap="bwr")
# the neuron of class 3

# question 10
model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 128), nn.ReLU(),  # inserted
    nn.Linear(128, 10),
)
optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
fit(model, optimizer, loader)
print(accuracy(model, x_test, y_test))

# question 11
def softmax_network(rate, loader):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    fit(model, optimizer, loader, epochs=10)
    return model

part = TensorDataset(x_train[:50000], y_train[:50000])
part = DataLoader(part, batch_size=128, shuffle=True)
for rate in [0.01, 0.1, 1.0, 10.0]:
    model = softmax_network(rate, part)
    judged = accuracy(model, x_train[50000:], y_train[50000:])
    print(rate, judged)

# question 12
from sklearn.model_selection import StratifiedKFold
folds = StratifiedKFold(5, shuffle=True)
for learn, judge in folds.split(x_train, y_train):
    part = TensorDataset(x_train[learn], y_train[learn])
    part = DataLoader(part, batch_size=128, shuffle=True)
    model = softmax_network(0.3, part)
    print(accuracy(model, x_train[judge], y_train[judge]))

# question 13
model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 512), nn.ReLU(),
    nn.Linear(512, 256), nn.ReLU(),
    nn.Linear(256, 10))
print(sum(p.numel() for p in model.parameters()))  # 535818

# question 14
import time
for batch_size in [16, 128, 1024]:
    start = time.perf_counter()
    loader = DataLoader(pairs, batch_size, shuffle=True)
    softmax_network(1.0, loader)
    print(batch_size, time.perf_counter() - start)
