"""Parts of random programs: recurrent and softmax layers, cells, functions, trainers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import dynet as dy

INPUT, HIDDEN, CLASSES = 4, 3, 6


class Recurrent:
    """A builder of RNNs, read from its initial state."""

    def __init__(self, make: Callable[..., Any], model: dy.ParameterCollection) -> None:
        self.builder = make(1, INPUT, HIDDEN, model)
        self.dropout = 0.0

    def set_dropout(self, rate: float) -> None:
        self.dropout = rate
        self.builder.set_dropout(rate)

    def read(self, xs: list[Any], batch: int) -> list[Any]:
        states = self.builder.initial_state().add_inputs(xs)
        return [states[-1].output(), *states[-1].s()]


class Both(Recurrent):
    """A pair of RNNs, one for each direction."""

    def __init__(self, model: dy.ParameterCollection) -> None:
        self.builder = dy.BiRNNBuilder(1, INPUT, 2 * HIDDEN, model, dy.VanillaLSTMBuilder)
        self.dropout = 0.0

    def read(self, xs: list[Any], batch: int) -> list[Any]:
        return self.builder.transduce(xs)


class Tree(Recurrent):
    """A tree LSTM; what it reads are leaves, each the child of the next."""

    def __init__(self, make: Callable[..., Any], model: dy.ParameterCollection) -> None:
        self.builder = make(model)
        self.dropout = 0.0

    def read(self, xs: list[Any], batch: int) -> list[Any]:
        self.builder.start_new_sequence()
        return [self.builder.add_input(i, [i - 1] if i else [], x) for i, x in enumerate(xs)][-1:]


RNNS = [
    dy.VanillaLSTMBuilder,
    dy.GRUBuilder,
    dy.SimpleRNNBuilder,
    dy.CoupledLSTMBuilder,
    dy.FastLSTMBuilder,
    dy.CompactVanillaLSTMBuilder,
    dy.SparseLSTMBuilder,
]
LAYERS: list[Callable[[dy.ParameterCollection], Any]] = [
    *(lambda model, make=make: Recurrent(make, model) for make in RNNS),
    Both,
]


def softmax_layers(model: dy.ParameterCollection, which: int) -> Any:
    if which == 0:
        return dy.StandardSoftmaxBuilder(INPUT, CLASSES, model)
    words = {f"w{i}": i for i in range(CLASSES)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clusters.txt"
        path.write_text("".join(f"{i % 2} {word}\n" for word, i in words.items()))
        return dy.ClassFactoredSoftmaxBuilder(INPUT, str(path), words, model)


SOFTMAX_LAYERS = [lambda model, which=which: softmax_layers(model, which) for which in range(2)]

TRAINERS: list[Callable[[dy.ParameterCollection], Any]] = [
    dy.SimpleSGDTrainer,
    dy.MomentumSGDTrainer,
    dy.AdagradTrainer,
    dy.AdadeltaTrainer,
    dy.AdamTrainer,
    dy.AmsgradTrainer,
    dy.AdamWTrainer,
    dy.RAdamTrainer,
    dy.LionTrainer,
    dy.RMSPropTrainer,
    dy.CyclicalSGDTrainer,
]

FUNCTIONS = [
    (
        dy.Function(lambda x: x * np.abs(x), lambda x, y, d: [2 * np.abs(x) * d]),
        lambda x: x * np.abs(x),
        1,
    ),
    (
        dy.Function(lambda x, y: np.sin(x) * y, lambda x, y, z, d: [np.cos(x) * y * d, np.sin(x) * d]),
        lambda x, y: np.sin(x) * y,
        2,
    ),
    (
        dy.Function(lambda x: x.sum(keepdims=True), lambda x, y, d: [d * np.ones_like(x)], shape=(1,)),
        lambda x: x.sum(keepdims=True),
        1,
    ),
]

# Operations of the bodies of cells, with NumPy's.
BODY: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
    (lambda x, y: dy.tanh(x + y), lambda x, y: np.tanh(x + y)),
    (lambda x, y: dy.cmult(dy.logistic(x), dy.tanh(y)), lambda x, y: np.tanh(y) / (1 + np.exp(-x))),
    (lambda x, y: dy.softmax(x - y), lambda x, y: np.exp(x - y) / np.exp(x - y).sum()),
    (lambda x, y: x * 0.5 + dy.square(dy.tanh(y)), lambda x, y: x * 0.5 + np.tanh(y) ** 2),
    (lambda x, y: dy.cmult(x, dy.sum_elems(dy.sin(y))), lambda x, y: x * np.sin(y).sum()),
    (
        lambda x, y: dy.concatenate([dy.pick_range(x, 1, 4), dy.pick_range(y, 0, 1)]),
        lambda x, y: np.concatenate([x[1:], y[:1]]),
    ),
    (lambda x, y: dy.bmax(x, y), np.maximum),
]


class Cells:
    """Cells by the number of their body; or the functions that would be recorded."""

    def __init__(self, recorded: bool) -> None:
        self.recorded = recorded
        self.made: dict[int, Any] = {}

    def __getitem__(self, body: int) -> tuple[Callable[..., Any], list[Callable[..., Any]]]:
        digits = [body // len(BODY) ** i % len(BODY) for i in range(3)]
        chosen = [BODY[digit] for digit in digits]
        if body not in self.made:

            def step(x: Any, y: Any) -> tuple[Any, Any]:
                h = chosen[0][0](x, y)
                g = chosen[1][0](y, h)
                return chosen[2][0](g, h), g

            self.made[body] = dy.cell(step) if self.recorded else step

        def second(x: Any, y: Any) -> Any:
            return chosen[1][1](y, chosen[0][1](x, y))

        return self.made[body], [lambda x, y: chosen[2][1](second(x, y), chosen[0][1](x, y)), second]
