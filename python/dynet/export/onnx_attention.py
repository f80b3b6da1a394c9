"""What DyNet's attention, masks, order, and rectifiers beside the usual ones are in ONNX."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dynet.export.onnx_builder import Builder, Step, Value
from dynet.export.onnx_operations import emits


@emits("leaky_relu")
def leaky_relu(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return str(b.emit("LeakyRelu", b.name(xs[0]), alpha=float(step.attributes["slope"])))


@emits("softplus")
def softplus(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return str(b.emit("Softplus", b.name(xs[0])))


@emits("gelu_by_erf", "gelu_by_tanh")
def gelu(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x = b.name(xs[0])
    if step.operation == "gelu_by_erf":
        curve = b.emit("Erf", b.emit("Mul", x, b.constant(math.sqrt(0.5))))
    else:
        cube = b.emit("Mul", b.emit("Mul", x, b.emit("Mul", x, x)), b.constant(0.044715))
        curve = b.emit("Tanh", b.emit("Mul", b.emit("Add", x, cube), b.constant(math.sqrt(2 / math.pi))))
    half = b.emit("Mul", x, b.constant(0.5))
    return str(b.emit("Mul", half, b.emit("Add", curve, b.constant(1))))


@emits("masked_fill", "kept_by_mask")
def masked(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x, mask = b.aligned(xs)
    is_free = b.emit("Equal", mask, b.constant(0))
    if step.operation == "masked_fill":
        chosen = b.emit("Where", is_free, x, b.constant(step.attributes["value"]))
    else:
        chosen = b.emit("Where", is_free, b.constant(0), x)
    return b.fitted(chosen, xs, step.shape)


@emits("sort", "argsort", "top_k")
def ordered(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    axis = step.axis()
    x = b.padded(xs[0], axis)
    count = int(step.attributes["count"]) if step.operation == "top_k" else [*xs[0].shape, 1][axis - 1]
    largest = int(step.attributes.get("descending", 1))
    numbers, places = b.emit("TopK", x, b.integers(count), axis=axis, largest=largest, outputs=2)
    if step.operation == "argsort":
        numbers = b.emit("Cast", places, to=1)
    return b.reshaped(numbers, step.shape)


@emits("standardize_axes")
def standardize_axes(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    first, last = int(step.attributes["first"]), int(step.attributes["last"])
    x, axes = b.padded(xs[0], last + 1), b.integers(*range(first + 1, last + 2))
    if step.attributes["centered"]:
        x = b.emit("Sub", x, b.emit("ReduceMean", x, axes, keepdims=1))
    square = b.emit("ReduceMean", b.emit("Mul", x, x), axes, keepdims=1)
    deviation = b.emit("Sqrt", b.emit("Add", square, b.constant(step.attributes["epsilon"])))
    return b.reshaped(b.emit("Div", x, deviation), step.shape)


@emits("bmm")
def bmm(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """ONNX multiplies the last two axes."""
    left, right = (b.emit("Transpose", b.padded(x, 3), perm=[0, 3, 1, 2]) for x in xs)
    product = b.emit("Transpose", b.emit("MatMul", left, right), perm=[0, 2, 3, 1])
    return b.reshaped(product, step.shape)


@emits("attention")
def attention(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """By heads: (batch, heads, rows, columns)."""
    heads = int(step.attributes["heads"])
    q, k, v = ([*x.shape, 1][:2] for x in xs[:3])
    split = [
        b.emit("Reshape", b.padded(x, 2), b.integers(0, heads, rows // heads, columns))
        for x, (rows, columns) in zip(xs[:3], (q, k, v), strict=True)
    ]
    scores = b.emit("MatMul", b.emit("Transpose", split[1], perm=[0, 1, 3, 2]), split[0])
    scores = b.emit("Mul", scores, b.constant(1 / math.sqrt(q[0] // heads)))
    if step.attributes["causal"]:
        later = np.arange(k[1])[:, None] > np.arange(q[1]) + k[1] - q[1]
        scores = b.emit("Add", scores, b.constant(np.where(later, -np.inf, 0)))
    if step.attributes["has_mask"]:
        mask = b.emit("Transpose", b.padded(xs[3], 3), perm=[0, 3, 1, 2])
        scores = b.emit("Add", scores, mask)
    weights = b.emit("Softmax", scores, axis=2)
    if step.attributes["has_mask"]:  # Who may look nowhere sees nothing.
        best = b.emit("ReduceMax", scores, b.integers(2), keepdims=1)
        nowhere = b.emit("Equal", best, b.constant(-np.inf))
        weights = b.emit("Where", nowhere, b.constant(0), weights)
    return b.reshaped(b.emit("MatMul", split[2], weights), step.shape)
