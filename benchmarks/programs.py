"""The benchmark programs in C++, which are built when they are first asked for."""

import functools
import pathlib
import shutil
import sys

from environments import UnavailableError, checked

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "python"


def cmake():
    """The cmake of the environment that runs us, or of the system."""
    beside = pathlib.Path(sys.executable).parent / "cmake"
    found = str(beside) if beside.exists() else shutil.which("cmake")
    if not found or not (BUILD / "CMakeCache.txt").exists():
        raise UnavailableError("the programs in C++ are built beside the package: run make build")
    return found


@functools.cache
def program(name):
    """The path of a program of benchmarks/, brought up to date."""
    checked([cmake(), "--build", str(BUILD), "--target", name])
    return str(BUILD / name)
