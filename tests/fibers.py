"""Whether tasks may be plain functions here: with greenlet, and without sanitizers, which refuse it."""

import importlib.util
import os

import pytest

THERE = importlib.util.find_spec("greenlet") is not None and "asan" not in os.environ.get("LD_PRELOAD", "")
needed = pytest.mark.skipif(not THERE, reason="no fibers here")
