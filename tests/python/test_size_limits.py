"""Parameters, tables and builders without numbers, or with too many, are refused where they are made."""

import re

import numpy as np
import pytest
from every_kind import RNN_BUILDERS

import dynet as dy

BUILDERS = [*RNN_BUILDERS, dy.UnidirectionalTreeLSTMBuilder, dy.BidirectionalTreeLSTMBuilder]


def listed(model):
    """The names of all parameters, and that of the next one."""
    names = [p.name() for p in [*model.parameters_list(), *model.lookup_parameters_list()]]
    return [*names, model.add_parameters(1).name(), model.add_subcollection("birnn").name()]


@pytest.mark.parametrize("size", [0, (0,), (3, 0), (0, 3), (2, 0, 3), (0, 0)])
def test_parameters_without_numbers(size):
    model = dy.ParameterCollection()
    shape = "{" + ",".join(map(str, np.atleast_1d(size))) + "}"
    for make in (model.add_parameters, lambda s: model.add_parameters(s, init=dy.ConstInitializer(1))):
        with pytest.raises(ValueError, match=re.escape(f"add_parameters: a parameter of shape {shape} was")):
            make(size)
    with pytest.raises(ValueError, match="lookup"):
        model.add_lookup_parameters(size)
    for make in (model.parameters_from_numpy, model.lookup_parameters_from_numpy):
        with pytest.raises(ValueError, match="axis of size 0"):
            make(np.zeros(size))
    with pytest.raises(ValueError, match="axis of size 0"):
        model.add_parameters(3, init=np.zeros(size))
    assert listed(model) == listed(dy.ParameterCollection())


HUGE = [(2**16,) * 4, (2**31, 2**31, 4), (2**32 - 1, 2**32 - 1, 2**31), (2**31, 2**31)]


@pytest.mark.parametrize("shape", HUGE, ids=str)
def test_more_numbers_than_memory_can_hold(shape):
    model = dy.ParameterCollection()
    for make in (model.add_parameters, model.add_lookup_parameters, dy.zeros, dy.random_normal):
        with pytest.raises((MemoryError, ValueError), match="memory"):
            make(shape)
    with pytest.raises((MemoryError, ValueError), match=r"memory|elements"):
        dy.sparse_inputTensor([[0]] * len(shape), [1.0], shape)
    assert listed(model) == listed(dy.ParameterCollection())


def test_parameters_without_axes():
    model = dy.ParameterCollection()
    for init in (None, 1, np.array(0.5)):
        with pytest.raises(
            ValueError, match=r"add_parameters: a parameter without sizes was asked for; \{1\}"
        ):
            model.add_parameters((), init=init)
    assert listed(model) == listed(dy.ParameterCollection())


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("sizes", [(1, 0, 2), (1, 2, 0), (1, 0, 0), (2, 0, 2)])
def test_builders_without_numbers(kind, sizes):
    model = dy.ParameterCollection()
    with pytest.raises(ValueError, match=r"1|equal|at least one"):
        kind(*sizes, model)
    assert listed(model) == listed(dy.ParameterCollection())


def test_other_builders_without_numbers(tmp_path):
    model = dy.ParameterCollection()
    (tmp_path / "clusters").write_text("a x\na y\nb z\n")
    words = {"x": 0, "y": 1, "z": 2}
    calls = [
        lambda: dy.StandardSoftmaxBuilder(0, 3, model),
        lambda: dy.StandardSoftmaxBuilder(3, 0, model),
        lambda: dy.ClassFactoredSoftmaxBuilder(0, tmp_path / "clusters", words, model),
        lambda: dy.NaryTreeLSTMBuilder(2, 1, 0, 3, model),
        lambda: dy.NaryTreeLSTMBuilder(2, 1, 3, 0, model),
        lambda: dy.BiRNNBuilder(1, 0, 4, model, dy.VanillaLSTMBuilder),
        lambda: dy.BiRNNBuilder(1, 3, 0, model, dy.VanillaLSTMBuilder),
        lambda: dy.BiRNNBuilder(1, 3, 4, model, None),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"at least|needed|neither|1"):
            call()
    assert listed(model) == listed(dy.ParameterCollection())


@pytest.mark.parametrize(
    "header",
    [
        "#Parameter# /_0 {0} 10",
        "#Parameter# /_0 {3,0} 10",
        "#LookupParameter# /_0 {0,3} 10",
        "#LookupParameter# /_0 {3,0} 10",
        "#LookupParameter# /_0 {0} 10",
        "#LookupParameter# /_0 {4294967295,4294967295} 10",
    ],
)
def test_files_of_parameters_without_numbers(tmp_path, header):
    file = tmp_path / "model"
    file.write_text(f"{header} ZERO_GRAD\n\n")
    model = dy.ParameterCollection()
    load = model.load_lookup_param if "Lookup" in header else model.load_param
    with pytest.raises((ValueError, RuntimeError, MemoryError)):
        load(file, "/_0")
    assert listed(model) == listed(dy.ParameterCollection())


