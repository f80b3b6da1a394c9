"""The sweep over special numbers: what is not a number stays so, and nothing else becomes so.

NumPy says in double precision which results are numbers.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import CASES, ELEMENTWISE
from cases_attention import gelu
from cases_structured import KINDS
from table import DOUBLE, Case, assert_close, label

import dynet as dy

NAN, INF = math.nan, math.inf
TINY, LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
ORDINARY = [0.25, -0.75, 0.5]
FINITE = [0.0, -0.0, 1e-40, -1e-40, TINY, -TINY, 1.0, -1.0, 88.5, -88.5, 1e4, -1e4, 1e7, -1e7, 3e38, -3e38]
ANY = [*FINITE, INF, -INF, NAN, LARGEST, -LARGEST]


def each(cases: list[Case]):
    return pytest.mark.parametrize("case", cases, ids=[label(c) for c in cases])


# Where the reference is not a limit that exists, or would raise an error.
def limit_of_silu(x, beta=1.0):
    return np.where(x * beta < -700, 0.0, x / (1 + np.exp(-beta * np.maximum(x * beta, -700) / beta)))


def limit_of_gelu(x, approximate=False):
    return np.where(x < -30, 0.0, gelu(np.maximum(x, -30), approximate))


def lgamma_of_one(a: float) -> float:
    if np.isnan(a):
        return a
    return INF if a in (INF, -INF) or a > 1e37 or (a <= 0 and a == math.floor(a)) else math.lgamma(a)


def poisson_loss(log_lambda, x):
    return np.where(np.isposinf(log_lambda), INF, np.exp(log_lambda) + math.lgamma(x + 1) - log_lambda * x)


REFERENCES = {
    "silu": limit_of_silu,
    "gelu": limit_of_gelu,
    "gelu_by_erf": limit_of_gelu,
    "gelu_by_tanh": limit_of_gelu,
    "softsign": lambda x: np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x))),
    "lgamma": np.vectorize(lgamma_of_one),
    "round": lambda x, **_: np.trunc(x + np.copysign(0.5, x)),
    "poisson_loss": poisson_loss,
}
# The reference sorts, chooses or eliminates as if all numbers were some.
ALL_NAN = {"sparsemax", "constrained_softmax", "hinge", "hinge_batch", "hinge_dim", "inverse"}
# Of these a number that is none is the largest, wherever it stands.
SELECTING = {"kmax_pooling", "argmax", "sort", "argsort", "top_k"}
# The result for infinities depends on the order in which they cancel, or they are no probabilities.
WITHOUT_INFINITIES = {
    "logdet",
    "standardize",
    "standardize_axes",
    "layer_norm",
    "rms_norm",
    "attention",
    "binary_log_loss",
}
# Of large numbers not even double precision knows the angle.
ANGLES = {"sin", "cos", "tan"}


def is_spoiled(case: Case) -> bool:
    """Whether NaN anywhere is NaN everywhere, as in what is asked of all structures."""
    of_all = (
        case.name.startswith(KINDS) and case.ref.__name__ != "score" and case.name != "assignment_likelihood"
    )
    return case.name in ALL_NAN or of_all


def rounded(y: np.ndarray) -> np.ndarray:
    """What the extension can hold of numbers in double precision."""
    return y if DOUBLE else y.astype(np.float32).astype(np.float64)


def reference(case: Case, arrays: list[np.ndarray]) -> np.ndarray:
    function = REFERENCES.get(case.name, case.ref)
    with np.errstate(all="ignore"):
        return rounded(np.atleast_1d(np.asarray(function(*arrays, **case.attributes), dtype=np.float64)))


def places(shape: tuple[int, ...]) -> set[tuple[int, ...]]:
    return {tuple(int((n - 1) * part) for n in shape) for part in (0, 0.6, 1)}


@each([c for c in CASES if c.ref is not None and c.inputs and c.name not in SELECTING])
def test_what_is_not_a_number(case: Case) -> None:
    """NaN at any place of any argument reaches what NumPy says it reaches; so do infinities."""
    for i, sample in enumerate(case.inputs):
        for place in places(sample.shape):
            for special in (NAN, INF, -INF):
                if np.isinf(special) and (is_spoiled(case) or case.name in WITHOUT_INFINITIES):
                    continue
                arrays = case.arrays()
                arrays[i][place] = special
                dy.renew_cg()
                _, y = case.build(arrays)
                actual = np.isnan(y.npvalue())
                told = f"{special} at {place} of argument {i}: {y.npvalue()}"
                if is_spoiled(case) and (actual.any() or not case.name.startswith(KINDS)):
                    assert actual.any(), told
                elif is_spoiled(case):  # no structure has this part
                    ignored = y.npvalue()
                    arrays[i][place] = 0
                    np.testing.assert_array_equal(case.build(arrays)[1].npvalue(), ignored, told)
                else:
                    expected = np.isnan(reference(case, arrays))
                    np.testing.assert_array_equal(actual, expected.reshape(actual.shape), told)


UNARY = [c for c in ELEMENTWISE if len(c.inputs) == 1 and c.name != "emax"]


@each([c for c in UNARY if c.name not in ANGLES])
def test_elementwise_at_the_edges(case: Case) -> None:
    """Values and slopes at special numbers, in whole vectors and in the rest; each has its own alone."""
    x = np.array((ORDINARY + ANY) * 2, np.float32).astype(np.float64)
    if case.inputs[0].low > 0 or case.name == "power":
        x[x < 0] *= -1
    dy.renew_cg()
    (e,), y = case.build([x.reshape(-1, 1) if case.inputs[0].shape == (3, 1) else x])
    expected = reference(case, [x.reshape(-1, 1) if case.inputs[0].shape == (3, 1) else x]).reshape(-1)
    value = np.asarray(y.npvalue(), np.float64).reshape(-1)
    near_overflow = np.abs(expected) > 0.99 * LARGEST
    kept = ~near_overflow | ~np.isfinite(value)
    assert_close(value[kept], np.where(near_overflow, value, expected)[kept], case.tolerance * 2e-5)
    assert np.all(np.abs(value[near_overflow]) > 0.98 * LARGEST)
    dy.sum_elems(y).backward(full=True)
    slopes = np.asarray(e.gradient()).reshape(-1)
    alone = slopes_of(case, x)
    np.testing.assert_array_equal(slopes, alone)
    np.testing.assert_array_equal(np.isnan(slopes[np.isfinite(x) & np.isfinite(value)]), False)


def slopes_of(case: Case, x: np.ndarray) -> np.ndarray:
    """Each with a graph of its own."""
    found = []
    for number in x:
        dy.renew_cg()
        (e,), y = case.build([np.full((1, 1) if case.inputs[0].shape == (3, 1) else 1, number)])
        dy.sum_elems(y).backward(full=True)
        found.append(float(np.asarray(e.gradient()).reshape(-1)[0]))
    return np.array(found)


BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "cmult": np.multiply,
    "cdiv": np.divide,
    "bmax": np.maximum,
    "bmin": np.minimum,
}


@pytest.mark.parametrize("name", BINARY)
def test_pairs_at_the_edges(name: str) -> None:
    case = next(c for c in ELEMENTWISE if c.name == name)
    x, y = (a.reshape(-1) for a in np.meshgrid(ANY, ANY))
    x, y = x.astype(np.float32).astype(np.float64), y.astype(np.float32).astype(np.float64)
    dy.renew_cg()
    _, z = case.build([x, y])
    with np.errstate(all="ignore"):
        expected = rounded(BINARY[name](x, y))
    ordinary = (np.abs(expected) > TINY) | (expected == 0) | ~np.isfinite(expected)
    assert_close(z.npvalue()[ordinary], expected[ordinary], 1e-6)


@pytest.mark.parametrize("make", [dy.bmax, dy.bmin, lambda x, y: dy.emax([x, y])])
@pytest.mark.parametrize("pair", [(NAN, 1.0), (1.0, NAN)])
def test_gradient_of_a_choice_that_is_not_a_number(make, pair) -> None:
    """It reaches the argument that is none, so that it is seen where training went wrong."""
    dy.renew_cg()
    xs = [dy.inputVector([p, 2.0]) for p in pair]
    dy.sum_elems(make(*xs)).backward(full=True)
    at = next(i for i, p in enumerate(pair) if np.isnan(p))
    assert xs[at].gradient()[0] != 0


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    "make",
    [
        dy.max_dim,
        dy.min_dim,
        lambda x: dy.kmax_pooling(x, 1, 0),
        lambda x: dy.maxpooling2d(dy.reshape(x, (5, 1)), [5, 1], [1, 1]),
    ],
)
def test_what_is_not_a_number_is_extreme(make, place: int) -> None:
    dy.renew_cg()
    x = dy.inputVector([NAN if i == place else i % 3 for i in range(5)])
    y = make(x)
    assert np.isnan(y.npvalue()).all()
    dy.sum_elems(y).backward(full=True)
    np.testing.assert_array_equal(x.gradient(), np.arange(5) == place)


def test_argmax_and_kmax_of_what_is_not_a_number() -> None:
    dy.renew_cg()
    x = dy.inputVector([5, NAN, 7, NAN, 1])
    np.testing.assert_array_equal(dy.argmax(x, "zero_gradient").npvalue(), [0, 1, 0, 0, 0])
    np.testing.assert_array_equal(dy.kmax_pooling(x, 3, 0).npvalue(), [NAN, 7, NAN])
    np.testing.assert_array_equal(dy.kmax_pooling(x, 2, 0).npvalue(), [NAN, NAN])
