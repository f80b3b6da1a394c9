"""Attention, masks, order, products of tensors, and normalisation along axes."""

from __future__ import annotations

import math

import numpy as np
from table import case, on_list, uniform, wrong

import dynet as dy

erf = np.vectorize(math.erf)
MASK = np.array([[1.0, 0.0, 0.0, 2.0], [0.0, 0.0, -1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
NOWHERE = np.where(np.arange(12).reshape(4, 3) % 5 == 0, -np.inf, 0.5)
NOWHERE[:, 1] = -np.inf  # a query that may look at no key


def softmax(scores):
    """Of each column; columns of nothing but -inf are zero."""
    top = np.maximum(scores.max(0), -1e300)
    e = np.exp(scores - top)
    return e / np.maximum(e.sum(0), 1e-300)


def columns(x):
    return np.reshape(x, (len(x), -1))


def attention(q, k, v, mask=None, heads=1, causal=False):
    shape = (len(v), *q.shape[1:])
    q, k, v = columns(q), columns(k), columns(v)
    n, m = q.shape[1], k.shape[1]
    bias = np.zeros((m, n, heads))
    bias = bias if mask is None else bias + np.reshape(mask, mask.shape + (1,) * (3 - mask.ndim))
    later = causal & (np.arange(m)[:, None] > np.arange(n) + m - n)
    parts = zip(np.split(q, heads), np.split(k, heads), np.split(v, heads), strict=True)
    result = [
        w @ softmax(np.where(later, -np.inf, b.T @ a / np.sqrt(len(a)) + bias[:, :, h]))
        for h, (a, b, w) in enumerate(parts)
    ]
    return np.concatenate(result).reshape(shape)


def masked(mask):
    return lambda q, k, v, **attributes: dy.attention(q, k, v, mask=dy.inputTensor(mask), **attributes)


def standardized(x, axes, epsilon, centered=True):
    x = x - x.mean(axes, keepdims=True) * centered
    return x / np.sqrt((x**2).mean(axes, keepdims=True) + epsilon)


def layer_norm(x, g, b, d, epsilon=1e-5):
    sizes = [a.reshape(a.shape + (1,) * (x.ndim - a.ndim)) for a in (g, b)]
    return sizes[0] * standardized(x, tuple(d), epsilon) + sizes[1]


def rms_norm(x, g, d=None, epsilon=1e-6):
    g = g.reshape(g.shape + (1,) * (x.ndim - g.ndim))
    return g * standardized(x, None if d is None else tuple(d), epsilon, centered=False)


def gelu(x, approximate=False):
    if approximate:
        return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2
    return x * (1 + erf(x / np.sqrt(2))) / 2


def batched_product(x, y):
    x, y = (a.reshape(a.shape + (1,) * (3 - a.ndim)) for a in (x, y))
    places = range(max(x.shape[2], y.shape[2]))
    return np.stack([x[:, :, b % x.shape[2]] @ y[:, :, b % y.shape[2]] for b in places], 2)


def sort(x, d=0, reverse=False):
    return -np.sort(-x, d) if reverse else np.sort(x, d)


def top_k(x, k, d=0):
    return sort(x, d, True).take(range(k), d)


QKV = [uniform(4, 3), uniform(4, 5), uniform(6, 5)]

ATTENTION = [
    case(
        "attention",
        QKV,
        attention,
        bad=[
            wrong("as many rows", uniform(4, 3), uniform(3, 5), uniform(6, 5)),
            wrong("as many columns", uniform(4, 3), uniform(4, 5), uniform(6, 4)),
            wrong("3 heads for 4 rows", heads=3),
            wrong("0 heads", heads=0),
            wrong("matrices or vectors", uniform(4, 3, 2), uniform(4, 5), uniform(6, 5)),
            wrong("6 queries and 5 keys", uniform(4, 6), uniform(4, 5), uniform(6, 5), causal=True),
            wrong("attention: ", dropout=1.5),
        ],
    ),
    case("attention", QKV, attention, heads=2),
    case("attention", QKV, attention, heads=2, causal=True),
    case("attention", [uniform(4, 20), uniform(4, 20), uniform(4, 20)], attention, causal=True),
    case("attention", [uniform(4), uniform(4, 5), uniform(6, 5)], attention, heads=2),
    case("attention", [uniform(4), uniform(4), uniform(6)], attention),
    case("attention", [uniform(32, 17)] * 3, attention, heads=4),
    case("attention", [uniform(2, 3), uniform(2, 5), uniform(2, 5)], attention, heads=2),  # of one row each
    case("attention", [uniform(3, 20), uniform(3, 20), uniform(6, 20)], attention, heads=3, causal=True),
    case(
        "attention",
        [*QKV, uniform(5, 3)],
        attention,
        call=lambda q, k, v, mask, **given: dy.attention(q, k, v, mask=mask, **given),
        heads=2,
        bad=[
            wrong("a mask of shape {3,5}", *QKV, uniform(3, 5)),
            wrong("{5,3,2} is needed", *QKV, uniform(5, 3, 3)),
        ],
    ),
    *(
        case(
            "attention",
            [*QKV, uniform(*shape)],
            attention,
            call=lambda q, k, v, mask, **given: dy.attention(q, k, v, mask=mask, **given),
            heads=2,
        )
        for shape in [(5, 3, 2), (5,), (5, 1, 2)]
    ),
    case(
        "attention",
        [uniform(2, 3), uniform(2, 4), uniform(3, 4)],
        lambda q, k, v: attention(q, k, v, NOWHERE),
        call=masked(NOWHERE),
    ),
]

MASKS = [
    case(
        "masked_fill",
        [uniform(3, 4)],
        lambda x, value: np.where(MASK != 0, value, x),
        call=lambda x, value: dy.masked_fill(x, dy.inputTensor(MASK), value),
        value=-3.0,
    ),
    case(
        "masked_fill",
        [uniform(3, 4), uniform(3, 1)],
        lambda x, mask, value: np.where(mask != 0, value, x),
        value=0.5,
        bad=[wrong("sizes of axis 0", uniform(2, 4), uniform(3))],
    ),
    case(
        "masked_fill",
        [uniform(3)],
        lambda x: np.where(MASK != 0, -np.inf, x[:, None]),
        call=lambda x: dy.masked_fill(x, dy.inputTensor(MASK), -math.inf),
        slope_of=lambda x: np.where(MASK != 0, 0, x[:, None]),
    ),
    case(
        "kept_by_mask",
        [uniform(3, 4)],
        lambda x: np.where(MASK != 0, x, 0),
        call=lambda x: dy.where(dy.inputTensor(MASK), x, dy.zeros((3, 4))),
    ),
    case(
        "where",
        [uniform(3, 4), uniform(1, 4)],
        lambda x, y: np.where(MASK != 0, x, y),
        call=lambda x, y: dy.where(dy.inputTensor(MASK), x, y),
    ),
    case(
        "where",
        [uniform(3, 4), uniform(3, 4), uniform(1, 4)],
        lambda condition, x, y: np.where(condition != 0, x, y),
        bad=[wrong("sizes of axis 1", uniform(3, 4), uniform(3, 3), uniform(3, 4))],
    ),
]

ORDER = [
    case("sort", [uniform(7)], sort, bad=[wrong("axis 2", d=2)]),
    case("sort", [uniform(7)], sort, reverse=True),
    case("sort", [uniform(3, 4)], sort, d=1),
    case("sort", [uniform(3, 4, 2)], sort, d=1, reverse=True),
    case("argsort", [uniform(7)], np.argsort, call=dy.argsort, slope_of=lambda x: 0 * x),
    case("argsort", [uniform(3, 4)], lambda x, d: np.argsort(x, d), d=1, slope_of=lambda x, d: 0 * x),
    case(
        "top_k", [uniform(7)], top_k, k=3, bad=[wrong("8 numbers along axis 0", k=8), wrong("0 numbers", k=0)]
    ),
    case("top_k", [uniform(3, 4)], top_k, k=2, d=1),
    case("top_k", [uniform(3, 4)], top_k, k=2),
]

PRODUCTS_OF_TENSORS = [
    case(
        "bmm",
        [uniform(3, 4, 5), uniform(4, 2, 5)],
        batched_product,
        bad=[
            wrong("columns of the first", uniform(3, 4, 5), uniform(3, 2, 5)),
            wrong("last sizes equal or 1", uniform(3, 4, 5), uniform(4, 2, 3)),
            wrong("up to three axes", uniform(3, 4, 5, 2), uniform(4, 2, 5)),
        ],
    ),
    case("bmm", [uniform(3, 4), uniform(4, 2, 5)], batched_product),
    case("bmm", [uniform(3, 4, 5), uniform(4)], batched_product),
    case("bmm", [uniform(3, 4), uniform(4, 2)], lambda x, y: x @ y),
]

JOINS = [
    case(
        "stack",
        [uniform(3, 4)] * 3,
        lambda *xs: np.stack(xs),
        call=on_list(dy.stack),
        bad=[
            wrong("{3,4} and {3,5}", uniform(3, 4), uniform(3, 5), uniform(3, 4)),
            wrong("a new axis 3", d=3),
        ],
    ),
    case("stack", [uniform(3, 4)] * 2, lambda *xs, d: np.stack(xs, d), call=on_list(dy.stack), d=2),
    case("stack", [uniform(3)] * 2, lambda *xs, d: np.stack(xs, d), call=on_list(dy.stack), d=1),
    case(
        "pad",
        [uniform(3, 4)],
        lambda x, before, after: np.pad(x, [(0, 0), (before, after)]),
        before=2,
        after=1,
        bad=[wrong("axis 2", d=2)],
    ),
    case(
        "pad",
        [uniform(3, 4)],
        lambda x, before, after, d, value: np.pad(x, [(before, after), (0, 0)], constant_values=value),
        before=0,
        after=2,
        d=0,
        value=1.5,
    ),
]

NORMS_ALONG_AXES = [
    case(
        "layer_norm",
        [uniform(5, 4), uniform(5), uniform(5)],
        layer_norm,
        d=[0],
        tolerance=10,
        bad=[wrong("axis 2", d=[2]), wrong("not neighbours", d=[]), wrong("epsilon is -1", epsilon=-1.0)],
    ),
    case("layer_norm", [uniform(5, 4), uniform(1, 4), uniform(1, 4)], layer_norm, d=[1], tolerance=10),
    case(
        "layer_norm",
        [uniform(5, 4, 2), uniform(5, 4), uniform(5, 4)],
        layer_norm,
        d=[0, 1],
        epsilon=0.1,
        bad=[wrong("not neighbours", d=[0, 2])],
    ),
    case(
        "standardize_axes",
        [uniform(40, 3)],
        lambda x: standardized(x, (0,), 1e-5),
        call=lambda x: dy.layer_norm(x, dy.ones(40), dy.zeros(40), d=[0]),
        tolerance=10,
    ),
    case("rms_norm", [uniform(5, 4), uniform(5)], rms_norm, d=[0]),
    case("rms_norm", [uniform(5, 4), uniform(5, 4)], rms_norm, epsilon=0.01),
    case(
        "rms_norm", [uniform(5, 4, 3), uniform(1, 4)], rms_norm, d=[1], bad=[wrong("rms_norm: axis 3", d=[3])]
    ),
]

RECTIFIERS = [
    case("leaky_relu", [uniform(3, 4)], lambda x: np.where(x > 0, x, 0.01 * x)),
    case("leaky_relu", [uniform(3, 4)], lambda x, slope: np.where(x > 0, x, slope * x), slope=-0.5),
    case("softplus", [uniform(3, 4, low=-30, high=30)], lambda x: np.logaddexp(0, x)),
    case("gelu_by_erf", [uniform(3, 4)], gelu, call=dy.gelu),
    case("gelu_by_tanh", [uniform(3, 4)], gelu, call=dy.gelu, approximate=True),
    case("gelu", [uniform(11)], gelu),
]

BUILDING_BLOCKS = ATTENTION + MASKS + ORDER + PRODUCTS_OF_TENSORS + JOINS + NORMS_ALONG_AXES + RECTIFIERS
