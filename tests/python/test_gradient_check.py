"""check_grad where large values cancel: right gradients pass, wrong ones are found as far as digits tell."""

import numpy as np
import pytest

import dynet as dy

FUNCTIONS = {
    "linear": lambda x: x,
    "square": dy.square,
    "exp": dy.exp,
    "tanh": dy.tanh,
    "rectify": dy.rectify,
    "abs": dy.abs,
    "logistic": dy.logistic,
    "log": lambda x: dy.log(dy.abs(x)),
}


def checked(function, size, first=0.5):
    """Of a sum to which a constant is added that is taken away again."""
    dy.renew_cg()
    model = dy.ParameterCollection()
    w = model.add_parameters(3, init=np.array([first, 1, -1.5]))
    large = dy.scalarInput(size)
    return dy.check_grad(model, (dy.sum_elems(function(w)) + large) - large, verbosity=0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_right_gradients_pass(name):
    for size in (0, 10, 21, 50, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7):
        for first in (0.5, 0.1, 3) if name == "log" else (0.5, 0.02, 0.1, 3):
            assert checked(FUNCTIONS[name], size, first), (size, first)


def square_with(factor):
    return dy.Function(lambda x: x * x, lambda x, y, d: [2 * factor * x * d])


@pytest.mark.parametrize(
    ("size", "factor"),
    [(0, 1.02), (100, 1.05), (100, 0), (1e3, 1.1), (1e4, 1.5), (1e4, 0), (1e5, 2), (1e6, -2)],
)
def test_wrong_gradients_are_found(size, factor):
    assert checked(square_with(1), size)
    assert not checked(square_with(factor), size)


def test_what_cancels_within_an_operation():
    rng = np.random.default_rng(1)
    for size in (1, 100, 1e4):
        dy.renew_cg()
        model = dy.ParameterCollection()
        w = model.add_parameters(200, init=1 + rng.uniform(size=200) / 100)
        b = model.add_parameters((4, 4), init=rng.normal(size=(4, 4)))
        terms = rng.normal(size=200) * size
        x = dy.inputVector(rng.normal(size=4) * size)
        assert dy.check_grad(model, dy.dot_product(w, dy.inputVector(terms - terms.mean())))
        assert dy.check_grad(model, dy.sum_elems(dy.softmax(b * x)) * size - size)
        assert dy.check_grad(model, dy.l2_norm(b * x + x * 3) - dy.l2_norm(x * 3))


def test_near_the_edge_of_what_is_defined():
    dy.renew_cg()
    model = dy.ParameterCollection()
    w = model.add_parameters(1, init=0.01)
    assert dy.check_grad(model, dy.sqrt(w + 1e4) - 1e2)
    assert dy.check_grad(model, (dy.log(w + 0.5) + 1e5) - 1e5)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1, 1e3, 1e6])
@pytest.mark.parametrize("factor", [0, -1, 0.9, 1, 1.05])
def test_gradients_of_any_size(factor, scale):
    """Also where all numbers are small, and where parameters are so large that small steps are lost."""
    dy.renew_cg()
    model = dy.ParameterCollection()
    w = model.add_parameters(2, init=np.array([0.5, -2]))
    assert dy.check_grad(model, dy.sum_elems(square_with(factor)(w)) * scale, 0) == (factor == 1)
    model = dy.ParameterCollection()
    w = model.add_parameters(2, init=np.array([0.5, -2]) * scale)
    times = dy.Function(lambda x: 3 * x, lambda x, y, d: [3 * factor * d])
    assert dy.check_grad(model, dy.sum_elems(times(w)), 0) == (factor == 1)
