"""Every public name tells enough of itself, and every example prints what it says."""

import doctest
import inspect
import re
import statistics

import numpy as np
import pytest

import dynet as dy
from dynet.renamed import RENAMED


def text_of(thing):
    """The docstring without the signatures that nanobind puts before it."""
    lines = inspect.cleandoc(thing.__doc__ or "").split("\n")
    name = getattr(thing, "__name__", "")
    while lines and re.match(rf"(?:{name})?\(.*\) -> ", lines[0]):
        lines.pop(0)
    return "\n".join(lines).strip()


def members(kind):
    """The public methods and properties that a class and its bases of this package have."""
    for base in kind.__mro__:
        if not base.__module__.startswith("dynet"):
            continue
        for name, member in vars(base).items():
            is_field = name in getattr(kind, "_fields", ())
            is_missing = type(member).__name__ == "_Missing"
            if not name.startswith("_") and not is_field and not is_missing:
                yield f"{base.__name__}.{name}", getattr(member, "__func__", member)


def texts():
    """The text of each public class, function, method and property; what is inherited counts once."""
    found = {}
    for name in dy.__all__:
        thing = getattr(dy, name)
        if not callable(thing):
            continue
        found[name] = text_of(thing)
        if inspect.isclass(thing):
            found.update({member: text_of(value) for member, value in members(thing)})
    return found


TEXTS = texts()


def test_every_text_is_long_enough():
    short = {name: text for name, text in TEXTS.items() if len(text) < 80}
    assert not short
    assert statistics.median(map(len, TEXTS.values())) >= 250


def test_what_is_counted():
    assert {"tanh", "LSTMBuilder", "Trainer.update", "VanillaLSTMBuilder.spec", "DynetParams.init"} < set(
        TEXTS
    )
    assert not set(RENAMED) & set(TEXTS)
    assert not TEXTS["tanh"].startswith("tanh(")
    assert len(TEXTS) > 400


@pytest.fixture
def tidy(tmp_path, monkeypatch):
    """Examples write files, and change what a process chooses."""
    monkeypatch.chdir(tmp_path)
    yield
    dy.init()


def test_every_example_prints_what_it_says(tidy):
    parser, said, count = doctest.DocTestParser(), [], 0
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    for name, text in sorted(TEXTS.items()):
        dy.renew_cg()
        example = parser.get_doctest(text, {"dy": dy, "np": np}, name, None, None)
        count += len(example.examples)
        runner.run(example, out=said.append)
    assert not said, "".join(said)
    assert count > 900


def test_a_wrong_example_is_found():
    said = []
    example = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3", {}, "wrong", None, None)
    doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert re.search(r"Expected:\s+3\s+Got:\s+2", "".join(said))
