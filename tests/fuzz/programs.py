"""Random programs: lists of steps, each a name and a few whole numbers, whatever they are.

Numbers choose among what there is at that place of the program, so that every list is a program and a part of
one is a program too: that is what lets failures shrink.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import numpy as np
from fuzz.machine import Machine
from fuzz.settings import FAST, SLOW, WITHOUT_CELLS, Setting

Program = dict[str, Any]  # {"start": [...], "steps": [[name, number, ...], ...]}
Observed = list[tuple[str, np.ndarray]]


def run(program: Program, setting: Setting) -> Observed:
    """What the program sees of its values, gradients and parameters."""
    result: list[Observed | BaseException] = []

    def steps() -> None:
        try:
            machine = Machine(program["start"], setting)
            for name, *numbers in program["steps"]:
                machine.step(name, numbers)
            result.append(machine.finish())
        except BaseException as error:
            error.args = (f"step {machine.count if 'machine' in locals() else 0}: {error}",)
            result.append(error)

    if setting.own_thread:
        thread = threading.Thread(target=steps)
        thread.start()
        thread.join()
    else:
        steps()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def difference(expected: Observed, actual: Observed, cells: bool = True) -> str:
    """The first thing that differs in a bit; empty when nothing does."""
    for (what, a), (other, b) in zip(expected, actual, strict=True):
        assert what == other, f"{what} beside {other}"
        if not cells and ("gradient" in what or "random" in what):
            return ""  # Cells add gradients in another order, and are fewer nodes.
        if a.shape != b.shape or not np.array_equal(a, b, equal_nan=True):
            return f"{what} is {b.tolist()}, not {a.tolist()}"[:2000]
    return ""


def answer(program: Program) -> str:
    """What is wrong with a program, or nothing."""
    try:
        expected = run(program, SLOW)
    except Exception as error:
        return f"{SLOW.name}: {type(error).__name__}: {error}"
    for setting in [*FAST, WITHOUT_CELLS]:
        try:
            found = difference(expected, run(program, setting), setting.cells)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            return f"{setting.name}: {found}"
    return ""


if __name__ == "__main__":
    Machine.trace = True
    for line in sys.stdin:
        print(answer(json.loads(line)) or "right")
