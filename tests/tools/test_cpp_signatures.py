"""The C++ functions of operations take what their declarations say: the same arguments in the same order,
with the same defaults."""

import re

import cpp_doc
import ops_doc
import pytest

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
    number = re.fullmatch(r"(?:real\()?(-?[\d.]+)\)?", text)
    if number:
        return str(float(number.group(1)))
    return {"{}": "None"}.get(text, text.capitalize().translate(str.maketrans("{}", "()")))


def cpp_functions():
    """The arguments of all overloads, by name; not the graph of a leaf, nor the one device."""
    found = {}
    for header in sorted((cpp_doc.ROOT / "dynet" / "ops").glob("*.h")):
        for entry in filter(
            lambda e: cpp_doc.is_operation(e.text), cpp_doc.entries_of(header.read_text("utf-8"))
        ):
            name, inside = re.search(r"(\w+|operator\S+)\((.*)\)", entry.text).groups()
            arguments = [
                a.partition(" = ")
                for a in split(inside)
                if "Graph& " not in a and "Device* device = " not in a
            ]
            found.setdefault(name, []).append(
                [
                    (re.search(r"\w+$", declared).group(), default_of(value))
                    for declared, _, value in arguments
                ]
            )
    return found


def declarations():
    """The arguments of each operation, as the reference says them."""
    functions = re.findall(r"```python\n(\w+)\((.*)\) -> ", ops_doc.TARGET.read_text("utf-8"))
    return {
        name: [(a.partition(":")[0], default_of(a.partition(" = ")[2])) for a in split(inside)]
        for name, inside in functions
    }


DECLARED, FUNCTIONS = declarations(), cpp_functions()
COMPARED = sorted(
    name for name in FUNCTIONS if (name in DECLARED or name in DECLARED_AS) and name not in NOT_DECLARED
)


def differences(name, function, declared):
    """What an overload has otherwise than a declaration."""
    found = []
    lengths = [len(other) for other in FUNCTIONS[name]]
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
def test_arguments(name):
    for function in FUNCTIONS[name]:
        found = [differences(name, function, DECLARED[other]) for other in DECLARED_AS.get(name, [name])]
        assert [] in found, found
