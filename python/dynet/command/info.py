"""`python -m dynet info`: which DyNet this is, what of the machine it uses, and whether it works here."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import dynet as dy


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "info",
        help="version, instruction sets, threads; with --test and --speed whether and how fast it works",
        description="What a report of a fault should contain.",
    )
    parser.add_argument(
        "--test", action="store_true", help="check that it computes right here (1 when something fails)"
    )
    parser.add_argument("--speed", action="store_true", help="measure how fast it trains here (about 2 s)")
    parser.set_defaults(run=run)


def facts() -> str:
    lines = {
        "dynet": dy.__version__,
        "python": sys.version.split()[0],
        "numbers": dy.__precision__,
        "instruction sets": ", ".join(dy.instruction_sets()),
        "threads": dy.get_num_threads(),
        "operations": len(dy.ops()),
    }
    return "\n".join(_line(name, value) for name, value in lines.items())


def _line(name: str, value: object) -> str:
    return f"{name:<17}{value}"


# -- the self-test


class _Network:
    """A small network whose parts are known."""

    def __init__(self) -> None:
        random = np.random.default_rng(7)
        self.model = dy.ParameterCollection()
        self.hidden = self.model.add_parameters((40, 17), init=random.normal(size=(40, 17)) / 4)
        self.bias = self.model.add_parameters(40, init=random.normal(size=40))
        self.output = self.model.add_parameters((5, 40), init=random.normal(size=(5, 40)) / 4)
        self.lstm = dy.VanillaLSTMBuilder(1, 17, 8, self.model)
        self.inputs = random.normal(size=(3, 17))

    def scores(self) -> list[dy.Expression]:
        """For each input."""
        inputs = [dy.inputTensor(x) for x in self.inputs]
        layers = [dy.tanh(dy.affine_transform([self.bias, self.hidden, x])) for x in inputs]
        return [self.output * layer for layer in layers]

    def loss(self) -> dy.Expression:
        inputs = [dy.inputTensor(x) for x in self.inputs]
        states = self.lstm.initial_state().transduce(inputs)
        losses = [dy.pickneglogsoftmax(s, i) for i, s in enumerate(self.scores())]
        return dy.esum([*losses, *map(dy.squared_norm, states)])

    def value(self) -> float:
        dy.renew_cg()
        return self.loss().scalar_value()


def _close(a: Any, b: Any, tolerance: float) -> bool:
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))


def values_agree() -> bool:
    """A layer computes what NumPy does."""
    network = _Network()
    dy.renew_cg()
    ours = np.stack(dy.npvalues(network.scores()))
    hidden, bias, output = (p.as_array() for p in (network.hidden, network.bias, network.output))
    return _close(ours, np.tanh(network.inputs @ hidden.T + bias) @ output.T, 1e-4)


def gradients_agree() -> bool:
    """The gradient is the slope of the loss."""
    network = _Network()
    dy.renew_cg()
    network.loss().backward()
    gradient = network.hidden.grad_as_array()
    direction = np.sign(gradient) / 64
    here = network.hidden.as_array()
    sides = []
    for sign in (1, -1):
        network.hidden.set_value(here + sign * direction / 16)
        sides.append(network.value())
    return _close((sides[0] - sides[1]) * 8, float(np.sum(gradient * direction)), 2e-2)


def batching_changes_nothing() -> bool:
    """The same bits, whether nodes run together or one by one."""
    network = _Network()
    merged = network.value()
    dy.set_batching_policy("single")
    try:
        return network.value() == merged
    finally:
        dy.set_batching_policy("agenda")


def instruction_sets_agree() -> bool:
    """The same numbers, but for rounding, with the kernels of every instruction set that the machine has."""
    network = _Network()
    names = dy.instruction_sets()
    values = []
    for name in names:
        dy.set_instruction_set(name)
        values.append(network.value())
    return _close(values, values[0], 1e-4)


def training_learns() -> bool:
    """Some updates lower the loss."""
    network = _Network()
    trainer = dy.AdamTrainer(network.model, 0.02)
    first = network.value()
    for _ in range(20):
        dy.renew_cg()
        network.loss().backward()
        trainer.update()
    return network.value() < first / 2


def files_keep() -> bool:
    """A model file gives back the numbers."""
    network, other = _Network(), _Network()
    other.hidden.set_value(np.zeros((40, 17)))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("model", "model.safetensors"):
            network.model.save(os.path.join(folder, name))
            other.model.populate(os.path.join(folder, name))
    return bool(np.array_equal(network.hidden.as_array(), other.hidden.as_array()))


CHECKS: tuple[Callable[[], bool], ...] = (
    values_agree,
    gradients_agree,
    batching_changes_nothing,
    training_learns,
    files_keep,
    instruction_sets_agree,
)


def self_test() -> bool:
    """Runs the checks and prints a line."""
    start = time.perf_counter()
    failed = []
    for check in CHECKS:
        try:
            if not check():
                failed.append(check.__name__)
        except Exception as error:  # Whatever goes wrong here is what was looked for.
            failed.append(f"{check.__name__} ({error})")
    seconds = time.perf_counter() - start
    passed = f"passed: {len(CHECKS)} checks in {seconds:.1f} s"
    print(_line("self-test", "failed: " + ", ".join(failed) if failed else passed))
    return not failed


def run(chosen: argparse.Namespace) -> int:
    print(facts())
    is_right = self_test() if chosen.test else True
    if chosen.speed:
        from dynet.command import bench

        for task in bench.TASKS:
            speed = bench.measured(task, dy.get_num_threads(), seconds=1.0)
            print(_line(task.name, f"{speed.words_a_second:,.0f} words/s in training"))
    return 0 if is_right else 1
