"""Writes evaluation.json: the evaluation of the saved run in softmax-run/ on MNIST's test images, by numpy and scikit-learn.

    pip install numpy scikit-learn cbor2 zstandard
    python tests/reference/evaluation.py

Reads the weights from Burn's file (burnpack: ten bytes of magic number, version and length, CBOR, then the tensors from
the next multiple of 256) and computes in double precision, sharing no code with smallnet.
"""

import json
import struct
import sys
from pathlib import Path

import cbor2
import numpy as np
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

HERE = Path(__file__).parent
sys.path.append(str(HERE.resolve().parent.parent / "data" / "mnist"))
import unpack  # noqa: E402


def tensors(path):
    raw = path.read_bytes()
    length = struct.unpack("<I", raw[6:10])[0]
    start = -(-(10 + length) // 256) * 256
    found = {}
    for name, about in cbor2.loads(raw[10 : 10 + length])["tensors"].items():
        low, high = about["data_offsets"]
        values = np.frombuffer(raw[start + low : start + high], dtype="<f4")
        found[name] = values.reshape(about["shape"]).astype(np.float64)
    return found


def idx(name, header):
    return np.frombuffer(unpack.read(name), dtype=np.uint8, offset=header)


def calibration_error(confidence, correct, bins=15):
    """Guo et al. 2017, equations 2 to 5: bins (0, 1/15], (1/15, 2/15], ..."""
    error = 0.0
    edges = np.arange(bins + 1) / bins
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return error


def main():
    weights = tensors(HERE / "softmax-run" / "model.bpk")
    images = idx("t10k-images-idx3-ubyte", 16).reshape(-1, 784) / 255.0
    labels = idx("t10k-labels-idx1-ubyte", 8).astype(int)
    logits = images @ weights["layers.0.weight"] + weights["layers.0.bias"]
    logits -= logits.max(axis=1, keepdims=True)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    losses = -np.log(probabilities[np.arange(len(labels)), labels])
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-losses[wrong], kind="stable")][:20]
    result = {
        "accuracy": (predicted == labels).mean(),
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
        "loss": log_loss(labels, probabilities),
        "confusion": confusion_matrix(labels, predicted).tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "expected_calibration_error": calibration_error(probabilities.max(axis=1), predicted == labels),
        "worst": [
            {"index": int(i), "label": int(labels[i]), "predicted": int(predicted[i]), "loss": losses[i]}
            for i in worst
        ],
        "first_probabilities": probabilities[:3].tolist(),
        "norms": np.linalg.norm(weights["layers.0.weight"], axis=0).tolist(),
        "biases": weights["layers.0.bias"].tolist(),
        "first_weights": weights["layers.0.weight"][400:404, 3].tolist(),
    }
    (HERE / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")


main()
