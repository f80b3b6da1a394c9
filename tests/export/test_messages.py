"""What dy.export tells of itself: long enough, and its examples print what they say."""

import doctest
import importlib.util
import inspect

import numpy as np
import pytest

import dynet as dy

NEEDS = {"onnx": "onnx", "to_torch": "torch"}


@pytest.mark.parametrize("name", dy.export.__all__)
def test_text(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = inspect.cleandoc(getattr(dy.export, name).__doc__)
    assert len(text) >= 60
    needed = NEEDS.get(name)
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}")
    names = {"dy": dy, "np": np} | ({needed: importlib.import_module(needed)} if needed else {})
    example = doctest.DocTestParser().get_doctest(text, names, name, None, None)
    assert example.examples or name == "ResetAfterGRUState"
    said = []
    dy.renew_cg()
    doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert not said, "".join(said)


def test_names_are_known_without_being_loaded():
    assert set(dy.export.__all__) <= set(dir(dy.export))
    with pytest.raises(AttributeError, match="no attribute 'onxx'"):
        _ = dy.export.onxx
