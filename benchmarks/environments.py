"""Sets up one virtual environment per opponent, in a cache that later runs reuse."""

import os
import pathlib
import shutil
import subprocess
import sys

REQUIREMENTS = {
    "dynet": ("dyNET38==2.2", "numpy"),
    "torch": ("torch==2.13.0", "numpy"),
}
INSTALL_TIMEOUT = 1800


class UnavailableError(Exception):
    """An opponent that cannot be installed or started here, with the reason."""


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


def interpreter(toolkit):
    """The interpreter of an opponent's environment, which is made when it is not there."""
    folder = cache() / toolkit
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    installed = folder / "installed.txt"
    wanted = "\n".join((sys.version, *REQUIREMENTS[toolkit]))
    if installed.exists() and installed.read_text() == wanted:
        return str(python)
    shutil.rmtree(folder, ignore_errors=True)
    checked([sys.executable, "-m", "venv", str(folder)])
    checked([str(python), "-m", "pip", "install", *REQUIREMENTS[toolkit]])
    installed.write_text(wanted)
    return str(python)
