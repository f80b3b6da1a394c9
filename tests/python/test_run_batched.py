"""Tasks in turns give the bits of one call after another: values, gradients and random numbers."""

import random
from functools import partial

import fibers
import numpy as np
import pytest

import dynet as dy

WIDTH, WORDS = 6, 12


class Model:
    """Parameters and builders that tasks share."""

    def __init__(self):
        dy.reset_random_seed(3)
        self.model = dy.ParameterCollection()
        self.table = self.model.add_lookup_parameters((WORDS, WIDTH))
        self.weights = [self.model.add_parameters((WIDTH, WIDTH)) for _ in range(2)]
        self.bias = self.model.add_parameters(WIDTH)
        self.lstm = dy.VanillaLSTMBuilder(2, WIDTH, WIDTH, self.model)
        self.lstm.set_dropouts(0.2, 0.3)
        self.gru = dy.GRUBuilder(1, WIDTH, WIDTH, self.model)

    def digest(self):
        """All gradients, as bytes."""
        return [p.grad_as_array().tobytes() for p in self.model.parameters_list()] + [
            p.grad_as_array().tobytes() for p in self.model.lookup_parameters_list()
        ]


def product(m, x, number):
    """A task within a task."""
    return m.weights[1] * m.table[number % WORDS] + x


def steps(m, shared, number):
    """A task: a random program that looks at values, as a generator. Its example is the seed."""
    draw = random.Random(number)
    x = m.table[draw.randrange(WORDS)]
    state = draw.choice([m.lstm, m.gru]).initial_state() if number % 4 else shared["state"]
    losses = []
    for _ in range(draw.randint(1, 6)):
        kind = draw.randrange(8)
        if kind == 0:
            x = dy.tanh(m.weights[draw.randrange(2)] * x + m.bias)
        elif kind == 1:
            x = dy.cmult(dy.logistic(x), dy.tanh(shared["vector"]))
        elif kind == 2:
            x = dy.dropout(x, 0.3)
        elif kind == 3:
            state = state.add_input(x)
            x = state.output()
        elif kind == 4:
            x = x + dy.cmult(shared["product"], m.table[draw.randrange(WORDS)])
        elif kind == 5:
            x = dy.noise(m.weights[0], 0.1) * x
        elif kind == 6 and draw.random() < 0.5:
            x = dy.esum([x, *dy.run_batched(partial(product, m, x), range(draw.randint(0, 3)), window=1)])
        score = dy.sum_elems(x)
        yield score
        if score.value() > 0:
            losses.append(dy.pickneglogsoftmax(x, draw.randrange(WIDTH)))
        else:
            losses.append(dy.squared_norm(x - m.bias))
    return dy.esum(losses)


def plain(m, shared, number):
    """The same as a plain function."""
    task = steps(m, shared, number)
    while True:
        try:
            next(task).value()
        except StopIteration as stop:
            return stop.value


async def coroutine(m, shared, number):
    """The same as a coroutine."""
    task = steps(m, shared, number)
    while True:
        try:
            await dy.value_of(next(task))
        except StopIteration as stop:
            return stop.value


KINDS = "generator", "plain", "coroutine"


def outcome(kind, window, examples):
    """Losses and gradients of a run, as bytes."""
    if kind == "plain" and window != 1 and not fibers.THERE:
        pytest.skip("no fibers here")
    m = Model()
    dy.renew_cg()
    vector = dy.inputVector(np.linspace(-1, 1, WIDTH))
    shared = {"vector": vector, "product": m.weights[0] * vector, "state": m.lstm.initial_state()}
    losses = dy.run_batched(_bound(kind, m, shared), examples, window=window)
    dy.esum(losses).backward()
    return np.array(dy.values(losses)).tobytes(), m.digest()


def _bound(kind, m, shared):
    """A function of one example, which is seen to be a generator or coroutine."""
    if kind == "generator":

        def bound(number):
            return (yield from steps(m, shared, number))

    elif kind == "plain":

        def bound(number):
            return plain(m, shared, number)

    else:

        async def bound(number):
            return await coroutine(m, shared, number)

    return bound


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_the_window_changes_no_bit(kind, seed):
    examples = range(100 * seed, 100 * seed + 9)
    expected = outcome("generator", 1, examples)
    for window in 1, 2, 7, 64, None:
        assert outcome(kind, window, examples) == expected
