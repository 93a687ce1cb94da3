"""Recalculates the numbers of the exercise page that `smallnet lab` writes, by numpy and SciPy.

    pip install numpy scipy cbor2 zstandard
    smallnet lab --quick
    python tests/reference/lab.py lab

Reads the page and the measurements: the weights (`model.bpk`), the lines of `metrics.jsonl` and `trials.jsonl`, and
MNIST. It computes everything else in double precision: predictions, losses, confusion matrices, intervals,
probabilities, medians. It shares no code with smallnet.

`expect` searches for each number together with the words around it. At the end, the script prints the numbers that no
such words explained. It does not check charts (their numbers are labels of axes), pictures, code and commands. Times
come from the records. The few times that no record has (that of a whole command) are listed separately.
"""

import html
import json
import re
import sys
import tomllib
from html.parser import HTMLParser
from math import exp, log
from pathlib import Path

import cbor2
import numpy as np
from scipy import stats

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "data" / "mnist"))
import unpack  # noqa: E402


# The page as text: one string per section, without charts, code and pictures.


class Text(HTMLParser):
    LINES = {"h1", "h2", "h3", "h4", "p", "li", "tr", "div", "section", "figcaption", "dt", "summary"}
    SKIPPED = {"style", "svg", "pre", "code", "figure", "title"}

    def __init__(self):
        super().__init__()
        self.sections, self.name, self.skipped = {"head": ""}, "head", []

    def add(self, text):
        self.sections[self.name] += text

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if self.skipped:
            self.skipped += [tag] if tag == self.skipped[0] else []
        elif tag in ("svg", "pre", "style", "title"):
            self.skipped = [tag]
        elif tag in self.LINES:
            self.add("\n")
        elif tag in ("td", "th", "dd"):
            self.add("|")
        if tag == "section":
            self.name = attributes.get("id") or "facts"
            self.sections.setdefault(self.name, "")
        if tag == "nav":
            self.name = "contents"
            self.sections.setdefault(self.name, "")

    def handle_endtag(self, tag):
        if self.skipped and tag == self.skipped[0]:
            self.skipped.pop()

    def handle_data(self, text):
        if not self.skipped:
            self.add(re.sub(r"[\s\xa0]+", " ", text))


class Page:
    def __init__(self, path):
        parser = Text()
        parser.feed(path.read_text())
        self.sections = {name: re.sub(r"\n\s*", "\n", text) for name, text in parser.sections.items()}
        self.left = dict(self.sections)
        self.wrong, self.num_checked, self.clock = [], 0, []

    def expect(self, name, *fragments):
        """Each of these texts stands in that section; its numbers count as recalculated."""
        for fragment in fragments:
            fragment = fragment.replace("\xa0", " ")
            if fragment not in self.left[name]:
                if fragment in self.sections[name]:
                    continue  # a longer text has explained it
                self.wrong.append((name, fragment, closest(fragment, self.left[name])))
                continue
            self.num_checked += len(NUMBER.findall(fragment))
            # The list at the beginning of the page repeats the answer in bold.
            for place in {name, "contents"}:
                self.left[place] = self.left[place].replace(fragment, NUMBER.sub("#", fragment))

    def row(self, name, *cells):
        self.expect(name, "\n|" + "|".join(cells))

    def take(self, name, pattern, clock=False):
        """What the pattern's group says there; the number is taken as it stands."""
        match = re.search(pattern, self.left[name])
        if not match:
            self.wrong.append((name, pattern, ""))
            return None
        if clock:
            self.clock.append(match[0])
        for place in (name, "contents"):
            self.left[place] = self.left[place].replace(match[0], NUMBER.sub("#", match[0]))
        return match[1]

    def allow(self, pattern):
        """Numbers of the prose that are no result: they say which question, which class as an example."""
        for name in self.left:
            self.left[name] = re.sub(pattern, lambda match: NUMBER.sub("#", match[0]), self.left[name])

    def report(self):
        for name, fragment, near in self.wrong:
            print(f"WRONG in {name}: expected {fragment!r}\n    the page has {near!r}")
        rest = [(name, line) for name, text in self.left.items() for line in text.splitlines() if NUMBER.search(line)]
        num_rest = sum(len(NUMBER.findall(line)) for _, line in rest)
        for name, line in rest:
            print(f"not recalculated in {name}: {line[:300]}")
        print("times of the clock that no record has:", "; ".join(self.clock))
        print(f"{self.num_checked} numbers recalculated, {len(self.wrong)} texts not as expected, {num_rest} numbers not recalculated")
        return not self.wrong and not num_rest


def median(values):
    return float(np.median(list(values)))


NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")


def closest(fragment, text):
    """The line of the page that has most words of the fragment."""
    words = set(re.findall(r"[A-Za-z]{3,}", fragment))
    lines = text.splitlines() or [""]
    return max(lines, key=lambda line: (len(words & set(re.findall(r"[A-Za-z]{3,}", line))), -len(line)))[:400]


# Numbers as the page writes them.


def grouped(number):
    return f"{int(number):,}"


def counted(number, one, many=None):
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def percent(share):
    value = 100 * share
    if 0 < value < 0.05:
        return "< 0.1 %"
    if 99.95 <= value < 100:
        return "> 99.9 %"
    return f"{value:.1f} %"


def minus(text):
    return text.replace("-", "−")


def signed_points(difference):
    return minus(f"{100 * difference:+.2f}")


