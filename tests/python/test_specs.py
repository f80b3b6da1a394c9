"""What a spec may hold: plain values pass in both directions, anything else is refused when it is saved."""

import argparse
import collections
import datetime
import decimal
import fractions
import functools
import operator
import os
import pathlib
import pickle
import threading
import types

import numpy as np
import pytest
from spec_classes import (
    BERLIN,
    RUN,
    UTC,
    ZERO,
    Both,
    Called,
    Color,
    Config,
    Doubling,
    Frozen,
    Longer,
    Methods,
    Named,
    Noisy,
    Opaque,
    Outer,
    Own,
    OwnSpec,
    Partly,
    Parts,
    Point,
    Reducing,
    Size,
    Slots,
    Tagger,
    Tree,
    Words,
    a_function,
)

import dynet as dy

SPECS = {
    "types": [
        int,
        str,
        list,
        dict,
        float,
        bool,
        bytes,
        tuple,
        set,
        type,
        type(None),
        collections.deque,
        complex,
    ],
    "dictionaries": [
        collections.defaultdict(list, {"a": [1]}),
        collections.defaultdict(collections.Counter),
        collections.OrderedDict([("b", 1), ("a", 2)]),
        collections.Counter("aab"),
        collections.deque([1, 2], maxlen=3),
    ],
    "namespaces": [argparse.Namespace(size=3, kind=int), types.SimpleNamespace(a=types.SimpleNamespace(b=1))],
    "enums": [Color.RED, Color.BLUE, Size.SMALL, Parts.ONE, Parts.ONE | Parts.FOUR, Parts(0)],
    "enums as keys": {Color.RED: 1, Color.BLUE: 2},
    "classes": [Color, Point, Named, Config, Tagger, dy.GRUBuilder, dy.tanh],
    "named tuples": [Point(1, [2]), Named(3), Named(1, "z"), {Point(1, 2): 3}],
    "dataclasses": [Config(3), Config(1, str, Config(2)), Frozen(2), {Frozen(1): Frozen(2)}, Slots(1, "a")],
    "inner classes": [Outer.Mode.FAST, Outer.Settings(0.5), Outer.Pair(1, 2), Outer.Mode, Outer.Pair],
    "dates": [datetime.date(2026, 11, 29), datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)],
    "times": [
        datetime.time(1, 2, 3, 4),
        datetime.time(23, tzinfo=UTC),
        datetime.timedelta(-1, 5, 7),
        UTC,
    ],
    "paths": [
        pathlib.Path("a/b.txt"),
        pathlib.Path("/"),
        pathlib.PurePosixPath("x"),
        pathlib.PureWindowsPath("c:/x"),
    ],
    "exact numbers": [
        decimal.Decimal("1.50"),
        decimal.Decimal("-Infinity"),
        fractions.Fraction(-1, 3),
        2**200,
    ],
    "others": [
        range(1, 9, 2),
        slice(None, 3),
        frozenset({1, (2, 3)}),
        1j,
        b"\x00\xff",
        bytearray(b"x"),
        ...,
        None,
    ],
    "numbers of NumPy": [np.float32(1.5), np.int64(3), np.bool_(True), np.str_("x"), np.complex128(1j)],
    "arrays": [np.eye(2), np.arange(3, dtype="i2"), np.array(["a", "bc"]), np.zeros((0, 3), np.float16)],
    "types of NumPy": [np.dtype("f4"), np.dtype(">i8"), np.dtype("U3"), np.float32, np.int64, np.ndarray],
    "dates of NumPy": [np.datetime64("2026-11-29"), np.timedelta64(3, "ms"), np.array(["2020-01"], "M8[M]")],
}


@pytest.fixture
def name(tmp_path):
    return str(tmp_path / "model")


@pytest.mark.parametrize("spec", SPECS)
def test_plain_values_pass(name, spec):
    RUN.clear()
    dy.save(name, [Tagger(dy.ParameterCollection(), SPECS[spec])])
    (loaded,) = dy.load(name, dy.ParameterCollection())
    assert repr(loaded.spec) == repr(SPECS[spec]) and not RUN
    if not isinstance(SPECS[spec], dict) and "arrays" not in spec and "NumPy" not in spec:
        assert loaded.spec == SPECS[spec]
        assert [type(each) for each in loaded.spec] == [type(each) for each in SPECS[spec]]


def test_what_passes_stays_what_it_is(name):
    """Times keep their fold, members of enums are the ones there are, and defaults are made."""
    spec = [ZERO, Color.RED, collections.defaultdict(list), Longer(3), argparse.Namespace(kind=dy.tanh)]
    spec[3].more = 4
    dy.save(name, [Tagger(dy.ParameterCollection(), spec)])
    (loaded,) = dy.load(name, dy.ParameterCollection())
    again = loaded.spec
    assert again[0].fold == 1 and again[0].tzinfo == BERLIN and again[1] is Color.RED
    assert again[2]["new"] == [] and again[3].more == 4 and again[4].kind is dy.tanh


