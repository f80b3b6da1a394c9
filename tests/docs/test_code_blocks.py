"""The programs in README.md and in docs/ run, and print what the pages say."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import code_blocks
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]

NO_DATA = 3  # The exit status of a program that cannot fetch its data.


def run(*paths, **options):
    """Runs pages as a user's program, apart from all that the tests have set."""
    command = [sys.executable, "-W", "error", code_blocks.__file__, *map(str, paths)]
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **options)


def programs(page):
    return [fence for fence in code_blocks.fences(page.read_text(encoding="utf-8")) if fence.kind == "python"]


WITH_PROGRAMS = [page for page in PAGES if programs(page)]


@pytest.mark.parametrize("page", WITH_PROGRAMS, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page):
    needed = code_blocks.needs(page.read_text(encoding="utf-8"))
    missing = [name for name in needed if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"the page needs {', '.join(missing)}")
    ran = run(page)
    if ran.returncode == NO_DATA:
        pytest.skip(ran.stderr.strip().splitlines()[-1])
    assert not ran.returncode, ran.stderr


def test_some_pages_have_programs():
    assert ROOT / "README.md" in WITH_PROGRAMS


def test_readme_is_short():
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 130


@pytest.mark.parametrize(
    ("said", "text", "same"),
    [
        ("3\n", "3\n", True),
        ("a\n\nb\n", "a \n\nb\n", True),
        ("3\n", "3\n4\n", False),
        ("3", "", False),
        ("loss 0.…\nend", "loss 0.123\nend\n", True),
        ("a…z", "a\nb\nz", True),
        ("a…z", "a\nb\ny", False),
        ("1.5", "1x5", False),
    ],
)
def test_difference(said, text, same):
    assert (code_blocks.difference(said, text) == "") == same


def test_fences():
    page = "```python\nx = 1\n```\ntext\n````{note}\n```sh\nls\n```\n  ```output\n  1\n    2\n  ```\n````\n"
    page += "```{code-block} python\nno\n```\n~~~text\n```python\n~~~\n"
    found = [(fence.kind, fence.text, fence.line) for fence in code_blocks.fences(page)]
    assert found == [
        ("python", "x = 1\n", 1),
        ("sh", "ls\n", 6),
        ("output", "1\n  2\n", 9),
        ("{code-block} python", "no\n", 14),
        ("text", "```python\n", 17),
    ]
    with pytest.raises(SyntaxError, match="line 2 is not closed"):
        code_blocks.fences("\n```python\n")


def test_needs():
    assert code_blocks.needs("# A\n<!-- needs: torch, onnx -->\n") == ["torch", "onnx"]


GOOD = """
```python
import os, pickle
class Thing: pass
pickle.loads(pickle.dumps(Thing()))
os.mkdir("here")
print(*os.listdir("data"))
os.system("echo from a process")
print("x")
```
Prose.
```output
numbers.txt
from a process
x
```
```python
print(Thing.__name__)
raise ValueError("no")
```
```output
Thing
ValueError: no
```
"""


def test_a_page_runs_in_a_folder_of_its_own(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(GOOD)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "numbers.txt").touch()
    ran = run(page, cwd=tmp_path)
    assert (ran.returncode, ran.stderr, ran.stdout) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "page.md"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("print(Thing", "print(1, Thing"), "page.md:21: the program of line 17 prints something else"),
        (('print("x")', "1 / 0"), "ZeroDivisionError"),
        (("```output\nnumbers.txt\nfrom a process\nx\n```\n", ""), ""),
        (("```output\nThing\nValueError: no\n```\n", ""), 'page.md", line 19, in <module>'),
    ],
)
def test_what_is_wrong(tmp_path, change, message):
    page = tmp_path / "page.md"
    page.write_text(GOOD.replace(*change))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "numbers.txt").touch()
    ran = run(page)
    assert ran.returncode == (1 if message else 0)
    assert message in ran.stderr
