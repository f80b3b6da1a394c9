"""Draws the pictures of the tutorials: draw.py PAGE... runs the pages with their matplotlib code."""

import os
import pathlib
import re
import shutil
import sys
import tempfile

TUTORIALS = pathlib.Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(python|\{code-block\} python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def draw(page):
    """Runs a page in a folder of its own, and keeps the pictures that it saves."""
    home = pathlib.Path.cwd()
    blocks = FENCE.findall((TUTORIALS / f"{page}.md").read_text(encoding="utf-8"))
    drawing = [place for place, (_, block) in enumerate(blocks) if "savefig" in block]
    names = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(TUTORIALS / "data", pathlib.Path(folder, "data"))
        os.chdir(folder)
        for place, (kind, block) in enumerate(blocks[: drawing[-1] + 1]):
            if kind == "python" or place in drawing:
                exec(compile(block, page, "exec"), names)
        for picture in (*pathlib.Path().glob("*.png"), *pathlib.Path().glob("*.svg")):
            shutil.copy(picture, TUTORIALS / "images")
        os.chdir(home)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        draw(name)
