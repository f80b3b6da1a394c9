"""Writes docs/cpp-reference.md, the reference of the C++ library, from its headers."""

import pathlib
import re
import sys
import textwrap
import typing

ROOT = pathlib.Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "cpp-reference.md"
INTRODUCTION = """# C++ reference

What `dynet/dynet.h` gives a program, header by header, in the namespace `dynet`. What the operations compute
is told in [ops.md](ops.md), how a program is written in [cpp.md](cpp.md). `make docs` writes this file from
the headers.
"""
# The headers of users, room by room; of the operations only the functions count.
HEADERS = [
    *("graph/expression", "run/computation_graph", "ops/"),
    *(
        "params/collection",
        "params/parameter",
        "params/lookup",
        "params/init",
        "train/trainer",
        "train/average",
        "train/shadow",
    ),
    *(
        "nn/rnn",
        "nn/simple",
        "nn/lstm",
        "nn/coupled_lstm",
        "nn/gru",
        "nn/bidirectional",
        "nn/treelstm",
        "nn/softmax",
    ),
    *("nn/word_tree", "io/text", "io/safetensors", "core/dim", "core/tensor", "core/dict", "device/device"),
    *("run/describe", "program/gradient_check", "program/options", "program/random", "program/tensor_tools"),
    *("program/timing", "program/pretrain", "program/mp"),
]

# A header's tokens: documentation, other comments, strings, brackets, ends of statements, the rest.
TOKEN = re.compile(
    r"""(?P<doc>///[^\n]*) | (?P<skip>//[^\n]*|^\s*\#[^\n]*)
    | (?P<text>R"\((?:.|\n)*?\)" | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])+')
    | (?P<open>[{]) | (?P<close>[}]) | (?P<end>;) | (?P<access>\b(?:public|private|protected)\s*:(?!:))
    | (?P<word>\s+|\w+|.)""",
    re.VERBOSE | re.MULTILINE,
)
TYPE = re.compile(r"^(?:template <.*?> )?(class|struct|enum class|enum)\b")
FIELD = re.compile(r"^(?!using|friend|static|return|template)[\w:<>,*& ]+ \w+(, \w+)*( = [^;]*)?$")
# What a class says of itself in both languages, in a constant; what follows is an example in Python.
DOC = re.compile(r'\bdoc = R"\((.*?)(?:\n\n *>>> .*)?\)"$', re.DOTALL)
FUNCTION = re.compile(r"^(?!using|friend|static_assert|typedef)[^=]*?[\w>&*\]] ?\**&?(?:operator\S+|\w+)\(")


class Entry(typing.NamedTuple):
    """A declaration with what its comment says; a class has members."""

    doc: str
    text: str
    members: list


class Scope:
    """What is open: a namespace, a class with its members, or something whose inside does not count."""

    def __init__(self, kind, visible=True):
        self.kind, self.visible, self.entries = kind, visible, []


def clean(text):
    """A declaration on one line, without what only the library needs to know."""
    text = " ".join(text.split())
    text = re.sub(r"\b(inline|virtual|explicit|constexpr|override|final) ", "", text)
    text = re.sub(r" (override|final)\b|(?<=[)t]) = 0$|\[\[\w+\]\] ?", "", text)
    return re.sub(r"\) : [\w:<> ]+\(.*$", ")", text).strip()


def entries_of(header):
    """The declarations of a header, in order."""
    scopes, doc, text = [Scope("namespace")], [], ""
    for token in TOKEN.finditer(header):
        scope, kind = scopes[-1], token.lastgroup
        if kind == "doc" and scope.kind != "body":
            doc.append(token.group()[3:].strip())
        elif kind == "access":
            scope.visible, text = token.group().startswith("public"), ""
        elif kind == "open" and text.count("(") > text.count(")"):
            scopes.append(Scope("value"))  # a default argument
            text += "{"
        elif kind == "open":
            opened = open_scope(scope, text)
            if opened.kind != "body" or scope.kind != "body":
                opened.head, opened.doc = text, doc
            scopes.append(opened)
            if opened.kind != "body":
                doc, text = [], ""
        elif kind == "close":
            closed = scopes.pop()
            if closed.kind == "value":
                text += "}"
            elif closed.kind == "type":
                add(scopes[-1], closed.doc, closed.head, closed.entries)
                doc, text = [], ""
            elif closed.kind == "body" and scopes[-1].kind != "body" and is_function(closed.head):
                add(scopes[-1], closed.doc, closed.head)
                doc, text = [], ""
        elif kind == "end" and scope.kind != "body":
            add(scope, doc, text)
            doc, text = [], ""
        elif kind in ("word", "text") and scope.kind != "body":
            text += token.group()
    return scopes[0].entries


def is_function(head):
    return "(" in head and not TYPE.match(clean(head))


def open_scope(scope, text):
    head = clean(text)
    if scope.kind == "body":
        return Scope("body")
    if head.startswith("namespace") and head != "namespace dynet::engine":
        inner = Scope("namespace")
        inner.entries = scope.entries
        return inner
    found = TYPE.match(head)
    if found and "(" not in head:
        return Scope("type", visible=found.group(1) != "class")
    return Scope("body")


def add(scope, doc, text, members=()):
    if said := DOC.search(text):
        scope.doc = [" ".join(said[1].split())]
        return
    text = clean(text)
    counts = doc or members or FUNCTION.match(text) or (scope.kind == "type" and FIELD.match(text))
    if scope.visible and counts and not re.search(r"= delete$|^~|^$", text):
        scope.entries.append(Entry(" ".join(filter(None, doc)), text, list(members)))


def wrapped(text, first="", following=""):
    return textwrap.wrap(text, 108, initial_indent=first, subsequent_indent=following, break_on_hyphens=False)


def listing(entries):
    """Declarations as C++, each after what is said of it."""
    lines = []
    for entry in entries:
        if entry.members and not entry.doc:
            continue
        lines += wrapped(entry.doc, "// ", "// ") if entry.doc else []
        lines += wrapped(entry.text + ";", following="    ")
    return ["```cpp", *lines, "```", ""]


def section(name):
    """What the reference says of one header, or of the functions of all operations."""
    if name.endswith("/"):
        headers = sorted((ROOT / "dynet" / name).glob("*.h"))
        functions = {
            e.text: e for h in headers for e in entries_of(h.read_text("utf-8")) if is_operation(e.text)
        }
        by_name = sorted(
            functions.values(), key=lambda entry: re.search(r"(operator\S+|\w+)\(", entry.text).group(1)
        )
        return ["## Operations", "", *listing([entry._replace(doc="") for entry in by_name])]
    text = (ROOT / "dynet" / f"{name}.h").read_text("utf-8")
    first = text.split("\n\n")[0].split("\n#")[0].replace("// ", "").replace("\n", " ")
    lines = [f"## dynet/{name}.h", "", *wrapped(first), ""]
    loose = []
    for entry in entries_of(text):
        if not entry.members:
            loose.append(entry)
        else:
            doc = [*wrapped(entry.doc), ""] if entry.doc else []
            lines += [f"### {entry.text}", "", *doc, *listing(entry.members)]
    return [*lines, *(listing(loose) if loose else [])]


def is_operation(text):
    """Whether it is a function on expressions that programs call."""
    return re.match(r"^(?:template <.*?> )?Expression (operator\S+|\w+)\(", text) is not None


def reference():
    return "\n".join([INTRODUCTION, *(line for name in HEADERS for line in section(name))]).rstrip() + "\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    sys.exit(0)
