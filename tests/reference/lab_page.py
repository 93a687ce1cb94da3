"""Recalculates the numbers of a page that `smallnet lab` wrote, with numpy and SciPy, sharing no code with smallnet.

    pip install numpy scipy cbor2 zstandard
    python tests/reference/lab_page.py lab

The accuracies of networks come from their weights and the images, those of trials from `trials.jsonl`. Each recalculated
number is looked for in the section of its question. At the end stand the numbers of the page that were not recalculated:
times, settings, numbers in explanations and in programs.
"""
import html
import json
import re
import sys
import tomllib
from pathlib import Path

sys.path.pop(0)  # `statistics.py` beside this file is not the standard library's
import cbor2
import numpy as np
import zstandard
from scipy import stats

ROOT = Path(__file__).resolve().parents[2]
LAB = Path(sys.argv[1])


def tensors(path):
    raw = path.read_bytes()
    length = int.from_bytes(raw[6:10], "little")
    start = -(-(10 + length) // 256) * 256
    found = {}
    for name, about in cbor2.loads(raw[10 : 10 + length])["tensors"].items():
        low, high = about["data_offsets"]
        found[name] = np.frombuffer(raw[start + low : start + high], "<f4").reshape(about["shape"]).astype(float)
    return [(found[f"layers.{i}.weight"], found[f"layers.{i}.bias"]) for i in range(len(found) // 2)]


def read_idx(source, name, header):
    if source == "mnist":
        raw = zstandard.ZstdDecompressor().decompressobj().decompress((ROOT / f"data/mnist/{name}.zst").read_bytes())
    else:
        raw = (Path(source) / name).read_bytes()
    return np.frombuffer(raw[header:], np.uint8)


def percent(share):
    value = 100 * share
    if 0 < value < 0.05:
        return "< 0.1 %"
    return "> 99.9 %" if 99.95 <= value < 100 else f"{value:.1f} %"


def significant(x):
    if x == 0:
        return "0"
    exponent = np.floor(np.log10(abs(x)))
    text = f"{x:.{max(0, int(2 - exponent))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(x):
    return ("−" if x < 0 else "+") + f"{100 * abs(x):.2f}"


class Run:
    """A run's network on the images, in double precision."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.layers = tensors(self.folder / "model.bpk")
        self.seed = json.loads((self.folder / "run.json").read_text())["seed"]
        self.epochs = [json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()]
        self.p = self.predict(x_test)
        self.right = self.p.argmax(1) == y_test
        self.accuracy = self.right.mean()
        self.loss = -np.log(self.p[np.arange(len(y_test)), y_test]).mean()

    def logits(self, x):
        for weight, bias in self.layers[:-1]:
            x = np.maximum(x @ weight + bias, 0)
        return x @ self.layers[-1][0] + self.layers[-1][1]

    def predict(self, x):
        z = self.logits(x)
        z = np.exp(z - z.max(1, keepdims=True))
        return z / z.sum(1, keepdims=True)

    def num_weights(self):
        return sum(w.size + b.size for w, b in self.layers)


def newest(name):
    return Run(max((LAB / "artifacts" / name).iterdir(), key=lambda folder: folder.name))


def wilson(p, n, z=stats.norm.ppf(0.975)):
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def newcombe(p1, n1, p2, n2):
    (l1, u1), (l2, u2) = wilson(p1, n1), wilson(p2, n2)
    return p1 - p2 - np.hypot(p1 - l1, u2 - p2), p1 - p2 + np.hypot(u1 - p1, p2 - l2)


config = tomllib.loads((LAB / "configs/softmax.toml").read_text())
source, batch = config["data"]["source"], config["training"]["batch_size"]
raw_train, raw_test = (read_idx(source, f"{n}-images-idx3-ubyte", 16).reshape(-1, 784) for n in ("train", "t10k"))
y_train, y_test = (read_idx(source, f"{n}-labels-idx1-ubyte", 8).astype(int) for n in ("train", "t10k"))
x_train, x_test = raw_train / 255, raw_test / 255
page = (LAB / "report.html").read_text().replace("\u00a0", " ")
sections = {}
for number in range(15):
    part = page.split(f'id="question-{number}"')[1].split("</section>")[0]
    part = re.sub(r"data:image[^\"]*|<svg.*?</svg>|style=\"[^\"]*\"", "", part, flags=re.S)
    sections[number] = html.unescape(re.sub(r"<[^>]*>", " ", "<" + part))
missing, found = [], {}


def expect(number, *texts):
    """These must be in a section; what is found is taken out of it, so that what is left was not recalculated."""
    for text in texts:
        pattern = r"(?<![\d.,])" + re.escape(text) + r"(?![\d]|[.,]\d)"
        sections[number], count = re.subn(pattern, " ✓ ", sections[number])
        found[number, text] = found.get((number, text), 0) + count
        if not found[number, text]:
            missing.append((number, text))


# 0: accuracy, loss, training accuracy, seeds, confusion matrix, scores.
softmax = newest("softmax")
n, right = len(y_test), int(softmax.right.sum())
expect(0, f"{right:,} of {n:,}", f"{softmax.accuracy:.4f}", f"{softmax.loss:.4f}", f"{n - right:,}")
training = (softmax.predict(x_train).argmax(1) == y_train).mean()
low, high = newcombe(training, len(y_train), softmax.accuracy, n)
expect(0, percent(training), percent(softmax.accuracy), signed(training - softmax.accuracy), signed(low), signed(high))
seeds = [softmax] + [Run(folder) for folder in sorted((LAB / "artifacts/softmax-seeds").iterdir())]
values = np.array([run.accuracy for run in seeds])
half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / len(values))
expect(0, *(f"{run.accuracy:.4f}" for run in seeds[1:]))
expect(0, f"{values.mean():.4f}", f"{values.std(ddof=1):.4f}", f"{values.mean() - half:.4f}", f"{values.mean() + half:.4f}")
predicted = softmax.p.argmax(1)
confusion = np.array([[np.sum((y_test == i) & (predicted == j)) for j in range(10)] for i in range(10)])
expect(0, *(f"{count:,}" for count in confusion.flatten() if count))
for k in range(10):
    precision = confusion[k, k] / confusion[:, k].sum() if confusion[:, k].sum() else None
    recall = confusion[k, k] / confusion[k].sum()
    f1 = 2 * confusion[k, k] / (confusion[k].sum() + confusion[:, k].sum())
    expect(0, *(f"{v:.4f}" for v in (precision, recall, f1) if v is not None), f"{confusion[k].sum():,}")
# 1 and 2: the images and labels.
expect(1, "784", f"{len(y_train):,}", f"{n:,}", percent((raw_train == 0).mean()))
for labels in (y_train, y_test):
    counts = np.bincount(labels, minlength=10)
    expect(2, *(f"{count:,}" for count in counts), *(percent(count / len(labels)) for count in counts))
counts = np.bincount(y_train, minlength=10)
expect(2, f"{counts.max() / counts.min():.2f}")
# 5 to 7: weights, losses, steps.
expect(5, "784 · 10 + 10 = 7,850", f"{7850 * 4:,}", f"{2 * 7840:,}")
expect(6, *(f"{-np.log(p):.4f}" for p in (0.5, 0.01, 0.1)))
expect(6, *(f"{softmax.epochs[i]['train_loss']:.4f}" for i in (0, -1)))
full, rest = divmod(len(y_train), batch)
expect(7, f"{len(y_train) / batch:.2f}".rstrip("0").rstrip("."), f"{full} full batches and a last one of {rest} images")
expect(7, f"{-(-len(y_train) // batch) * len(softmax.epochs):,}", f"{-(-n // 32)}/{-(-n // 32)}")
# 8 and 9: one image calculated; the weights.
other = int(np.argmax(softmax.right != softmax.right[0]))
for image in (0, other):
    z = softmax.logits(x_test[image : image + 1])[0]
    expect(8, *(f"{v:.2f}".replace("-", "−") for v in z), *(percent(p) for p in softmax.p[image]))
weights = softmax.layers[0][0]
expect(9, *(significant(v).replace("-", "−") for v in (weights.max(), weights.min())), str((raw_train.max(0) == 0).sum()))
# 10: three networks; McNemar's exact test.
inserted, hidden = newest("inserted"), newest("hidden")
for run in (inserted, hidden):
    expect(10, f"{run.num_weights():,}", f"{run.accuracy:.4f}", f"{run.loss:.4f}", f"{n - int(run.right.sum()):,}")
    ours, theirs = int((run.right & ~softmax.right).sum()), int((softmax.right & ~run.right).sum())
    p = stats.binomtest(ours, ours + theirs).pvalue
    expect(10, f"{ours} : {theirs}", *([f"{p:.3f}"] if p >= 0.001 else []))
for a, b in ((softmax, inserted), (inserted, hidden), (softmax, hidden)):
    expect(10, signed(b.accuracy - a.accuracy))
expect(10, significant(100 * values.std(ddof=1)), significant(abs(inserted.accuracy - softmax.accuracy) / values.std(ddof=1)))
# 11 to 14: the studies' trials.
end = "-quick" if "This is the quick version" in page else ""
names = ["learning-rate", "learning-rate-cv", "architecture", "batch-size"]
folders = [LAB / "artifacts/studies" / f"{name}{end}" for name in names]
for number, folder in zip(range(11, 15), folders):
    results = json.loads((folder / "results.json").read_text())
    trials = {}
    for line in (folder / "trials.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["end"] == "finished":
            trials.setdefault(str(record["setting"]["values"]), {})[(record["seed"], record["fold"])] = record
    means = {name: np.mean([r["accuracy"] for r in group.values()]) for name, group in trials.items()}
    best = max(means, key=means.get)
    region = results["equivalence"] if "equivalence" in results else results["summary"]["equivalence"]
    for name, group in trials.items():
        values = np.array([r["accuracy"] for r in group.values()])
        learned, judged = next(iter(group.values()))["num_images"]
        expect(number, f"{values.mean():.4f}", f"{np.mean([r['loss'] for r in group.values()]):.4f}")
        if len(values) > 1 and values.std() > 1e-9:
            factor = 1 / len(values) + judged / learned
            half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) * np.sqrt(factor)
            expect(number, f"{values.std(ddof=1):.4f}", f"{max(values.mean() - half, 0):.4f} to {min(values.mean() + half, 1):.4f}")
            expect(number, *(f"{v:.4f}" for v in values))
            difference = np.array([trials[best][key]["accuracy"] - r["accuracy"] for key, r in group.items()])
            if name != best and difference.std() > 1e-9:
                t = stats.t(len(values) - 1, difference.mean(), difference.std(ddof=1) * np.sqrt(factor))
                worse, equal = t.sf(region), t.cdf(region) - t.cdf(-region)
                expect(number, percent(equal if equal >= 0.95 else worse))
        elif len(values) == 1:
            low, high = wilson(values[0], judged)
            expect(number, f"{low:.4f} to {high:.4f}")
    winner = results.get("winner") or {}
    if winner.get("test_accuracy") is not None:
        run = newest(f"{folder.name}-best")
        expect(number, f"{run.accuracy:.4f}")

print(f"{sum(found.values())} numbers recalculated and found, {len(missing)} not found:")
for number, text in missing:
    print(f"  question {number}: {text}")
for number, text in sections.items():
    left = re.findall(r"(?<![\w.])\d[\d,.]*\d|(?<![\w.])\d", text)
    print(f"question {number}: {len(left)} numbers of other kinds")
sys.exit(bool(missing))
