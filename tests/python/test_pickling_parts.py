"""Pickles and deep copies of builders, initializers and a program's classes; bad parts are refused."""

import copy
import pickle

import numpy as np
import pytest
from learned_model import WAYS, Model, names, numbers

import dynet as dy


@pytest.fixture(params=WAYS)
def again(request):
    return WAYS[request.param]


def rnn_builders(model):
    kinds = [
        dy.SimpleRNNBuilder,
        dy.GRUBuilder,
        dy.CoupledLSTMBuilder,
        dy.DeepLSTMBuilder,
        dy.FastLSTMBuilder,
    ]
    kinds += [dy.VanillaLSTMBuilder, dy.SparseLSTMBuilder, dy.CompactVanillaLSTMBuilder]
    made = [kind(2, 3, 4, model) for kind in kinds]
    made.append(dy.VanillaLSTMBuilder(2, 3, 4, model, ln_lstm=True, forget_bias=0.25))
    made.append(dy.SparseLSTMBuilder(1, 3, 4, model, True, 0.5))
    made[6].set_sparsity(0.5)
    return made


def read(builder):
    dy.reset_random_seed(5)
    dy.renew_cg()
    return builder.initial_state().transduce([dy.inputVector([1, 2, i]) for i in range(3)])[-1].npvalue()


@pytest.mark.parametrize("number", range(10))
def test_recurrent_builders(again, number):
    model = dy.ParameterCollection()
    model.add_parameters(1)
    builder = rnn_builders(model)[number]
    builder.param_collection().add_parameters(7, init=2)
    builder.set_dropouts(0.25, 0.5)
    if isinstance(builder, dy.CompactVanillaLSTMBuilder):
        builder.set_weightnoise(0.5)
    read(builder)
    other, collection = again((builder, model))
    assert repr(other) == repr(builder) and type(other) is type(builder)
    assert names(collection) == names(model) and numbers(collection) == numbers(model)
    assert other.param_collection().name() == builder.param_collection().name()
    # Rates of dropout and noise come along, and its random numbers are those of the other.
    assert np.all(read(other) == read(builder))
    builder.disable_dropout()
    assert not np.all(read(other) == read(builder))
    for one, two in zip(builder.get_parameters(), other.get_parameters(), strict=True):
        assert [p.name() for p in one] == [p.name() for p in two]


@pytest.mark.parametrize("kind", ["nary", "unidirectional", "bidirectional"])
def test_tree_builders(again, kind):
    model = dy.ParameterCollection()
    builder = {
        "nary": lambda: dy.NaryTreeLSTMBuilder(2, 2, 4, 4, model),
        "unidirectional": lambda: dy.UnidirectionalTreeLSTMBuilder(2, 4, 4, model),
        "bidirectional": lambda: dy.BidirectionalTreeLSTMBuilder(2, 4, 4, model),
    }[kind]()
    builder.set_dropouts(0.25, 0.5)
    other, collection = again([builder, model])

    def root(b):
        dy.reset_random_seed(5)
        dy.renew_cg()
        b.start_new_sequence()
        b.add_input(0, [], dy.inputVector([1, 2, 3, 4]))
        return b.add_input(1, [0], dy.inputVector([4, 3, 2, 1])).npvalue()

    assert np.all(root(other) == root(builder)) and names(collection) == names(model)
    other.get_parameters()[0][0].zero()
    assert numbers(collection) != numbers(model)


