"""Submodules that are there as dy.NAME, and are loaded when somebody first uses one.

importlib.util.LazyLoader is not it: a thread that asks while another loads finds half a module, and a module
whose loading failed once stays half. Here the import system loads, which knows of both.
"""

import importlib
from collections.abc import Iterable
from types import ModuleType
from typing import Any


class _Submodule(ModuleType):
    # Stands for a module until the import system puts that in its place. Its text is the module's.
    __doc__ = property(lambda self: importlib.import_module(self.__name__).__doc__)

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)

    def __dir__(self) -> Iterable[str]:
        return dir(importlib.import_module(self.__name__))

    def __repr__(self) -> str:
        return f"<module {self.__name__!r}, loaded when it is used>"


def submodule(name: str) -> Any:
    """What stands in the package until the submodule is loaded."""
    module = _Submodule(f"dynet.{name}")
    for own in ("__doc__", "__loader__", "__spec__", "__package__"):  # None, and would be the answer
        del module.__dict__[own]
    return module
