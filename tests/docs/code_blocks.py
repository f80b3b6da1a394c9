"""Runs the programs of pages and says what they do not do as it is said: code_blocks.py PAGE...

Every fence marked `python` is run, in order and in one module. If the next fence is marked `output`, what was
printed must equal it, where … stands for any text; an error that is shown is its last line, `ValueError: no`.
Fragments that are not to be run are written as a `{code-block}`. A line `<!-- needs: torch -->` names
packages without which the page is left out. A folder `data` beside the page is there when its programs run.
"""

import contextlib
import ctypes
import difflib
import itertools
import os
import pathlib
import re
import shutil
import sys
import tempfile
import traceback
import types
import typing

FENCE = re.compile(r"^(?P<margin>[ \t]*)(?P<mark>`{3,}|~{3,})[ ]*(?P<info>[^`]*)$")
VERBATIM = ("{code", "{sourcecode", "{math", "{raw", "{mermaid", "{eval-rst", "{literalinclude", "{dynet")
NEEDS = re.compile(r"^<!-- needs: (.*?) -->$", re.MULTILINE)
ANY_TEXT = "…"


class Fence(typing.NamedTuple):
    """What a fence is marked as, its text without the margin, and the line that opens it, from 1."""

    kind: str
    text: str
    line: int


def fences(page):
    """The fences of a page's text, also inside of notes and tabs, which are written as fences themselves."""
    found, opened, lines = [], None, []
    for number, line in enumerate(page.splitlines(), 1):
        match = FENCE.match(line)
        if opened:
            margin, mark, kind, start = opened
            if match and match["mark"].startswith(mark) and not match["info"].strip():
                found.append(Fence(kind, "".join(f"{text}\n" for text in lines), start))
                opened = None
            else:
                lines.append(line.removeprefix(margin))
        elif match and (not match["info"].startswith("{") or match["info"].startswith(VERBATIM)):
            info = match["info"].strip()
            if info:  # Without one it closes a note or a tab.
                opened, lines = (match["margin"], match["mark"], info, number), []
    if opened:
        raise SyntaxError(f"the fence of line {opened[3]} is not closed")
    return found


def needs(page):
    """The packages that a page names."""
    return [name for line in NEEDS.findall(page) for name in re.split(r"[,\s]+", line) if name]


@contextlib.contextmanager
def printed():
    """A list that gets what is printed meanwhile, by this process or another one that it starts."""
    texts = []
    with tempfile.TemporaryFile() as file:
        sys.stdout.reconfigure(line_buffering=True)  # so that lines come in the order of the programs
        before = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            yield texts
        finally:
            sys.stdout.flush()
            ctypes.CDLL(None).fflush(None)
            os.dup2(before, 1)
            os.close(before)
            file.seek(0)
            texts.append(file.read().decode())


def difference(said, text):
    """Nothing, or the lines that differ where a page says that a text is printed."""
    said, text = (("\n".join(line.rstrip() for line in t.strip("\n").split("\n"))) for t in (said, text))
    pattern = ".*?".join(re.escape(part) for part in said.split(ANY_TEXT))
    if re.fullmatch(pattern, text, re.DOTALL):
        return ""
    return "\n".join(difflib.unified_diff(said.split("\n"), text.split("\n"), "said", "printed", lineterm=""))


def run(path):
    """Runs a page's programs in the folder that this process is in; what is wrong, or nothing."""
    listed = fences(path.read_text(encoding="utf-8"))
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    for fence, following in itertools.zip_longest(listed, listed[1:]):
        if fence.kind != "python":
            continue
        said = following.text if following and following.kind == "output" else None
        error = ""
        with printed() as texts:
            try:
                padded = "\n" * fence.line + fence.text  # Lines are those of the page.
                exec(compile(padded, str(path), "exec"), module.__dict__)
            except Exception as exception:
                if said is None:
                    return "".join(traceback.format_exception(exception))
                error = "".join(traceback.format_exception_only(exception))
        if said is not None and (wrong := difference(said, texts[0] + error)):
            return f"{path}:{following.line}: the program of line {fence.line} prints something else\n{wrong}"
    return ""


def main(names):
    """Runs pages, each in a folder of its own; the status is 1 when something is wrong."""
    status, home = 0, os.getcwd()
    for path in [pathlib.Path(name).resolve() for name in names]:
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            os.chdir(folder)
            stack.callback(os.chdir, home)
            if (path.parent / "data").is_dir():
                shutil.copytree(path.parent / "data", "data")
            if wrong := run(path):
                print(wrong, file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
