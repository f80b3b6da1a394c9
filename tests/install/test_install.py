"""A program outside the tree builds against the wheel and against an installed DyNet; what is missing is told."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run(*command, **environment):
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": TOOLS, **environment},
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path):
    """A folder with a program and five lines of CMake."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "tests" / "install" / "CMakeLists.txt", folder)
    shutil.copy(ROOT / "examples" / "cpp" / "xor.cc", folder)
    return folder


def build_and_run(project, option):
    run("cmake", "-S", project, "-B", project / "build", "-G", "Ninja", option)
    run("cmake", "--build", project / "build")
    assert "1 xor 1" in run(project / "build" / "xor", "--dynet-seed", 1)


def test_a_missing_compiler_is_told_in_one_sentence(tmp_path):
    tools = tmp_path / "tools"  # all that the PATH has
    tools.mkdir()
    for name in ("cmake", "ninja"):
        (tools / name).symlink_to(shutil.which(name, path=TOOLS))
    environment = {name: text for name, text in os.environ.items() if name not in ("CXX", "CC")}
    done = subprocess.run(
        [shutil.which("cmake", path=TOOLS), "-S", ROOT, "-B", tmp_path / "build", "-G", "Ninja"],
        capture_output=True,
        text=True,
        env={**environment, "PATH": str(tools)},
        check=False,
    )
    assert done.returncode != 0
    message = " ".join(done.stderr.split())
    assert "DyNet needs a C++20 compiler, and none was found: install g++ 12" in message
    assert message.count("CMake Error") == 1


def test_the_wheel(project):
    build_and_run(project, f"-Ddynet_DIR={run(sys.executable, '-m', 'dynet', '--cmake-dir')}")


def test_the_program_of_the_tutorial(tmp_path):
    """It beats the most frequent kind, a third, by far, and Python reads what it writes."""
    tutorials, build = ROOT / "docs" / "tutorials", tmp_path / "build"
    package = run(sys.executable, "-m", "dynet", "--cmake-dir")
    run("cmake", "-S", tutorials / "cpp", "-B", build, "-G", "Ninja", f"-Ddynet_DIR={package}")
    run("cmake", "--build", build)
    model = tmp_path / "verses.model"
    told = run(build / "verses", tutorials / "data" / "verses.tsv", model, "--dynet-seed", 1)
    assert float(re.search(r"held out: (\S+) right", told)[1]) > 0.7
    assert "/words" in run(sys.executable, "-m", "dynet", "show", model)


def test_the_wheel_by_pkg_config(project):
    program = shutil.which("pkg-config")
    if not program:
        pytest.skip("pkg-config is not there")
    folder = run(sys.executable, "-m", "dynet", "--pkg-config-dir")
    flags = run(program, "--cflags", "--libs", "dynet", PKG_CONFIG_PATH=folder).split()
    run("c++", project / "xor.cc", "-o", project / "xor", *flags)
    assert "1 xor 1" in run(project / "xor", "--dynet-seed", 1)


def test_an_installed_library(project, tmp_path):
    build, prefix = tmp_path / "build", tmp_path / "prefix"
    quick = ("-DDYNET_ONE_ISA=native", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0")
    run("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", *quick)
    run("cmake", "--build", build)
    run("cmake", "--install", build, "--prefix", prefix)
    assert not list(prefix.rglob("cpu")), "the engine's headers are nobody's business"
    build_and_run(project, f"-DCMAKE_PREFIX_PATH={prefix}")
