"""The page "Life of an evaluation" shows what its program prints."""

import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "life-of-an-evaluation.md"


def test_the_program_prints_the_plan_that_the_page_shows():
    text = PAGE.read_text()
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    shown = re.search(r"```text\n(.*?)```", text, re.DOTALL).group(1)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == shown
