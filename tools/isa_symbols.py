"""Checks that code for a better CPU cannot replace code for any CPU: isa_symbols.py FOLDER looks at a build.

A template or inline function is emitted in every object that uses it, and the linker keeps any one of them:
what an object of one instruction set shares with others must carry that instruction set in its name.
"""

import pathlib
import re
import shutil
import subprocess
import sys

OBJECTS = re.compile(r"/dynet_core_(v[2-4])\.dir/.*\.o$")


def shared_functions(path, level):
    """The weak functions an object defines under a name that other objects may have too."""
    command = ["nm", "--defined-only", "--format=posix", str(path)]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        name, kind = line.split()[:2]
        if kind == "W" and f"3cpu{len(level)}{level}" not in name:  # as mangled from dynet::engine::cpu::v3
            yield name


def readable(name):
    """The name as in the source, where the tool for it is there."""
    if not shutil.which("c++filt"):
        return name
    return subprocess.run(["c++filt", name], capture_output=True, text=True, check=True).stdout.strip()


def check(folder):
    """How many objects there are, and the complaints about them."""
    objects, complaints = 0, []
    for path in sorted(folder.rglob("*.o")):
        found = OBJECTS.search(path.as_posix())
        if found:
            objects += 1
            level = found.group(1)
            complaints += [f"{path.stem} for {level}: {readable(n)}" for n in shared_functions(path, level)]
    return objects, complaints


def main(folder):
    objects, complaints = check(pathlib.Path(folder))
    if complaints:
        print("\n".join(complaints))
        print(
            "isa_symbols: put these into dynet::engine::cpu::DYNET_ISA, or make a type of it their argument"
        )
        return 1
    print(f"isa_symbols: {objects} objects keep their instruction set to themselves")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