def significant(number):
    if number == 0:
        return "0"
    exponent = np.floor(np.log10(abs(number)))
    if not -3 <= exponent < 6:
        mantissa, power = f"{number:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    text = f"{number:.{int(max(2 - exponent, 0))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def three_digits(number):
    if number == 0:
        return "0"
    rounded = f"{number:.2e}"
    exponent = int(rounded.split("e")[1])
    return f"{number:.{max(2 - exponent, 0)}f}" if -4 <= exponent <= 5 else rounded


def seconds(value):
    if value < 59.95:
        return f"{three_digits(value)} s"
    whole = round(value)
    return f"{whole // 60} min {whole % 60:02} s"


# Statistics.


def wilson(share, n):
    interval = stats.binomtest(round(share * n), n).proportion_ci(0.95, "wilson")
    return interval.low, interval.high


def newcombe(p1, n1, p2, n2):
    (l1, u1), (l2, u2) = wilson(p1, n1), wilson(p2, n2)
    return p1 - p2 - np.hypot(p1 - l1, u2 - p2), p1 - p2 + np.hypot(u1 - p1, p2 - l2)


def scale(values, images):
    """Nadeau and Bengio 2003: s² (1/n + validation / training images)."""
    training, validation = images
    return np.std(values, ddof=1) * np.sqrt(1 / len(values) + validation / training)


# Measurements.


def tensors(path):
    raw = path.read_bytes()
    length = int.from_bytes(raw[6:10], "little")
    start = -(-(10 + length) // 256) * 256
    about = cbor2.loads(raw[10 : 10 + length])["tensors"]
    return {
        name: np.frombuffer(raw[start + a["data_offsets"][0] : start + a["data_offsets"][1]], "<f4")
        .reshape(a["shape"])
        .astype(np.float64)
        for name, a in about.items()
    }


def idx(name, header):
    return np.frombuffer(unpack.read(name), np.uint8, offset=header)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Run:
    """A run's weights, applied to images anew."""

    def __init__(self, folder, data):
        self.folder, self.data = folder, data
        self.info = json.loads((folder / "run.json").read_text())
        self.experiment = tomllib.loads((folder / "config.toml").read_text())
        self.epochs = lines(folder / "metrics.jsonl")
        found = tensors(folder / "model.bpk")
        count = len(found) // 2
        self.layers = [(found[f"layers.{i}.weight"], found[f"layers.{i}.bias"]) for i in range(count)]
        self.num_parameters = sum(w.size + b.size for w, b in self.layers)
        self.test = Answers(self.logits(data.x_test), data.y_test)
        # Without the images held out; the record of the run has only their number.
        self.num_train = len(data.y_train) - self.experiment["data"].get("validation", 0)

    def logits(self, images):
        values = images.reshape(len(images), -1) / 255.0
        for index, (weights, bias) in enumerate(self.layers):
            values = values @ weights + bias
            if index + 1 < len(self.layers):
                values = np.maximum(values, 0)  # the exercise's networks have ReLU
        return values

    def seconds(self):
        return sum(epoch["seconds"] for epoch in self.epochs)

    def epoch_seconds(self):
        return median(epoch["seconds"] for epoch in self.epochs)


class Answers:
    def __init__(self, logits, labels):
        self.logits, self.labels = logits, labels
        shifted = logits - logits.max(1, keepdims=True)
        self.probabilities = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
        self.predicted = logits.argmax(1)
        self.right = self.predicted == labels
        rows = np.arange(len(labels))
        self.losses = np.log(np.exp(shifted).sum(1)) - shifted[rows, labels]
        self.accuracy, self.loss, self.num_right = self.right.mean(), self.losses.mean(), int(self.right.sum())
        self.num_wrong = len(labels) - self.num_right
        self.confusion = np.zeros((10, 10), int)
        np.add.at(self.confusion, (labels, self.predicted), 1)


class Data:
    def __init__(self):
        self.x_train = idx("train-images-idx3-ubyte", 16).reshape(-1, 28, 28)
        self.y_train = idx("train-labels-idx1-ubyte", 8).astype(int)
        self.x_test = idx("t10k-images-idx3-ubyte", 16).reshape(-1, 28, 28)
        self.y_test = idx("t10k-labels-idx1-ubyte", 8).astype(int)


# The questions.


def given_code(page, lab):
    """Question 0."""
    q, run, data = "question-0", lab.softmax, lab.data
    test = run.test
    epochs = counted(len(run.epochs), "epoch")
    page.expect(
        q,
        f"Test accuracy {test.accuracy:.4f}: {grouped(test.num_right)} of 10,000 images are recognised; "
        f"the training steps of {epochs} took {seconds(run.seconds())}",
        f"{test.accuracy:.4f}test accuracy",
        f"{test.loss:.4f}test loss",
        f"{seconds(run.seconds())}training steps of {epochs}",
        f"784 → 10, each pixel",
        f"learning rate {significant(run.experiment['optimizer']['learning_rate'])} in batches of "
        f"{run.experiment['training']['batch_size']} images, {epochs} long",
        f"The network recognises {grouped(test.num_right)} of 10,000 test images at a mean loss of {test.loss:.4f}; "
        f"{grouped(test.num_wrong)} are wrong.",
    )
    for text in ("everything together ", "\n"):
        page.take(q, rf"{text}(\d[\d.]*(?: min \d\d)? s)(?:\.|with reading)", clock=True)
    seeds = [run] + lab.seeds
    accuracies = [other.test.accuracy for other in seeds]
    for other in seeds:
        page.row(q, str(other.info["seed"]), f"{other.test.accuracy:.4f}")
    mean, deviation = np.mean(accuracies), np.std(accuracies, ddof=1)
    half = stats.t.ppf(0.975, len(accuracies) - 1) * deviation * np.sqrt(1 + 1 / len(accuracies))
    inside = mean - half <= 0.9217 <= mean + half
    page.expect(
        q,
        f"trained from {len(accuracies)} seeds",
        f"The mean is {mean:.4f}, the standard deviation {deviation:.4f}.",
        f"expected between {mean - half:.4f} and {mean + half:.4f} (the 95 % prediction interval",
        "given code's output shows 0.9217",
        f"It lies {'inside' if inside else 'outside'} that range",
    )
    train = Answers(run.logits(data.x_train), data.y_train)
    low, high = newcombe(train.accuracy, 60000, test.accuracy, 10000)
    page.expect(
        q,
        f"right for {percent(train.accuracy)} of its 60,000 training images and for {percent(test.accuracy)} of the test "
        f"images: a gap of {signed_points(train.accuracy - test.accuracy)} percentage points (95 % interval "
        f"{signed_points(low)} to {signed_points(high)}, Newcombe)",
        "sign of overfitting that" if low <= 0 <= high else "sign of overfitting",
    )
    for label in range(10):
        page.row(q, str(label), *(grouped(n) if n else "·" for n in test.confusion[label]))
    precision = test.confusion.diagonal() / test.confusion.sum(0)
    recall = test.confusion.diagonal() / test.confusion.sum(1)
    for label in range(10):
        p, r = precision[label], recall[label]
        page.row(q, str(label), f"{p:.4f}", f"{r:.4f}", f"{2 * p * r / (p + r):.4f}", grouped(test.confusion[label].sum()))
    off = test.confusion.copy()
    np.fill_diagonal(off, 0)
    label, predicted = np.unravel_index(off.argmax(), off.shape)
    page.expect(
        q,
        f"images of class {recall.argmax()} ({percent(recall.max())} of them), worst those of class {recall.argmin()} "
        f"({percent(recall.min())}).",
        f"take class {label} for class {predicted}, {counted(off.max(), 'time')}.",
    )
    wrong = np.flatnonzero(~test.right)
    worst = wrong[np.argsort(-test.losses[wrong], kind="stable")][:20]
    for i in worst:
        sure = percent(test.probabilities[i].max())
        page.expect(q, f"{test.labels[i]} taken for {test.predicted[i]}confidence {sure}test image {i}")


def image_size(page, lab):
    """Question 1."""
    q, x = "question-1", lab.data.x_train
    background = (x == 0).mean()
    page.expect(
        q,
        f"28 × 28 = {28 * 28} pixels, each a whole number from {x.min()} to {x.max()}; there are {grouped(len(x))} images to "
        f"learn from and {grouped(len(lab.data.x_test))} to test with",
        f"Of all pixels of the training images, {percent(background)} are 0.",
        f"nothing but these {28 * 28} numbers",
        f"Its shape is [{len(x)}, 28, 28]",
        "one image has the shape [28, 28]",
        "divided by 255, so that they lie between 0 and 1",
        "0 is the empty background, 255 is full ink",
    )
    match = re.search(r"Its rows (\d+) to (\d+), columns (\d+) to (\d+), counted from 0", page.left[q])
    top, bottom, left, right = map(int, match.groups())
    page.expect(q, match[0])
    index = int(page.take(q, r"Training image (\d+), label"))
    page.expect(q, f"label {lab.data.y_train[index]}.")
    for row in range(top, bottom + 1):
        page.row(q, *(str(value) for value in x[index, row, left : right + 1]))


def one_hot(page, lab):
    """Question 2."""
    q, train, test = "question-2", lab.data.y_train, lab.data.y_test

    def code(label):
        return " ".join(str(int(place == label)) for place in range(10))

    first = ", ".join(str(label) for label in train[:4]) + f" and {train[4]}"
    page.expect(q, f"from {train.min()} to {train.max()}: the first are {first};", f"{train[0]} becomes {code(train[0])}.")
    page.expect(q, f"so that label {train[0]} stands at the {train[0] + 1}th place")
    for index in range(10):
        page.row(q, str(index), "", str(train[index]), code(train[index]))
    counts, tested = np.bincount(train), np.bincount(test)
    rare, often = counts.argmin(), counts.argmax()
    page.expect(
        q,
        f"{rare} has the fewest ({grouped(counts[rare])}) and {often} the most ({grouped(counts[often])})",
        f"answered “{often}”, the most frequent",
        f"right for {grouped(tested[often])} of 10,000 test images, {percent(tested[often] / len(test))}.",
        f"{significant(counts.max() / counts.min())} times as many images",
    )
    for label in range(10):
        shares = percent(counts[label] / len(train)), percent(tested[label] / len(test))
        page.row(q, str(label), grouped(counts[label]), shares[0], grouped(tested[label]), shares[1])
    page.row(q, "all", "60,000", "100.0 %", "10,000", "100.0 %")


def network(page, lab):
    """Questions 3 to 7."""
    run = lab.softmax
    n, batch = len(lab.data.y_train), run.experiment["training"]["batch_size"]
    epochs, rate = run.experiment["training"]["num_epochs"], run.experiment["optimizer"]["learning_rate"]
    weights = run.layers[0][0]
    page.expect(
        "question-3",
        "one list of 784 numbers of an image's 28 rows of 28 pixels",
        "number 28 · r + c",
        f"row 14, column 14, for one, becomes number 28 · 14 + 14 = {28 * 14 + 14}",
        "[batch, 28, 28] becomes one of shape [batch, 784]",
    )
    connections = weights.size
    page.expect("question-4", f"with {weights.shape[1]} neurons and their softmax")
    page.row("question-4", "Image", "[batch, 28, 28]", "0", "–", "pixels from 0 to 1")
    page.row("question-4", "Flatten", "[batch, 784]", "0", "–")
    page.row("question-4", "Linear", "[batch, 10]", grouped(run.num_parameters), grouped(2 * connections), "784 × 10 + 10 = 7,850")
    page.row("question-4", "Softmax", "[batch, 10]", "0", "–")
    page.expect("question-4", "It has 10 neurons", "each of the 784 numbers", "wk,0 x0 + wk,1 x1 + … + wk,783 x783", "ez0 + … + ez9", "the 10 scores")
    page.expect(
        "question-5",
        f"{grouped(run.num_parameters)}: each of the 10 neurons has 784 weights, one for each pixel, and one bias: "
        f"784 · 10 + 10 = {grouped(784 * 10 + 10)}.",
        f"784 · 10 = {grouped(connections)} connections, and 10 biases",
        f"{grouped(run.num_parameters)} in all, {grouped(4 * run.num_parameters)} bytes",
        f"{grouped(2 * connections)} operations",
    )
    page.expect(
        "question-6",
        f"(SGD) with η = {significant(rate)}, w",
        f"p = 0.5 costs {-log(0.5):.4f}; p = 0.01 costs {-log(0.01):.4f};",
        f"each of the 10 classes 1/10 pays ln 10 = {log(10):.4f}.",
        f"was {run.epochs[0]['train_loss']:.4f} in the first epoch and {run.epochs[-1]['train_loss']:.4f} in the last",
        f"over the B = {batch} images",
        f"η is the learning rate, here {significant(rate)}:",
        f"η = {significant(rate)}",
        f"a random batch of {batch} points",
    )
    for section in ("optimizer", "schedule", "training"):
        for key, value in run.experiment[section].items():
            text = f"|{section}.{key}|" + (json.dumps(value) if not isinstance(value, float) else repr(value))
            if text in page.left["question-6"]:
                page.expect("question-6", text)
    full, rest = divmod(n, batch)
    steps = full + (rest > 0)
    page.expect(
        "question-7",
        f"{grouped(n)} images / {batch} in a batch = {n / batch:g}, so an epoch has {steps} steps, {full} full batches and a last "
        f"one of {rest} images.",
        f"{grouped(n)} images / {batch} per batch: {full} full batches and one of {rest}, {steps} steps per epoch; times {epochs} "
        f"epochs: {grouped(steps * epochs)} steps.",
        f"the line reads {steps}/{steps}, and the next epoch begins with 1/{steps}",
        f"the answers of {steps} different networks",
        f"batches of 32 images unless it is told otherwise: for 10,000 test images {-(-10000 // 32)}/{-(-10000 // 32)}",
    )


def prediction(page, lab):
    """Question 8."""
    q, test = "question-8", lab.softmax.test
    first = test.right[0]
    other = int(np.flatnonzero(test.right != first)[0])
    said = "right" if first else "wrong"
    page.expect(
        q,
        f"Test image 0 is predicted to be a {test.predicted[0]}, with probability {percent(test.probabilities[0].max())}; its "
        f"label is {test.labels[0]}: {said}.",
    )
    for index in (0, other):
        z = test.logits[index]
        page.expect(
            q,
            f"Test image {index}: label {test.labels[index]}, predicted {test.predicted[index]}, "
            f"{'right' if test.right[index] else 'wrong'}",
        )
        for label in range(10):
            power = exp(z[label])
            text = grouped(round(power)) if power >= 1000 else significant(power)
            page.row(q, str(label), minus(f"{z[label]:.2f}"), text, percent(test.probabilities[index][label]))
        page.row(q, "sum", "", grouped(round(np.exp(z).sum())), "100 %")
    wrong = other if first else 0
    share = test.probabilities[wrong][test.labels[wrong]]
    place = int((test.probabilities[wrong] > share).sum()) + 1
    page.expect(
        q,
        f"the mistake was made with {percent(test.probabilities[wrong].max())}.",
        f"The true class {test.labels[wrong]} had {significant(100 * share)} % and was choice number {place}; the loss of this "
        f"image is −ln p = {test.losses[wrong]:.4f}.",
    )


def neurons(page, lab):
    """Question 9."""
    q, weights = "question-9", lab.softmax.layers[0][0]
    page.expect(q, "each of the 10 neurons has 784 weights", "an image of 28 × 28 pixels", "reshape(28, 28)")
    bound = np.abs(weights).max()
    page.expect(q, f"−{bound:.2f}", f"+{bound:.2f}")
    for label in range(10):
        page.expect(q, f"class {label}norm {three_digits(np.linalg.norm(weights[:, label]))}")
    for name, place in (("largest of all weights", weights.argmax()), ("smallest", weights.argmin())):
        pixel, label = divmod(int(place), 10)
        value = minus(significant(float(weights[pixel, label])))
        page.expect(q, f"{name} is {value} for class {label}, at row {pixel // 28}, column {pixel % 28}")
    never = int((lab.data.x_train.max(0) == 0).sum())
    page.expect(q, f"{never} pixels of 784 have no ink")


def change(before, after):
    difference = after.test.accuracy - before.test.accuracy
    verb = "rises" if difference > 0 else "falls"
    return f"{verb} from {before.test.accuracy:.4f} to {after.test.accuracy:.4f} ({signed_points(difference)} percentage points)"


def on_training_images(run, data):
    """Accuracy and loss on the images that the run was trained on, as they are."""
    last, held_out = run.epochs[-1], run.experiment["data"]["validation"]
    everything = Answers(run.logits(data.x_train), data.y_train)
    # smallnet's own generator draws the validation images from the seed. So the values of the training
    # images are those of all images less those of the validation images.
    right = everything.num_right - round(last["validation_accuracy"] * held_out)
    total = everything.losses.sum() - last["validation_loss"] * held_out
    return right / run.num_train, total / run.num_train


def overfitting(page, q, run, data):
    """The gap between the training images and those held out."""
    last = run.epochs[-1]
    share, loss = on_training_images(run, data)
    best = min(run.epochs, key=lambda epoch: epoch["validation_loss"])
    page.expect(
        q,
        f"is right for {percent(share)} of its training images and for {percent(last['validation_accuracy'])} of those held out, "
        f"a gap of {signed_points(share - last['validation_accuracy'])} percentage points; the losses are {loss:.4f} and "
        f"{last['validation_loss']:.4f}.",
    )
    if best["epoch"] < last["epoch"]:
        page.expect(q, f"lowest after epoch {best['epoch']} ({best['validation_loss']:.4f})")


def hidden_layer(page, lab):
    """Question 10."""
    q, data = "question-10", lab.data
    softmax, inserted, hidden = lab.softmax, lab.inserted, lab.hidden
    width = hidden.layers[0][0].shape[1]
    page.expect(
        q,
        f"With {width} hidden neurons inserted there are {grouped(hidden.num_parameters)} weights in place of "
        f"{grouped(softmax.num_parameters)}, and an epoch takes {seconds(inserted.epoch_seconds())} in place of "
        f"{seconds(softmax.epoch_seconds())}. With everything else kept, the test accuracy {change(softmax, inserted)}; with "
        f"settings that suit it, it {change(inserted, hidden)}.",
        f'Dense({width}, activation="relu")',
        f"nn.Linear(784, {width})",
        f"784 → {width} → 10",
        "max(0, x)",
        f"784 · {width} + {width} = {grouped(784 * width + width)}, {width} · 10 + 10 = {grouped(width * 10 + 10)}; together "
        f"{grouped(784 * width + width)} + {grouped(width * 10 + 10)} = {grouped(hidden.num_parameters)}",
        f"the training steps took {seconds(inserted.seconds())} in place of {seconds(softmax.seconds())}",
    )
    rows = [
        ("the softmax network", None, softmax),
        ("a hidden layer inserted, everything else kept", softmax, inserted),
        ("then the settings changed", inserted, hidden),
        ("both together", softmax, hidden),
    ]
    for name, before, after in rows:
        gain = "–" if before is None else signed_points(after.test.accuracy - before.test.accuracy)
        page.row(q, name, f"{after.test.accuracy:.4f}", grouped(after.test.num_wrong), gain)
    paired(page, q, softmax, [inserted, hidden])
    accuracies = [softmax.test.accuracy] + [run.test.accuracy for run in lab.seeds]
    deviation = np.std(accuracies, ddof=1)
    times = abs(inserted.test.accuracy - softmax.test.accuracy) / deviation
    page.expect(
        q,
        f"Over the {len(accuracies)} seeds of question 0, the softmax network's accuracy has a standard deviation of "
        f"{significant(100 * deviation)} percentage points. What the layer alone changes is {significant(times)} times that"
        + (", much more" if times > 3 else ": another seed"),
    )
    for run in (softmax, inserted, hidden):
        page.row(
            q,
            run.info["experiment"],
            f"{run.test.accuracy:.4f}",
            f"{run.test.loss:.4f}",
            grouped(run.num_parameters),
            str(len(run.epochs)),
            seconds(run.epoch_seconds()),
        )
    overfitting(page, q, hidden, data)
    for key in ("data.validation", "model.hidden", "optimizer.learning_rate", "optimizer.momentum"):
        section, name = key.split(".")
        values = [run.experiment[section].get(name) for run in (softmax, inserted, hidden)]
        page.row(q, key, *(repr(value) for value in values))


def paired(page, q, first, others):
    """McNemar's exact test and Bonett and Price's interval, with Holm's correction."""
    tests = []
    for other in others:
        alone, first_alone = int((other.test.right & ~first.test.right).sum()), int((first.test.right & ~other.test.right).sum())
        n = len(first.test.right)
        p = stats.binomtest(alone, alone + first_alone, 0.5).pvalue if alone + first_alone else 1.0
        b, c = (alone + 1) / (n + 2), (first_alone + 1) / (n + 2)
        half = stats.norm.ppf(0.975) * np.sqrt((b + c - (b - c) ** 2) / (n + 2))
        tests.append([other, (alone - first_alone) / n, (b - c - half, b - c + half), alone, first_alone, p])
    order, largest = sorted(range(len(tests)), key=lambda i: tests[i][5]), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(tests) - rank) * tests[i][5]))
        tests[i].append(largest)

    def p_text(p):
        return "< 0.0001" if p < 0.0001 else f"{p:.4f}"

    for other, difference, (low, high), alone, first_alone, p, holm in tests:
        page.row(
            q,
            other.info["experiment"],
            f"{100 * difference:+.2f} pp",
            f"{100 * low:+.2f} to {100 * high:+.2f}",
            f"{grouped(alone)} : {grouped(first_alone)}",
            p_text(p),
            p_text(holm),
        )
        sign = p_text(holm) if holm < 0.0001 else f"= {holm:.4f}"
        page.expect(q, f"{abs(100 * difference):.2f} percentage points", f"(p {sign})", f"the same {grouped(n)} test images")
    if len(tests) > 1:
        page.expect(q, f"correction for {len(tests)} tests")


