"""The examples run, learn the same bits whatever the schedule, and load what they saved."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RUNNER = """
import runpy, sys
import dynet as dy
dy.set_batching_policy(sys.argv.pop(1))
dy.set_num_threads(int(sys.argv.pop(1)))
sys.argv.pop(0)
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""
NO_DATA = 3  # the exit status of an example that cannot fetch its data
SETTINGS = [("agenda", 1), ("single", 1), ("depth", 1), ("agenda", 2)]


def run(name, policy, threads, *options):
    """Runs an example on a slice of its data; skips the test where the data cannot be had."""
    command = [sys.executable, "-c", RUNNER, policy, str(threads), str(EXAMPLES / name), "--smoke", *options]
    environment = {**os.environ, "DYNET_REAL": "float"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240, check=False)
    if done.returncode == NO_DATA:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return done.stdout


def scores(text):
    return [line for line in text.splitlines() if line.startswith("held-out")]


@pytest.mark.parametrize("name", ["tagger.py", "language_model.py", "treelstm.py"])
def test_same_bits_whatever_the_schedule(name, tmp_path):
    saved = []
    for policy, threads in SETTINGS:
        file = tmp_path / f"{policy}{threads}.model"
        run(name, policy, threads, "--save", str(file))
        saved.append(file.read_bytes())
    for (policy, threads), model in zip(SETTINGS, saved, strict=True):
        assert model == saved[0], f"{policy} on {threads} threads learned other numbers"


@pytest.mark.parametrize("name", ["tagger.py", "language_model.py", "treelstm.py"])
def test_loads_what_it_saved(name, tmp_path):
    file = str(tmp_path / "saved.model")
    trained, loaded = run(name, "agenda", 1, "--save", file), run(name, "agenda", 1, "--load", file)
    assert scores(trained) == scores(loaded) != []
