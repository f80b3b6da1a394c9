"""What users are told of calls that do not fit, and what inspect.signature says of those that do."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

import dynet as dy


@pytest.fixture(autouse=True)
def _graph():
    dy.renew_cg()


MODEL = dy.ParameterCollection()
PUBLIC = sorted(name for name in dy.__all__ if callable(getattr(dy, name)))


@pytest.mark.parametrize("name", PUBLIC)
def test_signatures(name):
    """Of every public function and class, and of their methods."""
    thing = getattr(dy, name)
    signature = inspect.signature(thing)
    if not isinstance(thing, type):
        assert str(signature) != "()" or not thing.__doc__.startswith(name + "(x")
        return
    for member, function in vars(thing).items():
        if callable(function) and not member.startswith("_"):
            assert "self" in inspect.signature(function).parameters or member == "from_spec"


def test_some_signatures():
    names = lambda f: list(inspect.signature(f).parameters)  # noqa: E731
    assert names(dy.pick) == ["e", "index", "dim"] and names(dy.AdamTrainer)[:2] == ["m", "alpha"]
    assert inspect.signature(dy.pick).parameters["index"].default == 0
    assert inspect.signature(dy.elu).parameters["alpha"].default == 1.0
    assert names(MODEL.add_parameters)[:2] == ["dim", "init"] and names(dy.LSTMBuilder)[0] == "layers"
    assert str(inspect.signature(dy.tanh)).replace("'", "") == "(x: Expression) -> Expression"

    class Mine(dy.GRUBuilder):
        def __init__(self, size):
            super().__init__(1, size, size, MODEL)

    assert names(Mine) == ["size"]


x = lambda: dy.inputVector([1, 2, 3])  # noqa: E731

# A wrong call, and the beginning of what it says.
WRONG = {
    "AdamTrainer: the keyword lr was given; it is called alpha here; the keywords are m, alpha, beta_1": (
        lambda: dy.AdamTrainer(MODEL, lr=0.1)
    ),
    "SimpleSGDTrainer: the keyword lr was given; it is called learning_rate here; the keywords are m and": (
        lambda: dy.SimpleSGDTrainer(MODEL, lr=0.1)
    ),
    "MomentumSGDTrainer: the keyword momentum was given; it is called mom here": (
        lambda: dy.MomentumSGDTrainer(MODEL, momentum=0.1)
    ),
    "VanillaLSTMBuilder: the keyword hidden_size was given; it is called hidden_dim here": (
        lambda: dy.LSTMBuilder(1, 2, hidden_size=3, model=MODEL)
    ),
    "softmax: the keyword axis was given; it is called d here; the keywords are x and d": (
        lambda: dy.softmax(x(), axis=0)
    ),
    "tanh: the keyword y was given; the keyword is x": lambda: dy.tanh(y=3),
    "cg_version: the keyword now was given; it takes no arguments": lambda: dy.cg_version(now=1),
    "add_parameters: the keyword initializer was given; it is called init here": (
        lambda: MODEL.add_parameters(3, initializer=0)
    ),
    "add_parameters: the keyword scal was given; it is called scale here": (
        lambda: MODEL.add_parameters(3, scal=1)
    ),
    "BiRNNBuilder: the keyword layers was given; it is called num_layers here": (
        lambda: dy.BiRNNBuilder(layers=1)
    ),
    "save: the keyword filename was given; it is called basename here; the keywords are basename, objects": (
        lambda: dy.save(filename="a", objects=[])
    ),
    "UnsignedValue: the keyword number was given; the keyword is val": lambda: dy.UnsignedValue(number=1),
    "tanh: x is a float; an Expression is needed, as scalarInput makes one of a number": lambda: dy.tanh(0.5),
    "tanh: x is a ndarray; an Expression is needed, as inputTensor makes one": lambda: dy.tanh(np.ones(3)),
    "tanh: x is a str; an Expression is needed": lambda: dy.tanh("a"),
    "cmult: y is None; an Expression is needed": lambda: dy.cmult(x(), None),
    "tanh: 2 arguments were given; it takes 1: x": lambda: dy.tanh(x(), 3),
    "tanh: x is missing; it is called as tanh(x)": lambda: dy.tanh(),
    "pick: e was given twice, by its place and by its name": lambda: dy.pick(x(), e=x()),
    "pick: index is a str; a whole number is needed": lambda: dy.pick(x(), "a"),
    "pick: index is an Expression; a whole number is needed, as its value() is": lambda: dy.pick(x(), x()),
    "dropout: p is a list; a number is needed": lambda: dy.dropout(x(), [1]),
    "log_softmax: restrict is an int; a list of whole numbers is needed, or d=1 for an axis": (
        lambda: dy.log_softmax(x(), 1)
    ),
    "save: name is a list; a text is needed; dynet.save saves lists of objects": (
        lambda: MODEL.save("a", [MODEL.add_parameters(2)])
    ),
    "SimpleSGDTrainer: the keyword e0 was given; it is called learning_rate here": (
        lambda: dy.SimpleSGDTrainer(MODEL, e0=0.1)
    ),
    "AdagradTrainer: the keyword e0 was given; it is called learning_rate here": (
        lambda: dy.AdagradTrainer(MODEL, e0=0.1)
    ),
    "AdamTrainer: the keyword beta was given; it is called beta_1 and beta_2 here": (
        lambda: dy.AdamTrainer(MODEL, beta=0.9)
    ),
    "whoami: 1 argument was given; it takes none": lambda: dy.GRUBuilder(1, 2, 3, MODEL).whoami(3),
    "esum: xs is an Expression; a list of expressions is needed": lambda: dy.esum(x()),
    "zeros: dim is a str; a whole number or a list of whole numbers is needed": lambda: dy.zeros("a"),
    "VanillaLSTMBuilder: input_dim is a str; a whole number is needed": (
        lambda: dy.LSTMBuilder(1, "a", 3, MODEL)
    ),
    "GRUBuilder: model is a list; a ParameterCollection is needed": lambda: dy.GRUBuilder(1, 2, 3, []),
    "GRUBuilder: hidden_dim and model are missing; it is called as GRUBuilder(layers, input_dim, hidden": (
        lambda: dy.GRUBuilder(1, 2)
    ),
    "AdamTrainer: alpha is a str; a number is needed": lambda: dy.AdamTrainer(MODEL, "a"),
    "lookup: p is a Parameters; a LookupParameters is needed": (
        lambda: dy.lookup(MODEL.add_parameters((2, 2)), 0)
    ),
    "set_updated: b is missing; it is called as set_updated(b)": lambda: MODEL.add_parameters(
        2
    ).set_updated(),
    "populate: fname is a float; a path is needed": lambda: MODEL.populate(0.5),
    "add_input: x is an int; an Expression is needed": (
        lambda: dy.GRUBuilder(1, 2, 3, MODEL).initial_state().add_input(3)
    ),
    "Trainer: no object of this class is made by its name; make a SimpleSGDTrainer": lambda: dy.Trainer(
        MODEL
    ),
    "RNNState: no object of this class is made by its name; a builder's initial_state": lambda: dy.RNNState(),
    "learning_rate: a str was given; a number is needed": lambda: setattr(
        dy.AdamTrainer(MODEL), "learning_rate", "a"
    ),
    "Expression": lambda: dy.Expression(),
}


@pytest.mark.parametrize("message", WRONG)
def test_arguments_that_do_not_fit(message):
    with pytest.raises(TypeError) as error:
        WRONG[message]()
    text = str(error.value)
    assert text.startswith(message) or message == "Expression"
    assert "\n" not in text and "incompatible" not in text and "__init__" not in text


# A call that is refused by an operation inside, and the beginning of what it says.
NAMED = {
    "average: ": lambda: dy.average([x(), dy.inputVector([1, 2])]),
    "emax: ": lambda: dy.emax([x(), dy.inputVector([1, 2])]),
    "concatenate_cols: ": lambda: dy.concatenate_cols([x(), dy.inputVector([1, 2])]),
    "trace_of_product: ": lambda: dy.trace_of_product(x(), dy.inputVector([1, 2])),
    "contract3d_1d_bias: ": lambda: dy.contract3d_1d_bias(x(), x(), x()),
    "add_input: VanillaLSTMBuilder: an input of shape {3} was given; a vector of 2 is needed": (
        lambda: dy.LSTMBuilder(1, 2, 4, MODEL).initial_state().add_input(x())
    ),
    "transduce: GRUBuilder: an input of shape {3} was given; a vector of 2 is needed": (
        lambda: dy.GRUBuilder(1, 2, 4, MODEL).initial_state().transduce([x()])
    ),
    "add_inputs: SimpleRNNBuilder: an input of shape {3}": (
        lambda: dy.SimpleRNNBuilder(1, 2, 4, MODEL).initial_state().add_inputs([x()])
    ),
    "StandardSoftmaxBuilder.neg_log_softmax: ": (
        lambda: dy.StandardSoftmaxBuilder(2, 4, MODEL).neg_log_softmax(x(), 0)
    ),
    "matmul: ": lambda: x() * x(),
    "pick: index 4 is out of range": lambda: dy.pick(x(), 4),
}


@pytest.mark.parametrize("message", NAMED)
def test_errors_begin_with_what_was_called(message):
    with pytest.raises((ValueError, IndexError)) as error:
        NAMED[message]()
    assert str(error.value).startswith(message)


def test_calls_inside_of_arguments_keep_their_names():
    with pytest.raises(IndexError, match=r"^pick: "):
        dy.average(dy.pick(x(), 9) for _ in range(2))
    with pytest.raises(ValueError, match=r"^matmul: "):
        dy.average(x() * x() for _ in range(2))
    with pytest.raises(IndexError, match=r"^pick: "):
        dy.cell(lambda a: dy.tanh(dy.pick(a, 9)))(x())


OLD = {
    "cwise_multiply": "cmult",
    "sum_cols": r"sum_dim\(x, \[1\]\)",
    "Saveable": "spec, from_spec",
    "relu": "rectify",
}


@pytest.mark.parametrize("name", OLD)
def test_names_of_older_programs(name):
    with pytest.raises(AttributeError, match=f"dynet has no {name}; today it is .*{OLD[name]}"):
        getattr(dy, name)()
    assert name not in dir(dy)


def test_names_before_and_after_the_first_graph():
    """Before it they are not there; from then on the module has no __getattr__, and refuses their use."""
    program = """
