"""What a spec may hold: plain values pass in both directions, anything else is refused when it is saved."""

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import os
import pathlib
import pickle
import time
import types
import typing

import numpy as np
import pytest

import dynet as dy


class Tagger:
    """A class of a program, whose spec may hold anything."""

    def __init__(self, model, spec):
        self.spec = spec
        self.collection = model.add_subcollection("tagger")
        self.weights = self.collection.add_parameters(2)

    def param_collection(self):
        return self.collection

    @staticmethod
    def from_spec(spec, model):
        return Tagger(model, spec)


class Color(enum.Enum):
    RED = 1
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 3


class Parts(enum.Flag):
    ONE = 1
    TWO = 2
    FOUR = 4


Point = collections.namedtuple("Point", "x y")


class Named(typing.NamedTuple):
    x: int
    y: str = "y"


class Longer(collections.namedtuple("Longer", "x")):
    """With a __dict__."""


@dataclasses.dataclass
class Config:
    size: int
    kind: type = int
    inner: object = None

    def __post_init__(self):
        RUN.append("__post_init__")


@dataclasses.dataclass(frozen=True)
class Frozen:
    size: int


@dataclasses.dataclass(frozen=True)
class Slots:
    __slots__ = ("size",)
    size: int

    def __getstate__(self):
        return self.size


if hasattr(dataclasses, "KW_ONLY"):
    Slots = dataclasses.make_dataclass("Slots", [("size", int), ("name", str)], frozen=True, slots=True)
    Slots.__module__ = __name__


class Outer:
    class Mode(enum.Enum):
        FAST = 1

    @dataclasses.dataclass
    class Settings:
        rate: float

    Pair = collections.namedtuple("Pair", "a b")
    Pair.__qualname__ = "Outer.Pair"


RUN = []
UTC = datetime.timezone.utc
BERLIN = datetime.timezone(datetime.timedelta(hours=1), "Berlin")
ZERO = datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN)

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


