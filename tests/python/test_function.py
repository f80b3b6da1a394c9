"""Operations written in NumPy, and the check of gradients that tells whether they are right."""

import gc
import weakref

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


softplus = dy.Function(
    forward=lambda x: np.log1p(np.exp(x)),
    backward=lambda x, y, dy: [dy / (1 + np.exp(-x))],
)
product = dy.Function(
    forward=lambda a, b: a @ b,
    backward=lambda a, b, y, dy: (dy @ b.T, a.T @ dy),
)


def test_value_and_gradient(model):
    w = model.add_parameters((3, 2), init=np.arange(6).reshape(3, 2) / 3 - 1)
    y = softplus(w)
    assert y.dim() == ((3, 2), 1)
    np.testing.assert_allclose(y.npvalue(), np.log1p(np.exp(w.as_array())), rtol=1e-6)
    assert dy.check_grad(model, dy.sum_elems(dy.square(softplus(softplus(w)))))


def test_shapes_follow_from_forward(model):
    a, b = model.add_parameters((3, 2)), model.add_parameters((2, 4))
    y = product(a, b)
    assert y.dim() == ((3, 4), 1)
    np.testing.assert_allclose(y.npvalue(), a.as_array() @ b.as_array(), rtol=1e-5)
    assert product(b, dy.inputTensor(np.ones((4, 5)))).dim() == ((2, 5), 1)
    assert dy.check_grad(model, dy.sum_elems(dy.tanh(product(a, b))))
    total = dy.Function(lambda x: x.sum(), lambda x, y, dy: dy * np.ones_like(x))
    assert total(a).dim() == ((1,), 1) and total(a).value() == pytest.approx(a.as_array().sum(), rel=1e-5)
    assert dy.check_grad(model, total(a) * 3)


def test_given_shapes(model):
    calls = []

    def forward(x):
        calls.append(x.shape)
        return np.concatenate([x, x])

    def backward(x, y, dy):
        return [dy[: len(x)] + dy[len(x) :]]

    x = model.add_parameters(3)
    for shape in (lambda shape: (2 * shape[0],), (6,), [6.0]):
        assert dy.Function(forward, backward, shape)(x).dim() == ((6,), 1)
    assert not calls
    twice = dy.Function(forward, backward, shape=(6,))
    assert dy.check_grad(model, dy.sum_elems(dy.square(twice(x))))
    assert set(calls) == {(3,)}


def test_batches_are_seen_one_by_one(model):
    shapes = []

    def forward(x, w):
        shapes.append((x.shape, w.shape))
        return x * w

    scale = dy.Function(forward, lambda x, w, y, dy: [dy * w, dy * x], shape=lambda x, w: x)
    w = model.add_parameters(3)
    x = np.random.default_rng(1).normal(size=(3, 5))
    y = scale(dy.inputTensor(x, batched=True), w)
    assert y.dim() == ((3,), 5)
    np.testing.assert_allclose(y.npvalue(), x * w.as_array()[:, None], rtol=1e-5)
    assert shapes == [((3,), (3,))] * 5
    assert dy.check_grad(model, dy.sum_batches(dy.sum_elems(dy.square(y))))
    with pytest.raises(ValueError, match="batch sizes differ"):
        scale(dy.inputTensor(x, batched=True), dy.inputTensor(x[:, :2], batched=True))


def test_automatic_batching_changes_nothing(model):
    w = model.add_parameters((4, 3))
    xs = np.random.default_rng(1).normal(size=(6, 3))

    def run(autobatching):
        dy.renew_cg(autobatching=autobatching)
        model.reset_gradient()
        losses = [dy.squared_norm(softplus(w * dy.inputVector(x))) for x in xs]
        total = dy.esum(losses)
        total.backward()
        return [loss.value() for loss in losses], w.grad_as_array().tolist()

    assert run(True) == run(False)


def test_only_some_arguments_need_gradients(model):
    w, x = model.add_parameters(3), dy.inputVector([1, 2, 3])
    first = dy.Function(lambda a, b: a * b, lambda a, b, y, dy: [dy * b, None])
    assert dy.check_grad(model, dy.sum_elems(first(w, x)))
    assert not dy.check_grad(model, dy.sum_elems(first(x, w)), verbosity=0)
    constant = dy.Function(lambda: np.arange(2.0), lambda y, dy: [])
    assert constant().value() == [0, 1]


def test_methods_of_a_class(model):
    class Power(dy.Function):
        def __init__(self, n):
            super().__init__(lambda x: x**n, self.slope)
            self.n = n

        def slope(self, x, y, dy):
            return [dy * self.n * x ** (self.n - 1)]

    assert dy.check_grad(model, dy.sum_elems(Power(3)(model.add_parameters(4, init=0.5))))


def test_functions_live_as_long_as_their_graph(model):
    x = dy.inputVector([1, 2])
    function = dy.Function(lambda x: 2 * x, lambda x, y, dy: [2 * dy])
    alive, y = weakref.ref(function), function(x)
    del function
    gc.collect()
    assert y.value() == [2, 4] and alive()
    dy.renew_cg()
    gc.collect()
    assert alive() is None


