"""The size meter: size.py [REVISION] prints lines per room, and finds the files and functions too long."""

import ast
import collections
import pathlib
import re
import subprocess
import sys
import typing

from sources import CPP, PYTHON, ROOT, room, sources

FILE_LIMIT = 500
FUNCTION_LIMIT = 60

# Comments, raw strings, strings and characters: the braces in them do not count. 1'000 holds no character.
OPAQUE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)" | "(?:\\.|[^"\\\n])*"
    | (?<!\w)'(?:\\.|[^'\\\n])+'""",
    re.DOTALL | re.VERBOSE,
)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
LABEL = re.compile(r"\s*(?:(?:public|private|protected)\s*:(?!:)\s*)*")
TEMPLATE = re.compile(r"template\s*<[^;]*?>\s*(?=\w)")
NAME = re.compile(r"(\boperator\W+?|[~\w]+)\s*\(")
# A body follows a list of parameters, what may stand after one, or the initialisers of a constructor.
BODY = re.compile(
    r"""\) (?:\s|\b(?:const|noexcept|override|final|mutable|try)\b|&)* $
    | \) [\w\s]* -> [^;=]* $ | \) \s* requires\b | \) \s* (?:noexcept\s*)? :[^:].*[)}] \s* $""",
    re.DOTALL | re.VERBOSE,
)


class Function(typing.NamedTuple):
    """Where a function begins, and how many lines it has."""

    name: str
    line: int
    lines: int


def blank(match):
    """The matched text as spaces, its lines kept."""
    return re.sub(r"[^\n]", " ", match.group())


def function_name(head):
    """The name in what stands before a function's body."""
    named = NAME.search(TEMPLATE.sub("", head))
    return named.group(1).strip() if named else "lambda"


def cpp_functions(text):
    """The functions of a C++ file that have a body; one within another counts as part of that."""
    text = PREPROCESSOR.sub(blank, OPAQUE.sub(blank, text))
    found, start = [], 0  # start: where the statement at hand begins
    scopes = []  # the open braces: what they belong to, where that begins, whether in a function
    for mark in re.finditer(r"[{};]", text):
        inside = bool(scopes) and scopes[-1][0] == "function"
        if mark.group() == "{":
            begin = LABEL.match(text, start).end()
            head = text[begin : mark.start()].rstrip()
            kind = "function" if inside or BODY.search(head) else head.split(" ", 1)[0]
            scopes.append((kind, begin, inside))
            start = mark.end()
        elif mark.group() == ";":
            start = mark.end()
        elif not scopes:
            raise ValueError("a brace too many")
        else:
            kind, begin, nested = scopes.pop()
            # An initialiser in braces goes on: `A() : x{1} {}`; the others end here.
            start = mark.end() if kind in ("function", "namespace", "inline", "extern") else begin
            if kind == "function" and not nested:
                line = text.count("\n", 0, begin) + 1
                lines = text.count("\n", begin, mark.end()) + 1
                found.append(Function(function_name(text[begin : mark.start()]), line, lines))
    if scopes:
        raise ValueError("a brace is missing")
    return found


def python_functions(text):
    """The functions of a Python file, those within another too."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    return [Function(node.name, node.lineno, node.end_lineno - node.lineno + 1) for node in nodes]


def too_long(path, text):
    """The complaints about one file."""
    lines = text.count("\n")
    if lines > FILE_LIMIT:
        yield f"{path}: {lines} lines: the limit is {FILE_LIMIT}; split it"
    try:
        functions = cpp_functions(text) if path.suffix in CPP else python_functions(text)
    except (SyntaxError, ValueError) as error:
        yield f"{path}: cannot be measured: {error}"
        return
    for function in functions:
        if function.lines > FUNCTION_LIMIT:
            yield (
                f"{path}:{function.line}: {function.name}: {function.lines} lines: "
                f"the limit is {FUNCTION_LIMIT}; split it"
            )


def changes(root, revision):
    """Lines added less lines removed per room since a revision; nothing where git does not know it."""
    command = ["git", "-C", str(root), "diff", "--numstat", "--no-renames", revision]
    done = subprocess.run(command, capture_output=True, text=True)
    changed = collections.Counter()
    for line in done.stdout.splitlines():
        added, removed, name = line.split("\t")
        path = pathlib.PurePosixPath(name)
        if path.suffix in CPP | PYTHON:
            changed[room(path)] += int(added) - int(removed)
    return changed


def report(root, revision):
    """Prints files, lines and change of every room; returns the complaints."""
    files, lines, complaints = collections.Counter(), collections.Counter(), []
    for path in sources(root, CPP | PYTHON):
        text = (root / path).read_text()
        files[room(path)] += 1
        lines[room(path)] += text.count("\n")
        complaints += too_long(path, text)
    changed = changes(root, revision)
    print(f"{'room':<16}{'files':>6}{'lines':>8}{'change':>8}")
    for name in sorted(lines):
        print(f"{name:<16}{files[name]:>6}{lines[name]:>8}{changed[name]:>+8}")
    print(f"{'all':<16}{files.total():>6}{lines.total():>8}{changed.total():>+8}")
    return complaints


def main(revision="HEAD"):
    complaints = report(ROOT, revision)
    print("\n".join(complaints) if complaints else "size: no file and no function is too long")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