import copy, pickle, types
import dynet as dy

def refused(use):
    try:
        use()
    except AttributeError as error:
        return "today it is" in str(error)

assert refused(lambda: dy.sum_cols) and not hasattr(dy, "Saveable") and "sum_cols" not in dir(dy)
dy.renew_cg()
assert not hasattr(dy, "__getattr__") and not hasattr(dy, "nothing") and "sum_cols" not in dir(dy)
assert refused(lambda: dy.sum_cols(1)) and refused(lambda: types.new_class("Own", (dy.Saveable,)))
assert refused(lambda: copy.copy(dy.tensor)) and refused(lambda: pickle.dumps(dy.relu))
assert refused(lambda: isinstance(1, dy.Parameter)) and refused(lambda: dy.tensor.Linear), repr(dy.relu)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


TORCH = [
    "T",
    "item",
    "grad",
    "numpy",
    "detach",
    "size",
    "ndim",
    "dtype",
    "sum",
    "mean",
    "exp",
    "reshape",
    "cpu",
]


@pytest.mark.parametrize("name", TORCH)
def test_names_of_other_toolkits(name):
    """Expressions say what arrays of other toolkits are asked for; nobody finds the names in a list."""
    for thing in (x(), MODEL.add_parameters(2)):
        with pytest.raises(AttributeError, match=rf"^{type(thing).__name__} has no {name}; today it is "):
            getattr(thing, name)
        assert not hasattr(thing, name) and not hasattr(type(thing), name) and name not in dir(thing)
    assert {"dim", "value", "shape"} <= set(dir(x()))