def test_wrong_arrays(model):
    w = model.add_parameters(3)
    for forward, backward, match in [
        (
            lambda x: x[:2],
            lambda x, y, dy: [dy],
            r"forward returned an array of shape \{2\}; \{3\}",
        ),
        (lambda x: x, lambda x, y, dy: [], "0 gradients"),
        (lambda x: x, lambda x, y, dy: [dy, dy], "2 gradients"),
        (lambda x: x, lambda x, y, dy: [dy[:2]], "argument 0"),
    ]:
        wrong = dy.sum_elems(dy.Function(forward, backward, shape=(3,))(w))
        with pytest.raises(ValueError, match=match):
            wrong.backward()
    assert not w.grad_as_array().any()
    for result in (None, "text", [[1], [2, 3]]):
        with pytest.raises((TypeError, ValueError)):
            dy.sum_elems(dy.Function(lambda x, y=result: y, None, shape=(3,))(w)).value()
    with pytest.raises(ValueError):
        dy.Function(lambda x: x, None, shape=(0,))(w)


def test_errors_arrive_and_the_graph_goes_on(model):
    w = model.add_parameters(3, init=1)

    def fail(x):
        raise KeyError("mine")

    y = dy.Function(fail, None, shape=(3,))(w)
    with pytest.raises(KeyError, match="mine"):
        y.value()
    with pytest.raises(KeyError, match="mine"):
        dy.Function(fail, None)(w)
    assert dy.sum_elems(w).value() == 3

    def fail_backward(x, y, dy):
        raise KeyError("yours")

    y = dy.sum_elems(dy.Function(lambda x: x, fail_backward)(w))
    with pytest.raises(KeyError, match="yours"):
        y.backward()
    dy.sum_elems(w * 2).backward()
    assert w.grad_as_array().tolist() == [2, 2, 2]


def test_functions_must_not_change_parameters(model):
    w = model.add_parameters(3, init=1)
    trainer = dy.SimpleSGDTrainer(model)
    for act in (
        trainer.update,
        model.reset_gradient,
        lambda: w.set_value(np.zeros(3)),
        lambda: dy.check_grad(model, w),
    ):

        def forward(x, act=act):
            act()
            return x

        y = dy.Function(forward, lambda x, y, dy: [dy], shape=(3,))(w)
        with pytest.raises(RuntimeError):
            y.value()
    assert dy.sum_elems(w).value() == 3


def test_functions_may_use_another_graph(model):
    w = model.add_parameters(3, init=1)

    def forward(x):
        with dy.ComputationGraph():
            return dy.exp(dy.inputTensor(x)).npvalue()

    exp = dy.Function(forward, lambda x, y, dy: [y * dy])
    np.testing.assert_allclose(exp(w).npvalue(), np.exp([1, 1, 1]), rtol=1e-6)
    assert dy.check_grad(model, dy.sum_elems(exp(w)))


@pytest.mark.parametrize(
    "act",
    [
        lambda later: dy.renew_cg(),
        lambda later: later * 2,
        lambda later: dy.inputVector([1]),
        lambda later: dy.cg_revert(),
        lambda later: later.value(),
        lambda later: later.backward(),
        lambda later: later.value(recalculate=True),
    ],
    ids=["renew", "add", "input", "revert", "value", "backward", "recalculate"],
)
def test_functions_must_leave_the_graph_alone(act, model):
    w = model.add_parameters(3, init=1)
    dy.cg_checkpoint()
    later = dy.sum_elems(w * 4)

    def forward(x):
        act(later)
        return x

    y = dy.sum_elems(dy.Function(forward, lambda x, y, dy: [dy], shape=(3,))(w))
    with pytest.raises(RuntimeError, match="is being evaluated"):
        y.value()
    assert dy.sum_elems(w).value() == 3 and later.value() == 12


def test_check_grad(model, capsys):
    w, table = model.add_parameters(2, init=0.5), model.add_lookup_parameters((4, 2), init=0.25)
    loss = dy.sum_elems(dy.cmult(dy.exp(w), table[1] + table[3]))
    before = w.as_array().tolist(), table.as_array().tolist(), loss.value()
    assert dy.check_grad(model, loss)
    assert capsys.readouterr() == ("", "")
    assert dy.check_grad(model=model, expr=loss, verbosity=2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 + 4 and lines[0].startswith("/_0[0]: gradient 0.824")
    assert (w.as_array().tolist(), table.as_array().tolist(), loss.value()) == before
    assert not w.grad_as_array().any() and not table.grad_as_array().any()
    wrong = dy.Function(lambda x: x**2, lambda x, y, dy: [dy * x])
    assert not dy.check_grad(model, dy.sum_elems(wrong(w)))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.endswith("WRONG") for line in lines)
    assert not dy.check_grad(model, dy.sum_elems(wrong(w)), verbosity=0)
    assert capsys.readouterr().err == ""
    with pytest.raises(ValueError, match="scalar"):
        dy.check_grad(model, w * 2)
    assert dy.check_grad(model, dy.sum_elems(dy.flip_gradient(w)), 0) is False


def test_check_grad_with_weight_decay(model):
    model.set_weight_decay(0.1)
    w = model.add_parameters(3, init=0.5)
    dy.SimpleSGDTrainer(model).update()
    assert dy.check_grad(model, dy.sum_elems(dy.exp(w)))