def beyond(page, lab):
    """The section beyond the questions."""
    q, plain, augmented = "beyond", lab.plain, lab.augmented
    times = [seconds(run.epoch_seconds()) for run in (plain, augmented)]
    page.expect(
        q,
        f"With training images that are changed in every epoch, the test accuracy {change(plain, augmented)}, and an epoch takes "
        f"{times[1]} in place of {times[0]}.",
        f"in the first {min(9, len(augmented.epochs))} epochs",
    )
    changes = augmented.experiment["augmentation"]
    page.expect(
        q,
        f"shift: up to {counted(int(changes['shift']), 'pixel')} in each direction",
        f"rotation: up to {changes['rotation']:g} degrees to either side",
        f"scale: height and width each by up to {100 * changes['scale']:g} %",
        f"shear: up to {changes['shear']:g} degrees to either side",
    )
    for name, run, time in (("as they are", plain, times[0]), ("augmented", augmented, times[1])):
        share = percent(on_training_images(run, lab.data)[0])
        page.row(q, name, share, f"{run.test.accuracy:.4f}", grouped(run.test.num_wrong), time)
    paired(page, q, plain, [augmented])
    overfitting(page, q, plain, lab.data)


# The studies.


class Study:
    def __init__(self, folder):
        self.folder = folder
        self.records = lines(folder / "trials.jsonl")
        self.results = json.loads((folder / "results.json").read_text())
        self.region = self.results["equivalence"]
        self.names, self.groups = [], []
        for setting in self.results["settings"]:
            values = setting["setting"]["values"]
            group = [record for record in self.records if record["setting"]["values"] == values]
            self.names.append(values)
            self.groups.append(sorted(group, key=lambda record: (record["seed"], record["fold"] or 0)))
        self.means = [np.mean([r["accuracy"] for r in group]) for group in self.groups]
        losses = [np.mean([r["loss"] for r in group]) for group in self.groups]
        self.losses = losses
        self.best = max(range(len(self.groups)), key=lambda i: (self.means[i], -losses[i]))
        self.compared = [self.compare(i) for i in range(len(self.groups))]

    def values(self, i):
        return [record["accuracy"] for record in self.groups[i]]

    def images(self, i):
        return self.groups[i][0]["num_images"]

    def num_validation(self, i):
        return self.images(i)[1] * len({record["fold"] for record in self.groups[i]})

    def interval(self, i):
        values = self.values(i)
        if len(values) > 1 and np.std(values) > 1e-12:
            half = stats.t.ppf(0.975, len(values) - 1) * scale(values, self.images(i))
            return max(np.mean(values) - half, 0), min(np.mean(values) + half, 1)
        return wilson(np.mean(values), self.num_validation(i))

    def compare(self, i):
        """Worse, equal, better: the posterior of best minus this one."""
        if i == self.best:
            return None
        differences = np.array(self.values(self.best)) - np.array(self.values(i))
        if len(differences) > 1 and np.std(differences) > 1e-12:
            posterior = stats.t(len(differences) - 1, differences.mean(), scale(differences, self.images(i)))
        else:
            n = self.num_validation(self.best)
            beta = [stats.beta(m * n + 1, (1 - m) * n + 1) for m in (self.means[self.best], self.means[i])]
            posterior = stats.norm(beta[0].mean() - beta[1].mean(), np.sqrt(beta[0].var() + beta[1].var()))
        worse, better = posterior.sf(self.region), posterior.cdf(-self.region)
        equal = 1 - worse - better
        verdict = "equal" if equal >= 0.95 else "worse" if worse >= 0.95 else "undecided"
        return {"worse": worse, "equal": equal, "verdict": verdict, "difference": differences.mean()}

    def unstable(self, i):
        own, bests = self.values(i), self.values(self.best)
        if len(own) < 2 or np.std(own, ddof=1) <= self.region:
            return None
        ratio = np.var(own, ddof=1) / np.var(bests, ddof=1)
        return np.sqrt(ratio) if stats.f.sf(ratio, len(own) - 1, len(own) - 1) < 0.01 else None

    def cell(self, i):
        words = ["unstable"] if i != self.best and self.unstable(i) else []
        if (found := self.compared[i]) is not None:
            shown = percent(found["equal"] if found["verdict"] == "equal" else found["worse"])
            undecided = "worse" if words else "undecided, worse"
            words.append(f"{undecided if found['verdict'] == 'undecided' else found['verdict']} {shown}")
        else:
            words.append("best")
        return ", ".join(words)

    def short(self, i, key):
        value = dict(self.names[i])[key]
        try:
            return significant(float(value))
        except ValueError:
            return value

    def others(self, name):
        """What stands in brackets behind the best one's mean."""
        parts = []
        for verdict, word in (("equal", "practically equal"), ("undecided", "undecided")):
            found = [name(i) for i in self.of(verdict)]
            parts += [f"{word}: {listed(found)}"] if found else []
        worse = len(self.of("worse"))
        if worse == 1:
            parts.append("the other is probably worse")
        elif worse:
            parts.append("the others are probably worse" if parts else "all others are probably worse")
        return f" ({'; '.join(parts)})" if parts else ""

    def of(self, verdict):
        found = [i for i, c in enumerate(self.compared) if c and c["verdict"] == verdict]
        return sorted(found, key=lambda i: self.compared[i]["difference"])

    def trial_seconds(self, i):
        def of(record):
            epochs = [epoch["seconds"] for epoch in record["epochs"]]
            return median(epochs[1:] if len(epochs) > 1 else epochs)

        return [of(record) for record in self.groups[i]]

    def parameters(self, i):
        return self.groups[i][0]["num_parameters"]


