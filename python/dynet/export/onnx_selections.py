"""What DyNet's selections, softmaxes, losses, norms and convolutions are in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynet.export.files import Array
from dynet.export.onnx_builder import Builder, Step, Value
from dynet.export.onnx_operations import all_axes, emits, product

SMALLEST = np.finfo(np.float32).tiny

# -- parts


def _of_each(b: Builder, step: Step, batch: int | None) -> Array:
    """The indices, a row for each batch element; one row where all have the same."""
    rows = np.array(step.indices, np.int64).reshape(step.batch, -1)
    if (rows == rows[:1]).all() and (batch is None or batch == 1 or batch == step.batch):
        return rows[:1]
    b.fix_batch(step)
    return rows


def _picked(b: Builder, step: Step, x: Value, axis: int) -> str:
    """The numbers at the indices along one of ONNX's axes, which then has a place for each index."""
    name = b.padded(x, axis)
    rows = _of_each(b, step, x.batch)
    if len(rows) == 1 and not (step.batch > 1 and x.batch == 1):
        return str(b.emit("Gather", name, b.integers(*rows[0].tolist()), axis=axis))
    b.fix_batch(step)
    rows = np.array(step.indices, np.int64).reshape(step.batch, -1)
    shape = [step.batch, *x.shape, *[1] * (axis - x.rank)]
    shape[axis] = rows.shape[1]
    places = rows.reshape([step.batch, *(rows.shape[1] if i == axis else 1 for i in range(1, len(shape)))])
    if x.batch == 1:
        name = b.emit("Expand", name, b.integers(step.batch, *[1] * (len(shape) - 1)))
    return str(
        b.emit("GatherElements", name, b.constant(np.broadcast_to(places, shape), np.int64), axis=axis)
    )


