"""Writes the table of names into docs/migration.md, from the tables that the tests hold the package to."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "migration.md"
BEGIN, END = "<!-- begin of the table of names -->\n", "<!-- end of the table of names -->\n"

sys.path.insert(0, str(ROOT / "tests" / "python"))
import dynet2_notes  # noqa: E402
import dynet2_surface  # noqa: E402


def notes() -> dict[str, str]:
    """The note of each name; KeyError for names that DyNet 2 does not have."""
    found: dict[str, str] = {}
    known = {name for name, _ in entries()}
    for names, note in dynet2_notes.NOTES.items():
        for name in names.split():
            if name not in known or name in found:
                raise KeyError(f"dynet2_notes: {name} is not a name of DyNet 2, or stands there twice")
            found[name] = note
    return found


def entries() -> list[tuple[str, str]]:
    """Every name with what it takes, functions first."""
    functions = [tuple(line.split("(", 1)) for line in dynet2_surface.FUNCTIONS.splitlines() if line]
    listed = [(name, f"{name}({rest}") for name, rest in functions]
    for name, (_, constructor, _) in dynet2_surface.CLASSES.items():
        listed.append((name, f"class {name}" + ("" if constructor is None else f"({constructor})")))
    listed.extend((name, name) for name in dynet2_surface.CONSTANTS)
    return sorted(listed, key=lambda entry: entry[0].lower())


def table() -> str:
    """The names as a Markdown table; where nothing is said, nothing differs."""
    said = notes()
    rows = [f"| `{text}` | {said.get(name, '')} |" for name, text in entries()]
    return "\n".join(["| name | what differs |", "| --- | --- |", *rows]) + "\n"


def written(text: str) -> str:
    """The page with the table between its marks."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{TARGET.name} has no marks for the table: {BEGIN!r} and {END!r}")
    return pattern.sub(lambda _: BEGIN + table() + END, text)


def main() -> int:
    """Writes the file, or, with --check, says whether it is what would be written."""
    text = TARGET.read_text(encoding="utf-8")
    if "--check" not in sys.argv:
        TARGET.write_text(written(text), encoding="utf-8")
        return 0
    if written(text) == text:
        return 0
    print("docs/migration.md is not what the tests say; run: python tools/migration_doc.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
