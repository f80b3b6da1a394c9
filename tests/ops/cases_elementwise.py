"""Operations on each element, or on pairs of elements."""

from __future__ import annotations

import math
import operator

import numpy as np
from table import MODES, case, constant_gradient, identity, logistic, on_list, positive, uniform, wrong

import dynet as dy

erf, lgamma = np.vectorize(math.erf), np.vectorize(math.lgamma)


def aligned(x, y):
    """Both arrays with as many axes, the missing ones at the end."""
    axes = max(x.ndim, y.ndim)
    return (a.reshape(a.shape + (1,) * (axes - a.ndim)) for a in (x, y))


def power(exponent):
    """x ** exponent, of which trailing sizes of 1 go, as in DyNet 2."""

    def reference(x):
        sizes = x.shape
        while len(sizes) > 1 and sizes[-1] == 1:
            sizes = sizes[:-1]
        return x.reshape(sizes) ** exponent

    return reference


def broadcast(function):
    return lambda x, y: function(*aligned(x, y))


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


UNARY = [
    case("negate", [uniform(3, 4)], np.negative, call=operator.neg),
    case("add_constant", [uniform(3, 4)], lambda x: x + 1.5, call=lambda x: x + 1.5),
    case("add_constant", [uniform(3, 4)], lambda x: x - 0.5, call=lambda x: x - 0.5),
    case("constant_minus", [uniform(3, 4)], lambda x: 2.5 - x, call=lambda x: 2.5 - x),
    case("constant_minus", [uniform(3, 4)], lambda x: -1 - x, call=lambda x: -1 - x),
    case("constant_over", [positive(3, 4)], lambda x: 2.5 / x, call=lambda x: 2.5 / x),
    case("constant_over", [positive(3, 4)], lambda x: -1 / x, call=lambda x: -1 / x),
    case("scale", [uniform(3, 4)], lambda x: 0.7 * x, call=lambda x: 0.7 * x),
    case("divide_by", [uniform(3, 4)], lambda x: x / 3, call=lambda x: x / 3),
    case("power", [positive(3, 4)], power(2.5), call=lambda x: x**2.5),
    case("power", [positive(3, 4)], power(-1), call=lambda x: x**-1),
    case("power", [uniform(3, 4)], power(4), call=lambda x: x**4),
    case("power", [uniform(3, 1)], power(2), call=lambda x: x**2),
    case("square", [uniform(3, 4)], np.square),
    case("cube", [uniform(3, 4)], lambda x: x**3),
    case("sqrt", [positive(3, 4)], np.sqrt),
    case("exp", [uniform(3, 4)], np.exp),
    case("exp", [uniform(7)], np.exp),
    case("log", [positive(3, 4)], np.log),
    case("lgamma", [uniform(3, 4, low=0.2, high=5.0)], lgamma, tolerance=10),
    case("erf", [uniform(3, 4)], erf),
    case("abs", [uniform(3, 4)], np.abs),
    case("tanh", [uniform(3, 4)], np.tanh),
    case("logistic", [uniform(3, 4)], logistic),
    case("log_sigmoid", [uniform(3, 4, low=-30, high=30)], lambda x: -np.logaddexp(0, -x)),
    case("rectify", [uniform(3, 4)], lambda x: np.maximum(x, 0)),
    case("elu", [uniform(3, 4)], elu),
    case("elu", [uniform(3, 4)], elu, alpha=0.3),
    case("selu", [uniform(3, 4)], lambda x: 1.0507009873554805 * elu(x, 1.6732632423543773)),
    case("silu", [uniform(3, 4)], lambda x: x * logistic(x)),
    case("silu", [uniform(3, 4)], lambda x, beta: x * logistic(beta * x), beta=1.7),
    case("softsign", [uniform(5)], lambda x: x / (1 + np.abs(x))),
    case("flip_gradient", [uniform(3, 4)], identity, slope_of=np.negative),
    case("scale_gradient", [uniform(3, 4)], identity, slope_of=lambda x, lambd: lambd * x, lambd=0.3),
    case("scale_gradient", [uniform(3, 4)], identity, slope_of=lambda x, lambd: lambd * x, lambd=2.0),
    case("sin", [uniform(3, 4)], np.sin),
    case("cos", [uniform(3, 4)], np.cos),
    case("tan", [uniform(3, 4, low=-1.2, high=1.2)], np.tan),
    case("asin", [uniform(3, 4, low=-0.9, high=0.9)], np.arcsin),
    case("acos", [uniform(3, 4, low=-0.9, high=0.9)], np.arccos),
    case("atan", [uniform(3, 4)], np.arctan),
    case("sinh", [uniform(3, 4)], np.sinh),
    case("cosh", [uniform(3, 4)], np.cosh),
    case("asinh", [uniform(3, 4)], np.arcsinh),
    case("acosh", [uniform(3, 4, low=1.2, high=4.0)], np.arccosh),
    case("atanh", [uniform(3, 4, low=-0.9, high=0.9)], np.arctanh),
]

