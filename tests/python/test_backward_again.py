"""Several backward passes through one graph: each gives what it would give in a graph of its own."""

import numpy as np
import pytest

import dynet as dy

SIZE, LENGTH = 21, 5
BUILDERS = [dy.VanillaLSTMBuilder, dy.CoupledLSTMBuilder, dy.SparseLSTMBuilder, dy.GRUBuilder]


class Model:
    def __init__(self, kind, batch, recorded):
        dy.reset_random_seed(5)
        self.all = dy.ParameterCollection()
        self.builder = kind(2, SIZE, SIZE, self.all)
        self.table = self.all.add_lookup_parameters((9, SIZE))
        self.weights = self.all.add_parameters(SIZE)
        self.batch = batch
        self.recorded = recorded

    def outputs(self):
        """Of a network over a few rows of the table, in a new graph."""
        dy.renew_cg()
        xs = [dy.lookup_batch(self.table, [(i + b) % 9 for b in range(self.batch)]) for i in range(LENGTH)]

        def transduce(*xs):
            return tuple(self.builder.initial_state().transduce(xs))

        return list((dy.cell(transduce) if self.recorded else transduce)(*xs))

    def loss(self, outputs, which):
        chosen = outputs[which:] if which else outputs[:2]
        return dy.sum_batches(dy.dot_product(dy.tanh(dy.esum(chosen)), self.weights))

    def take_gradients(self):
        parameters = [*self.all.parameters_list(), *self.all.lookup_parameters_list()]
        result = [p.grad_as_array().copy() for p in parameters]
        for p in parameters:
            p.scale_gradient(0)
        return result

    def expected(self, which):
        self.loss(self.outputs(), which).backward()
        return self.take_gradients()


@pytest.fixture(params=BUILDERS, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("recorded", [False, True])
def test_two_losses(kind, batch, recorded):
    model = Model(kind, batch, recorded)
    expected = [model.expected(which) for which in (0, 2)]
    outputs = model.outputs()
    losses = [model.loss(outputs, which) for which in (0, 2)]
    for which in (0, 1, 1, 0):
        losses[which].backward()
        assert_same(model.take_gradients(), expected[which])


def test_after_an_update(kind):
    """The graph goes on with the parameters that it has seen."""
    model = Model(kind, 1, False)
    expected = [model.expected(which) for which in (0, 2)]
    outputs = model.outputs()
    losses = [model.loss(outputs, which) for which in (0, 2)]
    dy.forward(losses)
    losses[0].backward()
    dy.SimpleSGDTrainer(model.all, 0.5).update()
    losses[1].backward()
    assert_same(model.take_gradients(), expected[1])


def test_after_going_back(kind):
    """Nodes are removed and others added between the passes."""
    model = Model(kind, 1, False)
    expected = [model.expected(which) for which in (0, 2)]
    outputs = model.outputs()
    dy.cg_checkpoint()
    model.loss(outputs, 0).backward()
    assert_same(model.take_gradients(), expected[0])
    dy.cg_revert()
    state = model.builder.initial_state()
    values = [y.npvalue() for y in state.transduce(outputs)]
    assert np.isfinite(values).all()
    model.loss(outputs, 2).backward()
    assert_same(model.take_gradients(), expected[1])


def test_gradients_of_nodes(kind):
    model = Model(kind, 1, False)
    outputs = model.outputs()
    losses = [model.loss(outputs, which) for which in (0, 2)]
    found = []
    for loss in (losses[0], losses[1], losses[0]):
        loss.backward(full=True)
        found.append([y.gradient().copy() for y in outputs[:2]])
    assert_same(found[0], found[2])
    assert any((a != b).any() for a, b in zip(found[0], found[1], strict=True))


def test_functions_of_the_program_are_not_called_again(kind):
    calls = []

    def forward(x):
        calls.append(len(calls))
        return x * (1 + len(calls))

    changing = dy.Function(forward=forward, backward=lambda x, y, dy: [dy])
    model = Model(kind, 1, False)
    outputs = [changing(y) for y in model.outputs()]
    losses = [model.loss(outputs, which) for which in (0, 2)]
    dy.forward(losses)
    values, count = [y.npvalue() for y in outputs], len(calls)
    for loss in losses * 2:
        loss.backward()
    assert len(calls) == count
    assert_same([y.npvalue() for y in outputs], values)