@pytest.mark.parametrize("name", ["no_grad", "tensor", "Linear", "mse_loss"])
def test_modules_of_other_toolkits(name):
    with pytest.raises(AttributeError, match=f"dynet has no {name}; today it is "):
        getattr(dy, name)()


def test_names_that_are_set():
    trainer, builder = dy.AdamTrainer(MODEL), dy.GRUBuilder(1, 2, 3, MODEL)
    with pytest.raises(AttributeError, match="AdamTrainer has no lr; today it is learning_rate"):
        trainer.lr = 0.1
    with pytest.raises(AttributeError, match="AdamTrainer has no lr"):
        del trainer.lr
    builder.transduce = 3  # Builders take what programs give them.
    assert builder.transduce == 3 and "transduce" in dir(builder)
    del builder.transduce

    class Mine(dy.AdamTrainer):
        def step(self):
            return "mine"

    mine = Mine(MODEL)
    mine.lr = 0.1
    assert (mine.step(), mine.lr) == ("mine", 0.1)
    with pytest.raises(AttributeError, match="GRUBuilder has no transduce; today"):
        builder.transduce  # noqa: B018


def test_names_of_older_methods():
    p, table = MODEL.add_parameters(2), MODEL.add_lookup_parameters((2, 2))
    builder = dy.GRUBuilder(1, 2, 3, MODEL)
    for thing, name, today in [
        (MODEL, "load", "populate, or dynet.load"),
        (MODEL, "from_file", "populate, or dynet.load"),
        (p, "clip", "clip_inplace"),
        (MODEL, "save_all", "save"),
        (p, "load", "populate"),
        (p, "load_array", "set_value"),
        (table, "load_row", "init_row"),
        (dy.SimpleSGDTrainer(MODEL), "step", "update"),
        (builder, "add_input", "initial_state"),
    ]:
        with pytest.raises(
            AttributeError, match=f"{type(thing).__name__} has no {name}; today it is {today}"
        ):
            getattr(thing, name)
        assert not hasattr(thing, name)
        with pytest.raises(AttributeError, match="'nonsense'"):
            _ = thing.nonsense
    with pytest.raises(AttributeError, match="module 'dynet' has no attribute 'nonsense'"):
        _ = dy.nonsense
