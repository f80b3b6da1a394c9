"""Wherever a number is meant an array without axes is one, and so are the scalars of NumPy."""

import inspect

import numpy as np
import pytest

import dynet as dy


def kinds(number):
    """The same number in every form it may come in."""
    yield from (np.array(number), np.float64(number), np.float32(number), np.array(number, np.float32))
    yield np.array(number, dtype=object)
    if number == int(number):
        yield from (np.array(int(number)), np.int64(number), np.uint8(number), np.array(number, np.int16))
        yield from (float(number), np.array([number])[0], np.array(number, ">i4"))


def model():
    return dy.ParameterCollection()


def trainer():
    return dy.SimpleSGDTrainer(model())


def as_it_is(call):
    """The calls of a function of one number, and what they give."""
    dy.reset_random_seed(3)
    dy.renew_cg()
    result = call()
    if isinstance(result, dy.Parameters):
        return result.as_array().tolist()
    return result.npvalue().tolist() if isinstance(result, dy.Expression) else result


V = lambda: dy.inputVector([1, 2, 3])  # noqa: E731
M = lambda: dy.inputTensor([[1, 2], [3, 4], [5, 6]])  # noqa: E731

REAL = {
    "scalarInput": lambda n: dy.scalarInput(n),
    "set": lambda n: [s := dy.scalarInput(1), s.set(n)][0],
    "constant": lambda n: dy.constant((2,), n),
    "dropout": lambda n: dy.dropout(V(), n),
    "dropout_dim": lambda n: dy.dropout_dim(M(), 0, n),
    "dropout_batch": lambda n: dy.dropout_batch(V(), n),
    "block_dropout": lambda n: dy.block_dropout(V(), n),
    "noise": lambda n: dy.noise(V(), n),
    "elu": lambda n: dy.elu(-V(), n),
    "silu": lambda n: dy.silu(V(), n),
    "attention": lambda n: dy.attention(M(), M(), M(), dropout=n / 2),
    "leaky_relu": lambda n: dy.leaky_relu(-V(), n),
    "masked_fill": lambda n: dy.masked_fill(V(), V(), n),
    "pad": lambda n: dy.pad(M(), 1, 1, value=n),
    "layer_norm": lambda n: dy.layer_norm(M(), M(), M(), [0], n),
    "rms_norm": lambda n: dy.rms_norm(M(), M(), [0], n),
    "huber_distance": lambda n: dy.huber_distance(V(), V() + 2, n),
    "hinge": lambda n: dy.hinge(V(), 1, n),
    "pairwise_rank_loss": lambda n: dy.pairwise_rank_loss(V(), V(), n),
    "scale_gradient": lambda n: dy.scale_gradient(V(), n),
    "random_bernoulli": lambda n: dy.random_bernoulli(3, n, scale=n),
    "random_normal": lambda n: dy.random_normal(3, n, n),
    "random_uniform": lambda n: dy.random_uniform(3, n - n, n),
    "plus": lambda n: V() + n,
    "minus": lambda n: n - V(),
    "times": lambda n: n * V(),
    "over": lambda n: V() / n,
    "under": lambda n: n / V(),
    "power": lambda n: V() ** n,
    "base": lambda n: n ** V(),
    "sparse_inputTensor": lambda n: dy.sparse_inputTensor([[1]], [2], (3,), defval=n),
    "add_parameters": lambda n: model().add_parameters((2, 3), init=n),
    "add_parameters scale": lambda n: model().add_parameters((2, 3), init="uniform", scale=n),
    "add_parameters mean": lambda n: model().add_parameters((2, 3), init="normal", mean=n, std=n),
    "add_lookup_parameters": lambda n: model().add_lookup_parameters((2, 3), init=n).as_array().tolist(),
    "ConstInitializer": lambda n: model().add_parameters(2, dy.ConstInitializer(n)),
    "NormalInitializer": lambda n: model().add_parameters(2, dy.NormalInitializer(n, n)),
    "UniformInitializer": lambda n: model().add_parameters(2, dy.UniformInitializer(n)),
    "GlorotInitializer": lambda n: model().add_parameters(2, dy.GlorotInitializer(gain=n)),
    "SaxeInitializer": lambda n: model().add_parameters((2, 2), dy.SaxeInitializer(n)),
    "AdamTrainer": lambda n: dy.AdamTrainer(model(), n, n / 2, n / 2, n).learning_rate,
    "learning_rate": lambda n: [t := trainer(), setattr(t, "learning_rate", n)][0].learning_rate,
    "restart": lambda n: [t := trainer(), t.restart(n)][0].learning_rate,
    "set_clip_threshold": lambda n: [t := trainer(), t.set_clip_threshold(n)][0].get_clip_threshold(),
    "set_weight_decay": lambda n: [m := model(), m.set_weight_decay(n / 10)][0].get_weight_decay(),
    "scale": lambda n: [p := model().add_parameters(2, init=1), p.scale(n)][0],
    "clip_inplace": lambda n: [p := model().add_parameters(2, init=9), p.clip_inplace(n, n)][0],
    "forget_bias": lambda n: dy.LSTMBuilder(1, 2, 2, model(), forget_bias=n).spec[-1],
    "set_dropout": lambda n: dy.GRUBuilder(1, 2, 2, model()).set_dropout(n / 9),
    "set_dropouts": lambda n: dy.LSTMBuilder(1, 2, 2, model()).set_dropouts(n / 9, n / 9),
    "a list": lambda n: dy.inputVector([n, 1, n]),
    "a row": lambda n: model().add_lookup_parameters((2, 2)).init_row(0, [n, n]),
}
WHOLE = {
    "zeros": lambda n: dy.zeros(n, n),
    "reshape": lambda n: dy.reshape(M(), (n, 3)),
    "vecInput": lambda n: dy.vecInput(n),
    "one_hot": lambda n: dy.one_hot(9, n),
    "pick": lambda n: dy.pick(V(), n),
    "index": lambda n: V()[int(n)],
    "slice": lambda n: V()[:n],
    "top_k": lambda n: dy.top_k(V(), n),
    "kmax_pooling": lambda n: dy.kmax_pooling(dy.transpose(M()), n),
    "pickneglogsoftmax": lambda n: dy.pickneglogsoftmax(V(), n),
    "select_rows": lambda n: dy.select_rows(V(), [n, 0]),
    "hinge": lambda n: dy.hinge(V(), n),
    "sum_dim": lambda n: dy.sum_dim(M(), [n - n]),
    "poisson_loss": lambda n: dy.poisson_loss(dy.scalarInput(1), n),
    "lookup": lambda n: dy.lookup(model().add_lookup_parameters((3, 2)), n),
    "table": lambda n: model().add_lookup_parameters((3, 2))[n],
    "add_parameters": lambda n: model().add_parameters((n, n)),
    "LSTMBuilder": lambda n: dy.LSTMBuilder(n, n, n, model()).spec,
    "BiRNNBuilder": lambda n: dy.BiRNNBuilder(n, n, n, model(), dy.LSTMBuilder).spec[:3],
    "reset_random_seed": lambda n: dy.reset_random_seed(n),
    "row_as_array": lambda n: model().add_lookup_parameters((3, 2)).row_as_array(n).tolist(),
}


