"""Products of matrices, vectors and tensors."""

from __future__ import annotations

import operator

import numpy as np
from table import case, identity, on_list, uniform, wrong

import dynet as dy

W, B = np.linspace(-1, 1, 12).reshape(3, 4), np.array([0.5, -1.0, 2.0])
parameters = dy.ParameterCollection()
weights, bias = parameters.parameters_from_numpy(W), parameters.parameters_from_numpy(B)


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


def padded(x, window, step, is_valid, value):
    """The image with the border of DyNet's SAME form, and how many windows it has."""
    x = x.reshape(x.shape + (1,) * (3 - x.ndim))
    if is_valid:
        return x, [(n - w) // s + 1 for n, w, s in zip(x.shape, window, step, strict=False)]
    places = [-(-n // s) for n, s in zip(x.shape, step, strict=False)]
    border = [max(0, (o - 1) * s + w - n) for n, o, w, s in zip(x.shape, places, window, step, strict=False)]
    return np.pad(x, [(b // 2, b - b // 2) for b in border] + [(0, 0)], constant_values=value), places


def conv2d(x, f, b=0, *, stride, is_valid=True):
    x, places = padded(x, f.shape, stride, is_valid, 0)
    y = np.zeros((*places, f.shape[3])) + b
    for u, v in np.ndindex(*places):
        top, left = u * stride[0], v * stride[1]
        window = x[top : top + f.shape[0], left : left + f.shape[1]]
        y[u, v] += np.einsum("ijc,ijck->k", window, f)
    return y


def max_pooling(image, ksize, stride, is_valid=True):
    x, places = padded(image, ksize, stride, is_valid, -np.inf)
    y = np.zeros((*places, x.shape[2]))
    for u, v in np.ndindex(*places):
        top, left = u * stride[0], v * stride[1]
        y[u, v] = x[top : top + ksize[0], left : left + ksize[1]].max(axis=(0, 1))
    return y.reshape((*places, *image.shape[2:]))


def k_largest(x, k, d=1):
    return np.take_along_axis(x, np.sort(np.argsort(-x, axis=d, kind="stable").take(range(k), d), axis=d), d)


IMAGE, FILTERS = uniform(5, 6, 2), uniform(2, 3, 2, 4)

LINEAR = [
    case("added_product", [uniform(4)], lambda x: W @ x + B, call=lambda x: weights * x + bias),
    case("added_product", [uniform(4)], lambda x: W @ x + B, call=lambda x: bias + weights * x),
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
    case("conv2d", [IMAGE, FILTERS], conv2d, stride=[1, 1], bad=[wrong("two are needed", stride=[1])]),
    case("conv2d", [IMAGE, FILTERS], conv2d, stride=[2, 1], is_valid=False),
    case("conv2d", [uniform(5, 6), uniform(2, 2, 1, 3)], conv2d, stride=[1, 2]),
    case("conv2d_bias", [IMAGE, FILTERS, uniform(4)], conv2d, stride=[1, 1]),
    case("conv2d_bias", [IMAGE, FILTERS, uniform(4)], conv2d, stride=[2, 2], is_valid=False),
    case(
        "maxpooling2d",
        [IMAGE],
        max_pooling,
        ksize=[2, 3],
        stride=[1, 2],
        bad=[wrong("must fit", ksize=[6, 1]), wrong("stride 0", stride=[0, 1])],
    ),
    case("maxpooling2d", [IMAGE], max_pooling, ksize=[2, 3], stride=[2, 2], is_valid=False),
    case("maxpooling2d", [uniform(5, 6)], max_pooling, ksize=[2, 2], stride=[2, 2]),
    case(
        "kmax_pooling",
        [uniform(3, 6)],
        k_largest,
        k=3,
        bad=[wrong("7 numbers", k=7), wrong("0 numbers", k=0)],
    ),
    case("kmax_pooling", [uniform(6, 2)], k_largest, k=2, d=0),
    case("inverse", [uniform(4, 4)], np.linalg.inv, tolerance=100, bad=[wrong("square", uniform(3, 4))]),
    case(
        "logdet",
        [uniform(2, 2)],
        lambda x: np.linalg.slogdet(x)[1],
        call=lambda x: dy.logdet(x * dy.transpose(x)) * 0.5,
        tolerance=100,
    ),
]