ERRORS = {
    "pick: index -4 is out of range": lambda x, m: dy.pick(x, -4),
    "pick: a whole number of more than 64 bits": lambda x, m: dy.pick(x, 2**70),
    "inputTensorTranspose: nan was given": lambda x, m: dy.inputTensorTranspose([1.0], float("nan")),
    "inputTensorTranspose: size of axis 0 is 0": lambda x, m: dy.inputTensorTranspose([1.0], 0),
    "one_hot: 1.5 was given": lambda x, m: dy.one_hot(3, 1.5),
    "esum: element 1 of a list of expressions is an int": lambda x, m: dy.esum([x, 1]),
    "set_value: an array of shape": lambda x, m: m.add_parameters(3).set_value([1]),
    "set_clip_threshold|incompatible": lambda x, m: dy.AdamTrainer(m).set_clip_threshold("a"),
    "initial_state: an int was given; a builder": lambda x, m: dy.VanillaLSTMBuilder.initial_state(3),
    "from_spec: a size is a str": lambda x, m: dy.ClassFactoredSoftmaxBuilder.from_spec(("a", [], [], 1), m),
    "restart": lambda x, m: dy.AdamTrainer(m).restart("a"),
    "row_as_array: /_0: row 9": lambda x, m: m.add_lookup_parameters((2, 3)).row_as_array(9),
    "NormalInitializer: a whole number of more than 1000 bits": lambda x, m: dy.NormalInitializer(10**400),
    "another class, or one whose __init__": lambda x, m: dy.ComputationGraph.__enter__(5),
}


@pytest.mark.parametrize("text", ERRORS)
def test_errors_name_the_call_and_what_was_given(text):
    dy.renew_cg()
    with pytest.raises((ValueError, TypeError, IndexError), match=text):
        ERRORS[text](dy.inputVector([1, 2, 3]), dy.ParameterCollection())


def test_errors_of_conversions_reach_the_program():
    class Broken:
        def __index__(self):
            raise KeyError("mine")

        __float__ = __bool__ = __array__ = __iter__ = __index__

    dy.renew_cg()
    x, p = dy.inputVector([1, 2, 3]), dy.ParameterCollection().add_parameters(3)
    calls = [
        lambda: dy.pick(x, Broken()),
        lambda: dy.pick(x, index=Broken()),
        lambda: dy.select_rows(x, [Broken()]),
        lambda: x[Broken()],
        lambda: x * Broken(),
        lambda: dy.inputTensorTranspose([1.0, 2.0], Broken()),
        lambda: dy.inputTensorTranspose([1.0, 2.0], (2, Broken())),
        lambda: dy.inputVector([Broken()]),
        lambda: x.set(Broken()),
        lambda: p.set_value(Broken()),
        lambda: x.value(Broken()),
        lambda: dy.esum(Broken()),
    ]
    for call in calls:
        with pytest.raises(KeyError, match="mine"):
            call()


def wide(n, batch=1):
    """A node of many numbers, which are never made."""
    return dy.zeros(n, batch)


@pytest.mark.parametrize(
    "make",
    [
        lambda: dy.concatenate([wide(2**32 - 1), wide(2)]),
        lambda: dy.concatenate([wide(65536)] * 65537),
        lambda: dy.concatenate_cols([wide((1, 2**31))] * 2),
        lambda: dy.concatenate_to_batch([wide(1, 2**31), wide(1, 2**31), wide(1)]),
        lambda: wide((2**16, 2**16)),
        lambda: wide((2**16, 1)) * wide((1, 2**16)),
        lambda: dy.maxpooling2d(wide((6, 6, 2)), [2**31, 2**31], [2**31, 2**31], False),
        lambda: dy.maxpooling2d(wide((6, 6, 4)), [2**30, 2**30], [1, 1], False),
        lambda: dy.maxpooling2d(wide((6, 6, 1), 8), [2**30, 2**29], [1, 1], False),
    ],
)
def test_nodes_of_more_numbers_than_kernels_count(make):
    dy.renew_cg()
    with pytest.raises(MemoryError, match="out of memory"):
        make()
    assert dy.ones(2).value() == [1, 1]


def test_gates_of_states_that_are_too_large():
    dy.renew_cg()
    h = 2**30
    with pytest.raises(ValueError, match=rf"vanilla_lstm_h: gates .*\{{{4 * h}\}}"):
        dy.vanilla_lstm_h(wide(h), wide(2**32 - 4))
    with pytest.raises(ValueError, match="vanilla_lstm_gates: gates"):
        dy.vanilla_lstm_gates(wide(1), wide(h + 1), wide((4, 1)), wide((4, 2**20)), wide(4))


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("sizes", [(2**31, 2, 2), (2**32 - 1, 2, 2), (1, 2, 2**30 + 2), (1, 2**31, 2**31)])
def test_builders_of_too_many_layers_or_numbers(kind, sizes):
    model = dy.ParameterCollection()
    with pytest.raises((ValueError, MemoryError), match=r"layers|size"):
        kind(*sizes, model)
    with pytest.raises((ValueError, MemoryError), match=r"layers|size"):
        dy.NaryTreeLSTMBuilder(2, *sizes, model)
    assert listed(model) == listed(dy.ParameterCollection())
