"""What all peers have in common: MNIST, the smallnet program, and the table of results.

A peer is another program that smallnet exchanges networks with. Its script trains networks, writes
them in the peer's own ways, and reads what smallnet writes:

    python tests/interop/peer_pytorch.py target/release/smallnet
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import zstandard

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Largest difference of a probability and, relative to the largest logit, of a logit.
TOLERANCE = 1e-5
# Hidden layers of the exercise's network and of a hidden one.
NETWORKS = {"softmax": [], "hidden": [128]}
ACTIVATIONS = ["relu", "leaky-relu", "gelu", "silu", "sigmoid", "tanh"]


class Failure(Exception):
    """A check that does not hold; its text says which, and what was expected."""


def read_mnist(part, kind, header):
    path = ROOT / "data" / "mnist" / f"{part}-{kind}-ubyte.zst"
    content = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    return numpy.frombuffer(content, numpy.uint8, offset=header)


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
    """The program, with a folder of its own for runs and files."""

    def __init__(self, binary, folder):
        self.binary, self.folder = str(pathlib.Path(binary).resolve()), pathlib.Path(folder)

    def call(self, *arguments):
        """Runs a command and returns its record of `--json`."""
        command = [self.binary, *map(str, arguments), "--json", "--quiet", "--artifacts", str(self.folder / "artifacts")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            raise Failure(f"`smallnet {' '.join(map(str, arguments))}` ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def train(self, hidden, activation="relu", seed=1):
        """Trains a network for one epoch and returns its record."""
        widths = ",".join(map(str, hidden)) or "none"
        settings = [f"model.activation={activation}"] if hidden else []
        return self.call("train", "hidden", "--hidden", widths, "--epochs", 1, "--seed", seed,
                         *(part for setting in settings for part in ("--set", setting)))

    def num_right(self, run):
        """Number of right test images that `evaluate` gives."""
        confusion = self.call("evaluate", run)["confusion"]
        return sum(row[index] for index, row in enumerate(confusion))

    def probabilities(self, run):
        """Probabilities `[10000, 10]` of the test images."""
        path = self.folder / "probabilities.csv"
        self.call("predict", run, "--split", "test", "--csv", path)
        with open(path) as lines:
            columns = [index for index, name in enumerate(next(lines).split(",")) if name.startswith("p_")]
            return numpy.loadtxt(lines, delimiter=",", usecols=columns)

    def export(self, run, path, *options):
        """Exports a run and returns the seconds that it took."""
        return seconds(self.call, "export", run, "--output", path, *options)[1]


class Table:
    """Rows of the table of results, and the failures."""

    def __init__(self, peer):
        self.peer, self.rows, self.failures = peer, [], []

    def add(self, way, network, **values):
        """Adds a row and returns it: `bytes`, `export_seconds`, `import_seconds`, `peer_right` and `smallnet_right` of
        10,000 test images, and the numbers of `differences`."""
        row = {"peer": self.peer, "way": way, "network": network, **values}
        self.rows.append(row)
        print(f"{self.peer}: {way}, {network}", file=sys.stderr, flush=True)
        return row

    def check(self, function, *arguments, **options):
        """Calls a check. A failure is kept, and the next checks run."""
        try:
            return function(*arguments, **options)
        except Exception as error:
            place = f"{self.peer}, {arguments[1] if len(arguments) > 1 else function.__name__}"
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
        raise Failure(f"the peer has {row['peer_right']} right test images, and smallnet {row['smallnet_right']}")
    limits = {"probabilities": TOLERANCE, "logits": TOLERANCE * max(1.0, row["largest_logit"])}
    for what, limit in limits.items():
        if not row[what] <= limit:
            raise Failure(f"the {what} differ by {row[what]:.2e}, expected at most {limit:.2e}")


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


def goes_out(table, way, network, smallnet, record, path, read, options, back=True):
    """Checks that the peer's `read(path)` gives smallnet's probabilities of an exported run, and that smallnet reads
    the file back as the same weights."""
    run, labels = record["run"], images("t10k")[1]
    export_seconds = smallnet.export(run, path, *options)
    answers, import_seconds = seconds(read, path)
    row = table.add(f"smallnet → {way}", network, bytes=size(path), export_seconds=export_seconds,
                    import_seconds=import_seconds, peer_right=num_right(answers, labels),
                    smallnet_right=smallnet.num_right(run), **differences(answers, smallnet.probabilities(run)))
    check_answers(row)
    if back:
        digest = smallnet.call("import", path, "--name", f"back-{pathlib.Path(run).parent.name}")["weights_sha256"]
        if digest != record["weights_sha256"]:
            raise Failure(f"imported again, the weights have the digest {digest}, expected {record['weights_sha256']}")


def size(path):
    """Bytes of a file, or of the files of a folder."""
    path = pathlib.Path(path)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def main(peer, checks):
    """Runs `checks(table, smallnet)` of a peer as a script: `python SCRIPT PATH_TO_SMALLNET [ROWS]`."""
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: python {sys.argv[0]} PATH_TO_SMALLNET [FILE FOR THE ROWS]")
    table = Table(peer)
    with tempfile.TemporaryDirectory(prefix="smallnet-interop-") as folder:
        table.check(checks, table, Smallnet(sys.argv[1], folder))
    if len(sys.argv) == 3:
        pathlib.Path(sys.argv[2]).write_text(json.dumps({"rows": table.rows, "failures": table.failures}))
    sys.exit(1 if table.failures or not table.rows else 0)
