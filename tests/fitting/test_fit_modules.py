"""dy.fit with a module: its collection is trained, and held-out examples are scored without dropout."""

import pytest

import dynet as dy

EXAMPLES = [([1.0, -1.0, 0.5], 0), ([-1.0, 1.0, 0.5], 1)] * 4


class Network(dy.nn.Module):
    def __init__(self, model):
        super().__init__(model)
        self.layers = dy.nn.MLP([3, 50, 2], self.model, dropout=0.5)
        self.modes = []

    def loss(self, example):
        self.modes.append(self.training)
        return dy.pickneglogsoftmax(self.layers(dy.inputVector(example[0])), example[1])


def test_held_out_examples_are_scored_without_dropout():
    network = Network(dy.ParameterCollection())
    trainer = dy.SimpleSGDTrainer(network.model, 0.0)
    history = dy.fit(network, trainer, EXAMPLES, network.loss, held_out=EXAMPLES, epochs=3, progress=False)
    assert len({epoch["score"] for epoch in history.epochs}) == 1
    assert len({epoch["loss"] for epoch in history.epochs}) == 3
    assert network.training and set(network.modes) == {True, False}


def test_what_is_neither():
    with pytest.raises(
        TypeError, match=r"fit: model is 3; a ParameterCollection or a dy.nn.Module is needed"
    ):
        dy.fit(3, dy.SimpleSGDTrainer(dy.ParameterCollection()), EXAMPLES, lambda example: None)
