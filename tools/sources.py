"""The project's source files, as the tools see them: what git tracks or would track, sorted into rooms."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
CPP = {".h", ".cc"}
PYTHON = {".py"}


def sources(root, suffixes):
    """The files with one of the suffixes, as sorted paths relative to root; ignored ones are left out."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = {pathlib.PurePosixPath(name) for name in listed if name}
    return sorted(path for path in paths if path.suffix in suffixes and (root / path).is_file())


def room(path):
    """The room of a file: a folder of the library (core, cpu, …), python/src, or the top folder."""
    folders = path.parent.parts
    if not folders:
        return "(root)"
    if folders[0] == "dynet":
        return folders[1] if len(folders) > 1 else "dynet.h"
    return "/".join(folders[:2]) if folders[0] == "python" else folders[0]
