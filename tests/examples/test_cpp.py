"""The C++ examples read the models of the Python ones and back; both languages train to the same bits."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PROGRAMS = Path(os.environ.get("DYNET_BUILD", ROOT / "build" / "python")) / "programs"
NO_DATA = 3  # the exit status of an example that cannot fetch its data


def run(*command):
    environment = {**os.environ, "DYNET_REAL": "float"}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
        check=False,
    )
    if done.returncode == NO_DATA:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """The folder with what the examples learn from."""
    folder = tmp_path_factory.mktemp("data")
    run(sys.executable, EXAMPLES / "export.py", folder, "--smoke")
    return folder


def score(printed):
    """The one number that both languages print of the held-out data."""
    return re.search(r"held-out.*?(?:accuracy|perplexity) ([\d.]+)", printed).group(1)


@pytest.mark.parametrize("name", ["attention", "language_model", "tagger", "treelstm"])
def test_a_model_of_one_language_scores_the_same_in_the_other(name, data, tmp_path):
    python, cpp = (sys.executable, EXAMPLES / f"{name}.py"), (PROGRAMS / name, "--data", data)
    models = tmp_path / "python.model", tmp_path / "cpp.model"
    scores = [
        score(run(*python, "--smoke", "--save", models[0])),
        score(run(*cpp, "--smoke", "--load", models[0])),
        score(run(*cpp, "--smoke", "--save", models[1], "--dynet-seed", 1)),
        score(run(*python, "--smoke", "--load", models[1])),
    ]
    assert scores[0] == scores[1]
    assert scores[2] == scores[3]


def numbers(printed):
    return [float.fromhex(line) for line in printed.split()]


@pytest.mark.parametrize("name", ["tagger", "tree"])
def test_both_languages_train_and_predict_the_same_bits(name, tmp_path):
    python, cpp = (sys.executable, ROOT / "tests" / "examples" / "parity.py"), (PROGRAMS / "parity",)
    models = tmp_path / "python.model", tmp_path / "cpp.model"
    from_python = numbers(run(*python, name, "--save", models[0]))
    from_cpp = numbers(run(*cpp, name, "--save", models[1]))
    assert len(from_python) == 110
    assert from_python == from_cpp
    assert models[0].read_bytes() == models[1].read_bytes()
    read_in_python = numbers(run(*python, name, "--load", models[1]))
    read_in_cpp = numbers(run(*cpp, name, "--load", models[0]))
    assert len(read_in_python) == 10
    assert read_in_python == read_in_cpp
    # A file holds 9 digits of each number, so that what is read differs a little from what was trained.
    assert read_in_python == pytest.approx(from_python[-10:], rel=1e-4)


def test_mistakes_are_told_in_the_same_words():
    """Graphs are counted in each process, so that their numbers differ. What reads a file in C++
    does not know for whom. The sum of a list has another name in C++.
    """
    told = [
        re.sub(r"graph (is )?\d+", "graph", run(*command))
        .replace("populate: ", "")
        .replace("esum: ", "sum: ")
        for command in (
            (sys.executable, ROOT / "tests" / "examples" / "mistakes.py"),
            (PROGRAMS / "mistakes",),
        )
    ]
    assert told[0].count("Error: ") == 14
    assert told[0] == told[1]
