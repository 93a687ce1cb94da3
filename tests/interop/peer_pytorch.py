"""PyTorch: state dictionaries, safetensors and both ONNX exporters into smallnet; smallnet's safetensors into PyTorch."""

import warnings

import safetensors.torch
import torch
from torch import nn

import common

ACTIVATIONS = {"relu": nn.ReLU, "leaky-relu": nn.LeakyReLU, "gelu": nn.GELU, "silu": nn.SiLU, "sigmoid": nn.Sigmoid,
               "tanh": nn.Tanh}


def network(hidden, activation="relu"):
    """The obvious `nn.Sequential` of such a network."""
    layers, inputs = [nn.Flatten()], 784
    for width in hidden:
        layers += [nn.Linear(inputs, width), ACTIVATIONS[activation]()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 10))


class Scaled(nn.Module):
    """A network that takes bytes and scales them itself, as torchvision's examples do outside of it."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, pixels):
        return self.inner((pixels.float() / 255 - 0.1307) / 0.3081)


def train(model, prepare):
    """Trains for one epoch on 20,000 images."""
    pixels, labels = common.images("train", 20_000)
    pixels, labels = prepare(torch.tensor(pixels)), torch.tensor(labels)
    optimizer = torch.optim.Adam(model.parameters())
    for batch in torch.randperm(len(labels)).split(64):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(pixels[batch]), labels[batch]).backward()
        optimizer.step()
    return model.eval()


def answers(model, prepare):
    with torch.no_grad():
        return common.softmax(model(prepare(torch.tensor(common.images("t10k")[0]))).numpy())


def onnx(model, path, example, dynamo):
    names = {"input_names": ["images"], "output_names": ["logits"]}
    if dynamo:
        shapes = ({0: torch.export.Dim("batch")},)
        torch.onnx.export(model, (example,), path, dynamo=True, external_data=False, dynamic_shapes=shapes, verbose=False, **names)
    else:
        axes = {"images": {0: "batch"}, "logits": {0: "batch"}}
        torch.onnx.export(model, (example,), path, dynamo=False, dynamic_axes=axes, **names)


def unit(pixels):
    return pixels.float() / 255


def normalized(pixels):
    return (unit(pixels) - 0.1307) / 0.3081


def pytorch_to_smallnet(table, smallnet):
    activation = ["--activation", "relu"]
    example = torch.zeros(2, 28, 28)
    ways = {
        "torch.save(state_dict)": (".pt", lambda model, path: torch.save(model.state_dict(), path)),
        "torch.save(state_dict), legacy": (".pth", lambda model, path: torch.save(
            model.state_dict(), path, _use_new_zipfile_serialization=False)),
        "safetensors": (".safetensors", lambda model, path: safetensors.torch.save_file(model.state_dict(), path)),
        "torch.onnx.export": (".onnx", lambda model, path: onnx(model, path, example, True)),
        "torch.onnx.export(dynamo=False)": (".old.onnx", lambda model, path: onnx(model, path, example, False)),
    }
    for name, hidden in common.NETWORKS.items():
        model = train(network(hidden), unit)
        for way, (suffix, save) in ways.items():
            path = smallnet.folder / f"torch-{name}{suffix}"
            export_seconds = common.seconds(save, model, path)[1]
            options = activation if hidden and "onnx" not in suffix else []
            table.check(common.comes_in, table, way, name, smallnet, path, answers(model, unit), export_seconds, options)

    model, path = train(network([128]), normalized), smallnet.folder / "normalized.pt"
    torch.save(model.state_dict(), path)
    table.check(common.comes_in, table, "torch.save, --mean 0.1307 --std 0.3081", "hidden", smallnet, path,
                answers(model, normalized), 0.0, [*activation, "--mean", "0.1307", "--std", "0.3081"])
    model, path = Scaled(model), smallnet.folder / "scaled.onnx"
    bytes_example = torch.zeros(2, 28, 28, dtype=torch.uint8)
    export_seconds = common.seconds(onnx, model, path, bytes_example, True)[1]
    table.check(common.comes_in, table, "torch.onnx.export, bytes in", "hidden", smallnet, path,
                answers(model, lambda pixels: pixels), export_seconds)


def smallnet_to_pytorch(table, smallnet):
    for name, hidden, activation, record in smallnet.networks():

        def read(path):
            model = network(hidden, activation)
            model.load_state_dict(safetensors.torch.load_file(path), strict=True)
            return answers(model, unit)

        table.check(common.goes_out, table, "safetensors → load_state_dict", name, smallnet, record,
                    smallnet.folder / f"{activation}-{len(hidden)}.safetensors", {table.peer: read},
                    ["--format", "safetensors", "--layout", "pytorch"])


def checks(table, smallnet):
    warnings.filterwarnings("ignore")
    torch.manual_seed(1)
    torch.set_num_threads(1)
    pytorch_to_smallnet(table, smallnet)
    smallnet_to_pytorch(table, smallnet)


if __name__ == "__main__":
    common.main(f"PyTorch {torch.__version__}", checks)
