"""Somebody's program on real text: nagisa, a Japanese tagger, on our package, on dyNET38, and without DyNet."""

import ast
import json
import pathlib
import re
import subprocess
import zipfile

import venvs
from contestants import Process, environment
from environments import UnavailableError
from findings import Finding
from report import Entry, Row

FOLDER = pathlib.Path(__file__).resolve().parent
TRANSLATED = ("django==5.2.19",)
MESSAGE = re.compile(r'^msgstr(?:\[\d\])? ((?:".*"\n)+)', re.MULTILINE)
MODULES = ("dynet", "dynet.py", "dynet_*.py", "_dynet*", "dyNET38.libs")
# The old one has DyNet as its network, the new one has its own in NumPy and Cython.
OLD = ("nagisa", ("--no-deps", "nagisa==0.2.11"), ("numpy", "six"))
NEW = ("nagisa-without-dynet", ("nagisa==0.3.0",))
AGAINST = {"dyNET38": ("nagisa 0.2.11 with dyNET38", 5), "new": ("nagisa 0.3.0, without DyNet", 1.2)}


def texts(file):
    """Writes the Japanese messages of Django's catalogues."""
    strings = set()
    for package in sorted(venvs.downloads(*TRANSLATED).glob("*.whl")):
        with zipfile.ZipFile(package) as archive:
            for name in archive.namelist():
                if re.search(r"locale/ja/LC_MESSAGES/\w+\.po$", name):
                    messages = MESSAGE.findall(archive.read(name).decode())
                    strings.update(ast.literal_eval(f"({message})") for message in messages)
    kept = sorted(text for text in strings if text and not text.startswith("Project-Id"))
    file.write_text(json.dumps(kept))


def site_packages(python):
    """Where an interpreter has its packages."""
    command = [python, "-c", "import dynet, pathlib; print(pathlib.Path(dynet.__file__).resolve())"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=FOLDER)
    found = pathlib.Path(run.stdout.strip())
    return found.parent.parent if found.name == "__init__.py" else found.parent


def linked(python, folder):
    """A folder with the modules of one DyNet and nothing else that is installed beside them."""
    folder.mkdir()
    for pattern in MODULES:
        for module in site_packages(python).glob(pattern):
            (folder / module.name).symlink_to(module)
    return folder


def start(pythons, site, folder):
    """The three workers; what cannot be started is left out, with the reason."""
    file = folder / "texts.json"
    texts(file)
    started, missing = {}, {}

    def begin(name, install, path=None):
        try:
            python = venvs.interpreter(*install)
            variables = environment(1)
            if path:
                variables["PYTHONPATH"] = str(path)
            command = [python, str(FOLDER / "japanese_worker.py"), str(file)]
            started[name] = Process(name, command, site, variables=variables)
        except UnavailableError as error:
            missing[name] = str(error)

    for toolkit, name in (("ours", "ours"), ("dynet", "dyNET38")):
        if toolkit in pythons:
            begin(name, OLD, linked(pythons[toolkit], folder / toolkit))
        else:
            missing[name] = "not available"
    begin("new", NEW)
    return started, missing


def measure(pythons, site, options, folder, progress):
    """The findings about nagisa."""
    progress("nagisa")
    try:
        started, missing = start(pythons, site, pathlib.Path(folder))
    except UnavailableError as error:
        started, missing = {}, {name: str(error) for name in ("ours", *AGAINST)}
    try:
        for number in range(options.rounds):
            order = list(started.values())
            for process in order[number % 3 :] + order[: number % 3]:
                rate = process.window(options.window)
                progress(f"  {process.name}: {rate:.1f} texts/s")
        same = {json.dumps(started[name].ready["first"]) for name in ("ours", "dyNET38") if name in started}
    finally:
        for process in started.values():
            process.close()
    agree = "the same words and tags" if len(same) == 1 else "DIFFERENT words and tags"
    entries = {name: Entry(name, name, process.rates, "", 0, False) for name, process in started.items()}
    made = []
    for name, (against, bound) in AGAINST.items():
        finding = Finding("nagisa", f"nagisa/{name}", "nagisa 0.2.11, real text", against, None, bound=bound)
        made.append(finding)
        if "ours" in entries and name in entries:
            pair = entries["ours"], entries[name]
            finding.value, finding.low, finding.high = Row.ratio(*pair)
            finding.detail = f"{pair[0].text()} : {pair[1].text()} texts/s"
            if name == "dyNET38":
                finding.detail += f"; {agree}"
        else:
            finding.detail = "; ".join(f"{who}: {why}" for who, why in missing.items())
    return made
