"""Other shapes of the same numbers, and parts of tensors."""

from __future__ import annotations

import numpy as np
from table import MODES, case, constant_gradient, identity, on_list, uniform, wrong

import dynet as dy

SHAPES = [
    case(
        "reshape",
        [uniform(3, 4)],
        lambda x, d: x.reshape(d, order="F"),
        d=(2, 6),
        bad=[wrong("{3,4} to {5}", d=(5,)), wrong("{3,4} to {0}", d=(0,))],
    ),
    case("reshape", [uniform(12)], lambda x, d: x.reshape(d, order="F"), d=(3, 2, 2)),
    case(
        "reshape_batch",
        [uniform(3, 4, batch=2)],
        lambda x, d, batch_size: x.reshape((*d, batch_size), order="F"),
        call=dy.reshape,
        d=(2, 3),
        batch_size=4,
    ),
    case("transpose", [uniform(3, 4)], np.transpose),
    case("transpose", [uniform(4)], lambda x: x.reshape(1, 4)),
    case(
        "transpose",
        [uniform(3, 4, 2)],
        np.transpose,
        call=lambda x, axes: dy.transpose(x, list(axes)),
        axes=(2, 0, 1),
    ),
    case(
        "transpose",
        [uniform(3, 4, 2)],
        np.transpose,
        call=lambda x, axes: dy.transpose(x, list(axes)),
        axes=(0, 2, 1),
    ),
    case(
        "concatenate",
        [uniform(3, 4), uniform(2, 4), uniform(1, 4)],
        lambda *xs: np.concatenate(xs),
        call=on_list(dy.concatenate),
        bad=[wrong("along axis 0", uniform(3, 4), uniform(3, 5), uniform(3, 4))],
    ),
    case(
        "concatenate",
        [uniform(3, 4), uniform(3, 2)],
        lambda *xs, d: np.concatenate(xs, d),
        call=on_list(dy.concatenate),
        d=1,
    ),
    case("concatenate", [uniform(2)] * 70, lambda *xs: np.concatenate(xs), call=on_list(dy.concatenate)),
    case(
        "concatenate", [uniform(2, 3)] * 3, lambda *xs, d: np.stack(xs, d), call=on_list(dy.concatenate), d=2
    ),
    case(
        "concatenate_cols",
        [uniform(3), uniform(3, 2), uniform(3)],
        lambda *xs: np.concatenate([x.reshape(3, -1) for x in xs], 1),
        call=on_list(dy.concatenate_cols),
    ),
    case(
        "concatenate_to_batch",
        [uniform(3, 4, batch=2), uniform(3, 4, batch=3)],
        lambda *xs: np.concatenate(xs, -1),
        call=on_list(dy.concatenate_to_batch),
    ),
    case("nobackprop", [uniform(3, 4)], identity, slope_of=constant_gradient),
    case(
        "to_device",
        [uniform(3, 4)],
        identity,
        device_str="CPU",
        bad=[wrong('device "GPU:0"', device_str="GPU:0")],
    ),
    case("fold_rows", [uniform(6, 2)], lambda x: x[::2] + x[1::2], bad=[wrong("groups of 4", nrows=4)]),
    case("fold_rows", [uniform(6, 2)], lambda x, nrows: x[::3] + x[1::3] + x[2::3], nrows=3),
    case(
        "kmh_ngram",
        [uniform(3, 5)],
        lambda x, v: x[:, :-2] + x[:, 1:-1] + x[:, 2:],
        v=3,
        bad=[wrong("6 columns", v=6)],
    ),
]


def strided(x, strides, range_from, range_to):
    return x[tuple(slice(*r) for r in zip(range_from, range_to, strides, strict=True))]


def one_hot(x, **_):
    return (np.arange(len(x)) == np.argmax(x)).astype(float)


SELECTIONS = [
    case(
        "pick",
        [uniform(5)],
        lambda e, index: e[index],
        index=2,
        bad=[wrong("of size 5", error=IndexError, index=7)],
    ),
    case("pick", [uniform(3, 4)], lambda e, index: e[index], index=1, bad=[wrong("axis 2", index=0, dim=2)]),
    case("pick", [uniform(3, 4)], lambda e, index, dim: e[:, index], index=3, dim=1),
    case("pick", [uniform(3, 4, 2)], lambda e, index, dim: e[:, index], index=3, dim=1),
    case(
        "pick_batch",
        [uniform(5, batch=3)],
        lambda e, indices: e[indices, range(3)].reshape(1, 3),
        indices=[4, 0, 4],
        bad=[wrong("2 indices", indices=[0, 1]), wrong("index 5", error=IndexError, indices=[0, 5, 0])],
    ),
    case(
        "pick_batch",
        [uniform(3, 4, batch=3)],
        lambda e, indices, dim: e[:, indices, range(3)],
        indices=[1, 0, 3],
        dim=1,
    ),
    case(
        "pick_range", [uniform(6, 2)], lambda x, s, e: x[s:e], s=1, e=4, bad=[wrong("range 4 to 7", s=4, e=7)]
    ),
    case("pick_range", [uniform(3, 6, 2)], lambda x, s, e, d: x[:, s:e], s=2, e=3, d=1),
    case("pick_range_view", [uniform(6)], lambda x, s, e: x[s:e], call=dy.pick_range, s=1, e=4),
    case("pick_range_view", [uniform(3, 6)], lambda x, s, e, d: x[:, s:e], call=dy.pick_range, s=2, e=6, d=1),
    case(
        "select_rows",
        [uniform(5, 2)],
        lambda x, rs: x[rs],
        rs=[3, 0, 3],
        bad=[wrong("index 5", error=IndexError, rs=[5])],
    ),
    case("select_cols", [uniform(3, 4)], lambda x, cs: x[:, cs], cs=[3, 3, 0], bad=[wrong("empty", cs=[])]),
    case("pick_list", [uniform(5)], lambda x, rs: x[rs], call=dy.select_rows, rs=[k % 5 for k in range(67)]),
    case(
        "strided_select",
        [uniform(6, 5)],
        strided,
        strides=[2, 1],
        range_from=[1, 0],
        range_to=[6, 4],
        bad=[
            wrong("positive step", strides=[0, 1]),
            wrong("of 6", range_to=[7, 5]),
            wrong("4 ranges", strides=[1] * 4),
        ],
    ),
    case("strided_select", [uniform(6, 5, 2)], strided, strides=[1, 3], range_from=[0, 1], range_to=[2, 5]),
    case(
        "strided_select_batch",
        [uniform(4, 3, batch=5)],
        strided,
        call=dy.strided_select,
        strides=[1, 2, 3],
        range_from=[1, 0, 1],
        range_to=[3, 3, 5],
    ),
    case(
        "pick_batch_elem",
        [uniform(3, 4, batch=5)],
        lambda x, v: x[..., v],
        v=3,
        bad=[wrong("the batch", error=IndexError, v=5)],
    ),
    case("pick_batch_elems", [uniform(3, 4, batch=5)], lambda x, vs: x[..., vs], vs=[3, 0, 3]),
    case("argmax", [uniform(5)], one_hot, slope_of=constant_gradient, gradient_mode=MODES[0]),
    case(
        "argmax",
        [uniform(5)],
        one_hot,
        slope_of=identity,
        gradient_mode=MODES[1],
        bad=[wrong("vector", uniform(3, 4))],
    ),
]
