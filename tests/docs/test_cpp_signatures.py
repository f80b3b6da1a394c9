"""The C++ functions of operations take what their declarations say: the same arguments in the same order,
with the same defaults."""

import inspect
import re

import cpp_names
import pytest

import dynet as dy

# What a C++ function is declared as, where its name alone does not say so.
DECLARED_AS = {
    "contract3d_1d": ["contract3d_1d", "contract3d_1d_bias"],
    "contract3d_1d_1d": ["contract3d_1d_1d", "contract3d_1d_1d_bias"],
    "conv2d": ["conv2d", "conv2d_bias"],
    "hinge": ["hinge", "hinge_batch"],
    "max": ["emax", "bmax"],
    "min": ["bmin"],
    "pick": ["pick", "pick_batch"],
    "pickneglogsoftmax": ["pickneglogsoftmax", "pickneglogsoftmax_batch"],
    "sum": ["esum"],
    "zeroes": ["zeros"],
}
# What Python has apart from the declarations.
NOT_DECLARED = ["lookup"]
# What DyNet 2 names in one way in C++ and in another one in Python.
NAMES = {
    "bias": "y",
    "classes": "v vs",
    "columns": "cs",
    "count": "x",
    "d": "dim",
    "device": "device_str",
    "dims": "d",
    "element": "v",
    "elements": "vs",
    "exponent": "y",
    "f": "y",
    "n": "v",
    "restriction": "restrict",
    "rows": "rs",
    "value": "val",
    "x": "e",
}
# What C++ asks for though Python has a default.
REQUIRED = [("pick", "index")]
# What C++ does without; its shapes hold the batch size.
LEFT_OUT = [("sum_dim", "n")]


def split(text):
    """What stands between the commas outside of all brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c in "([{<") - (c in ")]}>")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts if part.strip()]


def default_of(text):
    """A default in C++ or Python in one form; none where there is none."""
    number = re.fullmatch(r"(?:real\()?(-?[\d.]+(?:e-?\d+)?)\)?", text)
    if number:
        return str(float(number.group(1)))
    return {"{}": "None", "nullptr": "None"}.get(text, text.capitalize().translate(str.maketrans("{}", "()")))


@pytest.fixture(scope="module")
def functions():
    """The arguments of all overloads, by name; not the graph of a leaf, nor the one device."""
    if not cpp_names.is_there():
        pytest.skip(cpp_names.MISSING)
    found = {}
    for each in cpp_names.names():
        if each.kind == "function" and each.file.startswith("dynet/ops/"):
            inside = re.search(r"[^(]*?\w\((.*)\)|operator\S+\((.*)\)", each.declaration)
            arguments = [
                a.partition(" = ")
                for a in split(inside[1] or inside[2] or "")
                if "Graph& " not in a and "Device* device = " not in a
            ]
            found.setdefault(each.name.rpartition("::")[2], []).append(
                [(re.search(r"\w+$", declared)[0], default_of(value)) for declared, _, value in arguments]
            )
    return found


def declarations():
    """The arguments of each operation, as the package says them."""
    return {
        name: [(a.name, "" if a.default is a.empty else default_of(str(a.default))) for a in parameters]
        for name in set(dy.ops()) & set(dy.__all__)
        for parameters in [inspect.signature(getattr(dy, name)).parameters.values()]
    }


DECLARED = declarations()
OTHERS = {other for others in DECLARED_AS.values() for other in others} - {*DECLARED_AS}
COMPARED = sorted({*DECLARED, *DECLARED_AS} - {*NOT_DECLARED} - OTHERS)


def differences(name, overloads, function, declared):
    """What an overload has otherwise than a declaration."""
    found = []
    lengths = [len(other) for other in overloads]
    for at, (argument, default) in enumerate(declared):
        if at >= len(function):
            elsewhere = argument == "batch_size" or (name, argument) in LEFT_OUT or max(lengths) > at
            if not (default and elsewhere):
                found.append(f"{argument} is missing")
            continue
        own, own_default = function[at]
        if own != argument and argument not in NAMES.get(own, "").split():
            found.append(f"{own} is {argument}")
        overloaded = not own_default and at in lengths  # another one does without it
        if own_default != default and not overloaded and (name, argument) not in REQUIRED:
            found.append(f"{own} = {own_default} is {argument} = {default}")
    found += [f"{own} is not declared" for own, _ in function[len(declared) :]]
    return found


@pytest.mark.parametrize("name", COMPARED)
def test_arguments(name, functions):
    for function in functions[name]:
        found = [
            differences(name, functions[name], function, DECLARED[other])
            for other in DECLARED_AS.get(name, [name])
        ]
        assert [] in found, found
