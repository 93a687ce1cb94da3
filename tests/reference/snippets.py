"""Runs the lines of Keras and PyTorch that `smallnet lab` shows beside its answers, and checks what they print.

    python3 -m venv /tmp/venv-snippets
    /tmp/venv-snippets/bin/pip install keras tensorflow-cpu torch torchvision scikit-learn matplotlib zstandard
    /tmp/venv-snippets/bin/python tests/reference/snippets.py

Both programs of `src/exercise/page/code/` run question by question on MNIST's 60,000 images, with two changes: MNIST comes
from `data/mnist/` (nothing is downloaded), and from question 11 on, `epochs=10` is replaced by `epochs=1`, which changes time
and accuracy, but not the calls.
"""
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.pop(0)  # `statistics.py` beside this file is not the standard library's

os.environ.update(MPLBACKEND="Agg", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="-1")
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "data" / "mnist"))
import unpack  # noqa: E402
NAMES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]

# Expected output of a question. A number in the first group must be in the range.
EXPECTED = {
    "keras": {
        0: (r"test accuracy (0\.\d+)", 0.90, 0.93),
        1: r"^\(60000, 28, 28\) \(28, 28\)$",
        2: r"^\[5 0\]\n\[\[0\. 0\. 0\. 0\. 0\. 1\. 0\. 0\. 0\. 0\.\]",
        3: r"^\(1, 28, 28\)\n\(1, 784\)$",
        4: r"(?s)flatten.*dense.*\['dense'\]",
        5: r"^\[\(784, 10\), \(10,\)\]\n7850$",
        6: r"(?s)^categorical_crossentropy\n.*'learning_rate': 1\.0.*'momentum': 0\.0",
        7: r"^468\.75\n469$",
        8: r" 7$",
        10: (r"(?s).*accuracy: (0\.\d+)", 0.9, 1.0),
        11: r"(?s)469/469|391/391",
        12: (r"(?s).*accuracy: (0\.\d+)", 0.85, 0.95),
        13: r"^535818$",
        14: r"(?m)^1024 \d",
    },
    "pytorch": {
        0: (r"test accuracy (0\.\d+)", 0.90, 0.93),
        1: r"\[60000, 28, 28\]\) torch.Size\(\[28, 28\]\)$",
        2: r"^tensor\(\[5, 0\]\)\ntensor\(\[\[0, 0, 0, 0, 0, 1, 0, 0, 0, 0\]",
        3: r"\[1, 28, 28\]\)\ntorch.Size\(\[1, 784\]\)$",
        4: r"(?s)\(0\): Flatten.*\(1\): Linear.*\n\[Linear\(in_features=784, out_features=10, bias=True\)\]$",
        5: r"^\[torch.Size\(\[10, 784\]\), torch.Size\(\[10\]\)\]\n7850$",
        6: r"(?s)^CrossEntropyLoss\(\)\nSGD.*lr: 1\.0.*momentum: 0\b",
        7: r"^468\.75\n469$",
        8: r" 7$",
        10: (r"^(0\.\d+)", 0.9, 1.0),
        11: r"(?s)^0\.01 0\.\d+\n0\.1 0\.\d+\n1\.0 0\.\d+\n10\.0 0\.\d+",
        12: (r"(?s).*\n(0\.\d+)$", 0.85, 0.95),
        13: r"^535818$",
        14: r"(?m)^1024 \d",
    },
}


def mnist():
    def read(name):
        data = unpack.read(name)
        return data, np.frombuffer(data, np.uint8, offset=16 if "images" in name else 8)

    raw = {name: read(name) for name in NAMES}
    raw_folder = Path("data/MNIST/raw")  # the folder that torchvision reads
    raw_folder.mkdir(parents=True)
    for name, (data, _) in raw.items():
        (raw_folder / name).write_bytes(data)
    x_train, y_train, x_test, y_test = (values for _, values in raw.values())
    return (x_train.reshape(-1, 28, 28), y_train), (x_test.reshape(-1, 28, 28), y_test)


def sections(program):
    parts = re.split(r"(?m)^# question (\d+)\n", (ROOT / f"src/exercise/page/code/{program}_program.py").read_text())
    return [(int(number), text) for number, text in zip(parts[1::2], parts[2::2])]


def run(program, data):
    if program == "keras":
        import keras
        keras.datasets.mnist.load_data = lambda: data
    names, failed = {}, 0
    for number, text in sections(program):
        if number >= 11:
            text = text.replace("epochs=10", "epochs=1")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, f"{program}, question {number}", "exec"), names)
        said = re.sub(r"\x1b\[[0-9;]*m|\x08|[\r]", "", printed.getvalue()).strip()
        expected = EXPECTED[program].get(number)
        pattern, low, high = expected if isinstance(expected, tuple) else (expected, None, None)
        found = re.search(pattern, said) if pattern else True
        fits = bool(found) and (low is None or low <= float(found.group(1)) <= high)
        failed += not fits
        print(f"{program} {number}: {'as expected' if fits else 'NOT AS EXPECTED'}", flush=True)
        print("    " + "\n    ".join(said[-300:].splitlines()[-3:]), flush=True)
    return failed


if len(sys.argv) == 1:  # each in its own process, since TensorFlow and PyTorch conflict in one
    results = [subprocess.run([sys.executable, __file__, program]).returncode for program in EXPECTED]
    sys.exit(any(results))
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    sys.exit(run(sys.argv[1], mnist()) > 0)
