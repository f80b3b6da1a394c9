"""What no loss depends on takes no part in the gradients of a cell."""

import numpy as np
import pytest

import dynet as dy


def gradient(function, use, autobatching=True, times=1, matrix=False):
    """Of parameters that are 0, from some outputs of several calls: `use` says for each call which."""
    model = dy.ParameterCollection()
    p = model.add_parameters(2, init=0.0)
    w = model.add_parameters((2, 2), init=0.5) if matrix else None
    dy.renew_cg(autobatching=autobatching)
    losses = []
    for k in range(times):
        outputs = function(p, w) if matrix else function(p)
        losses += [dy.sum_elems(outputs[i]) * (1.0 + k) for i in use[k % len(use)]]
    dy.esum(losses).backward()
    return np.concatenate([q.grad_as_array().ravel() for q in model.parameters_list()])


INNER = dy.cell(lambda x: (dy.sqrt(x), dy.log(x)))
SINGULAR = {
    "sqrt": lambda x: dy.sqrt(x),
    "log": lambda x: dy.log(x),
    "cdiv": lambda x: dy.cdiv(x, x),
    "chain": lambda x: dy.tanh(dy.sqrt(dy.cmult(x, x) * 2)),
    "view": lambda x: dy.reshape(dy.sqrt(x), (1, 2)),
    "part": lambda x: dy.pick_range(dy.sqrt(x), 0, 1),
    "cell": dy.cell(lambda x: dy.sqrt(x)),
    "cell of two": lambda x: INNER(x)[1],
}


@pytest.mark.parametrize("name", SINGULAR)
@pytest.mark.parametrize("autobatching", [True, False])
def test_outputs_that_the_loss_does_not_use(name, autobatching):
    def step(x):
        return dy.exp(x), SINGULAR[name](x), dy.exp(x) + 1

    for use in ([[0]], [[2]], [[0, 2]], [[0], [2]], [[2], [0, 2], [0]]):
        plain = gradient(step, use, autobatching, times=6)
        assert np.isfinite(plain).all()
        np.testing.assert_array_equal(gradient(dy.cell(step), use, autobatching, times=6), plain)


@pytest.mark.parametrize(
    "name", sorted(SINGULAR.keys() - {"chain"})
)  # whose slope at 0 is undefined in any case
def test_calls_of_which_only_some_use_an_output(name):
    """The others' gradients stay finite, and what is used is as infinite as without the cell."""

    def step(x):
        return dy.exp(x), SINGULAR[name](x)

    model = dy.ParameterCollection()
    p, q = model.add_parameters(2, init=0.0), model.add_parameters(2, init=0.0)
    results = []
    for function in (step, dy.cell(step)):
        for autobatching in (True, False):
            dy.renew_cg(autobatching=autobatching)
            a, b, c = function(p), function(q), function(p)
            model.reset_gradient()
            dy.esum([dy.sum_elems(e) for e in (a[0], b[0], b[1], c[0])]).backward()
            results.append((p.grad_as_array(), q.grad_as_array()))
    for one, other in results:
        np.testing.assert_array_equal(one, [2, 2])
        np.testing.assert_array_equal(np.isfinite(other), np.isfinite(results[0][1]))


@pytest.mark.parametrize("autobatching", [True, False])
def test_matrices_of_steps_that_the_loss_does_not_use(autobatching):
    def step(x, w):
        return dy.exp(x), w * dy.log(x), w * dy.exp(x)

    for use in ([[0]], [[0, 2]], [[2], [0]]):
        plain = gradient(step, use, autobatching, times=4, matrix=True)
        assert np.isfinite(plain).all()
        recorded = gradient(dy.cell(step), use, autobatching, times=4, matrix=True)
        np.testing.assert_allclose(recorded, plain, rtol=1e-6)


def test_a_matrix_that_is_computed():
    def step(x, w):
        v = dy.cmult(w, w)
        return dy.exp(x), v * dy.log(x), v * dy.exp(x)

    for use in ([[0]], [[0, 2]], [[2], [0]]):
        plain = gradient(step, use, times=4, matrix=True)
        np.testing.assert_allclose(gradient(dy.cell(step), use, times=4, matrix=True), plain, rtol=1e-6)


def test_elements_of_a_batch_and_steps_that_pass_no_gradient():
    def hidden(x):
        return (dy.exp(x) + dy.nobackprop(dy.sqrt(x)),)

    for function in (hidden, dy.cell(hidden)):
        np.testing.assert_array_equal(gradient(function, [[0]]), [1, 1])


def test_bits_do_not_depend_on_what_runs_together():
    dy.reset_random_seed(1)
    model = dy.ParameterCollection()
    w, p = model.add_parameters((4, 4)), model.add_parameters(4)
    step = dy.cell(lambda x: (dy.tanh(w * x), dy.logistic(w * dy.tanh(x)), dy.cmult(x, dy.exp(w * x))))
    results = []
    for autobatching in (True, False):
        dy.renew_cg(autobatching=autobatching)
        losses = []
        for k in range(9):
            x = p
            for i in range(3):
                x = step(x)[(k + i * i) % 3]
            losses.append(dy.squared_norm(x))
        model.reset_gradient()
        dy.esum(losses).backward()
        results.append((w.grad_as_array(), p.grad_as_array()))
        assert dy.check_grad(model, dy.esum(losses))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
