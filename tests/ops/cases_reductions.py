"""Sums, statistics and extremes."""

from __future__ import annotations

import numpy as np
from table import case, logsumexp, on_list, uniform, wrong

import dynet as dy


def over_axes(function):
    """A reduction of DyNet's *_dim form, which deletes the axes in d and, with b, the batch."""

    def reduced(x, d, b=False, **attributes):
        return np.atleast_1d(function(x, axis=tuple(d) + ((x.ndim - 1,) if b else ()), **attributes))

    return reduced


def moment(x, axis, r):
    return np.mean(x**r, axis=axis)


REDUCTIONS = [
    case("sum_elems", [uniform(3, 4)], np.sum),
    case("sum_elems", [uniform(33)], np.sum),
    case("sum_batches", [uniform(3, 4, batch=5)], lambda x: x.sum(axis=-1)),
    case(
        "sum_dim",
        [uniform(3, 4)],
        over_axes(np.sum),
        d=[0],
        bad=[wrong("axis 2", d=[2]), wrong("nothing", d=[])],
    ),
    case("sum_dim", [uniform(3, 4)], over_axes(np.sum), d=[1]),
    case("sum_dim", [uniform(3, 4, 2)], over_axes(np.sum), d=[2, 0]),
    case("sum_dim", [uniform(3, 4)], over_axes(np.sum), d=[0, 1]),
    case("sum_dim", [uniform(3, 4, batch=5)], over_axes(np.sum), d=[0], b=True),
    case("sum_dim", [uniform(3, 4, batch=5)], over_axes(np.sum), d=[1], b=True),
    case("mean_elems", [uniform(3, 4)], np.mean),
    case("moment_elems", [uniform(3, 4)], lambda x, r: np.mean(x**r), r=2, bad=[wrong("order 0", r=0)]),
    case("moment_elems", [uniform(3, 4)], lambda x, r: np.mean(x**r), r=3),
    case("std_elems", [uniform(3, 4)], np.std),
    case("mean_dim", [uniform(3, 4)], over_axes(np.mean), d=[1], b=False, bad=[wrong("axis 7", d=[7])]),
    case("mean_dim", [uniform(3, 4)], lambda x, d, b, n: x.sum(axis=0) / n, d=[0], b=False, n=5),
    case("mean_dim", [uniform(3, 4, batch=5)], over_axes(np.mean), d=[0], b=True),
    case("moment_dim", [uniform(3, 4)], over_axes(moment), d=[0], r=2, b=False),
    case("moment_dim", [uniform(3, 4)], over_axes(moment), d=[1], r=1, b=False),
    case("std_dim", [uniform(3, 4)], over_axes(np.std), d=[0], b=False),
    case("std_dim", [uniform(3, 4, 2)], over_axes(np.std), d=[0, 2], b=False),
    case("std_dim", [uniform(3, 4, batch=5)], over_axes(np.std), d=[1], b=True),
    case("mean_batches", [uniform(3, 4, batch=5)], lambda x: x.mean(axis=-1)),
    case("moment_batches", [uniform(3, 4, batch=5)], lambda x, r: (x**r).mean(axis=-1), r=2),
    case("std_batches", [uniform(3, 4, batch=5)], lambda x: x.std(axis=-1)),
    case("max_dim", [uniform(3, 4)], lambda x: x.max(axis=0), bad=[wrong("axis 2", d=2)]),
    case("max_dim", [uniform(3, 4)], lambda x, d: x.max(axis=d), d=1),
    case("max_dim", [uniform(5)], np.max),
    case("min_dim", [uniform(3, 4)], lambda x: x.min(axis=0)),
    case("min_dim", [uniform(3, 4, 2)], lambda x, d: x.min(axis=d), d=1),
    case("logsumexp_dim", [uniform(3, 4)], lambda x: logsumexp(x, 0)),
    case("logsumexp_dim", [uniform(3, 4)], lambda x, d: logsumexp(x, d), d=1),
    case("cumsum", [uniform(3, 4)], lambda x: np.cumsum(x, axis=0), bad=[wrong("axis 2", d=2)]),
    case("cumsum", [uniform(3, 4)], lambda x, d: np.cumsum(x, axis=d), d=1),
    case(
        "esum",
        [uniform(3, 4)] * 3,
        lambda *xs: sum(xs),
        call=on_list(dy.esum),
        bad=[wrong("{3} and {4}", uniform(3), uniform(4), uniform(3))],
    ),
    case("esum", [uniform(1)] * 70, lambda *xs: sum(xs), call=on_list(dy.esum)),
    case("average", [uniform(3, 4)] * 3, lambda *xs: sum(xs) / 3, call=on_list(dy.average)),
    case(
        "logsumexp", [uniform(3, 4)] * 3, lambda *xs: logsumexp(np.array(xs), 0), call=on_list(dy.logsumexp)
    ),
    case("squared_norm", [uniform(3, 4)], lambda x: np.sum(x * x)),
    case("l2_norm", [uniform(3, 4)], lambda x: np.sqrt(np.sum(x * x))),
]
