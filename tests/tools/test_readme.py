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
    dy.reset_random_seed(1)
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    bad, good = map(float, printed.getvalue().strip("[] \n").split())
    assert bad > 0.7 > good


def test_length():
    assert (ROOT / "README.md").read_text().count("\n") <= 120
