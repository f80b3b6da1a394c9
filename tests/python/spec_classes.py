"""Classes of a program whose objects are in specs, or are saved."""

import collections
import dataclasses
import datetime
import enum
import typing

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


class Opaque:
    """A class of a program that is no record."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Doubling:
    """It changes what it is given, and has a name that cannot be set."""

    def __init__(self, size):
        self.size = size
        self.__dict__["name"] = "doubling"

    def __setattr__(self, name, value):
        self.__dict__[name] = 2 * value

    @property
    def name(self):
        return self.__dict__["name"]


class Partly:
    """With slots beside a __dict__."""

    __slots__ = ("__dict__", "size")


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
