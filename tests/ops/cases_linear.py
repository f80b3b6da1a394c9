"""Products of matrices, vectors and tensors."""

from __future__ import annotations

import operator

import numpy as np
from table import case, identity, on_list, uniform, wrong

import dynet as dy


def affine(b, *pairs):
    rows = np.reshape(b, (len(b), -1))
    total = rows + sum(w @ np.reshape(x, (len(x), -1)) for w, x in zip(pairs[::2], pairs[1::2], strict=True))
    return total[:, 0] if total.shape[1] == 1 else total


def contract(x, y):
    return np.einsum("ijk,k->ij", x, y)


def correlation(x, f):
    f = f.reshape(f.shape + (1,) * (3 - f.ndim))
    places = range(x.shape[1] - f.shape[1] + 1)
    return np.array(
        [[np.sum(x[:, t : t + f.shape[1]] * f[:, :, n]) for t in places] for n in range(f.shape[2])]
    )


LINEAR = [
    case(
        "matmul",
        [uniform(3, 4), uniform(4, 2)],
        np.matmul,
        call=operator.mul,
        bad=[wrong("{3,4} times {3}", uniform(3, 4), uniform(3))],
    ),
    case("matmul", [uniform(3, 4), uniform(4)], np.matmul, call=operator.mul),
    case("matmul", [uniform(37, 19), uniform(19)], np.matmul, call=operator.mul),
    case("matmul", [uniform(1, 4), uniform(4, 1)], np.matmul, call=operator.mul),
    case(
        "affine_transform",
        [uniform(3), uniform(3, 4), uniform(4)],
        affine,
        call=on_list(dy.affine_transform),
        bad=[
            wrong("bias of shape {2}", uniform(2), uniform(3, 4), uniform(4)),
            wrong("inner sizes", uniform(3), uniform(3, 5), uniform(4)),
        ],
    ),
    case(
        "affine_transform",
        [uniform(3), uniform(3, 4), uniform(4, 2), uniform(3, 5), uniform(5, 2)],
        affine,
        call=on_list(dy.affine_transform),
    ),
    case(
        "affine_transform",
        [uniform(3, 2), uniform(3, 4), uniform(4, 2)],
        affine,
        call=on_list(dy.affine_transform),
    ),
    case("affine_transform", [uniform(3, 2)], identity, call=on_list(dy.affine_transform)),
    case("dot_product", [uniform(5), uniform(5)], np.dot, bad=[wrong("{3} and {4}", uniform(3), uniform(4))]),
    case("dot_product", [uniform(3, 4), uniform(3, 4)], lambda x, y: np.sum(x * y)),
    case("trace_of_product", [uniform(3, 4), uniform(3, 4)], lambda x, y: np.trace(x @ y.T)),
    case(
        "contract3d_1d",
        [uniform(2, 3, 4), uniform(4)],
        contract,
        bad=[wrong("three axes", uniform(2, 3), uniform(3))],
    ),
    case(
        "contract3d_1d_bias",
        [uniform(2, 3, 4), uniform(4), uniform(2, 3)],
        lambda x, y, b: contract(x, y) + b,
    ),
    case("contract3d_1d_1d", [uniform(2, 3, 4), uniform(4), uniform(3)], lambda x, y, z: contract(x, y) @ z),
    case(
        "contract3d_1d_1d_bias",
        [uniform(2, 3, 4), uniform(4), uniform(3), uniform(2)],
        lambda x, y, z, b: contract(x, y) @ z + b,
    ),
    case(
        "circ_conv",
        [uniform(5), uniform(5)],
        lambda u, v: np.array([sum(u[i] * v[(k - i) % 5] for i in range(5)) for k in range(5)]),
        bad=[wrong("one size", uniform(5), uniform(4))],
    ),
    case(
        "circ_corr",
        [uniform(5), uniform(5)],
        lambda u, v: np.array([sum(u[i] * v[(k + i) % 5] for i in range(5)) for k in range(5)]),
    ),
    case("filter1d_narrow", [uniform(3, 6), uniform(3, 2, 4)], correlation),
    case("filter1d_narrow", [uniform(3, 6), uniform(3, 2)], correlation),
]
