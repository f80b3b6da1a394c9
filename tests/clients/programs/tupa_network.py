"""Trains, saves and loads TUPA's network: tupa_network.py OPTIMIZER CELL MODEL RESULT."""

import json
import sys

optimizer, cell, model, result = sys.argv[1:]
sys.argv[1:] = []

from tupa.config import Config  # noqa: E402

SETTINGS = [
    "--classifier=bilstm",
    "--optimizer=" + optimizer,
    "--rnn=" + cell,
    "--minibatch-size=4",
    "--max-length=20",
    "--lstm-layers=1",
    "--lstm-layer-dim=12",
    "--embedding-layer-dim=10",
    "--layers=1",
    "--layer-dim=12",
    "--output-dim=8",
    "--dropout=0.1",
    "--max-action-labels=5",
    "--dynet-mem=64",
]
# TUPA calls it so even where DyNet calls it otherwise, or has none.
if optimizer not in ("adam", "amsgrad", "adadelta"):
    SETTINGS.append("--learning-rate=0.02")
config = Config("", *SETTINGS)

import numpy as np  # noqa: E402
from tupa.classifiers.nn.neural_network import NeuralNetwork  # noqa: E402
from tupa.features.feature_params import FeatureParameters, NumericFeatureParameters  # noqa: E402
from tupa.model_util import AutoIncrementDict  # noqa: E402

AXIS, WORDS, LABELS, LENGTH, ITEMS = "ucca", 12, 3, 6, 24
config.set_format("ucca")


def parameters():
    """A number, a feature that is looked up, and one that goes through the recurrent network."""
    return {
        "numeric": NumericFeatureParameters(2),
        "e": FeatureParameters("e", 4, WORDS, num=1, data=AutoIncrementDict(WORDS)),
        "W": FeatureParameters("W", 6, WORDS, num=2, data=AutoIncrementDict(WORDS), indexed=True),
    }


def labels():
    return {AXIS: AutoIncrementDict(size=5, keys=["A", "B", "C"])}


random = np.random.default_rng(1)
items = [[int(w) for w in random.integers(1, WORDS, LENGTH)] for _ in range(ITEMS)]


def features(words, at):
    return {"numeric": [at / LENGTH, 1.0], "e": [words[at]], "W": [at, at - 1 if at else 0]}


def scores(network, words):
    network.init_features({"W": words}, [AXIS])
    rows = []
    for at in range(LENGTH):
        rows.append(np.asarray(network.score(features(words, at), AXIS)).tolist())
        network.finished_step()
    network.finished_item()
    return rows


def accuracy(network):
    right = [
        int(np.argmax(row)) == words[at] % LABELS
        for words in items
        for at, row in enumerate(scores(network, words))
    ]
    return sum(right) / len(right)


network = NeuralNetwork(config, labels(), parameters())
history = []
for _ in range(12):
    for words in items:
        network.init_features({"W": words}, [AXIS], train=True)
        for at in range(LENGTH):
            network.update(features(words, at), AXIS, 0, [words[at] % LABELS])
            network.finished_step(train=True)
        network.finished_item(train=True)
    network.finalize(finished_epoch=True)
    network.init_cg()
    network.invalidate_caches()
    history.append(accuracy(network))
before = scores(network, items[0])
network.save(model)
again = NeuralNetwork(config, labels(), parameters())
again.load(model)
after = scores(again, items[0])
with open(result, "w") as file:
    json.dump({"history": history, "before": before, "after": after}, file)
