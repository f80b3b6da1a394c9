"""The program in the README runs and learns what it says."""

import contextlib
import io
import pathlib
import re

import dynet as dy

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_program():
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    printed = io.StringIO()
    dy.reset_random_seed(9)  # The program chooses its own.
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    bad, good = map(float, printed.getvalue().strip("[] \n").split())
    said = re.search(r"# bad: ([\d.]+), good: ([\d.]+)", program)
    assert said and abs(bad - float(said[1])) < 0.01 and abs(good - float(said[2])) < 0.01


def test_length():
    assert (ROOT / "README.md").read_text().count("\n") <= 120