def test_initializers_pass(name):
    spec = [
        dy.ConstInitializer(3),
        dy.GlorotInitializer(True, gain=0.5),
        dy.NormalInitializer(1, 2),
        dy.UniformInitializer(0.5),
        dy.SaxeInitializer(2),
        dy.IdentityInitializer(),
        dy.FromFileInitializer("a/b"),
        dy.NumpyInitializer(np.eye(2)),
    ]
    for allowed in ([], [dy.ConstInitializer]):
        dy.save(name, [Tagger(dy.ParameterCollection(), spec)], allowed)
        (loaded,) = dy.load(name, dy.ParameterCollection(), allowed)
        assert repr(loaded.spec) == repr(spec)
        weights = dy.ParameterCollection().add_parameters((2, 2), init=loaded.spec[-1])
        np.testing.assert_array_equal(weights.as_array(), np.eye(2))


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("spec", SPECS)
def test_pickles_of_others_are_read(name, spec, protocol):
    """As Python's own pickler writes them, where it writes no getattr."""
    tagger = Tagger(dy.ParameterCollection(), SPECS[spec])
    tagger.weights.save(name + ".data", "/tagger/_0")
    content = [
        each
        for each in (SPECS[spec] if isinstance(SPECS[spec], list) else [SPECS[spec]])
        if not callable(each) and (protocol > 3 or "Outer" not in repr(type(each)))
    ]
    with open(name + ".meta", "wb") as file:
        pickle.dump((Tagger, content, "/tagger"), file, protocol)
    (loaded,) = dy.load(name, dy.ParameterCollection())
    assert repr(loaded.spec) == repr(content)


class Joining(pickle.Pickler):
    """Writes flags as Python 3.11.2 does."""

    def reducer_override(self, obj):
        if isinstance(obj, Parts) and obj._value_ == 3:
            return operator.or_, self.parts
        return NotImplemented


JOINED = {
    (Parts(1), Parts(2)): "",
    (Parts(1), 2): "",
    (Parts(1), 4096): "there is not",
    (1, 2): "members of a flag",
    (Parts(1), Color.RED): "members of a flag",
    (Parts(1), "2"): "members of a flag",
    (Parts(1), Parts(2), 1): "joined",
}


@pytest.mark.parametrize("parts", JOINED)
def test_flags_of_other_versions(name, parts):
    both = Parts(3)
    tagger = Tagger(dy.ParameterCollection(), [both])
    tagger.weights.save(name + ".data", "/tagger/_0")
    with open(name + ".meta", "wb") as file:
        writer = Joining(file)
        writer.parts = parts
        writer.dump((Tagger, [both], "/tagger"))
    if wrong := JOINED[parts]:
        with pytest.raises((pickle.UnpicklingError, RuntimeError), match=wrong):
            dy.load(name, dy.ParameterCollection())
    else:
        (loaded,) = dy.load(name, dy.ParameterCollection())
        assert loaded.spec == [both]


REFUSED = {
    "Tagger.spec, a Opaque": Opaque(),
    "Tagger.spec.tagger.config, the function spec_classes.a_function": Opaque(
        tagger=Opaque(config=a_function)
    ),
    "Tagger.spec['tagger'].config, the function spec_classes.a_function": {
        "tagger": argparse.Namespace(config=a_function)
    },
    "Tagger.spec[1].inner[0], the function builtins.len": (0, Config(1, int, [len])),
    "Tagger.spec.x.y, a lock": Point(Named(1, threading.Lock()), 2),
    "Tagger.spec[0].default_factory, the function test_specs.<lambda>": [collections.defaultdict(lambda: 0)],
    "Tagger.spec{…}, the function posix.system": {os.system},
    "Tagger.spec.keys(), the function builtins.eval": {eval: 1},
    "Tagger.spec[0], a partial": [functools.partial(print)],
    "Tagger.spec[0], an Expression": [dy.scalarInput(1)],
    "Tagger.spec[0], a ParameterCollection": [dy.ParameterCollection()],
    "Tagger.spec[0], a Parameters": [dy.ParameterCollection().add_parameters(2)],
    "Tagger.spec[0].forward, the function builtins.len": [dy.Function(len, len, (1,))],
    "Tagger.spec[0], a Called": [Called(1)],
    "Tagger.spec[0], a Reducing": [Reducing()],
    "Tagger.spec[0], a Generator": [np.random.default_rng(1)],
    "Tagger.spec[0], the function numpy.tanh": [np.tanh],
}


