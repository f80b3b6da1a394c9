"""What each of DyNet's operations is in ONNX: elementwise ones, sums, products, and shapes.

An emitter takes the builder, the step and its arguments, and gives the name of a tensor (batch, *step.shape).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from dynet.export.onnx_builder import Builder, Step, Value

Emitter: TypeAlias = Callable[[Builder, Step, Sequence[Value]], str]
EMITTERS: dict[str, Emitter] = {}


def emits(*names: str) -> Callable[[Emitter], Emitter]:
    """Marks what emits these operations."""

    def mark(emitter: Emitter) -> Emitter:
        EMITTERS.update(dict.fromkeys(names, emitter))
        return emitter

    return mark


# -- elementwise

_UNARY = {
    "negate": "Neg",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "erf": "Erf",
    "abs": "Abs",
    "tanh": "Tanh",
    "logistic": "Sigmoid",
    "rectify": "Relu",
    "softsign": "Softsign",
    "selu": "Selu",
    "ceil": "Ceil",
    "floor": "Floor",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "asin": "Asin",
    "acos": "Acos",
    "atan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "asinh": "Asinh",
    "acosh": "Acosh",
    "atanh": "Atanh",
    "flip_gradient": "Identity",
    "scale_gradient": "Identity",
    "nobackprop": "Identity",
}


@emits(*_UNARY)
def unary(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return str(b.emit(_UNARY[step.operation], b.name(xs[0])))


# The attribute that is a number, and whether it comes first.
_WITH_NUMBER = {
    "add_constant": ("Add", "constant", False),
    "constant_minus": ("Sub", "constant", True),
    "constant_over": ("Div", "constant", True),
    "scale": ("Mul", "factor", False),
    "divide_by": ("Div", "divisor", False),
    "power": ("Pow", "exponent", False),
}


@emits(*_WITH_NUMBER)
def with_number(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    operation, attribute, is_first = _WITH_NUMBER[step.operation]
    operands = [b.name(xs[0]), b.constant(step.attributes[attribute])]
    return str(b.emit(operation, *(operands[::-1] if is_first else operands)))


@emits("square", "cube")
def powers(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x = b.name(xs[0])
    square = b.emit("Mul", x, x)
    return str(square if step.operation == "square" else b.emit("Mul", square, x))


@emits("log_sigmoid")
def log_sigmoid(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return str(b.emit("Neg", b.emit("Softplus", b.emit("Neg", b.name(xs[0])))))


@emits("elu")
def elu(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return str(b.emit("Elu", b.name(xs[0]), alpha=float(step.attributes["alpha"])))


@emits("silu")
def silu(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x = b.name(xs[0])
    return str(b.emit("Mul", x, b.emit("Sigmoid", b.emit("Mul", x, b.constant(step.attributes["beta"])))))


@emits("round")
def round_(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """Halves go away from zero; ONNX's Round takes them to the even number."""
    x = b.name(xs[0])
    size = b.emit("Floor", b.emit("Add", b.emit("Abs", x), b.constant(0.5)))
    return str(b.emit("Mul", b.emit("Sign", x), size))


_PAIRWISE = {
    "add": "Add",
    "subtract": "Sub",
    "cmult": "Mul",
    "cdiv": "Div",
    "bmax": "Max",
    "bmin": "Min",
    "colwise_add": "Add",
    "esum": "Sum",
}


