"""Checks that each room of the C++ library includes only the rooms it may, and prints what does not."""

import pathlib
import re
import sys

from sources import CPP, ROOT, room, sources

# What each room may include besides itself, from left to right: build → schedule → plan → run → update.
ROOMS = {
    "core": [],
    "device": ["core"],
    "params": ["core", "device"],
    "graph": ["core", "device", "params"],
    "structured": ["core"],
    "ops": ["core", "device", "params", "graph", "structured"],
    "plan": ["core", "device", "params", "graph", "ops"],
    "run": ["core", "device", "params", "graph", "ops", "plan"],
    "nn": ["core", "device", "params", "graph", "ops"],
    "train": ["core", "device", "params"],
    "io": ["core", "device", "params"],
    "mpi": ["core", "device", "params", "graph", "ops", "plan", "run", "train"],
    "program": ["core", "device", "params", "graph", "ops", "plan", "run", "train"],
    # A device implements device/engine.h and reads the lists of ops and update rules, nothing else.
    "cpu": ["core", "device", "dynet/ops/", "dynet/train/rules.h"],
}
PUBLIC = sorted(set(ROOMS) - {"cpu"})  # what the rest of the world may include
OUTSIDE = {"dynet.h", "python/src", "tests", "benchmarks", "examples", "docs"}
BESIDES = {"tests": {"cpu", "benchmarks"}, "benchmarks": {"cpu"}}  # and what these may

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def allowed(source, included):
    """Whether the file `source` may include the file `included`."""
    here, there = room(source), room(included)
    if here == there or there in BESIDES.get(here, ()):
        return True
    rules = ROOMS.get(here, [*PUBLIC, "dynet.h"])
    return any(str(included).startswith(rule) if "/" in rule else there == rule for rule in rules)


def old_names(root):
    """The headers that CMake makes for programs written for DyNet 2."""
    file = root / "cmake" / "headers.cmake"
    found = re.search(r"set\(DYNET2_HEADERS(.*?)\)", file.read_text(), re.DOTALL) if file.is_file() else None
    return {f"dynet/{name}.h" for name in found.group(1).split()} if found else set()


def check_include(root, source, name):
    """The complaint about one include, or None."""
    included = pathlib.PurePosixPath(name)
    if name in old_names(root) and room(source) in OUTSIDE - {"dynet.h"}:
        return None
    if not (root / included).is_file():
        return f"{source}: includes {name}, which is no file: write the path from the root, dynet/core/dim.h"
    if not allowed(source, included):
        may = ", ".join(ROOMS.get(room(source), PUBLIC)) or "no other room"
        return f"{source}: {room(source)} includes {name}: it may include {may}"
    return None


def check(root):
    """All complaints about the C++ files under root."""
    complaints = []
    for source in sources(root, CPP):
        if room(source) not in ROOMS.keys() | OUTSIDE:
            complaints.append(f"{source}: {room(source)} is no room yet: list it in tools/rooms.py")
            continue
        for name in INCLUDE.findall((root / source).read_text()):
            complaint = check_include(root, source, name)
            if complaint:
                complaints.append(complaint)
    return complaints


def main():
    complaints = check(ROOT)
    print("\n".join(complaints) if complaints else "rooms: every include points the right way")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
