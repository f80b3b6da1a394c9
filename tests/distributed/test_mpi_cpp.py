"""A C++ program built with dynet::mpi outside the tree learns the same in any number of processes."""

import os
import pathlib
import shutil
import subprocess
import sys

import jobs
import pytest

import dynet

PACKAGE = pathlib.Path(dynet.__file__).parent / "lib" / "cmake" / "dynet"
pytestmark = [
    pytest.mark.skipif(not jobs.PYTHONS, reason=jobs.WHY_NOT),
    pytest.mark.skipif(not PACKAGE.is_dir(), reason="the package was installed without its C++ library"),
]


def run(*command):
    tools = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env={**jobs.environment(), "PATH": tools},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_same_bits_in_cpp(tmp_path):
    source = jobs.HERE.parent / "cpp" / "mpi" / "law.cc"
    for file in (source, jobs.HERE / "CMakeLists.txt"):
        shutil.copy(file, tmp_path)
    home = pathlib.Path(jobs.PYTHONS[0]).parent.parent
    build = tmp_path / "build"
    run("cmake", "-S", tmp_path, "-B", build, "-G", "Ninja", f"-Ddynet_DIR={PACKAGE}", f"-DMPI_HOME={home}")
    run("cmake", "--build", build)
    printed = run(
        "cmake", f"-DMPIEXEC={home}/bin/mpiexec", f"-DPROGRAM={build}/law", "-P", source.with_suffix(".cmake")
    )
    assert printed == ""  # it fails where bits differ
