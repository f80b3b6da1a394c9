"""A cell does for every batch size what its function does, however the function looks at the batch."""

import numpy as np
import pytest

import dynet as dy

SIZES = (2, 3, 4, 5, 2)


def batch(n, size=2):
    return dy.inputTensor(np.arange(float(size * n)).reshape(size, n) + 1, batched=True)


def outcome(function, *arguments):
    """What a call gives: shapes and numbers, or that it is refused."""
    try:
        result = function(*arguments)
        results = result if isinstance(result, tuple) else (result,)
        return [(r.dim(), r.npvalue().tolist()) for r in results]
    except (ValueError, IndexError):
        return "refused"


def same_as_the_function(function, sizes, *others):
    """A cell that has seen some sizes does with the last what the function does, or what a new cell does."""
    dy.renew_cg()
    cell = dy.cell(function)
    for size in sizes:
        got = outcome(cell, batch(size), *others)
        plain = outcome(function, batch(size), *others)
        assert got in (plain, outcome(dy.cell(function), batch(size), *others)), size
        assert got in (plain, "refused"), size


def caught(x, ask, error=(ValueError, IndexError)):
    try:
        ask(x)
    except error:
        return x * 3
    return x * 2


P = dy.ParameterCollection().add_parameters(2, init=1.0)
FUNCTIONS = {
    "range of the batch": lambda x: x[0:2, 0:2] * 1.0,
    "step of the batch": lambda x: x[0:2, ::3] * 1.0,
    "element of the batch": lambda x: caught(x, lambda x: x[0:2, 3]),
    "negative element": lambda x: caught(x, lambda x: x[0:2, -3]),
    "strided_select": lambda x: dy.strided_select(x, [1, 1], [0, 0], [2, 3]) * 1.0,
    "reshape": lambda x: dy.reshape(x, (2,), 2) * 1.0,
    "reshape to the batch": lambda x: caught(x, lambda x: dy.reshape(x, (2,), 3)),
    "reshape of all": lambda x: caught(x, lambda x: dy.reshape(x, (1,), 6)),
    "pick_batch_elem": lambda x: caught(x, lambda x: dy.pick_batch_elem(x, 3)),
    "pick_batch_elems": lambda x: caught(x, lambda x: dy.pick_batch_elems(x, [0, 2])),
    "pick_batch": lambda x: caught(x, lambda x: dy.pick_batch(x, [0, 1, 0])),
    "pickneglogsoftmax_batch": lambda x: caught(x, lambda x: dy.pickneglogsoftmax_batch(x, [0, 1, 0])),
    "hinge_batch": lambda x: caught(x, lambda x: dy.hinge_batch(x, [0, 1, 0])),
    "batch of its own": lambda x: caught(x, lambda x: x + batch(3)),
    "batch of parameters": lambda x: caught(x, lambda x: x + dy.concatenate_to_batch([P, P, P])),
    "batch of its own, unused": lambda x: (x * batch(2)) and x * 2,
    "two batches": lambda x: caught(x, lambda x: dy.reshape(dy.concatenate_to_batch([x, x]), (2,), 6)),
    "shape": lambda x: x * (1 / x.dim()[1]),
    "moments": lambda x: x - dy.std_dim(x, [0], False, 0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("sizes", [SIZES, SIZES[::-1], (5, 2, 3), (1, 3, 1, 2)])
def test_what_looks_at_the_batch_is_recorded_for_each_size(name, sizes):
    same_as_the_function(FUNCTIONS[name], sizes)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_cells_around_a_cell_that_looks_at_the_batch(name, before, depth):
    def around(inner):
        return lambda x: caught(x, lambda x: inner(x)) + x

    inner = FUNCTIONS[name]
    cell = dy.cell(inner)
    dy.renew_cg()
    if before:
        outcome(cell, batch(2)), outcome(cell, batch(5))
    plain = inner
    for _ in range(depth):
        cell, plain = dy.cell(around(cell)), around(plain)
    for size in SIZES:
        new = inner
        for _ in range(depth):
            new = dy.cell(around(dy.cell(new)))
        expected = (outcome(plain, batch(size)), outcome(new, batch(size)))
        assert outcome(cell, batch(size)) in expected, size


def test_a_cell_in_a_cell_gets_each_batch_size():
    for first in (False, True):
        inner = dy.cell(lambda x, y: x * (1 / y.dim()[1]))
        outer = dy.cell(lambda x, y, inner=inner: inner(x, y) + x)
        outermost = dy.cell(lambda x, y, outer=outer: outer(x, y) * 1)
        dy.renew_cg()
        one = dy.inputVector([1.0, 1.0])
        if first:
            inner(one, batch(2))
        for cell in (outer, outermost):
            assert [cell(one, batch(n)).npvalue()[0] for n in (2, 4, 2)] == [1.5, 1.25, 1.5]


def test_batches_that_fit_each_other_when_recorded_and_not_later():
    def added(x, y):
        return caught(x, lambda x: x + y)

    def apart(x, y):
        return x * 2, y * 3, x - 1

    for function in (added, apart):
        cell = dy.cell(function)
        for n, m in [(2, 2), (2, 5), (3, 3), (3, 5), (5, 2), (1, 3), (3, 1), (2, 2)]:
            dy.renew_cg()
            assert outcome(cell, batch(n), batch(m)) == outcome(function, batch(n), batch(m)), (n, m)


def test_gradients_where_outputs_have_batches_of_different_sizes():
    model = dy.ParameterCollection()
    p = model.add_parameters(2, init=2.0)

    def step(x, y):
        return dy.cmult(x, dy.cmult(p, p)), dy.cmult(p, y), dy.exp(p)

    gradients = []
    for function in (step, dy.cell(step)):
        dy.renew_cg()
        outputs = function(batch(2), batch(3))
        assert [o.dim()[1] for o in outputs] == [2, 3, 1]
        model.reset_gradient()
        dy.esum([dy.sum_elems(dy.sum_batches(o)) for o in outputs]).backward()
        gradients.append(p.grad_as_array())
    np.testing.assert_allclose(*gradients, rtol=1e-5)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: dy.tanh(x) + x,
        lambda x: x[0:1] * 2,
        lambda x: x[0],
        lambda x: dy.reshape(x, (1, 2)) * 2,
        lambda x: dy.transpose(x) * 2,
        lambda x: dy.sum_dim(x, [0]),
        lambda x: dy.std_elems(x),
        lambda x: dy.layer_norm(x, dy.cmult(x, x), x),
        lambda x: dy.fold_rows(x, 2) * 2,
        lambda x: x**2,
        lambda x: dy.pick_range(x, 0, 1) * 1,
    ],
)
def test_what_does_not_look_at_the_batch_is_recorded_once(function):
    calls = []

    def counted(x):
        calls.append(x)
        return function(x)

    cell = dy.cell(counted)
    dy.renew_cg()
    for size in SIZES:
        if outcome(cell, batch(size)) == "refused":
            return  # what takes indices is held by no cell
        assert outcome(cell, batch(size)) == outcome(function, batch(size))
    assert len(calls) == 1
