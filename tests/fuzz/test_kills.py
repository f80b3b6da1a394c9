"""Savers that are killed, and loads beside savers: the old or the new model comes back, whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.worker import SEED, many


@pytest.mark.timeout(0)
def test_kills():
    command = [sys.executable, str(Path(__file__).with_name("kills.py")), "--seed", str(SEED)]
    command += ["--kills", str(many(20)), "--loads", str(many(1000))]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
