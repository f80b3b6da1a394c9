"""Measures files and functions: size.py prints lines per room and fails where a file or a function is too long."""

import ast
import collections
import re
import sys

from sources import CPP, PYTHON, ROOT, room, sources

FILE_LIMIT = 500
FUNCTION_LIMIT = 60

# Comments, strings and characters, whose braces do not count.
OPAQUE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
CONTAINER = re.compile(r"^(?:template\b.*)?(?:inline\s+|export\s+|typedef\s+)*(?:namespace|class|struct|union|enum|extern)\b", re.DOTALL)
FUNCTION = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|mutable|&&?|try)\b\s*|->[^{};]*|:[^:].*|requires\b.*)*$", re.DOTALL)
NAME = re.compile(r"([~\w]+|operator\s*\S+?)\s*\(")


def blank(match):
    """The matched text as spaces, its lines kept."""
    return re.sub(r"[^\n]", " ", match.group())


def cpp_functions(text):
    """Yields (name, first line, lines) of each C++ function that has a body."""
