"""Every public name of the rooms of layers tells enough of itself, and its example prints what it says."""

import doctest
import importlib
import inspect

import numpy as np
import pytest

import dynet as dy

ROOMS = ["nn", "losses", "optim", "decoding"]


def texts(room):
    """The texts of what a room has, and of its classes' methods, without other names of trainers."""
    module = importlib.import_module(f"dynet.{room}")
    for name in module.__all__:
        thing = getattr(module, name)
        if not thing.__module__.startswith(f"dynet.{room}."):
            continue
        yield name, inspect.getdoc(thing) or ""
        for key, member in vars(thing).items() if isinstance(thing, type) else ():
            member = getattr(member, "__func__", member)
            inherited = isinstance(thing, type) and hasattr(thing.__base__, key)
            if (
                not key.startswith("_")
                and not inherited
                and (callable(member) or isinstance(member, property))
            ):
                yield f"{name}.{key}", inspect.getdoc(member) or ""


@pytest.mark.parametrize("room", ROOMS)
def test_texts(room, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parser, said, short, count = doctest.DocTestParser(), [], {}, 0
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    for name, text in texts(room):
        dy.renew_cg()
        example = parser.get_doctest(text, {"dy": dy, "np": np}, name, None, None)
        if len(text) < 80 or not (example.examples or "    class " in text):
            short[name] = text
        count += len(example.examples)
        runner.run(example, out=said.append)
    assert not said, "".join(said)
    assert not short
    assert count > 10