def listed(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


def setting_name(values):
    """As the tables name a configuration."""
    (key, value), = values
    if key == "model.hidden":
        return "no hidden layer" if value == "[]" else "hidden " + value.strip("[]").replace(", ", "-")
    return f"{key.split('.')[1].replace('_', ' ')} {value}"


def study_tables(page, q, study, winner, timing=False):
    """What stands under every study's question."""
    name = lambda i: setting_name(study.names[i])
    for i, group in enumerate(study.groups):
        deviation = f"{np.std(study.values(i), ddof=1):.4f}" if len(group) > 1 else "–"
        low, high = study.interval(i)
        delta = "–" if i == study.best else f"{100 * abs(study.compared[i]['difference']):.2f} pp"
        cells = [
            name(i),
            f"{study.means[i]:.4f}",
            deviation,
            f"{low:.4f} to {high:.4f}",
            f"{study.losses[i]:.4f}",
            delta,
            study.cell(i),
            str(len(group)),
            grouped(study.parameters(i)),
        ]
        if timing:
            times = study.trial_seconds(i)
            cells += [seconds(median(times)), span(times)]
        page.row(q, *cells)
    low, high = study.interval(study.best)
    n = len(study.groups[study.best])
    over = f" over {n} trials" if n > 1 else ""
    page.expect(q, f"The best configuration is {name(study.best)}: ")
    page.expect(q, f"validation accuracy {study.means[study.best]:.4f}{over} (95 % interval {low:.4f} to {high:.4f}")
    region = f"{significant(100 * study.region)} percentage points"
    for verdict, start in (
        ("equal", f"Practically equal to it, within {region}: "),
        ("undecided", f"Undecided, with the probability of being worse by more than {region}: "),
        ("worse", f"Probably worse by more than {region}: "),
    ):
        found = study.of(verdict)
        if found:
            page.expect(q, start)
        for i in found[:5]:
            shown = study.compared[i]["equal" if verdict == "equal" else "worse"]
            page.expect(q, f"{name(i)} ({percent(shown)})")
        if len(found) > 5:
            least = min(study.compared[i]["equal" if verdict == "equal" else "worse"] for i in found)
            page.expect(q, f"and {len(found) - 5} with lower means (all with {percent(least)} or more)")
    for i in range(len(study.groups)):
        if i != study.best and (times := study.unstable(i)):
            low, high = min(study.values(i)), max(study.values(i))
            page.expect(q, f"{name(i)} (from {low:.4f} to {high:.4f}, {significant(times)} times the best one")
    if winner:
        page.expect(
            q,
            f"Trained once with all 60,000 training images for {counted(len(winner.epochs), 'epoch')} and tested once on 10,000 test "
            f"images: accuracy {winner.test.accuracy:.4f}, loss {winner.test.loss:.4f}, {grouped(winner.num_parameters)} parameters.",
        )
    if len(study.records) > len(study.groups):
        for i, group in enumerate(study.groups):
            page.row(q, name(i), *(f"{record['accuracy']:.4f}" for record in group))
    if (drawn := f"Of {len(study.groups)} configurations,") in page.left[q]:
        page.expect(q, drawn)
    trainings = counted(len(study.records), "training")
    page.expect(q, f"{trainings}, ")
    page.take(q, r"took (\d[\d.]*(?: min \d\d)? s) with the winner", clock=True)
    for here, full in re.findall(r"\nseeds: (\[.*?\]) instead of (\[.*?\])", page.left[q]):
        if here == str(sorted({r["seed"] for r in study.records})) and study_file_says(study, "seeds", full, full=True):
            page.expect(q, f"\nseeds: {here} instead of {full}")
    shortened = re.findall(r"\n[^\n]* instead of [^\n]*", page.left[q])
    for line in shortened:
        key = re.match(r"\n([a-z_.]+|seeds): (.*) instead of (.*)", line)
        if key and study_file_says(study, key[1], key[2]) and study_file_says(study, key[1], key[3], full=True):
            page.expect(q, line)


def span(times):
    low, high = seconds(min(times)), seconds(max(times))
    if "min" not in low + high:
        low = low.removesuffix(" s")
    return f"{low} to {high}"


def study_file_says(study, key, text, full=False):
    """Whether the study file beside the page, or the full one, has these values."""
    folder = study.folder.parents[2] / "configs" / "studies"
    name = study.folder.name.removesuffix("-quick") if full else study.folder.name
    file = tomllib.loads((folder / f"{name}.toml").read_text())
    parts = key.split(".")
    found = file if key in file else file.get("vary", {}) | {"training.num_epochs": None}
    values = file.get(key)
    for table in ("vary", "set"):
        inner = file.get(table, {})
        for part in parts:
            inner = inner.get(part) if isinstance(inner, dict) else None
        values = inner if inner is not None else values
    if values is None:
        return key == "training.num_epochs" and text == "10"
    if isinstance(values, dict):
        steps = np.geomspace(values["from"], values["to"], values["num"])
        return [f"{step:.3g}" for step in steps] == [f"{float(t):.3g}" for t in text.split(", ")]
    plain = lambda value: str(value).replace(" ", "")
    return plain(values).strip("[]") == plain(text).strip("[]") or plain(values) == plain(text)


def learning_rate(page, lab):
    """Question 11."""
    q, study = "question-11", lab.studies[0]
    key = "optimizer.learning_rate"
    rate = lambda i: study.short(i, key)
    lowest = min(range(len(study.groups)), key=lambda i: study.means[i])
    page.expect(
        q,
        f"Of {len(study.groups)} rates from {rate(0)} to {rate(len(study.groups) - 1)}, {rate(study.best)} gives the highest "
        f"validation accuracy, {study.means[study.best]:.4f}{study.others(rate)}; {rate(lowest)} gives the lowest, "
        f"{study.means[lowest]:.4f}.",
        f"compared on {grouped(study.images(0)[1])} training images",
    )
    ends = [(r["epochs"][-2]["train_loss"], r["epochs"][-1]["train_loss"]) for r in study.groups[0]]
    falling = sum(last < 0.99 * before for before, last in ends)
    trainings = lambda some, all_: (
        "in the one training" if all_ == 1 else f"in all {all_} trainings" if some == all_ else f"in {some} of {all_} trainings"
    )
    if falling:
        before, last = np.mean([end[0] for end in ends]), np.mean([end[1] for end in ends])
        page.expect(
            q,
            f"With the smallest, {rate(0)}, the training loss was still falling in the last epoch, {trainings(falling, len(ends))}, "
            f"on average from {before:.4f} to {last:.4f}",
        )
    losses = [[epoch["validation_loss"] for epoch in r["epochs"]] for r in study.groups[-1]]
    rises = sum(b > a for run in losses for a, b in zip(run, run[1:]))
    steps = sum(len(run) - 1 for run in losses)
    all_ = f" of all {len(losses)} trainings" if len(losses) > 1 else ""
    page.expect(
        q,
        f"With the largest, {rate(len(study.groups) - 1)}, the validation loss rose in {rises} of the {steps} steps{all_} from one "
        f"epoch to the next and ended at {np.mean([run[-1] for run in losses]):.4f}",
    )
    study_tables(page, q, study, lab.winners[0])


def cross_validation(page, lab):
    """Question 12."""
    q, study, before = "question-12", lab.studies[1], lab.studies[0]
    key = "optimizer.learning_rate"
    rate = lambda i: study.short(i, key)
    folds = len({record["fold"] for record in study.records})
    page.expect(
        q,
        f"Learning rate {rate(study.best)} has the highest mean accuracy over {folds} folds, "
        f"{study.means[study.best]:.4f}{study.others(rate)}; trained on all training images and tested once, it reaches "
        f"{lab.winners[1].test.accuracy:.4f}.",
        f"In {folds}-fold cross-validation, the training images are cut into {folds} parts",
        f"every rate is trained {folds} times",
        *([text] if (text := f"trained every rate {len(before.groups[0])} times") in page.left[q] else []),
        f"and {folds} results for each rate",
        f"The price is {len(study.records)} trainings instead of {len(study.groups)}.",
        f"chose {before.short(before.best, key)}",
    )
    chosen = float(before.short(before.best, key))
    rates = [float(rate(i)) for i in range(len(study.groups))]
    nearest = min(rates, key=lambda r: abs(log(r / chosen)))
    same = nearest == float(rate(study.best))
    page.expect(q, f"{rate(study.best)} is the nearest to that" if same else f"the folds choose {rate(study.best)}, which is not the nearest")
    for training in range(1, folds + 1):
        page.row(q, f"training {training}")
    page.row(q, "", *(f"fold {fold}" for fold in range(1, folds + 1)))
    study_tables(page, q, study, lab.winners[1])


def architecture(page, lab):
    """Question 13."""
    q, study, winner = "question-13", lab.studies[2], lab.winners[2]
    hidden = lab.hidden
    best = study.best

    def shape(i):
        widths = dict(study.names[i])["model.hidden"].strip("[]")
        if not widths:
            return "no hidden layer"
        names = widths.split(", ")
        return f"one hidden layer of {names[0]} neurons" if len(names) == 1 else f"hidden layers of {listed(names)} neurons"

    front, highest = [], -1.0
    for i in sorted(range(len(study.groups)), key=lambda i: (study.parameters(i), -study.means[i])):
        if study.means[i] > highest:
            front.append(i)
            highest = study.means[i]
    smaller = [i for i in front if study.parameters(i) < study.parameters(best)]
    equal = next((i for i in smaller if study.compared[i]["verdict"] == "equal"), None)
    undecided = next((i for i in smaller if study.compared[i]["verdict"] == "undecided"), None)
    of_best = (
        f"{shape(best)} and {grouped(study.parameters(best))} weights, with a mean validation accuracy of {study.means[best]:.4f}; "
        f"trained on all training images and tested once, it reaches {winner.test.accuracy:.4f}"
    )
    if equal is not None:
        of_best += (
            f"; the smallest of the Pareto front that is practically equal to it, within {significant(100 * study.region)} percentage points, has {shape(equal)} "
            f"and {grouped(study.parameters(equal))} weights"
        )
    last, epochs = hidden.epochs[-1], len(study.groups[0][0]["epochs"])
    width = hidden.layers[0][0].shape[1]
    named = f"one hidden layer of {width} neurons and {grouped(hidden.num_parameters)} weights"
    reached = f"{last['validation_accuracy']:.4f} on its images held out and {hidden.test.accuracy:.4f} on the test images"
    if last["validation_accuracy"] > study.means[best]:
        page.expect(
            q,
            f"question 10's, with {named}: after {counted(len(hidden.epochs), 'epoch')} it reaches {reached}. Of the architectures "
            f"compared for {counted(epochs, 'epoch')} each, the best has {of_best}.",
        )
    else:
        page.expect(q, f"The best network found here has {of_best}. Question 10's network, with {named}, had reached {reached}.")
    sizes = [weights.shape for weights, _ in winner.layers]
    terms = [f"{i} · {o} + {o} = {grouped(i * o + o)}" for i, o in sizes]
    total = " + ".join(grouped(i * o + o) for i, o in sizes)
    page.expect(q, f"{', '.join(terms)}; together {total} = {grouped(winner.num_parameters)}")
    page.expect(q, f"from {counted(len({r['seed'] for r in study.records}), 'different seed')}")
    page.expect(
        q,
        f"is {setting_name(study.names[best])}, {' → '.join(str(n) for n in [784] + [o for _, o in sizes])}, with "
        f"{grouped(study.parameters(best))} parameters and a mean validation accuracy of {study.means[best]:.4f}.",
    )
    region = f"within {significant(100 * study.region)} percentage points"
    for i, said in ((equal, f"equal to it, {region}, "), (undecided, f"as good, undecided {region}, ")):
        if i is not None:
            page.expect(q, f"{said}is {setting_name(study.names[i])}, with {grouped(study.parameters(i))} parameters ({study.means[i]:.4f}).")
    first, end = front[0], front[-1]
    page.expect(
        q,
        f"{significant(study.parameters(end) / study.parameters(first))} times as many parameters, {grouped(study.parameters(end))} in "
        f"place of {grouped(study.parameters(first))}, and the mean accuracy is "
        f"{100 * (study.means[end] - study.means[first]):.2f} percentage points higher",
    )
    study_tables(page, q, study, winner)
    file = tomllib.loads((lab.folder / "configs" / "best.toml").read_text())
    layers = [784] + file["model"]["hidden"] + [10]
    low, high = wilson(0.9948, 10000)
    page.expect(
        q,
        f"hidden layers of {listed([str(n) for n in layers[1:-1]])} neurons, "
        f"{grouped(sum(i * o + o for i, o in zip(layers, layers[1:])))} weights, trained for {file['training']['num_epochs']} epochs",
        f"With seed {file.get('seed', 42)} it recognises 0.9944",
        f"It won with 0.9948, the next had 0.9941: a margin of {100 * (0.9948 - 0.9941):.2f} percentage points, "
        f"{round(10000 * (0.9948 - 0.9941))} images",
        f"between {low:.4f} and {high:.4f} (Wilson's interval",
    )


def batch_size(page, lab):
    """Question 14."""
    q, study = "question-14", lab.studies[3]
    key, last = "training.batch_size", len(study.groups) - 1
    size = lambda i: study.short(i, key)
    times = [study.trial_seconds(i) for i in range(len(study.groups))]
    epoch = [median(t) for t in times]
    epochs = len(study.groups[0][0]["epochs"])
    page.expect(
        q,
        f"After {counted(epochs, 'epoch')}, batches of {size(study.best)} give the highest validation accuracy, "
        f"{study.means[study.best]:.4f}{study.others(size)}; an epoch takes {seconds(epoch[0])} with batches of {size(0)} and "
        f"{seconds(epoch[last])} with batches of {size(last)}, which reach {study.means[last]:.4f}.",
    )
    small = lambda t: f"{three_digits(1e6 * t)} µs"
    updates = [-(-group[0]["num_images"][0] // int(dict(names)[key])) for group, names in zip(study.groups, study.names)]
    plain = lambda i: grouped(int(dict(study.names[i])[key]))
    page.expect(
        q,
        f"With batches of {plain(0)} images an epoch has {grouped(updates[0])} updates of {small(epoch[0] / updates[0])} in the median, "
        f"with batches of {plain(last)} it has {grouped(updates[last])} of {small(epoch[last] / updates[last])}.",
    )
    trials = len(times[0])
    if trials >= 4:
        p = stats.mannwhitneyu(times[0], times[last], method="exact").pvalue
        shown = "< 0.0001" if p < 0.0001 else f"= {p:.4f}"
        test = f"(Mann-Whitney test over {trials} trials of each, p {shown})"
        fast, slow = (0, last) if epoch[0] < epoch[last] else (last, 0)
        page.expect(
            q,
            f"{seconds(epoch[0])} with batches of {plain(0)} and {seconds(epoch[last])} with batches of {plain(last)} in the median"
            if p >= 0.05
            else f"faster with batches of {plain(fast)} than with batches of {plain(slow)}: {seconds(epoch[fast])} in place of "
            f"{seconds(epoch[slow])} in the median, {significant(epoch[slow] / epoch[fast])} times as fast",
            test,
        )
    else:
        page.expect(q, f"{seconds(epoch[0])} with batches of {plain(0)} and {seconds(epoch[last])} with batches of {plain(last)}. With {counted(trials, 'trial')} of each")
    page.expect(
        q,
        f"At equal epochs ({epochs}), batches of {plain(study.best)} give the highest mean accuracy, {study.means[study.best]:.4f}; the "
        f"smallest give {study.means[0]:.4f}, the largest {study.means[last]:.4f}",
    )
    whole = lambda record: sum(e["seconds"] for e in record["epochs"])
    limit = min(whole(record) for record in study.records)

    def within(i):
        found = []
        for record in study.groups[i]:
            spent, reached = 0.0, None
            for e in record["epochs"]:
                spent += e["seconds"]
                if spent > limit * 1.000001:
                    break
                reached = e
            if reached is None:
                return None
            found.append((reached["validation_accuracy"], reached["epoch"]))
        return np.mean([f[0] for f in found]), np.mean([f[1] for f in found])

    reached = [within(i) for i in range(len(study.groups))]
    for i in range(len(study.groups)):
        accuracy, done = (f"{reached[i][0]:.4f}", f"{reached[i][1]:.1f}") if reached[i] else ("–", "–")
        page.row(
            q,
            plain(i),
            grouped(updates[i]),
            small(epoch[i] / updates[i]),
            seconds(epoch[i]),
            span(times[i]),
            f"{study.means[i]:.4f}",
            accuracy,
            done,
        )
    page.expect(q, f"accuracy after {epochs} epochs|after {seconds(limit)}|")
    ahead = max((i for i in range(len(reached)) if reached[i]), key=lambda i: reached[i][0])
    done = reached[ahead][1]
    page.expect(
        q,
        f"At equal time ({seconds(limit)}, as long as the fastest training of all took), batches of {plain(ahead)} have the highest "
        f"mean accuracy, {reached[ahead][0]:.4f} after {'one epoch' if done == 1 else significant(done) + ' epochs'}.",
    )
    late = [plain(i) for i in range(len(reached)) if not reached[i]]
    if late:
        page.expect(q, f"Batches of {listed(late)} had not finished their first epoch by then.")
    study_tables(page, q, study, lab.winners[3], timing=True)


def head_and_facts(page, lab):
    regions = []
    for study in lab.studies:
        region = f"{significant(100 * study.region)} percentage points"
        regions += [region] if region not in regions else []
    page.expect("question-11", f"is worse by more than {' or '.join(regions)}, ", f"deviation is above {' or '.join(regions)};")
    page.expect("head", f"{lab.softmax.test.accuracy:.4f}test accuracy of the softmax network", f"{lab.hidden.test.accuracy:.4f}with a hidden layer")
    page.expect("head", f"{sum(len(study.records) for study in lab.studies)}trainings in {len(lab.studies)} studies")
    page.take("head", r"(\d[\d.]*(?: min \d\d)? s)for everything", clock=True)
    info = lab.softmax.info
    page.expect("head", info["version"], info["started"][:16].replace("T", " "))
    for number, study in zip(range(11, 15), lab.studies):
        if (text := f"question {number} has {counted(len(study.records), 'training')} of {counted(len(study.groups[0][0]['epochs']), 'epoch')}") in page.left["head"]:
            page.expect("head", text)
    page.expect("facts", info["data"]["sha256"], info["weights_sha256"], f"seed|{info['seed']}", f"{info['threads']} threads", "60,000 training images")
    page.take("facts", r"took\|(\d[\d.]*(?: min \d\d)? s)", clock=True)
    page.take("facts", r"cores\|(\d+)")


class Lab:
    def __init__(self, folder):
        self.folder, self.data = folder, Data()
        runs = folder / "artifacts"

        def newest(name):
            found = sorted((runs / name).glob("*/model.bpk"))
            return Run(found[-1].parent, self.data) if found else None

        self.softmax, self.inserted, self.hidden = newest("softmax"), newest("inserted"), newest("hidden")
        self.plain, self.augmented = newest("not-augmented"), newest("augmented")
        others = [Run(path.parent, self.data) for path in sorted((runs / "softmax-seeds").glob("*/model.bpk"))]
        self.seeds = sorted(others, key=lambda run: run.info["seed"])
        quick = "-quick" if (runs / "studies" / "learning-rate-quick").exists() else ""
        names = [f"{name}{quick}" for name in ("learning-rate", "learning-rate-cv", "architecture", "batch-size")]
        self.studies = [Study(runs / "studies" / name) for name in names]
        self.winners = [newest(f"{name}-best") for name in names]


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "lab")
    page, lab = Page(folder / "report.html"), Lab(folder)
    for question in (
        given_code, image_size, one_hot, network, prediction, neurons, hidden_layer, learning_rate, cross_validation, architecture,
        batch_size, beyond, head_and_facts,
    ):
        question(page, lab)
    for pattern in ALLOWED:
        page.allow(pattern)
    sys.exit(0 if page.report() else 1)


# Numbers of the prose: which question, years of the literature, constants of a method, examples that are no result.
ALLOWED = [
    r"[Qq]uestions? \d+(?:(?:,| to| and) \d+)*",
    r"\((?:[A-Z][^()]*)?(?:19|20)\d\d(?:;[^()]*)?\)",
    r"\(Nadeau and Bengio 2003\)",
    r"95 %",
    r"artifacts/[^ |\n]*|[a-z/]*configs/[^ |\n]*",
    r"smallnet[| ][0-9.]+(?:, commit [0-9a-f]+)?",
    r"of questions 0 and 10|\\(Corani and Benavoli 2015; Benavoli, Corani, Demšar and Zaffalon 2017\\)",
    r"\n\d+ [A-Z][^\n]*\?",
    r"F1|469/469 in the output|5-fold cross-validation\. Which",
    r"\n\|x_train / 255[^\n]*|\n\|(?:SGD|fit|Flatten|evaluate)\([^\n]*",  # code, line by line
    r"\n\|true(?:\|\d)+(?=\n)|\|(?:fold|seed) \d+",
    r"\n\d(?=\n)",  # the class under a picture
    r"a row of 10 numbers, 1 at the label's place and 0 elsewhere|answers with 10 probabilities",
    r"a 4 is not the half of an 8, and to take a 3 for an 8 is no worse than to take it for a 4",
    r"from 0(?: to 1|,|:|\.)|add up to 1|ln p\(1\)|p = 1, costs 0;|as p goes to 0|gradient of 0",
    r"“hidden 64-64” has two hidden layers of 64 neurons",
    r"below 0\.05|with 95 %",
    r"[Oo]n 10,000 images held out|on the sheet|ten minutes",
]

main()