@pytest.mark.parametrize("kind", ["standard", "without bias", "classes", "tree"])
def test_softmax_builders(again, kind, tmp_path):
    model = dy.ParameterCollection()
    (tmp_path / "classes").write_text("a x\na y\nb z\n")
    (tmp_path / "tree").write_text("0 0\tx\n0 1\ty\n1\tz\n")
    words = {"x": 0, "y": 1, "z": 2}
    builder = {
        "standard": lambda: dy.StandardSoftmaxBuilder(3, 3, model),
        "without bias": lambda: dy.StandardSoftmaxBuilder(3, 3, model, False),
        "classes": lambda: dy.ClassFactoredSoftmaxBuilder(3, tmp_path / "classes", words, model),
        "tree": lambda: dy.HierarchicalSoftmaxBuilder(3, tmp_path / "tree", words, model),
    }[kind]()
    other, collection = again([builder, model])
    dy.renew_cg()
    x = dy.inputVector([1, 2, 3])
    assert np.all(other.full_log_distribution(x).npvalue() == builder.full_log_distribution(x).npvalue())
    assert other.spec == builder.spec and names(collection) == names(model)


class MyCollection(dy.ParameterCollection):
    def __init__(self, size):
        super().__init__()
        self.size = size


class MyLSTM(dy.VanillaLSTMBuilder):
    def __init__(self, size, model):
        super().__init__(1, size, size, model, forget_bias=0.5)
        self.size, self.model, self.own = size, model, model.add_parameters(size, init=size)


class MyTrainer(dy.AdamTrainer):
    def __init__(self, model, note):
        super().__init__(model, 0.5)
        self.note = note


class MyClasses(dy.ClassFactoredSoftmaxBuilder):
    __slots__ = ("note",)


class MyInitializer(dy.NormalInitializer):
    def __init__(self):
        super().__init__(2, 3)
        self.note = "n"


def test_classes_of_a_program(again, tmp_path):
    (tmp_path / "classes").write_text("a x\na y\n")
    collection = MyCollection(3)
    lstm, trainer = MyLSTM(3, collection), MyTrainer(collection, "noted")
    classes = MyClasses(3, tmp_path / "classes", {"x": 0, "y": 1}, collection)
    classes.note = lstm
    parts = [collection, lstm, trainer, classes, MyInitializer()]
    collection_, lstm_, trainer_, classes_, initializer = again(parts)
    assert (type(collection_), type(lstm_), type(trainer_)) == (MyCollection, MyLSTM, MyTrainer)
    assert collection_.size == lstm_.size == 3 and trainer_.note == "noted" and classes_.note is lstm_
    assert lstm_.model is collection_ and names(collection_) == names(collection)
    assert repr(initializer).startswith("NormalInitializer(mean=2, var=3") and initializer.note == "n"
    lstm_.own.zero()
    assert not np.any({p.name(): p for p in collection_.parameters_list()}[lstm_.own.name()].as_array())
    assert trainer_.learning_rate == 0.5 and repr(trainer_) == repr(trainer)


class Chosen(dy.GRUBuilder):
    """It says itself what is pickled of it."""

    def __getstate__(self):
        return {**self.__dict__, "left": None}

    def __setstate__(self, state):
        self.__dict__.update(state, restored=True)


def test_states_that_a_class_chooses(again):
    builder = Chosen(1, 2, 3, dy.ParameterCollection())
    builder.left, builder.kept = object(), [1]
    state = builder.initial_state()
    other = again(builder)
    assert (other.left, other.kept, other.restored) == (None, [1], True)
    assert other.initial_state() is not state and other.initial_state() is other.initial_state()


INITIALIZERS = [
    dy.NormalInitializer(1, 2),
    dy.UniformInitializer(0.5),
    dy.ConstInitializer(3),
    dy.IdentityInitializer(),
    dy.GlorotInitializer(True, 0.5),
    dy.SaxeInitializer(2),
    dy.FromFileInitializer("numbers"),
    dy.NumpyInitializer(np.arange(6.0).reshape(2, 3)),
]


@pytest.mark.parametrize("init", INITIALIZERS, ids=repr)
def test_initializers(again, init):
    other, shallow = again(init), copy.copy(init)
    assert type(other) is type(init) and repr(other) == repr(init) == repr(shallow)
    if not isinstance(init, dy.FromFileInitializer):
        shape = (2, 3) if isinstance(init, dy.NumpyInitializer) else (3, 3)
        arrays = []
        for each in (init, other):
            dy.reset_random_seed(2)
            arrays.append(dy.ParameterCollection().add_parameters(shape, init=each).as_array())
        assert np.all(arrays[0] == arrays[1])


