"""What the tests of this folder share."""

import importlib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def example(monkeypatch):
    """Imports a module of the examples by its name."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module
