"""Writes docs/ops.md, the reference of all operations, from what the built package says of itself."""

from __future__ import annotations

import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "docs" / "ops.md"
HEAD = """# Operations

Made by `python tools/ops_doc.py` from the declarations in `dynet/ops/`. Every operation runs in batches on
its own; shapes are column-major, and a batch size of 1 stretches to that of the other arguments.

"""


def reference() -> str:
    """One section for each public operation: its signature and its docstring."""
    import dynet as dy

    sections = []
    for name in sorted(dy.ops()):
        function = getattr(dy, name) if name in dy.__all__ else None
        if function is None or not function.__doc__:
            continue
        signature, _, text = function.__doc__.partition("\n")
        prose, _, example = text.strip().partition("\n\n>>> ")
        body = " ".join(prose.split()) + (f"\n\n```pycon\n>>> {example}\n```" if example else "")
        sections.append(f"### {name}\n\n```python\n{signature.strip()}\n```\n\n{body}\n")
    return HEAD + "\n".join(sections)


def main() -> int:
    """Writes the file, or, with --check, says whether it is what would be written."""
    text = reference()
    if "--check" not in sys.argv:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.name} is not what the package says of itself; run: python tools/ops_doc.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