def a_step(x):
    return dy.tanh(x)


def test_functions(again):
    """Operations, methods, functions of NumPy and recorded steps, which are found or made anew."""
    model = Model()
    things = [
        dy.tanh,
        dy.squared_norm,
        dy.GRUBuilder.from_spec,
        model.rnn.initial_state,
        dy.Function(abs, a_step),
    ]
    tanh, norm, from_spec, initial_state, function = again(things)
    assert tanh is dy.tanh and norm is dy.squared_norm
    assert from_spec.__qualname__ == "GRUBuilder.from_spec"
    assert isinstance(initial_state(), dy.RNNState)
    assert function.forward is abs and function.backward is a_step


def parts_of(what):
    """What is pickled of an object, in place: the function and its arguments."""
    return what.__reduce__()[:2]


def test_bad_parts_are_refused():
    from dynet import pickling

    model = dy.ParameterCollection()
    p = model.add_parameters((2, 3))
    table = model.add_lookup_parameters((4, 2))
    array = p.as_array()
    good = (b"/", None, 0.0, [p], [table], {b"": 1}, {}, [])
    assert names(pickling.collection(*good)) == ["/_0", "/_1"]

    def bad(place, value):
        return (*good[:place], value, *good[place + 1 :])

    wrong = [
        *(
            (pickling.parameter, (False, a, b"/p", True))
            for a in ("x", None, [1, 2], np.array(["a"]), np.array([]))
        ),
        *((pickling.parameter, (True, a, b"/p", True)) for a in (np.zeros((0, 3)), np.zeros((3, 0)))),
        *((pickling.parameter, (False, array, name, True)) for name in (b"", b"/a\nb", "text", None)),
        (pickling.parameter, (3, array, b"/p", "yes")),
        *((pickling.collection, bad(0, name)) for name in (b"", b"x", b"/\n/", "/", None)),
        *((pickling.collection, bad(1, parent)) for parent in (3, p, model)),
        *((pickling.collection, bad(2, decay)) for decay in (-1, 1, float("nan"), "x")),
        *((pickling.collection, bad(3, listed)) for listed in ([table], [p, p], [3], None, 3)),
        *((pickling.collection, bad(4, listed)) for listed in ([p], [table, table], [None])),
        *((pickling.collection, bad(5, counts)) for counts in ({b"a": -1}, {"a": 1}, {b"a": "x"}, [1])),
        (pickling.collection, bad(7, [3])),
        (pickling.collection, good[:4]),
        *((pickling.handle, (what,)) for what in (3, None, dy.AdamTrainer(model))),
        *((pickling.collection_as, (kind, model)) for kind in (int, dy.GRUBuilder, 3)),
        (pickling.collection_as, (MyCollection, 3)),
    ]
    other = dy.ParameterCollection()
    q = other.add_parameters(1)
    wrong.append((pickling.collection, (b"/a/", model, 0.0, [q], [], {}, {}, [])))
    for make, arguments in wrong:
        with pytest.raises((TypeError, ValueError, UnicodeError, OverflowError)):
            make(*arguments)
    assert names(model) == ["/_0", "/_1"]


