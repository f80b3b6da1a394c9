"""Runs programs with our package or with DyNet 2, in environments that tools/venvs.py makes on demand."""

import os
import pathlib
import pickle
import subprocess

import pytest
import venvs

import dynet as dy

OURS, DYNET_2 = "ours", "DyNet 2"
TOOLKITS = (OURS, DYNET_2)
MODULES = ("dynet", "dynet.py", "dynet_*.py", "_dynet*", "dyNET38.libs")

# What the programs need besides DyNet; several state requirements that exclude each other or this package.
CLIENTS = (
    ("--no-deps", "nagisa==0.2.11", "uuparser==2.4", "TUPA==1.4.2", "spacy-jptdp==0.7.3", "dynn==0.0.12"),
    ("--no-deps", "semstr==1.2.2", "ucca==1.2.3", "nlpcube==0.1.0.8"),
    ("future", "scipy", "requests", "xmltodict"),
    ("numpy", "six", "h5py", "loguru", "tqdm", "configargparse", "logbook", "typing_extensions"),
)


_unavailable = {}  # the reason why something could not be had, so that it is tried once


def available(make, *arguments):
    """What make(*arguments) gives; the test is skipped where it cannot be had."""
    wanted = make, arguments
    if wanted not in _unavailable:
        try:
            return make(*arguments)
        except venvs.UnavailableError as error:
            _unavailable[wanted] = error
    return pytest.skip(f"not available here: {_unavailable[wanted]}")


def clients():
    """The interpreter of the environment with all client programs and no DyNet."""
    return available(venvs.interpreter, "clients", *CLIENTS)


def dynet_2():
    """The interpreter of the environment with DyNet 2."""
    name, requirements = venvs.DYNET_2
    return available(venvs.interpreter, name, requirements)


def packages(toolkit):
    """The folder where a toolkit's modules were installed."""
    if toolkit == OURS:
        return pathlib.Path(dy.__file__).resolve().parent.parent
    command = [dynet_2(), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return pathlib.Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def alone(toolkit, folder):
    """Links a toolkit's modules, and nothing else that is installed beside them, into a new folder."""
    site = packages(toolkit)
    folder.mkdir(parents=True)
    for pattern in MODULES:
        for module in site.glob(pattern):
            (folder / module.name).symlink_to(module)
    return folder


def run(python, path, *command, cwd=None, timeout=1200):
    """Runs an interpreter with `path` as its only additional import path; returns what it printed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DYNET"))}
    environment = {**kept, "PYTHONPATH": str(path), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [python, *map(str, command)],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout + done.stderr


def results(program, root):
    """What a program pickles into the file that it is given, with each toolkit."""
    found = {}
    for toolkit in TOOLKITS:
        folder = alone(toolkit, root / toolkit.replace(" ", "_"))
        run(dynet_2(), folder, program, root / "result")
        found[toolkit] = pickle.loads((root / "result").read_bytes())
    return found
