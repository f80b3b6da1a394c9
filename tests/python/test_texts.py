"""What repr() and str() say of objects: what they are, and not where they lie."""

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


def objects(model):
    """Each with what its text must have."""
    matrix = model.add_parameters((3, 4), name="W")
    table = model.add_lookup_parameters((9, 4), name="E")
    frozen = model.add_parameters(5)
    frozen.set_updated(False)
    x = matrix * table[1]
    batch = dy.inputTensor(np.ones((4, 2)), batched=True)
    lstm = dy.VanillaLSTMBuilder(2, 4, 5, model)
    state = lstm.initial_state()
    one = dy.Function(np.exp, lambda x, y, dy: [y * dy])
    return [
        (
            model,
            [
                *("ParameterCollection /", "parameters and 1 table", "\n  /W (3, 4)\n", "/E (9, 4), a table"),
                *("/_0 (5,), at rest", "/vanilla-lstm-builder/ of 6 parameters, 420 numbers"),
            ],
        ),
        (dy.ParameterCollection(), ["0 parameters and 0 tables, 0 numbers"]),
        (matrix, ["Parameter /W of shape (3, 4)"]),
        (frozen, ["Parameter /_0 of shape (5,), which trainers leave as it is"]),
        (table, ["LookupParameter /E of shape (9, 4)"]),
        (x, ["expression", "of shape (3,)", "matmul"]),
        (batch, ["of shape (4,), a batch of 2: input"]),
        (x.tensor_value(), ["Tensor of floats of shape (3,)"]),
        (x.tensor_value().argmax(), ["Tensor of whole numbers of shape (1,): ["]),
        (dy.cg(), ["computation graph", "nodes"]),
        (lstm, ["VanillaLSTMBuilder(layers=2, input_dim=4, hidden_dim=5)"]),
        (dy.GRUBuilder(1, 2, 3, model), ["GRUBuilder(layers=1, input_dim=2, hidden_dim=3)"]),
        (state, ["the initial state of VanillaLSTMBuilder(layers=2"]),
        (state.add_input(table[0]), ["state 0 of VanillaLSTMBuilder(layers=2"]),
        (dy.StackedRNNState([state]), ["StackedRNNState", "VanillaLSTMBuilder"]),
        (dy.BiRNNBuilder(1, 4, 6, model, dy.GRUBuilder), ["BiRNNBuilder", "input_dim=4", "=6", "GRUBuilder"]),
        (dy.NaryTreeLSTMBuilder(2, 1, 3, 4, model), ["NaryTreeLSTMBuilder", "input_dim=3", "hidden_dim=4"]),
        (dy.StandardSoftmaxBuilder(4, 7, model), ["StandardSoftmaxBuilder", "(7, 4)"]),
        (dy.AdamTrainer(model, 0.0625), ["AdamTrainer(alpha=0.0625, beta_1=0.9, beta_2=0.999, eps=1e-08)"]),
        (dy.SimpleSGDTrainer(model), ["SimpleSGDTrainer(learning_rate=0.1), updates: 0"]),
        (dy.AdadeltaTrainer(model), ["AdadeltaTrainer(eps=1e-06, rho=0.95)"]),
        (dy.CyclicalSGDTrainer(model), ["learning_rate_min=0.01, learning_rate_max=0.1"]),
        (dy.NormalInitializer(1, 4), ["NormalInitializer(mean=1, var=4)"]),
        (dy.UniformInitializer(0.5), ["UniformInitializer(scale=0.5)"]),
        (dy.ConstInitializer(2), ["ConstInitializer(c=2)"]),
        (dy.IdentityInitializer(), ["IdentityInitializer()"]),
        (dy.GlorotInitializer(True), ["GlorotInitializer(is_lookup=True, gain=1)"]),
        (dy.SaxeInitializer(), ["SaxeInitializer(scale=1)"]),
        (dy.FromFileInitializer("some.txt"), ["FromFileInitializer(fname='some.txt')"]),
        (dy.NumpyInitializer(np.ones(7)), ["NumpyInitializer of 7 numbers"]),
        (dy.DynetParams(), ["DynetParams: seed 0"]),
        (dy.UnsignedValue(3), ["UnsignedValue(3)"]),
        (dy.FloatVectorValue([1, 2]), ["FloatVectorValue([1.0, 2.0])"]),
        (one, ["Function(forward="]),
    ]


def test_repr(model):
    for thing, words in objects(model):
        text = repr(thing)
        for word in words:
            assert word in text, text
        if not isinstance(thing, dy.Function):
            assert " at 0x" not in text


def test_rates_of_now(model):
    trainer = dy.AdamTrainer(model)
    trainer.learning_rate = 0.5
    trainer.update()
    assert "alpha=0.5," in repr(trainer) and repr(trainer).endswith("updates: 1")


def test_rates_of_dropout(model):
    lstm, coupled = dy.VanillaLSTMBuilder(1, 2, 3, model), dy.CoupledLSTMBuilder(1, 2, 3, model)
    tree = dy.NaryTreeLSTMBuilder(2, 1, 2, 3, model)
    for builder in (lstm, coupled, tree):
        assert "dropout" not in repr(builder)
        builder.set_dropout(0.5)
    assert repr(lstm).endswith("hidden_dim=3) with dropout of inputs 0.5, outputs 0.5")
    assert repr(coupled).endswith("inputs 0.5, outputs 0.5, memory cells 0.5")
    assert repr(tree).endswith("hidden_dim=3) with dropout of inputs 0.5, outputs 0.5")
    lstm.set_dropouts(0, 0.25)
    assert repr(lstm).endswith("hidden_dim=3) with dropout of outputs 0.25")
    coupled.disable_dropout()
    assert repr(coupled) == "CoupledLSTMBuilder(layers=1, input_dim=2, hidden_dim=3)"


def test_long_collections_are_cut(model):
    for _ in range(30):
        model.add_parameters(2)
    lines = repr(model).splitlines()
    assert len(lines) == 22 and lines[-1] == "  and 10 more"


def test_str_is_that_of_dynet_2(model):
    p, table = model.add_parameters(2), model.add_lookup_parameters((3, 2), name="t")
    x = dy.scalarInput(1)
    assert (str(p), str(table)) == ("Parameter /_0", "LookupParameter /t")
    assert str(x) == f"{x}" == f"expression 0/{dy.cg_version()}"
    assert str(x.tensor_value()) == "<Dynet Tensor:float>"


def test_what_is_gone(model):
    x, graph = dy.scalarInput(1), dy.ComputationGraph()
    with graph:
        y = dy.scalarInput(1)
        inner = dy.cg()
    assert "of shape (1,)" in repr(y)
    dy.renew_cg()
    assert repr(x).endswith(", which is stale")
    del graph
    assert repr(y).endswith(", which is stale") and repr(inner) == "computation graph that has ended"
