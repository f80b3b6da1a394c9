"""The softmax family, losses and normalisation."""

from __future__ import annotations

import math

import numpy as np
from table import case, logsumexp, uniform, wrong

import dynet as dy


def softmax(x, d=0):
    return np.exp(x) / np.sum(np.exp(x), axis=d, keepdims=True)


def restricted(x, restrict):
    y = np.full_like(x, -np.inf)
    y[restrict] = x[restrict] - logsumexp(x[restrict], 0)
    return y


def sparsemax(x):
    z = np.sort(x)[::-1]
    sums = np.cumsum(z) - 1
    k = np.arange(1, len(z) + 1)
    size = k[k * z > sums].max()
    return np.maximum(0, x - sums[size - 1] / size)


def constrained_softmax(x, y):
    free, mass, p = np.ones(len(x), bool), 1.0, np.zeros(len(x))
    while True:
        p[free] = mass * softmax(x[free])
        over = free & (p > y)
        if not over.any():
            return p
        p[over] = y[over]
        free &= ~over
        mass = 1 - y[~free].sum()


SOFTMAX = [
    case("softmax", [uniform(5)], softmax, bad=[wrong("axis 2", d=2)]),
    case("softmax", [uniform(3, 4)], softmax),
    case("softmax", [uniform(3, 4)], softmax, d=1),
    case(
        "log_softmax", [uniform(3, 4)], lambda x: np.log(softmax(x)), bad=[wrong("log_softmax: axis 2", d=2)]
    ),
    case("log_softmax", [uniform(3, 4)], lambda x, d: np.log(softmax(x, d)), d=1),
    case(
        "restricted_log_softmax",
        [uniform(6)],
        restricted,
        call=dy.log_softmax,
        restrict=[4, 0, 1],
        bad=[
            wrong("log_softmax: index 6", error=IndexError, restrict=[6]),
            wrong("log_softmax: an empty restriction", restrict=[]),
        ],
    ),
    case("restricted_log_softmax", [uniform(6)], restricted, call=dy.log_softmax, restrict=[2]),
    case(
        "pickneglogsoftmax",
        [uniform(5)],
        lambda x, v: logsumexp(x, 0) - x[v],
        v=2,
        bad=[wrong("of size 5", error=IndexError, v=5), wrong("vector", uniform(3, 4), v=0)],
    ),
    case(
        "pickneglogsoftmax_batch",
        [uniform(5, batch=3)],
        lambda x, vs: (logsumexp(x, 0) - x[vs, range(3)]).reshape(1, 3),
        vs=[4, 0, 4],
        bad=[wrong("2 indices", vs=[0, 1])],
    ),
    case("sparsemax", [uniform(5)], sparsemax, bad=[wrong("vector", uniform(3, 4))]),
    case("constrained_softmax", [uniform(5), uniform(5, low=0.25, high=0.5)], constrained_softmax),
]


def huber(x, y, c=1.345):
    d = np.abs(x - y)
    return np.sum(np.where(d < c, d * d / 2, c * (d - c / 2)))


def hinge(x, v, m=1.0):
    return sum(max(0, m + x[i] - x[v]) for i in range(len(x)) if i != v)


def hinge_lines(x, v, d=0, m=1.0):
    lines = x.T if d == 0 else x
    return np.array([hinge(line, i, m) for line, i in zip(lines, v, strict=True)])


def cross_entropy(x, y):
    return -np.sum(y * np.log(x) + (1 - y) * np.log(1 - x))


PROBABILITY = uniform(5, low=0.1, high=0.9)

LOSSES = [
    case(
        "squared_distance",
        [uniform(3, 4), uniform(3, 4)],
        lambda x, y: np.sum((x - y) ** 2),
        bad=[wrong("differ", uniform(3), uniform(4))],
    ),
    case("l1_distance", [uniform(5), uniform(5)], lambda x, y: np.sum(np.abs(x - y))),
    case("huber_distance", [uniform(5), uniform(5)], huber),
    case("huber_distance", [uniform(5), uniform(5)], huber, c=0.4),
    case("binary_log_loss", [PROBABILITY, PROBABILITY], cross_entropy),
    case("pairwise_rank_loss", [uniform(1, 4), uniform(1, 4)], lambda x, y: np.maximum(0, 1 - x + y)),
    case(
        "pairwise_rank_loss", [uniform(1, 4), uniform(1, 4)], lambda x, y, m: np.maximum(0, m - x + y), m=0.2
    ),
    case(
        "hinge",
        [uniform(5)],
        hinge,
        v=2,
        bad=[wrong("of size 5", error=IndexError, v=5), wrong("margin", v=0, m=-1.0)],
    ),
    case("hinge", [uniform(5)], hinge, v=2, m=0.3),
    case(
        "hinge_batch",
        [uniform(5, batch=3)],
        lambda x, vs: np.array([[hinge(x[:, k], v) for k, v in enumerate(vs)]]),
        vs=[2, 0, 4],
        bad=[wrong("2 indices", vs=[0, 1])],
    ),
    case(
        "hinge_dim",
        [uniform(3, 4)],
        hinge_lines,
        v=[2, 0, 1, 1],
        bad=[wrong("index 3", error=IndexError, v=[3, 0, 0, 0])],
    ),
    case(
        "hinge_dim", [uniform(3, 4)], hinge_lines, v=[3, 0, 1], d=1, m=0.7, bad=[wrong("2 indices", v=[0, 1])]
    ),
    case(
        "poisson_loss",
        [uniform(1)],
        lambda log_lambda, x: np.exp(log_lambda) + math.lgamma(x + 1) - log_lambda * x,
        x=3,
    ),
]


def standardized(x):
    return (x - x.mean()) / (x.std() + 1e-8)


NORMS = [
    case(
        "standardize",
        [uniform(7)],
        lambda x: standardized(x),
        call=lambda x: dy.layer_norm(x, dy.ones(x.dim()[0]), dy.zeros(x.dim()[0])),
        tolerance=10,
    ),
    case(
        "layer_norm",
        [uniform(7), uniform(7), uniform(7)],
        lambda x, g, b: g * standardized(x) + b,
        tolerance=10,
    ),
    case("layer_norm", [uniform(3, 4)] * 3, lambda x, g, b: g * standardized(x) + b, tolerance=10),
    case(
        "unit_vector",
        [uniform(3, 4)],
        lambda w: w / np.sqrt(np.sum(w * w)),
        call=lambda w: dy.weight_norm(w, dy.scalarInput(1)),
    ),
    case(
        "weight_norm",
        [uniform(3, 4), uniform(1)],
        lambda w, g: g * w / np.sqrt(np.sum(w * w)),
        bad=[wrong("one number", uniform(3, 4), uniform(2))],
    ),
]
