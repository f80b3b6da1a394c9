"""What the tests of client programs share: the environment, the two toolkits, and data."""

import ast
import json
import pathlib
import re
import zipfile

import pytest
import toolkits
import venvs

PROGRAMS = pathlib.Path(__file__).parent / "programs"
# These have a few thousand Japanese strings in their message catalogues.
TRANSLATED = ("django==5.2.19", "sphinx==9.0.4", "wagtail==8.0.1")
MESSAGE = re.compile(r'^msgstr(?:\[\d\])? ((?:".*"\n)+)', re.MULTILINE)


@pytest.fixture(scope="session")
def client_python():
    return toolkits.clients()


@pytest.fixture(scope="session")
def toolkit_paths(client_python, tmp_path_factory):
    """For each toolkit a folder that makes `import dynet` mean it."""
    root = tmp_path_factory.mktemp("toolkits")
    return {name: toolkits.alone(name, root / name.replace(" ", "_")) for name in toolkits.TOOLKITS}


@pytest.fixture
def program(client_python, toolkit_paths, tmp_path):
    """Runs one of the programs with a toolkit, or a module of a client when the name starts with -m."""

    def run(toolkit, name, *arguments):
        started = ["-m", name[3:]] if name.startswith("-m ") else [PROGRAMS / name]
        return toolkits.run(client_python, toolkit_paths[toolkit], *started, *arguments, cwd=tmp_path)

    return run


@pytest.fixture(scope="session")
def japanese(tmp_path_factory):
    """A JSON file with Japanese strings."""
    folder = toolkits.available(venvs.downloads, *TRANSLATED)
    strings = set()
    for package in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(package) as archive:
            for name in archive.namelist():
                if re.search(r"locale/ja/LC_MESSAGES/\w+\.po$", name):
                    messages = MESSAGE.findall(archive.read(name).decode())
                    strings.update(ast.literal_eval(f"({message})") for message in messages)
    kept = sorted(s for s in strings if s and not s.startswith("Project-Id"))
    file = tmp_path_factory.mktemp("japanese") / "texts.json"
    file.write_text(json.dumps(kept))
    return file
