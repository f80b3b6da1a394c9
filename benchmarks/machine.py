"""Measures what this machine can do: multiply-adds in registers, and memory bandwidth."""

import json
import pathlib
import platform
import subprocess

from contestants import pinned
from programs import program


def rates(cores, threads):
    """Operations and bytes per second of so many threads, each at once on a core."""
    command = pinned([program("peak"), str(threads)], cores[-threads:])
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    fields = json.loads(run.stdout)
    return {"operations": fields["operations"] * 1e9, "bytes": fields["bytes"] * 1e9}


def name():
    """What the processor calls itself."""
    path = pathlib.Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
