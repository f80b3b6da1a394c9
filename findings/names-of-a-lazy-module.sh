#!/usr/bin/env bash
# CPython 3.11 to 3.13 with numpy 2.4.6: reading `numpy.tanh` in a loop is never specialized by the interpreter,
# while `math.tanh` is after a few rounds, since numpy has a module-level __getattr__ (PEP 562), which it needs for
# names that it does not have. A plain module loses the specialization of all its names when it is given one, though
# only missing names ever reach it. One would expect it to cost nothing where names are found, as the PEP says of
# lookups. It matters to libraries whose programs read a name of theirs for each small operation.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import dis
import math
import sys
import types

import numpy

print("Python", sys.version.split()[0], "numpy", numpy.__version__)
plain, lazy = types.ModuleType("plain"), types.ModuleType("lazy")
plain.tanh = lazy.tanh = math.tanh
lazy.__getattr__ = lambda name: None


def is_specialized(module):
    """Whether the interpreter has put an instruction of its own for reading a module's name into a loop."""
    space = {"module": module}
    exec("def loop():\n    for _ in range(10000):\n        module.tanh\n", space)
    space["loop"]()
    names = [each.opname for each in dis.get_instructions(space["loop"], adaptive=True)]
    return "LOAD_ATTR_MODULE" in names


for module, described in ((math, True), (plain, True), (lazy, False), (numpy, False)):
    seen = is_specialized(module)
    has = "__getattr__" in vars(module)
    print(f"{module.__name__}: has a __getattr__: {has}; reading its names is specialized: {seen}")
    if seen != described or has == described:
        sys.exit("This differs from the description")
PY
