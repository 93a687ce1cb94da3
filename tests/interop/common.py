"""What all peers have in common: MNIST, the smallnet program, and the table of results.

A peer is another program that smallnet exchanges networks with. Its script trains networks, writes
them in the peer's own ways, and reads what smallnet writes:

    python tests/interop/peer_pytorch.py target/release/smallnet
"""

import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "data" / "mnist"))
import unpack  # noqa: E402

# Largest difference of a probability and, relative to the largest logit, of a logit.
TOLERANCE = 1e-5
# Hidden layers of the exercise's network and of a hidden one.
NETWORKS = {"softmax": [], "hidden": [128]}
ACTIVATIONS = ["relu", "leaky-relu", "gelu", "silu", "sigmoid", "tanh"]


class Failure(Exception):
    """A check that does not hold; its text says which, and what was expected."""


def read_mnist(part, kind, header):
    return numpy.frombuffer(unpack.read(f"{part}-{kind}-ubyte"), numpy.uint8, offset=header)


def images(part, limit=None):
    """Images `[n, 28, 28]` as bytes and labels `[n]` of `train` or `t10k`."""
    pixels = read_mnist(part, "images-idx3", 16).reshape(-1, 28, 28)
    return pixels[:limit].copy(), read_mnist(part, "labels-idx1", 8)[:limit].astype(numpy.int64)


def scaled(pixels):
    """Bytes as numbers from 0 to 1, as smallnet takes them."""
    return pixels.astype(numpy.float32) / 255


def softmax(logits):
    """Probabilities in double precision."""
    logits = numpy.asarray(logits, numpy.float64)
    powers = numpy.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def num_right(answers, labels):
    """Number of images whose largest answer is that of their class."""
    return int((numpy.asarray(answers).argmax(1) == labels).sum())


def seconds(function, *arguments, **options):
    """Result of a call and the seconds that it took."""
    start = time.perf_counter()
    result = function(*arguments, **options)
    return result, time.perf_counter() - start


