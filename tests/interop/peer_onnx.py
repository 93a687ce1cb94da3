"""ONNX Runtime and OpenVINO: smallnet's ONNX files, with pixels from 0 to 1 and with bytes; the CSV files with numpy."""

import math

import numpy
import onnx
import onnxruntime
import openvino
from scipy import special

import common

FUNCTIONS = {
    "relu": lambda x: numpy.maximum(x, 0),
    "leaky-relu": lambda x: numpy.where(x >= 0, x, 0.01 * x),
    "gelu": lambda x: x * (1 + special.erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + numpy.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)),
    "tanh": numpy.tanh,
}


def onnx_runtime(path, pixels):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {session.get_inputs()[0].name: pixels})[0]


def open_vino(path, pixels):
    core = openvino.Core()
    model = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return model(pixels)["probabilities"]


def read_csv(folder, activation):
    """Probabilities in double precision from the weights in the CSV tables."""
    values = common.scaled(common.images("t10k")[0]).reshape(-1, 784).astype(numpy.float64)
    count = len(list(folder.glob("layers.*.weight.csv")))
    for index in range(count):
        weights, biases = (numpy.loadtxt(folder / f"layers.{index}.{part}.csv", delimiter=",", skiprows=1)
                           for part in ("weight", "bias"))
        values = values @ weights + biases
        if index < count - 1:
            values = FUNCTIONS[activation](values)
    return common.softmax(values)


def check_metadata(path, record):
    """What smallnet writes beside the numbers, and the checker of the format."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    texts = {entry.key: entry.value for entry in model.metadata_props}
    if texts.get("weights_sha256") != record["weights_sha256"]:
        raise common.Failure(f"the metadata have the digest {texts.get('weights_sha256')}, expected {record['weights_sha256']}")


def checks(table, smallnet):
    pixels = common.images("t10k")[0]
    for index, (name, hidden, activation, record) in enumerate(smallnet.networks()):
        for options, data in (([], common.scaled(pixels)), (["--bytes"], pixels)):
            path = smallnet.folder / f"{index}{''.join(options)}.onnx"
            readers = {
                f"ONNX Runtime {onnxruntime.__version__}": lambda path: onnx_runtime(path, data),
                f"OpenVINO {openvino.__version__.split('-')[0]}": lambda path: open_vino(path, data),
            }
            way = f"ONNX {''.join(options)}".strip()
            table.check(common.goes_out, table, way, name, smallnet, record, path, readers, ["--format", "onnx", *options])
            table.check(check_metadata, path, record)
        table.check(common.goes_out, table, "CSV", name, smallnet, record, smallnet.folder / f"{index}-csv",
                    {f"numpy {numpy.__version__}": lambda path: read_csv(path, activation)}, ["--format", "csv"], back=False)


if __name__ == "__main__":
    common.main("ONNX", checks)