@emits(*_PAIRWISE)
def pairwise(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return b.fitted(b.emit(_PAIRWISE[step.operation], *b.aligned(xs)), xs, step.shape)


@emits("pow")
def pow_(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return b.reshaped(b.emit("Pow", *b.aligned(xs)), step.shape)


_FACTORS = {0: "", 1: "Tanh", 2: "Sigmoid"}


@emits("gated_product", "gated_sum")
def gated(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """f(x) ∘ g(y), which products within cells become, and z plus that."""
    operations = [_FACTORS[int(code)] for code in step.attributes["activations"]]
    factors = [
        b.emit(operation, b.name(x)) if operation else b.name(x)
        for operation, x in zip(operations, xs[-2:], strict=True)
    ]
    product = b.emit("Mul", *factors)
    return str(product if step.operation == "gated_product" else b.emit("Add", b.name(xs[0]), product))


# -- sums and extremes

_ALONG_AXIS = {"max_dim": "ReduceMax", "min_dim": "ReduceMin", "logsumexp_dim": "ReduceLogSumExp"}


@emits(*_ALONG_AXIS)
def along_axis(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x = b.padded(xs[0], step.axis())
    return b.reduced(_ALONG_AXIS[step.operation], x, [step.axis()], step.shape)


@emits("sum_elems", "sum_dim")
def sums(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return b.reduced("ReduceSum", b.name(xs[0]), [a + 1 for a in step.attributes["axes"]], step.shape)


def over_batch(b: Builder, operation: str, name: str, step: Step) -> str:
    b.fix_batch(step)
    axes = [0, *(int(a) + 1 for a in step.attributes["axes"])]
    return b.reduced(operation, name, axes, step.shape)


@emits("sum_batches")
def sum_batches(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return over_batch(b, "ReduceSum", b.name(xs[0]), step)


@emits("root_mean_square", "root_mean_square_batches")
def root_mean_square(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x = b.name(xs[0])
    squares = b.emit("Mul", x, x)
    if step.operation == "root_mean_square":
        means = b.reduced("ReduceMean", squares, [a + 1 for a in step.attributes["axes"]], step.shape)
    else:
        means = over_batch(b, "ReduceMean", squares, step)
    return str(b.emit("Sqrt", means))


@emits("cumsum")
def cumsum(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x = b.padded(xs[0], step.axis())
    return b.reshaped(b.emit("CumSum", x, b.constant(step.axis(), np.int64)), step.shape)


@emits("logsumexp")
def logsumexp(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """The largest is taken away first; where it is -inf, the smallest number."""
    names = b.aligned(xs)
    largest = b.emit("Max", *names, b.constant(np.finfo(np.float32).min))
    terms = [b.emit("Exp", b.emit("Sub", name, largest)) for name in names]
    return b.fitted(b.emit("Add", b.emit("Log", b.emit("Sum", *terms)), largest), xs, step.shape)


def all_axes(value: Value) -> list[int]:
    """Those besides the batch, and one for a number without any, as Builder.padded makes it."""
    return list(range(1, max(value.rank, 1) + 1))


@emits("dot_product")
def dot_product(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    product = b.emit("Mul", *b.aligned(xs))
    return b.reduced("ReduceSum", product, range(1, max(x.rank for x in xs) + 1), step.shape)


# -- products


def product(b: Builder, matrix: Value, x: Value) -> tuple[str, bool]:
    """matrix · x, and whether it is (batch, rows) rather than (batch, rows, columns)."""
    if x.rank == 1 and matrix.natural and matrix.rank == 2:
        return b.emit("Gemm", b.name(x), matrix.natural, transB=1), True
    if x.rank == 1:
        column = b.emit("Unsqueeze", b.name(x), b.integers(2))
        whole = b.emit("MatMul", b.padded(matrix, 2), column)
        return b.emit("Squeeze", whole, b.integers(2)), True
    left = matrix.natural if matrix.natural and matrix.rank == 2 else b.padded(matrix, 2)
    return b.emit("MatMul", left, b.padded(x, 2)), False


@emits("matmul")
def matmul(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    name, is_vector = product(b, xs[0], xs[1])
    return name if is_vector == (len(step.shape) == 1) else b.reshaped(name, step.shape)


@emits("affine_transform", "added_product")
def affine_transform(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    bias, *factors = xs
    total = ""
    is_linear = len(factors) == 2 and factors[0].rank == 2 and factors[1].rank == bias.rank == 1
    if is_linear and bias.natural and factors[0].natural and bias.shape[0] in (1, factors[0].shape[0]):
        # torch.nn.Linear, as runtimes know it.
        return str(b.emit("Gemm", b.name(factors[1]), factors[0].natural, bias.natural, transB=1))
    for matrix, x in zip(factors[::2], factors[1::2], strict=True):
        name, is_vector = product(b, matrix, x)
        if is_vector != (len(step.shape) == 1):
            rows = (matrix.shape[0], *[1] * (len(step.shape) - 1))
            name = b.reshaped(name, rows if is_vector else step.shape)
        total = b.emit("Add", total, name) if total else name
    start = b.padded(bias, len(step.shape))
    if bias.rank > len(step.shape):
        start = b.reshaped(start, step.shape)
    return str(b.emit("Add", start, total))


@emits("circ_conv", "circ_corr")
def circular(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """A product with the matrix of one vector's shifts."""
    size = step.shape[0]
    k, i = np.arange(size)[:, None], np.arange(size)[None, :]
    places = (k - i if step.operation == "circ_conv" else k + i) % size
    shifts = b.emit("Gather", b.name(xs[1]), b.constant(places, np.int64), axis=1)
    column = b.emit("Unsqueeze", b.name(xs[0]), b.integers(2))
    return str(b.emit("Squeeze", b.emit("MatMul", shifts, column), b.integers(2)))


# -- shapes


@emits("reshape")
def reshape(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    kept = [n for n in xs[0].shape if n > 1] == [n for n in step.shape if n > 1]
    return b.reshaped(b.name(xs[0]), step.shape) if kept else b.unflattened(b.flat(xs[0]), step.shape)


@emits("reshape_batch")
def reshape_batch(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """The batch is the slowest axis of DyNet's memory, and so it is of (batch, flat)."""
    b.fix_batch(step)
    size = int(np.prod(step.shape))
    name = b.emit("Reshape", b.flat(xs[0]), b.integers(step.batch, size))
    return b.unflattened(name, step.shape)


@emits("transpose")
def transpose(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    order = [int(d) for d in step.attributes["dims"]]
    x = b.padded(xs[0], len(order))
    rank = max(xs[0].rank, len(order))
    left_out = range(len(order), rank)  # of size 1, or else the first place is taken
    if any(xs[0].shape[axis] > 1 for axis in left_out):
        ones, axes = [1] * len(left_out), [axis + 1 for axis in left_out]
        x = b.emit("Slice", x, b.integers(*[0] * len(axes)), b.integers(*ones), b.integers(*axes))
    turned = b.emit("Transpose", x, perm=[0, *(d + 1 for d in order), *(axis + 1 for axis in left_out)])
    return b.reshaped(turned, step.shape) if left_out else str(turned)


@emits("concatenate")
def concatenate(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    rank = max(len(step.shape), *(x.rank for x in xs))
    names = b.stretched([b.padded(x, rank) for x in xs], xs, rank)
    whole = b.emit("Concat", *names, axis=step.axis())
    return str(whole) if rank == len(step.shape) else b.reshaped(whole, step.shape)


@emits("concatenate_to_batch")
def concatenate_to_batch(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    b.fix_batch(step)
    return b.fitted(b.emit("Concat", *b.aligned(xs), axis=0), xs, step.shape)