class Smallnet:
    """The program, with a folder for the files and the imported runs of one peer, and one for the trained runs."""

    def __init__(self, binary, folder, trained):
        self.binary, self.folder, self.trained = str(pathlib.Path(binary).resolve()), pathlib.Path(folder), pathlib.Path(trained)
        self.folder.mkdir(parents=True, exist_ok=True)

    def call(self, *arguments):
        """Runs a command and returns its record of `--json`."""
        if "--artifacts" not in arguments:
            arguments = (*arguments, "--artifacts", self.folder / "artifacts")
        command = [self.binary, *map(str, arguments), "--json", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            command = " ".join(map(str, arguments))
            raise Failure(f"`smallnet {command}` ended with {done.returncode}: {' '.join(done.stderr.split())[:600]}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def networks(self):
        """Name, widths of the hidden layers, activation and record of the networks that smallnet trains for one epoch:
        the exercise's one, and a hidden one of each activation. They are trained at the first call, in the folder
        `trained`."""
        records = self.trained / "records.json"
        cases = [("softmax", [], "relu")] + [(f"hidden, {key}", [128], key) for key in ACTIVATIONS]
        if not records.exists():
            content = [self.call("train", "hidden", "--hidden", ",".join(map(str, hidden)) or "none", "--epochs", 1,
                                 "--threads", 1, "--set", f"model.activation={activation}", "--name",
                                 name.replace(", ", "-"), "--artifacts", self.trained) for name, hidden, activation in cases]
            records.write_text(json.dumps(content))
        return [(*case, record) for case, record in zip(cases, json.loads(records.read_text()))]

    @functools.cache
    def num_right(self, run):
        """Number of right test images that `evaluate` gives."""
        confusion = self.call("evaluate", run)["confusion"]
        return sum(row[index] for index, row in enumerate(confusion))

    @functools.cache
    def probabilities(self, run):
        """Probabilities `[10000, 10]` of the test images."""
        path = self.folder / "probabilities.csv"
        self.call("predict", run, "--split", "test", "--csv", path)
        with open(path) as lines:
            columns = [index for index, name in enumerate(next(lines).split(",")) if name.startswith("p_")]
            return numpy.loadtxt(lines, delimiter=",", usecols=columns)


class Table:
    """Rows of the table of results, and the failures."""

    def __init__(self, peer):
        self.peer, self.rows, self.failures = peer, [], []

    def add(self, way, network, **values):
        """Adds a row and returns it: `bytes`, `export_seconds`, `import_seconds`, `peer_right` and `smallnet_right` of
        10,000 test images, and the numbers of `differences`."""
        row = {"peer": self.peer, "way": way, "network": network, **values}
        self.rows.append(row)
        print(f"{row['peer']}: {way}, {network}", file=sys.stderr, flush=True)
        return row

    def check(self, function, *arguments, **options):
        """Calls a check. A failure is kept, and the next checks run."""
        try:
            return function(*arguments, **options)
        except Exception as error:
            place = ", ".join([self.peer, *(part for part in arguments if isinstance(part, str))])
            text = f"{place}: {error if isinstance(error, Failure) else f'{type(error).__name__}: {error}'}"
            self.failures.append(text)
            print(f"FAILED {text}", file=sys.stderr, flush=True)


def differences(got, expected):
    """Largest difference of the probabilities `[10000, 10]`, and of their logarithms, which differ as the logits do."""
    got, expected = numpy.asarray(got, numpy.float64), numpy.asarray(expected, numpy.float64)
    if got.shape != expected.shape:
        raise Failure(f"the answers have the shape {got.shape}, expected {expected.shape}")
    # Smaller numbers are not exact in single precision.
    exact = (got > 1e-30) & (expected > 1e-30)
    logits = numpy.abs(numpy.log(got[exact]) - numpy.log(expected[exact]))
    return {"probabilities": float(numpy.abs(got - expected).max()), "logits": float(logits.max()),
            "largest_logit": float(numpy.abs(numpy.log(expected[exact])).max())}


def check_answers(row):
    """Fails if the peer and smallnet differ in the row."""
    if row["peer_right"] != row["smallnet_right"]:
        raise Failure(f"{row['peer']} has {row['peer_right']} right test images, and smallnet {row['smallnet_right']}")
    limits = {"probabilities": TOLERANCE, "logits": TOLERANCE * max(1.0, row["largest_logit"])}
    for what, limit in limits.items():
        if not row[what] <= limit:
            raise Failure(f"the {what} of {row['peer']} and smallnet differ by {row[what]:.2e}, expected at most {limit:.2e}")


def comes_in(table, way, network, smallnet, path, answers, export_seconds, options=()):
    """Checks that smallnet imports `path` and gives the peer's `answers`: probabilities `[10000, 10]`."""
    name = pathlib.Path(path).name.replace(".", "-")
    record, import_seconds = seconds(smallnet.call, "import", path, "--name", name, *options)
    probabilities, labels = smallnet.probabilities(record["run"]), images("t10k")[1]
    row = table.add(f"{way} → smallnet", network, bytes=size(path), export_seconds=export_seconds,
                    import_seconds=import_seconds, peer_right=num_right(answers, labels),
                    smallnet_right=smallnet.num_right(record["run"]), **differences(probabilities, answers))
    check_answers(row)
    return record


def goes_out(table, way, network, smallnet, record, path, readers, options, back=True):
    """Exports a run, and checks that each of `readers`, which are functions of `path` by the names of the peers, gives
    smallnet's probabilities, and that smallnet reads the file back as the same weights."""
    run, labels = record["run"], images("t10k")[1]
    export_seconds = seconds(smallnet.call, "export", run, "--output", path, *options)[1]
    rows = []
    for peer, read in readers.items():
        answers, import_seconds = seconds(read, path)
        rows.append(table.add(f"smallnet → {way}", network, peer=peer, bytes=size(path), export_seconds=export_seconds,
                              import_seconds=import_seconds, peer_right=num_right(answers, labels),
                              smallnet_right=smallnet.num_right(run),
                              **differences(answers, smallnet.probabilities(run))))
    for row in rows:
        check_answers(row)
    if back:
        name = pathlib.Path(path).name.replace(".", "-")
        digest = smallnet.call("import", path, "--name", f"back-{name}")["weights_sha256"]
        if digest != record["weights_sha256"]:
            raise Failure(f"imported again, the weights have the digest {digest}, expected {record['weights_sha256']}")


def size(path):
    """Bytes of a file, or of the files of a folder."""
    path = pathlib.Path(path)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def main(peer, checks):
    """Runs `checks(table, smallnet)` of a peer: `python SCRIPT PATH_TO_SMALLNET [FOLDER]`.

    FOLDER has the trained runs, and gets the results as a file of the script's name. Without it, the script trains the
    runs, and keeps nothing.
    """
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: python {sys.argv[0]} PATH_TO_SMALLNET [FOLDER]")
    table, script = Table(peer), pathlib.Path(sys.argv[0]).stem
    with tempfile.TemporaryDirectory(prefix="smallnet-interop-") as scratch:
        folder = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else scratch).resolve()
        table.check(checks, table, Smallnet(sys.argv[1], folder / script, folder / "trained"))
        (folder / f"{script}.json").write_text(json.dumps({"rows": table.rows, "failures": table.failures}))
    sys.exit(1 if table.failures or not table.rows else 0)
