"""The public names of DyNet 2, from dynet2_surface: nothing is missing and no argument is renamed."""

import ast
import inspect
import re
from pathlib import Path

import dynet2_surface as surface
import pytest

import dynet as dy

# Callables that take what DyNet 2's take, in a form that cannot be compared argument by argument.
FREE_FORM = {"print_graphviz"}


def arguments(text: str) -> list[tuple[str, object]]:
    """Names and defaults of a signature; a name without a default has `inspect.Parameter.empty`."""
    function = ast.parse(f"def f({text}): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    names = [arg.arg for arg in function.args.args]
    defaults = [ast.literal_eval(value) for value in function.args.defaults]
    missing = [inspect.Parameter.empty] * (len(names) - len(defaults))
    listed = list(zip(names, missing + defaults, strict=True))
    if function.args.vararg:
        listed.append(("*" + function.args.vararg.arg, inspect.Parameter.empty))
    return listed


def actual_arguments(function) -> list[tuple[str, object]]:
    """The same of a function of ours; nanobind's say it in the first line of their text."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        line = re.sub(r" -> .*", "", function.__doc__.splitlines()[0])
        return arguments(line[line.index("(") + 1 : line.rindex(")")].replace("self, /", "self"))
    star = {inspect.Parameter.VAR_POSITIONAL: "*"}
    return [(star.get(p.kind, "") + p.name, p.default) for p in parameters]


def check_arguments(function, wanted: str, is_method: bool = False):
    ours = actual_arguments(function)
    if is_method and ours and ours[0][0] in ("self", "cls"):
        ours = ours[1:]
    theirs = arguments(wanted)
    assert [name for name, _ in ours[: len(theirs)]] == [name for name, _ in theirs]
    for (name, given), (_, default) in zip(ours, theirs, strict=False):
        if default is not inspect.Parameter.empty:
            assert given == default, name
    for name, given in ours[len(theirs) :]:
        assert given is not inspect.Parameter.empty, f"{name} is new and has no default"


def signatures(text: str) -> list[tuple[str, str | None]]:
    """Names and arguments of each line; a line without brackets is a property."""
    split = [re.fullmatch(r"(\w+)(?:\((.*)\))?", line).groups() for line in text.splitlines() if line]
    return [(name, args) for name, args in split]


FUNCTIONS = signatures(surface.FUNCTIONS)
MEMBERS = [(name, *member) for name, (_, _, text) in surface.CLASSES.items() for member in signatures(text)]


def test_the_table_is_whole():
    assert len(FUNCTIONS) + len(surface.CLASSES) + len(surface.CONSTANTS) == 211


@pytest.mark.parametrize("name, wanted", FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_functions(name, wanted):
    function = getattr(dy, name)
    assert callable(function) and not isinstance(function, type)
    if name not in FREE_FORM:
        check_arguments(function, wanted)


@pytest.mark.parametrize("name", surface.CONSTANTS)
def test_constants(name):
    assert type(getattr(dy, name)).__name__ == surface.CONSTANTS[name]


@pytest.mark.parametrize("name", surface.CLASSES)
def test_classes(name):
    base, constructor, _ = surface.CLASSES[name]
    kind = getattr(dy, name)
    assert isinstance(kind, type)
    if base:
        assert issubclass(kind, getattr(dy._dynet, base, None) or getattr(dy, base))
    if constructor is not None:
        make = kind.__new__ if name == "inputTensorTranspose" else kind.__init__
        check_arguments(kind if name == "DeviceInfo" else make, constructor, True)


@pytest.mark.parametrize("name, member, wanted", MEMBERS, ids=[f"{m[0]}.{m[1]}" for m in MEMBERS])
def test_members(name, member, wanted):
    attribute = getattr(getattr(dy, name), member)
    if wanted is None:
        assert not callable(attribute) or isinstance(attribute, property)
    else:
        check_arguments(attribute, wanted, True)


def test_import_star():
    names: dict[str, object] = {}
    exec("from dynet import *", names)
    wanted = {name for name, _ in FUNCTIONS} | surface.CLASSES.keys() | {"HAVE_CUDA"}
    assert wanted <= names.keys()
    assert not {"np", "os", "sys", "pickle", "io", "config"} & names.keys()


def test_the_old_name_of_the_extension():
    import _dynet
    import dynet_viz

    for name in surface.CLASSES:
        assert getattr(_dynet, name) is getattr(dynet_viz, name) is getattr(dy, name)
    assert issubclass(dy.LSTMBuilder, _dynet._RNNBuilder)
    assert dy.__version__ == dy.__gitversion__ and dy.__precision__ in ("float32", "float64")


def test_types_are_checked_for_every_name():
    program = Path(__file__).parents[1] / "typing" / "every_name.py"
    attributes = [
        node for node in ast.walk(ast.parse(program.read_text())) if isinstance(node, ast.Attribute)
    ]
    # np.exp is not dy.exp.
    used = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "dy"}
    wanted = {name for name, _ in FUNCTIONS} | surface.CLASSES.keys() | surface.CONSTANTS.keys()
    assert wanted - used == set()
