"""scikit-learn: MLPClassifier and LogisticRegression through skl2onnx into smallnet."""

import warnings

import skl2onnx
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

import common


def checks(table, smallnet):
    # The networks are trained for a moment only, which scikit-learn remarks.
    warnings.filterwarnings("ignore")
    pixels, labels = common.images("train", 20_000)
    pixels = common.scaled(pixels).reshape(-1, 784)
    test = common.scaled(common.images("t10k")[0]).reshape(-1, 784)
    models = {
        ("softmax", "MLPClassifier(())"): MLPClassifier((), max_iter=3, random_state=1),
        ("hidden", "MLPClassifier((128,))"): MLPClassifier((128,), max_iter=2, random_state=1),
        ("hidden, tanh", "MLPClassifier((64, 32), tanh)"): MLPClassifier((64, 32), activation="tanh", max_iter=2, random_state=1),
        ("softmax", "LogisticRegression()"): LogisticRegression(max_iter=10),
    }
    for index, ((network, title), model) in enumerate(models.items()):
        model.fit(pixels, labels)
        # skl2onnx writes the probabilities as a list of dictionaries (its ZipMap node) or as a tensor.
        for way, options in ((title, {}), (f"{title}, zipmap=False", {id(model): {"zipmap": False}})):
            proto, export_seconds = common.seconds(skl2onnx.to_onnx, model, pixels[:1], options=options)
            path = smallnet.folder / f"sklearn-{index}-{len(options)}.onnx"
            path.write_bytes(proto.SerializeToString())
            table.check(common.comes_in, table, way, network, smallnet, path, model.predict_proba(test), export_seconds)


if __name__ == "__main__":
    common.main(f"scikit-learn {sklearn.__version__}, skl2onnx {skl2onnx.__version__}", checks)