@pytest.mark.parametrize("what", REFUSED)
def test_save_names_what_load_would_refuse(name, what):
    RUN.clear()
    dy.save(name, [Tagger(dy.ParameterCollection(), 1)])
    before = sorted((each, os.path.getmtime(name + each)) for each in (".data", ".meta"))
    with pytest.raises(TypeError) as error:
        dy.save(name, [Tagger(dy.ParameterCollection(), REFUSED[what])])
    words = what.replace(", a E", ", an E").replace(", a O", ", an O")
    assert str(error.value).startswith(f"save: {words}")
    assert "could not be loaded again" in str(error.value) and "`allowed`" in str(error.value)
    assert sorted((each, os.path.getmtime(name + each)) for each in (".data", ".meta")) == before
    assert "called" not in RUN


def test_specs_that_refer_to_themselves(name):
    spec = {"a": [Opaque()]}
    spec["a"].append(spec)
    with pytest.raises(
        TypeError, match=r"save: Tagger\.spec\['a'\]\[0\], an Opaque, could not be loaded again"
    ):
        dy.save(name, [Tagger(dy.ParameterCollection(), spec)])


@pytest.mark.parametrize("each", [len, a_function, Opaque, functools.reduce, np.tanh, os.path.join, Called])
def test_whatever_is_allowed_is_found(name, each):
    """Also what is called otherwise in files: __builtin__ is builtins, posixpath is os.path."""
    dy.save(name, [Tagger(dy.ParameterCollection(), [each])], allowed=[each])
    if each is not Called:
        with pytest.raises(pickle.UnpicklingError, match="pass others in `allowed`"):
            dy.load(name, dy.ParameterCollection())
    (loaded,) = dy.load(name, dy.ParameterCollection(), allowed=[each])
    assert loaded.spec == [each]


def test_objects_of_allowed_classes(name):
    dy.save(name, [Tagger(dy.ParameterCollection(), Opaque(size=3))], allowed=[Opaque])
    (loaded,) = dy.load(name, dy.ParameterCollection(), allowed=[Opaque])
    assert loaded.spec.size == 3


def test_objects_of_allowed_classes_are_filled_as_pickle_does(name):
    """Without their __setattr__, which refuses those of frozen dataclasses and of properties."""
    partly = Partly()
    partly.size, partly.other = 3, 4
    spec = [Frozen(3), Doubling(2), np.poly1d([1, 2]), partly]
    allowed = [Frozen, Doubling, np.poly1d, Partly]
    dy.save(name, [Tagger(dy.ParameterCollection(), spec)], allowed)
    (loaded,) = dy.load(name, dy.ParameterCollection(), allowed)
    frozen, doubling, polynomial, again = loaded.spec
    assert frozen == Frozen(3) and vars(doubling) == {"size": 4, "name": "doubling"}
    assert polynomial == spec[2] and (again.size, again.other) == (3, 4)


@pytest.mark.parametrize("wrong", [3, None])
def test_allowed_is_a_list(name, wrong):
    with pytest.raises(
        TypeError, match=r"save: allowed: .* was given; a list of classes and functions is needed"
    ):
        dy.save(name, [], allowed=wrong)


def test_subclasses_of_builders_are_loaded_as_themselves(name, tmp_path):
    (tmp_path / "clusters").write_text("a x\na y\nb z\n")
    model = dy.ParameterCollection()
    saved = [
        Methods(2, 3, 4, model, True, 0.5),
        Noisy(3, 4, model, False),
        Tree(2, 1, 3, 4, model),
        Words(3, tmp_path / "clusters", {"x": 0, "y": 1, "z": 2}, model),
        Both(1, 3, 4, model, Methods),
        OwnSpec(3, model),
    ]
    dy.save(name, saved)
    loaded = dy.load(name, dy.ParameterCollection())
    assert [type(each) for each in loaded] == [type(each) for each in saved]
    assert loaded[0].spec == (2, 3, 4, True, 0.5) and loaded[0].twice() == 2
    assert [each.spec for each in loaded] == [each.spec for each in saved]
    for one, other in zip(saved, loaded, strict=True):
        for p, q in zip(*(each.param_collection().parameters_list() for each in (one, other)), strict=True):
            np.testing.assert_array_equal(p.as_array(), q.as_array())


def test_subclasses_that_could_not_be_made_are_refused(name):
    with pytest.raises(
        TypeError, match=r"save: Own is a GRUBuilder with an __init__ of its own.*from_spec\(spec"
    ):
        dy.save(name, [Own(3, dy.ParameterCollection())])
    assert not os.path.exists(name + ".meta")
