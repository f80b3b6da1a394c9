"""Trains a network of each kind of layer of dynn: dynn_layers.py RESULT."""

import collections
import collections.abc
import json
import sys

# dynn was written for a Python that had this name.
collections.Iterable = collections.abc.Iterable

import numpy as np  # noqa: E402
from dynn.layers.convolution_layers import Conv1DLayer  # noqa: E402
from dynn.layers.dense_layers import DenseLayer, GatedLayer  # noqa: E402
from dynn.layers.normalization_layers import LayerNormalization  # noqa: E402
from dynn.layers.pooling_layers import MaxPooling1DLayer  # noqa: E402
from dynn.layers.recurrent_layers import LSTM, ElmanRNN  # noqa: E402
from dynn.layers.transduction_layers import BidirectionalLayer, UnidirectionalLayer  # noqa: E402

import dynet as dy  # noqa: E402

WIDTH, LENGTH, CLASSES = 6, 5, 3


def mean_of(layer):
    return lambda xs: dy.average([layer(x) for x in xs])


def dense(pc):
    layer = DenseLayer(pc, WIDTH, WIDTH, dropout=0.1)
    return [layer], mean_of(layer)


def gated(pc):
    layer = GatedLayer(pc, WIDTH, WIDTH)
    return [layer], mean_of(layer)


def normalized(pc):
    layer = LayerNormalization(WIDTH, pc)
    return [layer], mean_of(layer)


def convolved(pc):
    layer, pool = Conv1DLayer(pc, WIDTH, WIDTH, 3), MaxPooling1DLayer()
    return [layer], lambda xs: dy.reshape(pool(layer(dy.transpose(dy.concatenate_cols(xs)))), (WIDTH,))


def elman(pc):
    layer = UnidirectionalLayer(ElmanRNN(pc, WIDTH, WIDTH, dropout=0.1))
    return [layer], lambda xs: layer(xs)[-1][0]


def lstm(pc):
    layer = BidirectionalLayer(LSTM(pc, WIDTH, WIDTH, 0.1, 0.1), LSTM(pc, WIDTH, WIDTH))

    def network(xs):
        forward, backward = layer(xs)
        return forward[-1][0] + backward[0][0]

    return [layer], network


NETWORKS = {
    "dense": dense,
    "gated": gated,
    "normalized": normalized,
    "convolved": convolved,
    "elman": elman,
    "lstm": lstm,
}


def losses(make):
    """The mean loss of each epoch."""
    random = np.random.default_rng(1)
    data = [(random.normal(size=(LENGTH, WIDTH)), i % CLASSES) for i in range(30)]
    data = [(x + 0.8 * (y - 1), y) for x, y in data]
    pc = dy.ParameterCollection()
    layers, network = make(pc)
    top = DenseLayer(pc, WIDTH, CLASSES, activation=lambda x: x)
    trainer = dy.AdamTrainer(pc, 0.01)
    epochs = []
    for _ in range(8):
        total = 0.0
        for x, y in data:
            dy.renew_cg()
            for layer in [*layers, top]:
                layer.init(update=True)
            loss = dy.pickneglogsoftmax(top(network([dy.inputVector(row) for row in x])), y)
            total += loss.value()
            loss.backward()
            trainer.update()
        epochs.append(total / len(data))
    return epochs


if __name__ == "__main__":
    with open(sys.argv[1], "w") as file:
        json.dump({name: losses(make) for name, make in NETWORKS.items()}, file)