@pytest.mark.parametrize("name", REAL)
def test_real_numbers(name):
    for number in (0.5, 1.0):
        if name == "dropout" and number == 1:
            continue
        want = as_it_is(lambda: REAL[name](number))  # noqa: B023
        for same in kinds(number):
            assert as_it_is(lambda: REAL[name](same)) == want, repr(same)  # noqa: B023


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name):
    want = as_it_is(lambda: WHOLE[name](2))
    for same in kinds(2.0):
        assert as_it_is(lambda: WHOLE[name](same)) == want, repr(same)  # noqa: B023


NO_NUMBERS = [
    np.array("0.5"),
    np.array([0.5, 1]),
    np.array(1j),
    np.complex64(1),
    np.array(None),
    np.array({}),
]


@pytest.mark.parametrize("wrong", NO_NUMBERS, ids=repr)
def test_what_is_no_number(wrong):
    dy.renew_cg()
    for call in (dy.scalarInput, lambda n: dy.dropout(V(), n), lambda n: dy.constant(2, n), dy.zeros):
        if call is dy.zeros and wrong.shape == (2,):
            continue
        with pytest.raises(TypeError):
            call(wrong)
    with pytest.raises(ValueError, match="whole number"):
        dy.pick(V(), np.array(0.5))


def test_numbers_of_torch():
    torch = pytest.importorskip("torch")
    dy.renew_cg()
    assert dy.scalarInput(torch.tensor(0.5)).value() == 0.5 and dy.pick(V(), torch.tensor(1)).value() == 2
    assert (V() + torch.ones(3)).value() == (torch.ones(3) + V()).value() == [2, 3, 4]


def test_every_function_of_a_number_was_tried():
    """Those of the module, by what their signatures say."""
    tried = " ".join(inspect.getsource(f) for f in (*REAL.values(), *WHOLE.values()))
    for name in dy.ops():
        function = getattr(dy, name, None)
        parameters = inspect.signature(function).parameters.values() if callable(function) else ()
        if any(p.annotation == "float" for p in parameters):
            known = name.startswith(("hinge_", "vanilla_lstm_", "random_gumbel"))
            assert known or f"dy.{name}" in tried, name
