"""The opponents' virtual environments."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))

import venvs
from venvs import UnavailableError, checked, last_line

__all__ = ["UnavailableError", "checked", "interpreter", "last_line", "venvs"]

TORCH = ("torch==2.13.0", "numpy")
REQUIREMENTS = dict(
    [
        venvs.DYNET_2,
        ("torch", TORCH),
        ("structures", (*TORCH, "pytorch-crf==0.7.2", "torch-struct==0.5")),
        ("mkl", ("mkl==2026.2.0",)),
    ]
)


def interpreter(toolkit):
    """The interpreter of an opponent's environment, which is made when it is not there."""
    return venvs.interpreter(toolkit, REQUIREMENTS[toolkit])