def test_bad_builders_are_refused():
    from dynet import pickling

    model = dy.ParameterCollection()
    lstm = dy.VanillaLSTMBuilder(1, 2, 3, model)
    make, (kind, base, spec, collections, rates) = parts_of(lstm)
    collections = [each.handle for each in collections]
    assert repr(make(kind, base, spec, collections, rates)) == repr(lstm)
    empty = dy.ParameterCollection()
    for arguments in (
        (dy.GRUBuilder, dy.GRUBuilder, (1, 2, 3), collections, rates),
        (kind, base, (2, *spec[1:]), collections, rates),
        (kind, base, (2**31, *spec[1:]), collections, rates),
        (kind, base, (1, 2, 4, False, 1.0), collections, rates),
        (kind, base, (1, 2, 3, True, 1.0), collections, rates),
        (kind, base, spec[:2], collections, rates),
        (kind, base, None, collections, rates),
        (kind, base, spec, [], rates),
        (kind, base, spec, [empty], rates),
        (kind, base, spec, [3], rates),
        (kind, base, spec, collections * 2, rates),
        (kind, base, spec, collections, rates[:1]),
        (kind, base, spec, collections, [2.0, 0, 0]),
        (kind, base, spec, collections, ["x", 0, 0]),
        (kind, base, spec, collections, None),
        (int, int, spec, collections, rates),
        (kind, MyLSTM, spec, collections, rates),
        (dy.GRUBuilder, base, spec, collections, rates),
        (kind, dy.AdamTrainer, spec, collections, rates),
        (3, 4, spec, collections, rates),
    ):
        with pytest.raises((TypeError, ValueError, IndexError, MemoryError)):
            pickling.builder(*arguments)
    assert not empty.parameters_list() and len(model.parameters_list()) == 3
    # What was given is forgotten again.
    assert len(dy.GRUBuilder(1, 2, 3, model).param_collection().parameters_list()) == 9


def test_bad_trainers_are_refused():
    from dynet import pickling

    model = dy.ParameterCollection()
    model.add_parameters(2)
    model.add_lookup_parameters((3, 2))
    trainer = dy.AdamTrainer(model)
    dy.renew_cg()
    (dy.squared_norm(model.parameters_list()[0])).backward()
    trainer.update()
    make, (kind, base, shared, numbers_, lists) = parts_of(trainer)
    assert repr(make(kind, base, model, numbers_, lists)) == repr(trainer)

    def number(place, value):
        return (*numbers_[:place], value, *numbers_[place + 1 :])

    for arguments in (
        (kind, base, 3, numbers_, lists),
        (kind, base, shared, numbers_, lists),
        (dy.SimpleSGDTrainer, dy.SimpleSGDTrainer, model, numbers_, lists),
        (kind, base, model, numbers_[:-1], lists),
        (kind, base, model, None, lists),
        *((kind, base, model, number(i, -1.0), lists) for i in (4, 5, 6, 7)),
        *((kind, base, model, number(i, float("nan")), lists) for i in (4, 5, 6, 7)),
        *((kind, base, model, number(14, mode), lists) for mode in (3, 0.5, 2.0**60)),
        (kind, base, model, number(16, 0.0), lists),
        (kind, base, model, number(0, "x"), lists),
        (kind, base, model, numbers_, lists[:-1]),
        (kind, base, model, numbers_, None),
        (kind, base, model, numbers_, [[np.zeros(3)], *lists[1:]]),
        (kind, base, model, numbers_, [lists[0] * 2, *lists[1:]]),
        (kind, base, model, numbers_, [[], *lists[1:]]),
        (kind, base, model, numbers_, [["x"], *lists[1:]]),
        (kind, base, dy.ParameterCollection(), numbers_, lists),
        (MyTrainer, MyTrainer, model, numbers_, lists),
        (dy.SimpleSGDTrainer, base, model, numbers_, lists),
    ):
        with pytest.raises((TypeError, ValueError)):
            pickling.trainer(*arguments)


def test_cut_and_changed_pickles_do_no_harm():
    """Python's unpickler may do anything with them, but nothing of ours crashes."""
    model = Model()
    model.train(1)
    whole = pickle.dumps([model.W, model.collection, model.rnn, model.trainer])
    rng = np.random.default_rng(1)
    loaded = 0
    for _ in range(400):
        changed = bytearray(whole)
        for place in rng.integers(len(whole), size=3):
            changed[place] ^= 1 << int(rng.integers(8))
        try:
            pickle._loads(bytes(changed))  # The other one may take any memory that a number asks for.
            loaded += 1
        except Exception:
            continue
    assert loaded < 400