ROUNDING = [
    case(
        name,
        [uniform(3, 4, low=-5, high=5)],
        lambda x, gradient_mode, function=function: function(x),
        slope_of=slope,
        gradient_mode=mode,
        bad=[wrong('gradient mode "steep"', gradient_mode="steep")],
    )
    for name, function in [("round", np.round), ("ceil", np.ceil), ("floor", np.floor)]
    for mode, slope in zip(MODES, [constant_gradient, identity], strict=True)
]

BINARY = [
    case(
        "add",
        [uniform(3, 4), uniform(3, 4)],
        np.add,
        call=operator.add,
        bad=[wrong("axis 0", uniform(3), uniform(4))],
    ),
    case("add", [uniform(3, 4), uniform(3)], broadcast(np.add), call=operator.add),
    case("add", [uniform(3, 1, 2), uniform(1, 4)], broadcast(np.add), call=operator.add),
    case("add", [uniform(1), uniform(3, 4)], broadcast(np.add), call=operator.add),
    case("subtract", [uniform(3, 4), uniform(3, 4)], np.subtract, call=operator.sub),
    case("subtract", [uniform(3), uniform(3, 4)], broadcast(np.subtract), call=operator.sub),
    case(
        "cmult",
        [uniform(3, 4), uniform(3, 4)],
        np.multiply,
        bad=[wrong("{3} and {4}", uniform(3), uniform(4))],
    ),
    case("cmult", [uniform(3, 1), uniform(1, 4)], np.multiply),
    case("cmult", [uniform(3, 4, 2), uniform(3)], broadcast(np.multiply)),
    case(
        "cdiv",
        [uniform(3, 4), positive(3, 4)],
        np.divide,
        bad=[wrong("sizes of axis 0", uniform(2), positive(3))],
    ),
    case("cdiv", [uniform(3, 4), positive(3)], broadcast(np.divide)),
    case("cdiv", [uniform(3, 4), positive(1, 4)], np.divide),
    case("cdiv", [uniform(1), positive(3, 4)], broadcast(np.divide)),
    case("cdiv", [uniform(1, 4), positive(3, 1)], np.divide),
    case(
        "pow",
        [positive(3, 4), uniform(1)],
        broadcast(np.power),
        bad=[wrong("one number", positive(3), uniform(3))],
    ),
    case("bmax", [uniform(3, 4), uniform(3, 4)], np.maximum),
    case("bmin", [uniform(3, 4), uniform(3, 4)], np.minimum),
    case("emax", [uniform(3, 4)] * 3, lambda *xs: np.max(xs, axis=0), call=on_list(dy.emax)),
    case(
        "colwise_add",
        [uniform(3, 4), uniform(3)],
        broadcast(np.add),
        bad=[wrong("rows", uniform(3, 4), uniform(4))],
    ),
]

ACTIVATIONS = [(identity, identity), (dy.tanh, np.tanh), (dy.logistic, logistic)]

# Products and sums of what nothing else uses are computed as one node.
GATES = [
    each
    for f, f_ref in ACTIVATIONS
    for g, g_ref in ACTIVATIONS
    for each in (
        case(
            "gated_product" if f is not identity or g is not identity else "cmult",
            [uniform(3, 11), uniform(3, 11)],
            lambda x, y, f=f_ref, g=g_ref: f(x) * g(y),
            call=lambda x, y, f=f, g=g: dy.cmult(f(x), g(y)),
        ),
        case(
            "gated_sum",
            [uniform(33)] * 3,
            lambda x, y, z, f=f_ref, g=g_ref: x + f(y) * g(z),
            call=lambda x, y, z, f=f, g=g: x + dy.cmult(f(y), g(z)),
        ),
        case(
            "gated_sum",
            [uniform(3)] * 4,
            lambda x, y, z, w, f=f_ref, g=g_ref: f(x) * g(y) + z * w,
            call=lambda x, y, z, w, f=f, g=g: dy.cmult(f(x), g(y)) + dy.cmult(z, w),
        ),
    )
]
