"""What an operation is called with, and which of the results are wrong in DyNet 2."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One call of an entry of the table of operations."""

    label: str
    operation: str
    variant: str
    attributes: dict[str, Any]
    shapes: list[tuple[int, ...]]  # without the batch
    batches: list[int]  # 0: the input has none

    def __str__(self) -> str:
        shapes = [(*s, f"x{b}") if b else s for s, b in zip(self.shapes, self.batches, strict=True)]
        return f"{self.label}, {self.variant} {shapes}"


class Fault(NamedTuple):
    """Something that DyNet 2 computes wrongly."""

    operations: tuple[str, ...]
    reason: str
    # The numbers of the results that are wrong: 0 is the value, i the gradient of input i from 1 on.
    wrong: Callable[[Call], set[int]]

    def results(self, call: Call) -> set[int]:
        return self.wrong(call) if call.operation in self.operations else set()


def all_results(call: Call) -> set[int]:
    return set(range(len(call.shapes) + 1))


def gradients(*inputs: int) -> Callable[[Call], set[int]]:
    """The gradients of some inputs, counted from 1 or from -1 at the end."""
    return lambda call: {i % (len(call.shapes) + 1) for i in inputs}


def when(condition: Callable[[Call], bool], wrong: Callable[[Call], set[int]]) -> Callable[[Call], set[int]]:
    """What is wrong in some calls only."""
    return lambda call: wrong(call) if condition(call) else set()


def gradients_without_batch(call: Call) -> set[int]:
    """The gradients of the inputs without a batch where others have one."""
    return {i for i, batch in enumerate(call.batches, 1) if any(call.batches) and not batch}


def gates(state: int) -> Callable[[Call], set[int]]:
    """Gates have the batch of the first input, whatever others have; `state` is the number of the state."""

    def condition(call: Call) -> bool:
        weights = any(call.batches[state : state + 3])
        return weights or bool(call.batches[state - 1] and not call.batches[0])

    return when(condition, all_results)


def has_more_rows_than_columns(call: Call) -> bool:
    return call.attributes.get("d") == 1 and call.shapes[0][0] > call.shapes[0][1]


def stretches_the_first(call: Call) -> bool:
    """Whether the first input has a size of 1, or none, where the second has a larger one."""
    (x, y), (x_batch, y_batch) = call.shapes, call.batches
    x = x + (1,) * (len(y) - len(x))
    return max(x_batch, 1) < y_batch or any(a < b for a, b in zip(x, y, strict=False))


# What is not here must agree.
FAULTS = [
    Fault(
        ("silu",),
        "the gradient lacks the factor beta",
        when(lambda c: c.attributes.get("beta", 1) != 1, gradients(1)),
    ),
    Fault(("cdiv",), "it divides no dividend that is stretched", when(stretches_the_first, all_results)),
    Fault(("round", "ceil", "floor"), "the gradient mode is never set", gradients(1)),
    Fault(
        ("logsumexp_dim",),
        "along axis 1 it goes over as many rows as there are columns",
        when(has_more_rows_than_columns, all_results),
    ),
    Fault(("contract3d_1d",), "without bias it adds to what the memory held", lambda _: {0}),
    Fault(("average",), "the gradient of what has no batch has the wrong size", gradients_without_batch),
    Fault(("binary_log_loss",), "the gradient with respect to the target is wrong", gradients(2)),
    Fault(("poisson_loss",), "the gradient ignores that of the result", gradients(1)),
    Fault(
        ("layer_norm", "standardize"),
        "the gradient of one number is not a number: it divides by a variance of zero",
        when(lambda c: math.prod(c.shapes[0]) == 1, gradients(1)),
    ),
    Fault(
        ("std_dim", "root_mean_square"),
        "the gradient of the deviation of one number is not a number: it divides by zero",
        when(lambda c: 1 in c.shapes[0], gradients(1)),
    ),
    Fault(("to_device",), "to the device it is on, it leaves the result as it finds it", all_results),
    Fault(
        ("filter1d_narrow", "fold_rows"),
        "it takes the first example of a batch",
        when(lambda c: any(c.batches), all_results),
    ),
    Fault(
        ("conv2d", "conv2d_bias"),
        "it takes the first filters and the first bias of a batch",
        when(lambda c: any(c.batches[1:]), all_results),
    ),
    Fault(("vanilla_lstm_gates", "vanilla_lstm_gates_dropout"), "it takes the first of a batch", gates(2)),
    Fault(
        ("vanilla_lstm_gates_concat", "vanilla_lstm_gates_dropout_concat"),
        "it takes the first of a batch",
        gates(3),
    ),
    Fault(
        ("vanilla_lstm_gates_dropout",),
        "the gradient of a state without a batch is wrong where the input has one",
        when(lambda c: c.batches[0] > 0 == c.batches[1], gradients(2)),
    ),
    Fault(
        ("vanilla_lstm_gates_dropout", "vanilla_lstm_gates_dropout_concat"),
        "the masks get no gradient",
        gradients(-1, -2),
    ),
]
