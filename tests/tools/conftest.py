"""A small checkout to run the tools on."""

import subprocess

import pytest


@pytest.fixture
def checkout(tmp_path):
    """A function that writes files into a new repository; its `root` is the folder."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    write.root = tmp_path
    return write
