"""Files of dy.save that were made to do harm by what their specs ask for."""

import datetime
import pickle
import time

import numpy as np
import pytest
from spec_classes import RUN, Tagger

import dynet as dy


@pytest.fixture
def name(tmp_path):
    return str(tmp_path / "model")


def meta(body):
    """A .meta file of a tagger whose spec is what some operations leave on the stack."""
    return b"\x80\x02cspec_classes\nTagger\n" + body + b"X\x07\0\0\0/tagger\x87."


def reduce(module, what, arguments):
    return f"c{module}\n{what}\n".encode() + pickle.dumps(arguments, 2)[2:-1] + b"R"


def new(module, what, arguments, state=None):
    made = f"c{module}\n{what}\n".encode() + pickle.dumps(arguments, 2)[2:-1] + b"\x81"
    return made if state is None else made + pickle.dumps(state, 2)[2:-1] + b"b"


def trap(which, arguments=(), state=None):
    return new("spec_classes", f"Traps.{which}", arguments, state)


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
    "no member": reduce("spec_classes", "Color", (7,)),
    "no flag": reduce("spec_classes", "Parts", (2**60,)),
    "a flag below": reduce("spec_classes", "Parts", (-1,)),
    "a member of a class that looks for it": reduce("spec_classes", "Traps.Missing", (5,)),
    "an attribute of a member": reduce("builtins", "getattr", ("x", "join")),
    "an attribute of a class": b"cbuiltins\ngetattr\ncspec_classes\nTagger\nX\x09\0\0\0from_specs\x86R",
    "a function of a class": b"cbuiltins\ngetattr\ncspec_classes\nColor\nX\x03\0\0\0mro\x86R",
    "too few fields": new("spec_classes", "Point", (1,)),
    "too many fields": new("spec_classes", "Point", (1, 2, 3)),
    "a dataclass of arguments": new("spec_classes", "Config", (1,)),
    "a dataclass that is called": reduce("spec_classes", "Config", (1,)),
    "too many values": new("spec_classes", "Slots", (), [1, 2, 3]),
    "an object that says farewell": trap("Deleted"),
    "an object that restores itself": trap("Restored", (), {"size": 1}),
    "an object that makes itself": trap("Made"),
    "an object that counts as a key": b"}" + trap("Hashed", (), {"size": 1}) + b"K\1s",
    "an object as a member of a set": b"cbuiltins\nset\n(" + trap("Hashed", (), {"size": 1}) + b"l\x85R",
    "an initializer of a list": reduce("_dynet", "NumpyInitializer", ([1.0],)),
    "an initializer that is not made": new("_dynet", "ConstInitializer", (), {"c": 1}),
    "an opaque object": new("spec_classes", "Opaque", ()),
    "an opaque object that is called": reduce("spec_classes", "Opaque", ()),
    "a key of many parts": b"}(" + b")" + b"2\x86" * 60 + b"K\1u",
    "a named tuple that doubles": b"}cspec_classes\nPoint\nq\0)"
    + b"q\1"
    + b"h\0h\1h\1\x86\x81q\1" * 60
    + b"K\1s",
    "a dataclass that doubles": b"}cspec_classes\nFrozen\nq\0)q\1"
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
    "what", ["argparse\nNamespace\n)R", "types\nSimpleNamespace\n)R", "spec_classes\nConfig\n)\x81"]
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