class Opaque:
    """A class of a program that is no record."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Reducing:
    def __reduce__(self):
        return RUN.append, ("reduced",)


@dataclasses.dataclass
class Called:
    """It could be taken for a function."""

    size: int

    def __call__(self):
        RUN.append("called")


def a_function(x):
    return x


REFUSED = {
    "Tagger.spec, a Opaque": Opaque(),
    "Tagger.spec.tagger.config, the function test_specs.a_function": Opaque(tagger=Opaque(config=a_function)),
    "Tagger.spec['tagger'].config, the function test_specs.a_function": {
        "tagger": argparse.Namespace(config=a_function)
    },
    "Tagger.spec[1].inner[0], the function builtins.len": (0, Config(1, int, [len])),
    "Tagger.spec.x.y, a lock": Point(Named(1, __import__("threading").Lock()), 2),
    "Tagger.spec[0].default_factory, the function test_specs.<lambda>": [collections.defaultdict(lambda: 0)],
    "Tagger.spec{…}, the function posix.system": {os.system},
    "Tagger.spec.keys(), the function builtins.eval": {eval: 1},
    "Tagger.spec[0], a partial": [functools.partial(print)],
    "Tagger.spec[0], a Expression": [dy.scalarInput(1)],
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


@pytest.mark.parametrize("wrong", [3, None])
def test_allowed_is_a_list(name, wrong):
    with pytest.raises(
        TypeError, match=r"save: allowed: .* was given; a list of classes and functions is needed"
    ):
        dy.save(name, [], allowed=wrong)


# -- files that were made to do harm


def meta(body):
    """A .meta file of a tagger whose spec is what some operations leave on the stack."""
    return b"\x80\x02ctest_specs\nTagger\n" + body + b"X\x07\0\0\0/tagger\x87."


def reduce(module, what, arguments):
    return f"c{module}\n{what}\n".encode() + pickle.dumps(arguments, 2)[2:-1] + b"R"


def new(module, what, arguments, state=None):
    made = f"c{module}\n{what}\n".encode() + pickle.dumps(arguments, 2)[2:-1] + b"\x81"
    return made if state is None else made + pickle.dumps(state, 2)[2:-1] + b"b"


class Traps:
    """Classes of a program whose code a file must not be able to run."""

    class Missing(enum.Enum):
        A = 1

        @classmethod
        def _missing_(cls, value):
            RUN.append(value)

    @dataclasses.dataclass
    class Deleted:
        size: int

        def __del__(self):
            RUN.append("deleted")

    @dataclasses.dataclass
    class Restored:
        size: int

        def __setstate__(self, state):
            RUN.append("restored")

    @dataclasses.dataclass
    class Hashed:
        size: int

        def __hash__(self):
            RUN.append("hashed")
            return 1

    @dataclasses.dataclass
    class Setting:
        size: int

        @property
        def other(self):
            RUN.append("read")

        @other.setter
        def other(self, value):
            RUN.append("set")

    @dataclasses.dataclass
    class Made:
        size: int

        def __new__(cls, *args):
            RUN.append("made")
            return object.__new__(cls)

    class Tuple(collections.namedtuple("Tuple", "x")):
        def __new__(cls, x):
            RUN.append("made")
            return super().__new__(cls, x)


def trap(which, arguments=(), state=None):
    return new("test_specs", f"Traps.{which}", arguments, state)


LARGE = 2**31 - 1
HOSTILE = {
    "a fraction of an exponent": reduce("fractions", "Fraction", ("1e999999999",)),
    "a fraction of long numbers": reduce("fractions", "Fraction", (3**20000, 7)),
    "no fraction": reduce("fractions", "Fraction", (1, 0)),
    "a fraction of a number": reduce("fractions", "Fraction", (0.1,)),
    "no decimal number": reduce("decimal", "Decimal", ("1e",)),
    "a decimal number of a tuple": reduce("decimal", "Decimal", ((0, (1,), 10**18),)),
    "a context": reduce("decimal", "Context", (10**9,)),
    "no month": reduce("datetime", "date", (b"\x07\xe3\x00\x01",)),
    "no day": reduce("datetime", "date", (b"\x07\xe3\x02\x1e",)),
    "no year": reduce("datetime", "date", (b"\0\0\x01\x01",)),
    "a short date": reduce("datetime", "date", (b"\x07\xe3",)),
    "no time": reduce("datetime", "datetime", (b"\x07\xe3\x01\x01\xff\0\0\0\0\0",)),
    "a zone of another kind": reduce("datetime", "time", (bytes(6), 3)),
    "no difference": reduce("datetime", "timedelta", (10**30,)),
    "no zone": reduce("datetime", "timezone", (datetime.timedelta(9),)),
    "a path of numbers": reduce("pathlib", "PurePosixPath", (3,)),
    "a path as a class": reduce("pathlib", "os.system", ("true",)),
    "the type of a number": reduce("builtins", "type", (3,)),
    "a class": reduce("builtins", "type", ("A", (), {})),
    "a namespace of something": reduce("argparse", "Namespace", (3,)),
    "names that are none": new("types", "SimpleNamespace", (), {3: 4}),
    "no attributes": new("types", "SimpleNamespace", (), [1]),
    "another parser": reduce("argparse", "ArgumentParser", ()),
    "no member": reduce("test_specs", "Color", (7,)),
    "no flag": reduce("test_specs", "Parts", (2**60,)),
    "a flag below": reduce("test_specs", "Parts", (-1,)),
    "a member of a class that looks for it": reduce("test_specs", "Traps.Missing", (5,)),
    "an attribute of a member": reduce("builtins", "getattr", ("x", "join")),
    "an attribute of a class": b"cbuiltins\ngetattr\nctest_specs\nTagger\nX\x09\0\0\0from_specs\x86R",
    "a function of a class": b"cbuiltins\ngetattr\nctest_specs\nColor\nX\x03\0\0\0mro\x86R",
    "too few fields": new("test_specs", "Point", (1,)),
    "too many fields": new("test_specs", "Point", (1, 2, 3)),
    "a dataclass of arguments": new("test_specs", "Config", (1,)),
    "a dataclass that is called": reduce("test_specs", "Config", (1,)),
    "too many values": new("test_specs", "Slots", (), [1, 2, 3]),
    "an object that says farewell": trap("Deleted"),
    "an object that restores itself": trap("Restored", (), {"size": 1}),
    "an object that makes itself": trap("Made"),
    "an object that counts as a key": b"}" + trap("Hashed", (), {"size": 1}) + b"K\1s",
    "an object as a member of a set": b"cbuiltins\nset\n(" + trap("Hashed", (), {"size": 1}) + b"l\x85R",
    "an opaque object": new("test_specs", "Opaque", ()),
    "an opaque object that is called": reduce("test_specs", "Opaque", ()),
    "a key of many parts": b"}" + new("test_specs", "Point", ())
    if False
    else b"}(" + b")" + b"2\x86" * 60 + b"K\1u",
    "a named tuple that doubles": b"}ctest_specs\nPoint\nq\0)"
    + b"q\1"
    + b"h\0h\1h\1\x86\x81q\1" * 60
    + b"K\1s",
    "a dataclass that doubles": b"}ctest_specs\nFrozen\nq\0)q\1"
    + b"h\0)\x81}X\x04\0\0\0sizeh\1h\1\x86sbq\1" * 60
    + b"K\1s",
    "a module that was not imported": new("wave", "Wave_read", ()),
    "dates of another unit": pickle.dumps(np.dtype("M8[ns]"), 2)[2:-1].replace(b"ns", b"n]"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused(name, what):
    RUN.clear()
    dy.save(name, [Tagger(dy.ParameterCollection(), 1)])
    with open(name + ".meta", "wb") as file:
        file.write(meta(HOSTILE[what]))
    model = dy.ParameterCollection()
    started = time.process_time()
    with pytest.raises((RuntimeError, pickle.UnpicklingError), match=r"model\.meta"):
        dy.load(name, model)
    assert time.process_time() - started < 5 and not RUN
    assert not model.parameters_list()


@pytest.mark.parametrize(
    "body, spec",
    [
        (trap("Setting", (), {"size": 1, "other": 2}), "Traps.Setting(size=1)"),
        (trap("Tuple", (3,)), "Tuple(x=3)"),
    ],
)
def test_code_of_records_is_not_run(name, body, spec):
    RUN.clear()
    tagger = Tagger(dy.ParameterCollection(), 1)
    tagger.weights.save(name + ".data", "/tagger/_0")
    with open(name + ".meta", "wb") as file:
        file.write(meta(body))
    (loaded,) = dy.load(name, dy.ParameterCollection())
    assert repr(loaded.spec) == spec and not RUN


@pytest.mark.parametrize(
    "what", ["argparse\nNamespace\n)R", "types\nSimpleNamespace\n)R", "test_specs\nConfig\n)\x81"]
)
def test_states_are_not_copied_without_end(name, what):
    """One state of a hundred thousand attributes for as many objects."""
    dy.save(name, [Tagger(dy.ParameterCollection(), 1)])
    state = b"}(" + b"".join(b"X\x06\0\0\0%06dK\1" % i for i in range(50_000)) + b"uq\1"
    body = b"(" + state + (b"c" + what.encode("latin-1") + b"h\1b") * 50_000 + b"l"
    with open(name + ".meta", "wb") as file:
        file.write(meta(body))
    with pytest.raises((RuntimeError, pickle.UnpicklingError), match="it makes more than it holds"):
        dy.load(name, dy.ParameterCollection())


# -- subclasses of builders


class Methods(dy.VanillaLSTMBuilder):
    """It adds methods alone."""

    def twice(self):
        return 2


class Noisy(dy.StandardSoftmaxBuilder):
    pass


class Tree(dy.NaryTreeLSTMBuilder):
    pass


class Words(dy.ClassFactoredSoftmaxBuilder):
    pass


class Both(dy.BiRNNBuilder):
    pass


class Own(dy.GRUBuilder):
    def __init__(self, size, model):
        super().__init__(1, size, size, model)


class OwnSpec(dy.GRUBuilder):
    def __init__(self, size, model):
        super().__init__(1, size, size, model)
        self.size = size

    @property
    def spec(self):
        return (self.size,)

    @staticmethod
    def from_spec(spec, model):
        return OwnSpec(*spec, model)


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