@emits("pick")
def pick(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return b.reshaped(_picked(b, step, xs[0], step.axis()), step.shape)


@emits("pick_list")
def pick_list(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return _picked(b, step, xs[0], step.axis())


@emits("pick_range", "pick_range_view")
def pick_range(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x = b.padded(xs[0], step.axis())
    begin, end = (b.integers(int(step.attributes[name])) for name in ("begin", "end"))
    return str(b.emit("Slice", x, begin, end, b.integers(step.axis())))


@emits("strided_select", "strided_select_batch")
def strided_select(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    begins, steps, sizes = ([int(n) for n in step.attributes[name]] for name in ("begin", "step", "size"))
    axes = list(range(1, xs[0].rank + 1))
    if step.operation == "strided_select_batch":
        b.fix_batch(step)
        axes.append(0)
    ends = [begin + (size - 1) * by + 1 for begin, by, size in zip(begins, steps, sizes, strict=True)]
    return str(b.emit("Slice", b.name(xs[0]), *(b.integers(*each) for each in (begins, ends, axes, steps))))


@emits("pick_batch_elems")
def pick_batch_elems(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    b.fix_batch(step)
    return str(b.emit("Gather", b.name(xs[0]), b.integers(*step.indices), axis=0))


@emits("argmax")
def argmax(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    place = b.emit("ArgMax", b.name(xs[0]), axis=1, keepdims=0)
    return str(b.emit("OneHot", place, b.integers(*step.shape), b.constant([0, 1])))


# -- the softmax family


@emits("softmax", "log_softmax")
def softmax(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    operation = "Softmax" if step.operation == "softmax" else "LogSoftmax"
    x = b.padded(xs[0], step.axis())
    return b.reshaped(b.emit(operation, x, axis=step.axis()), step.shape)


def _marked(b: Builder, step: Step, batch: int | None) -> Array:
    """1 at the indices of each batch element of a vector, else 0."""
    rows = _of_each(b, step, batch)
    marks = np.zeros((len(rows), step.arguments[0][0]), np.float32)
    np.put_along_axis(marks, rows, 1, axis=1)
    return marks


@emits("restricted_log_softmax")
def restricted_log_softmax(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    marks = _marked(b, step, xs[0].batch)
    masked = b.emit("Where", b.constant(marks > 0, bool), b.name(xs[0]), b.constant(-np.inf))
    return str(b.emit("LogSoftmax", masked, axis=1))


@emits("pickneglogsoftmax")
def pickneglogsoftmax(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    logs = Value(xs[0].shape, xs[0].batch, b.emit("LogSoftmax", b.name(xs[0]), axis=1))
    return str(b.emit("Neg", _picked(b, step, logs, 1)))


def _projected(b: Builder, x: Value) -> tuple[str, str, str]:
    """sparsemax(x), the distances to the largest score, and the threshold (Martins and Astudillo 2016)."""
    size = x.shape[0]
    top = b.emit("ReduceMax", b.name(x), b.integers(1), keepdims=1)
    distances = b.emit("Sub", b.name(x), top)
    ordered, _ = b.emit("TopK", distances, b.integers(size), axis=1, outputs=2)
    running = b.emit("CumSum", ordered, b.constant(1, np.int64))
    counts = b.constant(np.arange(1, size + 1)[None])
    belongs = b.emit("Greater", b.emit("Add", b.emit("Mul", counts, ordered), b.constant(1)), running)
    support = b.emit("ReduceSum", b.emit("Cast", belongs, to=1), b.integers(1), keepdims=1)
    kept = b.emit("Where", belongs, ordered, b.constant(0))
    total = b.emit("ReduceSum", kept, b.integers(1), keepdims=1)
    threshold = b.emit("Div", b.emit("Sub", total, b.constant(1)), support)
    return b.emit("Relu", b.emit("Sub", distances, threshold)), distances, threshold


@emits("sparsemax")
def sparsemax(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return _projected(b, xs[0])[0]


@emits("sparsemax_loss")
def sparsemax_loss(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    shares, distances, threshold = _projected(b, xs[0])
    target = 1 / int(step.attributes["count"])
    with_threshold = b.emit("Add", shares, b.emit("Mul", b.constant(2), threshold))
    own = b.emit("Mul", b.emit("Mul", shares, with_threshold), b.constant(0.5))
    marks = b.constant(_marked(b, step, xs[0].batch) * target)
    loss = b.emit("ReduceSum", b.emit("Sub", own, b.emit("Mul", distances, marks)), b.integers(1), keepdims=1)
    return str(b.emit("Relu", b.emit("Add", loss, b.constant(target / 2))))


# -- distances, margins, likelihoods


@emits("squared_distance", "l1_distance", "huber_distance")
def distance(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    difference = b.emit("Sub", *b.aligned(xs))
    size = b.emit("Abs", difference)
    if step.operation == "squared_distance":
        terms = b.emit("Mul", difference, difference)
    elif step.operation == "l1_distance":
        terms = size
    else:
        c = float(step.attributes["threshold"])
        inner = b.emit("Mul", b.emit("Mul", size, size), b.constant(0.5))
        outer = b.emit("Mul", b.emit("Sub", size, b.constant(c / 2)), b.constant(c))
        terms = b.emit("Where", b.emit("Less", size, b.constant(c)), inner, outer)
    return b.reduced("ReduceSum", terms, range(1, max(x.rank for x in xs) + 1), step.shape)


@emits("binary_log_loss")
def binary_log_loss(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x, y = b.aligned(xs)
    one, least = b.constant(1), b.constant(SMALLEST)
    own = b.emit("Mul", y, b.emit("Log", b.emit("Max", x, least)))
    rest = b.emit("Log", b.emit("Max", b.emit("Sub", one, x), least))
    terms = b.emit("Add", own, b.emit("Mul", b.emit("Sub", one, y), rest))
    total = b.reduced("ReduceSum", terms, range(1, max(x.rank for x in xs) + 1), step.shape)
    return str(b.emit("Neg", total))


@emits("pairwise_rank_loss")
def pairwise_rank_loss(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """The first is the score that should be low."""
    difference = b.emit("Sub", *b.aligned(xs))
    return str(b.emit("Relu", b.emit("Add", difference, b.constant(step.attributes["margin"]))))


@emits("hinge", "hinge_dim")
def hinge(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """The margin of every other place over the one at the index, in each line along the axis."""
    axis = step.axis()
    x = b.padded(xs[0], axis)
    rows = _of_each(b, step, xs[0].batch)
    sizes = [len(rows), *xs[0].shape, *[1] * (axis - xs[0].rank)]
    marks = np.zeros(sizes, np.float32)
    lines = [1 if i == axis else size for i, size in enumerate(sizes)]
    np.put_along_axis(marks, rows.reshape(lines), 1, axis=axis)
    chosen = b.emit("ReduceSum", b.emit("Mul", x, b.constant(marks)), b.integers(axis), keepdims=1)
    terms = b.emit("Relu", b.emit("Add", b.emit("Sub", x, chosen), b.constant(step.attributes["margin"])))
    others = b.emit("Mul", terms, b.constant(1 - marks))
    return b.reduced("ReduceSum", others, [axis], step.shape)


@emits("poisson_loss")
def poisson_loss(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """e^x - k x + log k!, written as the least loss plus k (e^u - 1 - u) for u = x - log k."""
    a = step.attributes
    count, x = float(a["count"]), b.name(xs[0])
    if count == 0:
        return str(b.emit("Exp", x))
    u = b.emit("Sub", x, b.constant(float(a["log_count"]) + float(a["log_rest"])))
    growth = b.emit("Sub", b.emit("Exp", u), b.emit("Add", u, b.constant(1)))
    return str(b.emit("Add", b.emit("Mul", growth, b.constant(count)), b.constant(a["least"])))


# -- norms


@emits("l2_norm")
def l2_norm(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    return b.reduced("ReduceL2", b.padded(xs[0], 1), all_axes(xs[0]), step.shape)


@emits("unit_vector")
def unit_vector(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x = b.padded(xs[0], 1)
    length = b.emit("ReduceL2", x, b.integers(*all_axes(xs[0])), keepdims=1)
    is_zero = b.emit("Equal", length, b.constant(0))
    return b.reshaped(b.emit("Div", x, b.emit("Where", is_zero, b.constant(1), length)), step.shape)


@emits("standardize")
def standardize(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    x, axes = b.padded(xs[0], 1), b.integers(*all_axes(xs[0]))
    centred = b.emit("Sub", x, b.emit("ReduceMean", x, axes, keepdims=1))
    variance = b.emit("ReduceMean", b.emit("Mul", centred, centred), axes, keepdims=1)
    deviation = b.emit("Add", b.emit("Sqrt", variance), b.constant(1e-8))
    return b.reshaped(b.emit("Div", centred, deviation), step.shape)


@emits("logdet")
def logdet(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """NaN where the determinant is negative, as of Log; scaled, as floats end early."""
    x, axes = b.padded(xs[0], 2), b.integers(1, 2)
    largest = b.emit("ReduceMax", b.emit("Abs", x), axes, keepdims=1)
    scale = b.emit("Where", b.emit("Equal", largest, b.constant(0)), b.constant(1), largest)
    determinant = b.emit("Det", b.emit("Div", x, scale))
    own = b.reshaped(b.emit("Log", determinant), step.shape)
    scales = b.emit("Mul", b.emit("Log", scale), b.constant(xs[0].shape[0]))
    return str(b.emit("Add", own, b.reshaped(scales, step.shape)))


# -- images: {height, width, channels} in DyNet, (channels, height, width) in ONNX


def _border(step: Step, image: Sequence[int], window: Sequence[int]) -> list[int]:
    """What is padded before and after the two axes."""
    before, after = [], []
    for size, reach, by in zip(image, window, step.attributes["step"], strict=True):
        places = (size - (1 if step.attributes["same"] else reach)) // int(by) + 1
        border = max(0, (places - 1) * int(by) + reach - size) if step.attributes["same"] else 0
        before.append(border // 2)
        after.append(border - border // 2)
    return [*before, *after]


def _image(b: Builder, x: Value) -> tuple[str, list[int]]:
    sizes = [*x.shape, 1][:2]
    return b.emit("Transpose", b.padded(x, 3), perm=[0, 3, 1, 2]), sizes


@emits("conv2d")
def conv2d(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    if any(x.is_batched for x in xs[1:]):
        raise NotImplementedError("ONNX's Conv has one set of filters for all batch elements")
    image, sizes = _image(b, xs[0])
    filters = b.emit("Squeeze", b.padded(xs[1], 4), b.integers(0))
    filters = b.emit("Transpose", filters, perm=[3, 2, 0, 1])
    bias = [b.emit("Reshape", b.name(xs[2]), b.integers(-1))] if len(xs) > 2 else []
    window = [*xs[1].shape, 1, 1][:2]
    pads, strides = _border(step, sizes, window), [int(n) for n in step.attributes["step"]]
    result = b.emit("Conv", image, filters, *bias, pads=pads, strides=strides)
    return b.reshaped(b.emit("Transpose", result, perm=[0, 2, 3, 1]), step.shape)


@emits("maxpooling2d")
def maxpooling2d(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    image, sizes = _image(b, xs[0])
    window = [int(n) for n in step.attributes["window"]]
    pads, strides = _border(step, sizes, window), [int(n) for n in step.attributes["step"]]
    result = b.emit("MaxPool", image, kernel_shape=window, pads=pads, strides=strides)
    return b.reshaped(b.emit("Transpose", result, perm=[0, 2, 3, 1]), step.shape)


@emits("kmax_pooling")
def kmax_pooling(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """The places of the largest, in order, and what lies there."""
    axis, count = step.axis(), b.integers(int(step.attributes["count"]))
    x = b.padded(xs[0], axis)
    _, places = b.emit("TopK", x, count, axis=axis, outputs=2)
    ordered, _ = b.emit("TopK", places, count, axis=axis, largest=0, outputs=2)
    return b.reshaped(b.emit("GatherElements", x, ordered, axis=axis), step.shape)


# -- recurrent


@emits("lstm_cell")
def lstm_cell(b: Builder, step: Step, xs: Sequence[Value]) -> str:
    """One step from the gates' sums: the new memory cell above the new output."""
    gates = b.name(xs[0])
    if len(xs) == 4:
        gates = b.emit("Add", gates, product(b, xs[1], xs[2])[0])
    size = step.shape[0] // 2
    i, f, o, g = b.emit("Split", gates, b.integers(*[size] * 4), axis=1, outputs=4)
    cell = b.emit("Mul", b.emit("Sigmoid", i), b.emit("Tanh", g))
    if len(xs) == 4:
        keep = b.emit("Sigmoid", b.emit("Add", f, b.constant(step.attributes["forget_bias"])))
        cell = b.emit("Add", b.emit("Mul", keep, b.name(xs[3])), cell)
    output = b.emit("Mul", b.emit("Sigmoid", o), b.emit("Tanh", cell))
    return str(b.emit("Concat", cell, output, axis=1))
