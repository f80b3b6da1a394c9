"""Reads handwritten digits with a multilayer perceptron or a convolutional network."""

import itertools
import random

import numpy as np
import options
from baselines import NearestMean
from data import digits, minibatches
from progress import Progress

import dynet as dy


class Perceptron:
    """Two hidden layers that see a picture as a vector of 64 pixels."""

    def __init__(self, size=128):
        self.parameters = dy.ParameterCollection()
        sizes = [64, size, size, 10]
        add = self.parameters.add_parameters
        self.layers = [
            (add((after, before)), add(after, init=0)) for before, after in itertools.pairwise(sizes)
        ]

    def scores(self, picture, dropout=0):
        *hidden, (weights, bias) = self.layers
        x = dy.inputTensor(picture.reshape(64))
        for layer, layer_bias in hidden:
            x = dy.dropout(dy.rectify(dy.affine_transform([layer_bias, layer, x])), dropout)
        return dy.affine_transform([bias, weights, x])


class Convolutional:
    """Two layers of 3×3 filters, each pooled to half the width and height, and a hidden layer."""

    def __init__(self, filters=(16, 32), size=64):
        self.parameters = dy.ParameterCollection()
        add = self.parameters.add_parameters
        first, second = filters
        self.filters = [
            (add((3, 3, 1, first)), add(first, init=0)),
            (add((3, 3, first, second)), add(second, init=0)),
        ]
        self.hidden = add((size, 2 * 2 * second)), add(size, init=0)
        self.output = add((10, size)), add(10, init=0)

    def scores(self, picture, dropout=0):
        x = dy.inputTensor(picture.reshape(8, 8, 1))
        for layer, bias in self.filters:
            x = dy.rectify(dy.conv2d_bias(x, layer, bias, [1, 1], is_valid=False))
            x = dy.maxpooling2d(x, [2, 2], [2, 2])
        (height, width, channels), _ = x.dim()
        weights, bias = self.hidden
        x = dy.rectify(dy.affine_transform([bias, weights, dy.reshape(x, (height * width * channels,))]))
        weights, bias = self.output
        return dy.affine_transform([bias, weights, dy.dropout(x, dropout)])


class Reader:
    """A network that is trained on pictures one by one; the library batches them."""

    def __init__(self, network, dropout=0.3):
        self.network, self.dropout = network, dropout
        self.parameters = network.parameters

    def loss(self, examples):
        dy.renew_cg()
        scores = [self.network.scores(moved(picture), self.dropout) for picture, _ in examples]
        return dy.esum([dy.pickneglogsoftmax(s, d) for s, (_, d) in zip(scores, examples, strict=True)])

    def read(self, pictures):
        dy.renew_cg()
        return [int(np.argmax(s)) for s in dy.npvalues([self.network.scores(p) for p in pictures])]


def moved(picture):
    """The picture shifted by up to one pixel each way: more to learn from than 1,400 pictures."""
    rows, columns = random.choice((-1, 0, 0, 1)), random.choice((-1, 0, 0, 1))
    wide = np.pad(picture, 1)
    return wide[1 + rows : 9 + rows, 1 + columns : 9 + columns]


def accuracy(reader, examples):
    answers = reader.read([picture for picture, _ in examples])
    right = [answer == digit for answer, (_, digit) in zip(answers, examples, strict=True)]
    return sum(right) / len(right)


def main():
    parser = options.parser(__doc__, epochs=40, batch=16, unit="pictures")
    parser.add_argument("--network", choices=("perceptron", "convolutional"), default="convolutional")
    chosen = options.parse(parser)

    training, held_out = digits()
    if chosen.smoke:
        training, held_out, chosen.epochs = training[:300], held_out[:100], 1
    baseline = accuracy(NearestMean(training), held_out)
    reader = Reader(Perceptron() if chosen.network == "perceptron" else Convolutional())
    print(f"{chosen.network}: {reader.parameters.parameter_count():,} parameters")
    if chosen.load:
        reader.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdamTrainer(reader.parameters)
    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", len(training), "pictures")
        for batch in minibatches(training, chosen.batch):
            loss = reader.loss(batch)
            progress.add(len(batch), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(f"held out {accuracy(reader, held_out):.1%}")
    if chosen.save:
        reader.parameters.save(chosen.save)
    print(f"held-out accuracy {accuracy(reader, held_out):.1%}, nearest mean picture {baseline:.1%}")


if __name__ == "__main__":
    main()
